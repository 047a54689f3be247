// Package rails is an example plugin: the access to a settlement network. A
// payment is submitted once and cannot be taken back, which makes submit the
// pivot of a payment; status is its probe.
//
// The network knows a payment by its UETR, the unique end-to-end transaction
// reference of ISO 20022: a UUID of version 4. It is derived from the
// idempotency key, so that a payment that is submitted again has the same.
package rails

import (
	"context"
	"crypto/sha256"
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
const Name = "rails"

// CodeLimitExceeded rejects a payment of more than MaxMinor.
const CodeLimitExceeded = "LIMIT_EXCEEDED"

// MaxMinor is the most that the network moves at once, in minor units of the
// currency: that of a SEPA credit transfer, 999,999,999.99.
const MaxMinor = 999_999_999_99

// StatusAccepted is the status of a payment that the network will settle.
const StatusAccepted = "accepted"

//go:embed schema.sql
var schema string

type network struct{ service.Service }

// New makes the plugin. Options replace what test cards do to the process.
func New(opts ...testcards.Option) *plugins.Plugin { return new(network).plugin(opts) }

func (s *network) plugin(opts []testcards.Option) *plugins.Plugin {
	return s.Plugin(Name, opts, []store.Migration{store.SQL(schema)},
		plugins.Activity("submit", s.submit,
			plugins.Describe("Submits a payment to the settlement network; it cannot be taken back. The same key submits once."),
			service.Errors(testcards.RailsSubmit)),
		plugins.Activity("status", s.status,
			plugins.Describe("Probe of submit: tells whether the payment was submitted, and if not makes sure that a late request will not be."),
			service.ProbeErrors(testcards.RailsStatus)))
}

// SubmitInput is a payment.
type SubmitInput struct {
	Quote  string       `json:"quote" description:"the quoteId of the exchange rate" minLength:"1"`
	Amount money.Amount `json:"amount" description:"what is paid"`
}

// SubmitOutput is the network's receipt.
type SubmitOutput struct {
	UETR   string `json:"uetr" description:"the payment's unique end-to-end transaction reference, a UUID" pattern:"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"`
	Status string `json:"status" description:"what the network says of it" enum:"accepted"`
}

func (s *network) submit(ctx context.Context, call plugins.Call, in SubmitInput) (SubmitOutput, error) {
	hand := testcards.FromMinor(in.Amount.Minor)
	return testcards.Do(ctx, s.Deck, call, testcards.RailsSubmit, hand, func(ctx context.Context, tx *sql.Tx) (SubmitOutput, error) {
		if in.Amount.Minor > MaxMinor {
			return SubmitOutput{}, plugins.Reject(CodeLimitExceeded, "the network moves at most %d minor units at once, not %d", int64(MaxMinor), in.Amount.Minor)
		}
		out := SubmitOutput{UETR: UETR(service.Operation(call)), Status: StatusAccepted}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO submissions (uetr, action_key, quote, minor, currency, status, submitted_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			out.UETR, call.ActionKey, in.Quote, in.Amount.Minor, in.Amount.Currency, out.Status, s.Instant())
		if err != nil {
			return SubmitOutput{}, fmt.Errorf("submit %s: %w", out.UETR, err)
		}
		call.Logger.Info("submitted", "uetr", out.UETR, "amount", in.Amount.String())
		return out, nil
	})
}

// StatusInput names a payment by the key of its submission.
type StatusInput struct {
	Submission string `json:"submission" description:"key of the action that submitted the payment"`
}

func (s *network) status(ctx context.Context, call plugins.Call, in StatusInput) (plugins.Probe[SubmitOutput], error) {
	return service.Probe[SubmitOutput](ctx, &s.Service, call, testcards.RailsStatus, in.Submission)
}

// UETR is the reference of the payment that an operation submits: the first 16
// bytes of the SHA-256 digest of its name in the form of a UUID of version 4
// (RFC 9562, section 5.4).
func UETR(operation string) string {
	sum := sha256.Sum256([]byte("uetr\x00" + operation))
	b := sum[:16]
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Submission is one payment that the network has accepted.
type Submission struct {
	UETR        string
	ActionKey   string
	Quote       string
	Amount      money.Amount
	SubmittedAt time.Time
}

// Submissions reads all payments from the network's database, in the order of
// their references, for tests that count effects.
func Submissions(ctx context.Context, db *sql.DB) (all []Submission, err error) {
	rows, err := db.QueryContext(ctx, `SELECT uetr, action_key, quote, minor, currency, submitted_at FROM submissions ORDER BY uetr`)
	if err != nil {
		return nil, fmt.Errorf("rails: read the submissions: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var one Submission
		var at string
		if err := rows.Scan(&one.UETR, &one.ActionKey, &one.Quote, &one.Amount.Minor, &one.Amount.Currency, &at); err != nil {
			return nil, fmt.Errorf("rails: read a submission: %w", err)
		}
		if one.SubmittedAt, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return nil, fmt.Errorf("rails: submission %s: %w", one.UETR, err)
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// OpenReadOnly opens the network's database in a plugin's data directory for
// reading, also while the plugin runs or after it was killed. The caller
// closes it.
func OpenReadOnly(ctx context.Context, dataDir string) (*sql.DB, error) {
	return store.OpenReadOnly(ctx, dataDir, Name)
}
