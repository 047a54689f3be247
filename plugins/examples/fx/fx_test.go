package fx_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/plugins/examples/exampletest"
	"github.com/sagad/sagad/plugins/examples/fx"
	"github.com/sagad/sagad/plugins/examples/money"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

func TestQuote(t *testing.T) {
	exampletest.Effect{
		Plugin: fx.New, Name: fx.Name, Action: testcards.FXQuote,
		Prepare: func(_ testing.TB, _ *exampletest.Process, _ exampletest.Step, minor int64) any {
			return fx.QuoteInput{Amount: money.Amount{Minor: minor, Currency: "SEK"}}
		},
		Count:        `SELECT count(*) FROM quotes WHERE state = 'open'`,
		Compensation: testcards.FXCancel,
		Compensate: func(step exampletest.Step, out []byte) any {
			in := map[string]any{"quote": nil, "request": step.Key()}
			if id := regexp.MustCompile(`quote-[0-9a-f]+`).Find(out); id != nil {
				in["quote"] = string(id)
			}
			return in
		},
	}.Run(t)
}

func TestRates(t *testing.T) {
	p := exampletest.Start(t, fx.New, t.TempDir())
	tests := []struct {
		name   string
		minor  int64
		from   string
		target string
		rate   string
		want   money.Amount
	}{
		{"euro to euro", 12345, "EUR", "", "1.00000000", money.Amount{Minor: 12345, Currency: "EUR"}},
		{"krona to euro by default", 100_00, "SEK", "", "0.08888889", money.Amount{Minor: 8_89, Currency: "EUR"}},
		{"euro to krona", 100_00, "EUR", "SEK", "11.25000000", money.Amount{Minor: 1125_00, Currency: "SEK"}},
		{"through the euro", 100_00, "GBP", "CHF", "1.09302326", money.Amount{Minor: 109_30, Currency: "CHF"}},
		{"a currency without a minor unit", 10_00, "EUR", "ISK", "148.50000000", money.Amount{Minor: 1485, Currency: "ISK"}},
		{"and back", 1485, "ISK", "EUR", "0.00673401", money.Amount{Minor: 10_00, Currency: "EUR"}},
		{"a half is rounded to even, down", 1, "EUR", "ISK", "148.50000000", money.Amount{Minor: 1, Currency: "ISK"}},
		{"a half is rounded to even, up", 3_00, "EUR", "ISK", "148.50000000", money.Amount{Minor: 446, Currency: "ISK"}},
		{"the largest amount", money.MaxMinor, "EUR", "EUR", "1.00000000", money.Amount{Minor: money.MaxMinor, Currency: "EUR"}},
	}
	for _, tt := range tests {
		in := map[string]any{"amount": money.Amount{Minor: tt.minor, Currency: tt.from}}
		if tt.target != "" {
			in["target"] = tt.target
		}
		out := exampletest.Must[fx.QuoteOutput](t, p, "fx.quote", exampletest.Step{Saga: tt.name, Path: "quote"}, in)
		if out.Rate != tt.rate {
			t.Errorf("%s: rate %s, want %s", tt.name, out.Rate, tt.rate)
		}
		if diff := cmp.Diff(tt.want, out.Amount); diff != "" {
			t.Errorf("%s: amount (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestRejections(t *testing.T) {
	p := exampletest.Start(t, fx.New, t.TempDir())
	quoted := exampletest.Step{Saga: "quoted", Path: "quote"}
	exampletest.Must[fx.QuoteOutput](t, p, "fx.quote", quoted, fx.QuoteInput{Amount: money.Amount{Minor: 5, Currency: "EUR"}})
	for name, tt := range map[string]struct {
		in   fx.QuoteInput
		want string
	}{
		"unknown currency":   {fx.QuoteInput{Amount: money.Amount{Minor: 5, Currency: "XXX"}}, "reject CURRENCY_UNKNOWN"},
		"unknown target":     {fx.QuoteInput{Amount: money.Amount{Minor: 5, Currency: "EUR"}, Target: "XXX"}, "reject CURRENCY_UNKNOWN"},
		"less than a cent":   {fx.QuoteInput{Amount: money.Amount{Minor: 1, Currency: "HUF"}}, "reject INVALID_AMOUNT"},
		"more than a number": {fx.QuoteInput{Amount: money.Amount{Minor: money.MaxMinor, Currency: "EUR"}, Target: "HUF"}, "reject INVALID_AMOUNT"},
		"lower case":         {fx.QuoteInput{Amount: money.Amount{Minor: 5, Currency: "eur"}}, "reject INVALID_INPUT"},
	} {
		_, err := p.Invoke("fx.quote", exampletest.Step{Saga: name, Path: "quote"}.Action(1), tt.in)
		if got := exampletest.Answer(err); got != tt.want {
			t.Errorf("%s: answer %q, want %q", name, got, tt.want)
		}
	}
	other := "quote-of-another"
	_, err := p.Invoke("fx.cancel", quoted.Compensation(1), fx.CancelInput{Quote: &other, Request: quoted.Key()})
	if got, want := exampletest.Answer(err), "reject QUOTE_MISMATCH"; got != want {
		t.Errorf("cancel of another quote: answer %q, want %q", got, want)
	}
}

func TestOpen(t *testing.T) {
	p := exampletest.Start(t, fx.New, t.TempDir())
	out := exampletest.Must[fx.QuoteOutput](t, p, "fx.quote", exampletest.Step{Saga: "s", Path: "quote"}, fx.QuoteInput{Amount: money.Amount{Minor: 5, Currency: "EUR"}})
	db, err := store.OpenReadOnly(t.Context(), p.DataDir, fx.Name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, tt := range []struct {
		at   time.Time
		want []string
	}{
		{out.ExpiresAt.Add(-time.Second), []string{out.QuoteID}},
		{out.ExpiresAt, nil},
	} {
		ids, err := fx.Open(t.Context(), db, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, ids); diff != "" {
			t.Errorf("open at %s (-want +got):\n%s", tt.at, diff)
		}
	}
}
