package cards

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/money"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// OpenDisputeInput is what the holder complains about.
type OpenDisputeInput struct {
	Card        string       `json:"card" description:"token of the card" minLength:"1"`
	Transaction string       `json:"transaction" description:"the payment that is disputed" minLength:"1" maxLength:"64"`
	Amount      money.Amount `json:"amount" description:"what is disputed of it"`
	Reason      string       `json:"reason" description:"why" enum:"fraud,not-received,not-as-described,duplicate"`
}

// OpenDisputeOutput names the dispute.
type OpenDisputeOutput struct {
	DisputeID string `json:"disputeId" description:"names the dispute"`
}

func (s *cards) openDispute(ctx context.Context, call plugins.Call, in OpenDisputeInput) (OpenDisputeOutput, error) {
	hand := testcards.FromMinor(in.Amount.Minor)
	return testcards.Do(ctx, s.Deck, call, testcards.CardsOpenDispute, hand, func(ctx context.Context, tx *sql.Tx) (OpenDisputeOutput, error) {
		out := OpenDisputeOutput{DisputeID: service.Identity("dispute", call)}
		if _, err := findCard(ctx, tx, in.Card); err != nil {
			return out, err
		}
		var there bool
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM disputes WHERE transaction_id = ? AND state <> 'withdrawn')`, in.Transaction).Scan(&there)
		if err == nil && there {
			return out, plugins.Reject(CodeDisputeExists, "there is a dispute about %s", in.Transaction)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `
				INSERT INTO disputes (id, action_key, card, transaction_id, minor, currency, reason, state) VALUES (?, ?, ?, ?, ?, ?, ?, 'open')`,
				out.DisputeID, call.ActionKey, in.Card, in.Transaction, in.Amount.Minor, in.Amount.Currency, in.Reason)
		}
		if err != nil {
			return out, fmt.Errorf("open a dispute about %s: %w", in.Transaction, err)
		}
		call.Logger.Info("dispute opened", "dispute", out.DisputeID, "transaction", in.Transaction, "amount", in.Amount.String())
		return out, nil
	})
}

// DisputeInput names the dispute.
type DisputeInput struct {
	Dispute string `json:"dispute" description:"the disputeId"`
}

// CreditOutput names the credit.
type CreditOutput struct {
	CreditID string `json:"creditId" description:"names the credit"`
}

func (s *cards) credit(ctx context.Context, call plugins.Call, in DisputeInput) (CreditOutput, error) {
	hand, err := s.hand(ctx, in.Dispute)
	if err != nil {
		return CreditOutput{}, err
	}
	return testcards.Do(ctx, s.Deck, call, testcards.CardsCredit, hand, func(ctx context.Context, tx *sql.Tx) (CreditOutput, error) {
		out := CreditOutput{CreditID: service.Identity("credit", call)}
		d, err := findOpenDispute(ctx, tx, in.Dispute)
		if err != nil {
			return out, err
		}
		state, err := findCard(ctx, tx, d.card)
		if err == nil && state == "closed" {
			err = plugins.Reject(CodeCardClosed, "the card of dispute %s is closed", in.Dispute)
		}
		if err != nil {
			return out, err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO credits (id, action_key, dispute, state) VALUES (?, ?, ?, 'provisional')`,
			out.CreditID, call.ActionKey, in.Dispute); err != nil {
			return out, fmt.Errorf("credit %s: %w", in.Dispute, err)
		}
		call.Logger.Info("credited for the time being", "dispute", in.Dispute, "credit", out.CreditID)
		return out, nil
	})
}

// ChargebackOutput names the claim.
type ChargebackOutput struct {
	ChargebackID string `json:"chargebackId" description:"names the claim on the merchant's bank"`
}

