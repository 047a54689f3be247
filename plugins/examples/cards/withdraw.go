package cards

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// record is something of a dispute that can be taken back until the dispute is
// decided.
type record struct {
	table, open, withdrawn string
	missing                string // the code when the action has made none
}

var (
	disputes    = record{"disputes", "open", "withdrawn", CodeDisputeNotFound}
	credits     = record{"credits", "provisional", "taken-back", CodeCreditNotFound}
	chargebacks = record{"chargebacks", "filed", "withdrawn", CodeChargebackNotFound}
)

// WithdrawInput names what is taken back by the key of its action, because
// whether that took place may be unknown.
type WithdrawInput struct {
	Request string `json:"request" description:"key of the action that is taken back"`
}

// WithdrawOutput tells what was taken back.
type WithdrawOutput struct {
	Withdrawn bool `json:"withdrawn" description:"false when there was nothing to take back"`
}

func withdraw(s *cards, at testcards.Point, r record) func(context.Context, plugins.Call, WithdrawInput) (WithdrawOutput, error) {
	return func(ctx context.Context, call plugins.Call, in WithdrawInput) (WithdrawOutput, error) {
		return testcards.Do(ctx, s.Deck, call, at, nil, func(ctx context.Context, tx *sql.Tx) (WithdrawOutput, error) {
			var id, state string
			err := tx.QueryRowContext(ctx, `SELECT id, state FROM `+r.table+` WHERE action_key = ?`, in.Request).Scan(&id, &state)
			switch {
			case errors.Is(err, sql.ErrNoRows):
				return WithdrawOutput{}, plugins.Reject(r.missing, "the action with the key %s has left nothing", in.Request)
			case err != nil:
				return WithdrawOutput{}, fmt.Errorf("look up what %s has left: %w", in.Request, err)
			case state == r.withdrawn:
				return WithdrawOutput{Withdrawn: false}, nil
			case state != r.open:
				return WithdrawOutput{}, plugins.Reject(CodeDisputeClosed, "%s is %s: the dispute is decided", id, state)
			}
			if err := store.Change(ctx, tx, `UPDATE `+r.table+` SET state = ? WHERE id = ?`, r.withdrawn, id); err != nil {
				return WithdrawOutput{}, fmt.Errorf("take %s back: %w", id, err)
			}
			call.Logger.Info("taken back", "what", id)
			return WithdrawOutput{Withdrawn: true}, nil
		})
	}
}
