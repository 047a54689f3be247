// Package compliance is an example plugin: it screens the two sides of a
// payment against a sanctions list and decides whether the customer must
// confirm it (strong customer authentication), and it identifies whoever wants
// to be a customer. It has no effect.
//
// The risk score, from 0 to 100, adds up:
//
//	 5  always
//	10  debtor and creditor are in different countries
//	40  one of them is outside the single euro payments area
//	25  an account number is of another country than its owner, for each side
//
// The customer need not confirm a payment to a trusted beneficiary (PSD2 RTS
// article 13) whose score is below Threshold; every other payment is
// confirmed. Which creditors are trusted and which sanctioned stands in
// Trusted and Sanctioned.
package compliance

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/iban"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// Name is the plugin's name.
const Name = "compliance"

// Codes of the errors that activities answer with.
const (
	CodeSanctionsHit = "SANCTIONS_HIT"
	CodeInvalidIBAN  = "INVALID_IBAN"
)

// Threshold is the risk score from which even a trusted beneficiary does not
// spare the customer the confirmation.
const Threshold = 50

const (
	scoreAlways      = 5
	scoreCrossBorder = 10
	scoreOutsideSEPA = 40
	scoreMismatch    = 25
	scoreMax         = 100
)

// Trusted are the creditors that the first start puts on the list of trusted
// beneficiaries, and Sanctioned those it puts on the sanctions list. Their
// numbers are specimen numbers of the ISO 13616 registry.
var (
	Trusted    = []string{"AT611904300234573201", "BE68539007547034", "FI2112345600000785"}
	Sanctioned = []string{"CY17002001280000001200527600", "MT84MALT011000012345MTLCAST001S"}
)

//go:embed schema.sql
var schema string

type office struct{ service.Service }

// New makes the plugin. Options replace what test cards do to the process.
func New(opts ...testcards.Option) *plugins.Plugin { return new(office).plugin(opts) }

func (s *office) plugin(opts []testcards.Option) *plugins.Plugin {
	return s.Plugin(Name, opts, []store.Migration{store.SQL(schema), seed, store.SQL(personsSchema), seedPersons},
		plugins.Activity("screen", s.screen,
			plugins.Describe("Screens a payment against the sanctions list and tells whether the customer must confirm it; no effect."),
			service.Errors(testcards.ComplianceScreen, CodeInvalidIBAN)),
		plugins.Activity("identify", s.identify,
			plugins.Describe("Looks a person up who wants to be a customer and says what risk that is; no effect."),
			service.Errors(testcards.ComplianceIdentify)))
}

func seed(ctx context.Context, tx *sql.Tx) error {
	for _, number := range Sanctioned {
		if _, err := tx.ExecContext(ctx, `INSERT INTO sanctions (iban, reason) VALUES (?, 'demo list')`, number); err != nil {
			return fmt.Errorf("seed the sanctions list: %w", err)
		}
	}
	for _, number := range Trusted {
		if _, err := tx.ExecContext(ctx, `INSERT INTO trusted_beneficiaries (iban) VALUES (?)`, number); err != nil {
			return fmt.Errorf("seed the trusted beneficiaries: %w", err)
		}
	}
	return nil
}

// Party is one side of a payment.
type Party struct {
	IBAN    string `json:"iban" description:"account number" sensitive:"true"`
	Country string `json:"country" description:"ISO 3166-1 alpha-2 code of the country that the party is in" pattern:"^[A-Z]{2}$"`
}

// ScreenInput is the payment to be screened.
type ScreenInput struct {
	Debtor   Party `json:"debtor" description:"who pays"`
	Creditor Party `json:"creditor" description:"who is paid"`
}

// ScreenOutput is the verdict on a payment that may go on.
type ScreenOutput struct {
	SCARequired bool `json:"scaRequired" description:"whether the customer must confirm the payment"`
	RiskScore   int  `json:"riskScore" description:"from 0, harmless, to 100" minimum:"0" maximum:"100"`
}

func (s *office) screen(ctx context.Context, call plugins.Call, in ScreenInput) (ScreenOutput, error) {
	hand := testcards.FromAccount(in.Creditor.IBAN)
	return testcards.Play(ctx, s.Deck, call, testcards.ComplianceScreen, hand, func(ctx context.Context) (ScreenOutput, error) {
		for _, p := range []struct {
			side string
			Party
		}{{"debtor", in.Debtor}, {"creditor", in.Creditor}} {
			if err := iban.Check(p.IBAN); err != nil {
				return ScreenOutput{}, plugins.Reject(CodeInvalidIBAN, "the %s's account: %w", p.side, err)
			}
			if err := s.sanctioned(ctx, p.side, p.IBAN); err != nil {
				return ScreenOutput{}, err
			}
		}
		trusted, err := s.listed(ctx, `SELECT count(*) FROM trusted_beneficiaries WHERE iban = ?`, in.Creditor.IBAN)
		if err != nil {
			return ScreenOutput{}, err
		}
		score := risk(in.Debtor, in.Creditor)
		out := ScreenOutput{SCARequired: !trusted || score >= Threshold, RiskScore: score}
		call.Logger.Info("screened", "creditor", iban.Mask(in.Creditor.IBAN), "score", score, "scaRequired", out.SCARequired)
		return out, nil
	})
}

func (s *office) sanctioned(ctx context.Context, side, number string) error {
	hit, err := s.listed(ctx, `SELECT count(*) FROM sanctions WHERE iban = ?`, number)
	if err == nil && hit {
		err = plugins.Reject(CodeSanctionsHit, "the %s's account %s is on the sanctions list", side, iban.Mask(number))
	}
	return err
}

func (s *office) listed(ctx context.Context, query, number string) (bool, error) {
	var n int
	if err := s.DB.QueryRowContext(ctx, query, iban.Normal(number)).Scan(&n); err != nil {
		return false, fmt.Errorf("look up %s: %w", iban.Mask(number), err)
	}
	return n > 0, nil
}

// risk adds up the score of the package's comment.
func risk(debtor, creditor Party) int {
	score := scoreAlways
	if debtor.Country != creditor.Country {
		score += scoreCrossBorder
	}
	if !iban.SEPA(debtor.Country) || !iban.SEPA(creditor.Country) {
		score += scoreOutsideSEPA
	}
	for _, p := range []Party{debtor, creditor} {
		if iban.Country(p.IBAN) != p.Country {
			score += scoreMismatch
		}
	}
	return min(score, scoreMax)
}
