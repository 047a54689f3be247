package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/iban"
	"github.com/sagad/sagad/plugins/examples/money"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// ChargeInput asks to take money for a purchase.
type ChargeInput struct {
	Account   string       `json:"account" description:"IBAN of the customer's account" sensitive:"true"`
	Amount    money.Amount `json:"amount" description:"what to take, in the account's currency"`
	Reference string       `json:"reference,omitempty" description:"what the customer reads on the statement"`
}

// ChargeOutput names the charge.
type ChargeOutput struct {
	ChargeID string       `json:"chargeId" description:"names the charge"`
	Amount   money.Amount `json:"amount" description:"what was taken"`
}

func (s *ledger) charge(ctx context.Context, call plugins.Call, in ChargeInput) (ChargeOutput, error) {
	hand := testcards.FromMinor(in.Amount.Minor)
	return testcards.Do(ctx, s.Deck, call, testcards.LedgerCharge, hand, func(ctx context.Context, tx *sql.Tx) (ChargeOutput, error) {
		account, err := spend(ctx, tx, in.Account, in.Amount)
		if err != nil {
			return ChargeOutput{}, err
		}
		id, entry := service.Identity("charge", call), service.Identity("entry", call)
		err = s.book(ctx, tx, entry, "charge", call.ActionKey,
			posting{account.number, -in.Amount.Minor}, posting{merchant(in.Amount.Currency), in.Amount.Minor})
		if err == nil {
			_, err = tx.ExecContext(ctx, `
				INSERT INTO charges (id, action_key, account, minor, currency, reference, entry) VALUES (?, ?, ?, ?, ?, ?, ?)`,
				id, call.ActionKey, account.number, in.Amount.Minor, in.Amount.Currency, in.Reference, entry)
		}
		if err != nil {
			return ChargeOutput{}, fmt.Errorf("charge %s: %w", id, err)
		}
		call.Logger.Info("charged", "charge", id, "account", iban.Mask(in.Account), "amount", in.Amount.String())
		return ChargeOutput{ChargeID: id, Amount: in.Amount}, nil
	})
}

// RefundInput names a charge by the key of its action, because whether it
// took place may be unknown.
type RefundInput struct {
	Account string `json:"account" description:"IBAN of the account that was charged" sensitive:"true"`
	Charge  string `json:"charge" description:"key of the action that charged"`
}

// RefundOutput tells what was refunded.
type RefundOutput struct {
	Refunded bool `json:"refunded" description:"false when there was nothing to refund"`
}

func (s *ledger) refund(ctx context.Context, call plugins.Call, in RefundInput) (RefundOutput, error) {
	return testcards.Do(ctx, s.Deck, call, testcards.LedgerRefund, nil, func(ctx context.Context, tx *sql.Tx) (RefundOutput, error) {
		var id, account string
		var amount money.Amount
		var refund sql.NullString
		err := tx.QueryRowContext(ctx, `SELECT id, account, minor, currency, refund FROM charges WHERE action_key = ?`, in.Charge).
			Scan(&id, &account, &amount.Minor, &amount.Currency, &refund)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return RefundOutput{}, plugins.Reject(CodeChargeNotFound, "there is no charge %s", in.Charge)
		case err != nil:
			return RefundOutput{}, fmt.Errorf("look up charge %s: %w", in.Charge, err)
		case account != iban.Normal(in.Account):
			return RefundOutput{}, plugins.Reject(CodeAccountMismatch, "%s is on another account than %s", id, iban.Mask(in.Account))
		case refund.Valid:
			return RefundOutput{Refunded: false}, nil
		}
		entry := service.Identity("entry", call)
		err = s.book(ctx, tx, entry, "refund", call.ActionKey,
			posting{merchant(amount.Currency), -amount.Minor}, posting{account, amount.Minor})
		if err == nil {
			err = store.Change(ctx, tx, `UPDATE charges SET refund = ? WHERE id = ?`, entry, id)
		}
		if err != nil {
			return RefundOutput{}, fmt.Errorf("refund %s: %w", id, err)
		}
		call.Logger.Info("refunded", "charge", id, "entry", entry, "account", iban.Mask(account), "amount", amount.String())
		return RefundOutput{Refunded: true}, nil
	})
}

// ChargeStatusInput names a charge by the key of its action.
type ChargeStatusInput struct {
	Charge string `json:"charge" description:"key of the action that charged"`
}

func (s *ledger) chargeStatus(ctx context.Context, call plugins.Call, in ChargeStatusInput) (plugins.Probe[ChargeOutput], error) {
	return service.Probe[ChargeOutput](ctx, &s.Service, call, testcards.LedgerChargeStatus, in.Charge)
}
