package compliance

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/iban"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// SanctionedPersons are whom the first start puts on the sanctions list, and
// ExposedPersons those with a public office, whom a bank takes a second look at.
var (
	SanctionedPersons = []string{"Mallory Kane"}
	ExposedPersons    = []string{"Portia Exley"}
)

// personsSchema is a migration of its own: offices of older versions have
// everything else.
const personsSchema = `
CREATE TABLE persons (
	name TEXT NOT NULL PRIMARY KEY,
	list TEXT NOT NULL CHECK (list IN ('sanctioned', 'exposed'))
) STRICT, WITHOUT ROWID;`

func seedPersons(ctx context.Context, tx *sql.Tx) error {
	for list, names := range map[string][]string{"sanctioned": SanctionedPersons, "exposed": ExposedPersons} {
		for _, name := range names {
			if _, err := tx.ExecContext(ctx, `INSERT INTO persons (name, list) VALUES (?, ?)`, normalName(name), list); err != nil {
				return fmt.Errorf("seed the %s persons: %w", list, err)
			}
		}
	}
	return nil
}

// normalName is how the lists write a name.
func normalName(name string) string {
	return strings.ToUpper(strings.Join(strings.Fields(name), " "))
}

// IdentifyInput is somebody who wants to be a customer.
type IdentifyInput struct {
	Name      string `json:"name" description:"the full name" sensitive:"true" minLength:"1"`
	BirthDate string `json:"birthDate" description:"as 2006-01-02" sensitive:"true" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"`
	Country   string `json:"country" description:"ISO 3166-1 alpha-2 code of where the person lives" pattern:"^[A-Z]{2}$"`
	Document  string `json:"document" description:"number of the passport or identity card" sensitive:"true" minLength:"5"`
}

// IdentifyOutput is what the bank has to look out for.
type IdentifyOutput struct {
	Risk string `json:"risk" description:"low in the single euro payments area, high outside; medium for whoever has a public office" enum:"low,medium,high"`
}

func (s *office) identify(ctx context.Context, call plugins.Call, in IdentifyInput) (IdentifyOutput, error) {
	hand := testcards.FromAccount(in.Document)
	return testcards.Play(ctx, s.Deck, call, testcards.ComplianceIdentify, hand, func(ctx context.Context) (IdentifyOutput, error) {
		var sanctioned, exposed bool
		err := s.DB.QueryRowContext(ctx, `SELECT coalesce(sum(list = 'sanctioned'), 0), coalesce(sum(list = 'exposed'), 0) FROM persons WHERE name = ?`,
			normalName(in.Name)).Scan(&sanctioned, &exposed)
		if err != nil {
			return IdentifyOutput{}, fmt.Errorf("look up a person: %w", err)
		}
		out := IdentifyOutput{Risk: "low"}
		switch {
		case sanctioned:
			return IdentifyOutput{}, plugins.Reject(CodeSanctionsHit, "the person is on the sanctions list")
		case !iban.SEPA(in.Country):
			out.Risk = "high"
		case exposed:
			out.Risk = "medium"
		}
		call.Logger.Info("identified", "country", in.Country, "risk", out.Risk)
		return out, nil
	})
}
