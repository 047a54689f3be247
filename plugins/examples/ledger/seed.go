package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/sagad/sagad/plugins/examples/iban"
)

// seedAccount is a customer's account of the demo bank and what it opens
// with, in minor units.
type seedAccount struct {
	number, label, currency string
	opening                 int64
}

// The customers of the demo bank. The numbers are the specimen numbers of the
// ISO 13616 registry where a country has one in it.
var seedAccounts = []seedAccount{
	{"DE89370400440532013000", "customer-de", "EUR", 5_000_000_00},
	{"FR1420041010050500013M02606", "customer-fr", "EUR", 800_000_00},
	{"NL91ABNA0417164300", "customer-nl", "EUR", 125_000_00},
	{"ES9121000418450200051332", "customer-es", "EUR", 2_500_000_00},
	{"IT60X0542811101000000123456", "customer-it-poor", "EUR", 50_00},
	{"SE4550000000058398257466", "customer-se", "SEK", 9_000_000_00},
	{"PL61109010140000071219812874", "customer-pl", "PLN", 3_000_000_00},
	{"CH9300762011623852957", "customer-ch", "CHF", 1_500_000_00},
	{"GB29NWBK60161331926819", "customer-gb", "GBP", 750_000_00},
	{"CZ6508000000192000145399", "customer-cz", "CZK", 20_000_000_00},
	// Rich enough for amounts that hold two test cards.
	{"LU280019400644750000", "treasury-lu", "EUR", 900_000_000_000_00},
}

// bankCountry is where the demo bank keeps its own accounts.
const bankCountry = "LU"

// seed opens the demo bank: its own accounts for every currency, the
// customers, and one opening entry for each currency.
func (s *ledger) seed(ctx context.Context, tx *sql.Tx) error {
	openings := map[string][]posting{}
	var currencies []string
	for _, a := range seedAccounts {
		if openings[a.currency] == nil {
			currencies = append(currencies, a.currency)
		}
		openings[a.currency] = append(openings[a.currency], posting{a.number, a.opening}, posting{opening(a.currency), -a.opening})
		if err := insertAccount(ctx, tx, a.number, a.label, "customer", iban.Country(a.number), a.currency); err != nil {
			return err
		}
	}
	for _, currency := range currencies {
		for kind, number := range map[string]string{"clearing": clearing(currency), "merchant": merchant(currency), "opening": opening(currency)} {
			if err := insertAccount(ctx, tx, number, number, kind, bankCountry, currency); err != nil {
				return err
			}
		}
		id := "entry-opening-" + currency
		if err := s.book(ctx, tx, id, "opening", id, merge(openings[currency])...); err != nil {
			return err
		}
	}
	return nil
}

// merge adds up what is posted to the same account.
func merge(postings []posting) []posting {
	var merged []posting
	at := map[string]int{}
	for _, p := range postings {
		i, seen := at[p.account]
		if !seen {
			i = len(merged)
			at[p.account] = i
			merged = append(merged, posting{account: p.account})
		}
		merged[i].minor += p.minor
	}
	return merged
}

func insertAccount(ctx context.Context, tx *sql.Tx, number, label, kind, country, currency string) error {
	_, err := tx.ExecContext(ctx,
		`INSERT INTO accounts (number, label, kind, country, currency) VALUES (?, ?, ?, ?, ?)`,
		number, label, kind, country, currency)
	if err != nil {
		return fmt.Errorf("open account %s: %w", label, err)
	}
	return nil
}