func (s *cards) chargeback(ctx context.Context, call plugins.Call, in DisputeInput) (ChargebackOutput, error) {
	hand, err := s.hand(ctx, in.Dispute)
	if err != nil {
		return ChargebackOutput{}, err
	}
	return testcards.Do(ctx, s.Deck, call, testcards.CardsChargeback, hand, func(ctx context.Context, tx *sql.Tx) (ChargebackOutput, error) {
		out := ChargebackOutput{ChargebackID: service.Identity("chargeback", call)}
		if _, err := findOpenDispute(ctx, tx, in.Dispute); err != nil {
			return out, err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO chargebacks (id, action_key, dispute, state) VALUES (?, ?, ?, 'filed')`,
			out.ChargebackID, call.ActionKey, in.Dispute); err != nil {
			return out, fmt.Errorf("claim %s: %w", in.Dispute, err)
		}
		call.Logger.Info("claimed from the merchant's bank", "dispute", in.Dispute, "chargeback", out.ChargebackID)
		return out, nil
	})
}

// FinaliseOutput tells what the holder has got.
type FinaliseOutput struct {
	Amount money.Amount `json:"amount" description:"what the holder keeps"`
}

func (s *cards) finalise(ctx context.Context, call plugins.Call, in DisputeInput) (FinaliseOutput, error) {
	hand, err := s.hand(ctx, in.Dispute)
	if err != nil {
		return FinaliseOutput{}, err
	}
	return testcards.Do(ctx, s.Deck, call, testcards.CardsFinalise, hand, func(ctx context.Context, tx *sql.Tx) (FinaliseOutput, error) {
		d, err := findOpenDispute(ctx, tx, in.Dispute)
		if err != nil {
			return FinaliseOutput{}, err
		}
		var credit string
		err = tx.QueryRowContext(ctx, `SELECT id FROM credits WHERE dispute = ? AND state = 'provisional' ORDER BY id LIMIT 1`, in.Dispute).Scan(&credit)
		if errors.Is(err, sql.ErrNoRows) {
			return FinaliseOutput{}, plugins.Reject(CodeCreditNotFound, "nothing is credited for dispute %s", in.Dispute)
		}
		if err == nil {
			err = store.Change(ctx, tx, `UPDATE credits SET state = 'final' WHERE id = ?`, credit)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE chargebacks SET state = 'won' WHERE dispute = ? AND state = 'filed'`, in.Dispute)
		}
		if err == nil {
			err = store.Change(ctx, tx, `UPDATE disputes SET state = 'won' WHERE id = ?`, in.Dispute)
		}
		if err != nil {
			return FinaliseOutput{}, fmt.Errorf("decide %s: %w", in.Dispute, err)
		}
		call.Logger.Info("decided for the holder", "dispute", in.Dispute)
		return FinaliseOutput{Amount: d.amount}, nil
	})
}

// hand is the hand of test cards in the amount of a dispute.
func (s *cards) hand(ctx context.Context, dispute string) ([]testcards.Card, error) {
	hand, err := testcards.FromRow(s.DB.QueryRowContext(ctx, `SELECT minor FROM disputes WHERE id = ?`, dispute))
	if err != nil {
		return nil, fmt.Errorf("look up dispute %s: %w", dispute, err)
	}
	return hand, nil
}

// aDispute is a dispute as a business rule sees it.
type aDispute struct {
	card   string
	amount money.Amount
}

// findOpenDispute refuses a dispute that is withdrawn or decided.
func findOpenDispute(ctx context.Context, tx *sql.Tx, id string) (d aDispute, err error) {
	var state string
	err = tx.QueryRowContext(ctx, `SELECT card, minor, currency, state FROM disputes WHERE id = ?`, id).
		Scan(&d.card, &d.amount.Minor, &d.amount.Currency, &state)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return d, plugins.Reject(CodeDisputeNotFound, "there is no dispute %s", id)
	case err != nil:
		return d, fmt.Errorf("look up dispute %s: %w", id, err)
	case state != "open":
		return d, plugins.Reject(CodeDisputeClosed, "dispute %s is %s", id, state)
	}
	return d, nil
}
