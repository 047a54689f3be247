package cards

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/money"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// RefundInput says what goes back to which card.
type RefundInput struct {
	Card   string       `json:"card" description:"token of the card" minLength:"1"`
	Amount money.Amount `json:"amount" description:"what goes back"`
}

// RefundOutput names the refund.
type RefundOutput struct {
	RefundID string `json:"refundId" description:"names the refund"`
}

func (s *cards) refund(ctx context.Context, call plugins.Call, in RefundInput) (RefundOutput, error) {
	hand := testcards.FromMinor(in.Amount.Minor)
	return testcards.Do(ctx, s.Deck, call, testcards.CardsRefund, hand, func(ctx context.Context, tx *sql.Tx) (RefundOutput, error) {
		out := RefundOutput{RefundID: service.Identity("refund", call)}
		state, err := findCard(ctx, tx, in.Card)
		if err == nil && state == "closed" {
			err = plugins.Reject(CodeCardClosed, "the card is closed")
		}
		if err != nil {
			return out, err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO refunds (id, action_key, card, minor, currency, at) VALUES (?, ?, ?, ?, ?, ?)`,
			out.RefundID, call.ActionKey, in.Card, in.Amount.Minor, in.Amount.Currency, s.Instant()); err != nil {
			return out, fmt.Errorf("refund to a card: %w", err)
		}
		call.Logger.Info("refunded to the card", "refund", out.RefundID, "amount", in.Amount.String())
		return out, nil
	})
}

// RefundStatusInput names a refund by the key of its action.
type RefundStatusInput struct {
	Refund string `json:"refund" description:"key of the action that refunded"`
}

func (s *cards) refundStatus(ctx context.Context, call plugins.Call, in RefundStatusInput) (plugins.Probe[RefundOutput], error) {
	return service.Probe[RefundOutput](ctx, &s.Service, call, testcards.CardsRefundStatus, in.Refund)
}
