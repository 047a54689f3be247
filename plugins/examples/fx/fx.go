// Package fx is an example plugin: a desk that quotes exchange rates and keeps
// a quote open for the payment that will use it. Rates are integers with eight
// decimals from a table in SQLite, so that the same amount always has the same
// quote.
package fx

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/money"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// Name is the plugin's name.
const Name = "fx"

// Codes of the errors that activities answer with.
const (
	CodeCurrencyUnknown = "CURRENCY_UNKNOWN"
	CodeInvalidAmount   = "INVALID_AMOUNT"
	CodeQuoteNotFound   = "QUOTE_NOT_FOUND"
	CodeQuoteMismatch   = "QUOTE_MISMATCH"
)

// Validity is how long a quote stands.
const Validity = 10 * time.Minute

// defaultTarget is the currency that the single euro payments area settles in.
const defaultTarget = "EUR"

//go:embed schema.sql
var schema string

type desk struct{ service.Service }

// New makes the plugin. Options replace what test cards do to the process.
func New(opts ...testcards.Option) *plugins.Plugin { return new(desk).plugin(opts) }

func (s *desk) plugin(opts []testcards.Option) *plugins.Plugin {
	return s.Plugin(Name, opts, []store.Migration{store.SQL(schema), seed},
		plugins.Activity("quote", s.quote,
			plugins.Describe("Quotes an exchange rate for an amount and keeps the quote open for ten minutes."),
			service.Errors(testcards.FXQuote, CodeInvalidAmount)),
		plugins.Activity("cancel", s.cancel,
			plugins.Describe("Compensates quote. The quote is named by the key of its action; its identifier may be unknown."),
			service.Errors(testcards.FXCancel, CodeQuoteMismatch)))
}

func seed(ctx context.Context, tx *sql.Tx) error {
	for _, c := range seedCurrencies {
		if _, err := tx.ExecContext(ctx, `INSERT INTO currencies (code, exponent, per_euro) VALUES (?, ?, ?)`, c.code, c.exponent, c.perEuro); err != nil {
			return fmt.Errorf("seed %s: %w", c.code, err)
		}
	}
	return nil
}

// QuoteInput asks for a rate.
type QuoteInput struct {
	Amount money.Amount `json:"amount" description:"what is to be exchanged"`
	Target string       `json:"target,omitempty" description:"ISO 4217 code of the currency wanted; EUR when left out" pattern:"^[A-Z]{3}$"`
}

// QuoteOutput is a quote.
type QuoteOutput struct {
	QuoteID   string       `json:"quoteId" description:"names the quote"`
	Rate      string       `json:"rate" description:"units of the target for one unit of the amount's currency, a decimal number with eight decimals"`
	Amount    money.Amount `json:"amount" description:"the amount in the target currency, rounded half to even"`
	ExpiresAt time.Time    `json:"expiresAt" description:"until when the quote stands, in UTC"`
}

func (s *desk) quote(ctx context.Context, call plugins.Call, in QuoteInput) (QuoteOutput, error) {
	hand := testcards.FromMinor(in.Amount.Minor)
	return testcards.Do(ctx, s.Deck, call, testcards.FXQuote, hand, func(ctx context.Context, tx *sql.Tx) (QuoteOutput, error) {
		target := in.Target
		if target == "" {
			target = defaultTarget
		}
		from, err := findCurrency(ctx, tx, in.Amount.Currency)
		if err != nil {
			return QuoteOutput{}, err
		}
		to, err := findCurrency(ctx, tx, target)
		if err != nil {
			return QuoteOutput{}, err
		}
		rate, converted, ok := convert(in.Amount.Minor, from, to)
		if !ok {
			return QuoteOutput{}, plugins.Reject(CodeInvalidAmount, "%s is too small or too large to be exchanged for %s", in.Amount, target)
		}
		quotedAt := s.Now().UTC().Truncate(time.Second)
		out := QuoteOutput{
			QuoteID:   service.Identity("quote", call),
			Rate:      decimal(rate),
			Amount:    money.Amount{Minor: converted, Currency: target},
			ExpiresAt: quotedAt.Add(Validity),
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO quotes (id, action_key, from_minor, from_currency, to_minor, to_currency, rate, state, quoted_at, expires_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, 'open', ?, ?)`,
			out.QuoteID, call.ActionKey, in.Amount.Minor, from.code, converted, to.code, rate, quotedAt.Format(time.RFC3339), out.ExpiresAt.Format(time.RFC3339))
		if err != nil {
			return QuoteOutput{}, fmt.Errorf("keep %s: %w", out.QuoteID, err)
		}
		call.Logger.Info("quoted", "quote", out.QuoteID, "rate", out.Rate, "amount", in.Amount.String(), "target", target)
		return out, nil
	})
}

func findCurrency(ctx context.Context, tx *sql.Tx, code string) (currency, error) {
	c := currency{code: code}
	err := tx.QueryRowContext(ctx, `SELECT exponent, per_euro FROM currencies WHERE code = ?`, code).Scan(&c.exponent, &c.perEuro)
	if errors.Is(err, sql.ErrNoRows) {
		return c, plugins.Reject(CodeCurrencyUnknown, "there is no rate for %q", code)
	}
	if err != nil {
		return c, fmt.Errorf("look up %q: %w", code, err)
	}
	return c, nil
}

// CancelInput names a quote by the key of its action.
type CancelInput struct {
	Quote   *string `json:"quote" description:"the quoteId, or null when no answer of quote is known"`
	Request string  `json:"request" description:"key of the action that asked for the quote"`
}

// CancelOutput tells what was cancelled.
type CancelOutput struct {
	Cancelled bool `json:"cancelled" description:"false when there was nothing to cancel"`
}

func (s *desk) cancel(ctx context.Context, call plugins.Call, in CancelInput) (CancelOutput, error) {
	return testcards.Do(ctx, s.Deck, call, testcards.FXCancel, nil, func(ctx context.Context, tx *sql.Tx) (CancelOutput, error) {
		var id, state string
		err := tx.QueryRowContext(ctx, `SELECT id, state FROM quotes WHERE action_key = ?`, in.Request).Scan(&id, &state)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return CancelOutput{}, plugins.Reject(CodeQuoteNotFound, "no quote was asked for with the key %s", in.Request)
		case err != nil:
			return CancelOutput{}, fmt.Errorf("look up the quote of %s: %w", in.Request, err)
		case in.Quote != nil && *in.Quote != id:
			return CancelOutput{}, plugins.Reject(CodeQuoteMismatch, "the request %s was answered with %s, not with %s", in.Request, id, *in.Quote)
		case state == "cancelled":
			return CancelOutput{Cancelled: false}, nil
		}
		if _, err := tx.ExecContext(ctx, `UPDATE quotes SET state = 'cancelled' WHERE id = ?`, id); err != nil {
			return CancelOutput{}, fmt.Errorf("cancel %s: %w", id, err)
		}
		call.Logger.Info("quote cancelled", "quote", id)
		return CancelOutput{Cancelled: true}, nil
	})
}

// Open lists the identifiers of the quotes that are neither cancelled nor past
// their time, for tests that look for what a saga left behind.
func Open(ctx context.Context, db *sql.DB, now time.Time) (ids []string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT id FROM quotes WHERE state = 'open' AND expires_at > ? ORDER BY id`, now.UTC().Format(time.RFC3339))
	if err != nil {
		return nil, fmt.Errorf("fx: read the quotes: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("fx: read a quote: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
