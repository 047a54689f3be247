// Package cards is an example plugin: the disputes desk and the refunds of a
// bank that issues payment cards. A holder who disputes a payment is credited
// for the time being and the money is claimed from the merchant's bank. Until
// the dispute is decided all of it can be taken back; finalise makes the credit
// final and closes the dispute. A refund goes to the card at once and cannot be
// taken back; refundStatus is its probe.
package cards

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// Name is the plugin's name.
const Name = "cards"

// Codes of the errors that activities answer with.
const (
	CodeCardUnknown        = "CARD_UNKNOWN"
	CodeCardClosed         = "CARD_CLOSED"
	CodeDisputeExists      = "DISPUTE_EXISTS"
	CodeDisputeNotFound    = "DISPUTE_NOT_FOUND"
	CodeDisputeClosed      = "DISPUTE_CLOSED"
	CodeCreditNotFound     = "CREDIT_NOT_FOUND"
	CodeChargebackNotFound = "CHARGEBACK_NOT_FOUND"
	CodeChargebackRefused  = "CHARGEBACK_REFUSED"
)

//go:embed schema.sql
var schema string

type cards struct{ service.Service }

// New makes the plugin. Options replace what test cards do to the process.
func New(opts ...testcards.Option) *plugins.Plugin { return new(cards).plugin(opts) }

func (s *cards) plugin(opts []testcards.Option) *plugins.Plugin {
	return s.Plugin(Name, opts, []store.Migration{store.SQL(schema), seed}, s.activities()...)
}

func (s *cards) activities() []plugins.Definition {
	return []plugins.Definition{
		plugins.Activity("openDispute", s.openDispute,
			plugins.Describe("Opens a dispute about a payment; there is one for each transaction."),
			service.Errors(testcards.CardsOpenDispute, CodeCardUnknown)),
		plugins.Activity("withdrawDispute", withdraw(s, testcards.CardsWithdrawDispute, disputes),
			plugins.Describe("Compensates openDispute. The dispute is named by the key of its action."),
			service.Errors(testcards.CardsWithdrawDispute, CodeDisputeNotFound)),
		plugins.Activity("credit", s.credit,
			plugins.Describe("Credits the holder for the time being, until the dispute is decided."),
			service.Errors(testcards.CardsCredit, CodeDisputeNotFound, CodeDisputeClosed)),
		plugins.Activity("takeBack", withdraw(s, testcards.CardsTakeBack, credits),
			plugins.Describe("Compensates credit: the holder is debited again. The credit is named by the key of its action."),
			service.Errors(testcards.CardsTakeBack, CodeCreditNotFound)),
		plugins.Activity("chargeback", s.chargeback,
			plugins.Describe("Claims the money from the merchant's bank."),
			service.Errors(testcards.CardsChargeback, CodeDisputeNotFound, CodeDisputeClosed)),
		plugins.Activity("withdrawChargeback", withdraw(s, testcards.CardsWithdrawChargeback, chargebacks),
			plugins.Describe("Compensates chargeback. The chargeback is named by the key of its action."),
			service.Errors(testcards.CardsWithdrawChargeback, CodeChargebackNotFound)),
		plugins.Activity("finalise", s.finalise,
			plugins.Describe("Decides a dispute for the holder: the credit is final and the dispute closed. The same key does it once."),
			service.Errors(testcards.CardsFinalise, CodeDisputeClosed, CodeCreditNotFound)),
		plugins.Activity("refund", s.refund,
			plugins.Describe("Refunds a purchase to the card it was paid with; it cannot be taken back."),
			service.Errors(testcards.CardsRefund, CodeCardUnknown)),
		plugins.Activity("refundStatus", s.refundStatus,
			plugins.Describe("Probe of refund: tells whether it took place, and if not makes sure that a late request will not do it."),
			service.ProbeErrors(testcards.CardsRefundStatus)),
	}
}

// The cards of the demo holders, as tokens: no service here ever sees a card's
// number.
var seedCards = map[string]string{"card-ada": "active", "card-blaise": "active", "card-closed": "closed"}

func seed(ctx context.Context, tx *sql.Tx) error {
	for token, state := range seedCards {
		if _, err := tx.ExecContext(ctx, `INSERT INTO cards (token, state) VALUES (?, ?)`, token, state); err != nil {
			return fmt.Errorf("seed %s: %w", token, err)
		}
	}
	return nil
}

// findCard gives the state of a card.
func findCard(ctx context.Context, tx *sql.Tx, token string) (state string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT state FROM cards WHERE token = ?`, token).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) {
		return "", plugins.Reject(CodeCardUnknown, "this bank has not issued the card %q", token)
	}
	if err != nil {
		return "", fmt.Errorf("look up a card: %w", err)
	}
	return state, nil
}
