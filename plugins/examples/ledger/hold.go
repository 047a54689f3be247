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

// HoldInput asks to reserve money.
type HoldInput struct {
	Account string       `json:"account" description:"IBAN of the customer's account" sensitive:"true"`
	Amount  money.Amount `json:"amount" description:"what to reserve, in the account's currency"`
}

// HoldOutput names the hold.
type HoldOutput struct {
	HoldID string `json:"holdId" description:"names the hold for settle"`
}

func (s *ledger) hold(ctx context.Context, call plugins.Call, in HoldInput) (HoldOutput, error) {
	hand := testcards.FromMinor(in.Amount.Minor)
	return testcards.Do(ctx, s.Deck, call, testcards.LedgerHold, hand, func(ctx context.Context, tx *sql.Tx) (HoldOutput, error) {
		account, err := spend(ctx, tx, in.Account, in.Amount)
		if err != nil {
			return HoldOutput{}, err
		}
		id := service.Identity("hold", call)
		_, err = tx.ExecContext(ctx, `
			INSERT INTO holds (id, action_key, account, minor, currency, state, placed_at) VALUES (?, ?, ?, ?, ?, 'held', ?)`,
			id, call.ActionKey, account.number, in.Amount.Minor, in.Amount.Currency, s.Instant())
		if err == nil {
			err = store.Change(ctx, tx, `UPDATE accounts SET held = held + ? WHERE number = ?`, in.Amount.Minor, account.number)
		}
		if err != nil {
			return HoldOutput{}, fmt.Errorf("place %s: %w", id, err)
		}
		call.Logger.Info("hold placed", "hold", id, "account", iban.Mask(in.Account), "amount", in.Amount.String())
		return HoldOutput{HoldID: id}, nil
	})
}

// ReleaseInput names a hold by the key of its action, because whether it was
// placed, and under which identifier, may be unknown.
type ReleaseInput struct {
	Account string `json:"account" description:"IBAN of the account that the hold is on" sensitive:"true"`
	Hold    string `json:"hold" description:"key of the action that placed the hold"`
}

// ReleaseOutput tells what was released.
type ReleaseOutput struct {
	Released bool `json:"released" description:"false when there was nothing to release"`
}

func (s *ledger) release(ctx context.Context, call plugins.Call, in ReleaseInput) (ReleaseOutput, error) {
	return testcards.Do(ctx, s.Deck, call, testcards.LedgerRelease, nil, func(ctx context.Context, tx *sql.Tx) (ReleaseOutput, error) {
		h, err := findHold(ctx, tx, `action_key = ?`, in.Hold)
		if err != nil {
			return ReleaseOutput{}, err
		}
		switch {
		case h.account != iban.Normal(in.Account):
			return ReleaseOutput{}, plugins.Reject(CodeAccountMismatch, "%s is on another account than %s", h.id, iban.Mask(in.Account))
		case h.state == "settled":
			return ReleaseOutput{}, plugins.Reject(CodeHoldSettled, "%s is settled: its money has left the account", h.id)
		case h.state == "released":
			return ReleaseOutput{Released: false}, nil
		}
		if err := s.closeHold(ctx, tx, h, "released", nil); err != nil {
			return ReleaseOutput{}, err
		}
		call.Logger.Info("hold released", "hold", h.id, "account", iban.Mask(in.Account))
		return ReleaseOutput{Released: true}, nil
	})
}

// SettleInput names the hold.
type SettleInput struct {
	Hold string `json:"hold" description:"the holdId that hold answered"`
}

// SettleOutput names the entry that moved the money.
type SettleOutput struct {
	EntryID string       `json:"entryId" description:"names the entry in the books"`
	Amount  money.Amount `json:"amount" description:"what was moved"`
}

func (s *ledger) settle(ctx context.Context, call plugins.Call, in SettleInput) (SettleOutput, error) {
	hand, err := testcards.FromRow(s.DB.QueryRowContext(ctx, `SELECT minor FROM holds WHERE id = ?`, in.Hold))
	if err != nil {
		return SettleOutput{}, fmt.Errorf("look up hold %s: %w", in.Hold, err)
	}
	return testcards.Do(ctx, s.Deck, call, testcards.LedgerSettle, hand, func(ctx context.Context, tx *sql.Tx) (SettleOutput, error) {
		h, err := findHold(ctx, tx, `id = ?`, in.Hold)
		if err != nil {
			return SettleOutput{}, err
		}
		switch h.state {
		case "released":
			return SettleOutput{}, plugins.Reject(CodeHoldReleased, "%s is released: nothing is reserved", h.id)
		case "settled":
			return SettleOutput{}, plugins.Reject(CodeHoldSettled, "%s is settled already, by another operation", h.id)
		}
		entry := service.Identity("entry", call)
		if err := s.closeHold(ctx, tx, h, "settled", func() (string, error) {
			return entry, s.book(ctx, tx, entry, "settle", call.ActionKey,
				posting{h.account, -h.amount.Minor}, posting{clearing(h.amount.Currency), h.amount.Minor})
		}); err != nil {
			return SettleOutput{}, err
		}
		call.Logger.Info("hold settled", "hold", h.id, "entry", entry, "account", iban.Mask(h.account), "amount", h.amount.String())
		return SettleOutput{EntryID: entry, Amount: h.amount}, nil
	})
}

type hold struct {
	id, account, state string
	amount             money.Amount
}

func findHold(ctx context.Context, tx *sql.Tx, where, value string) (hold, error) {
	var h hold
	err := tx.QueryRowContext(ctx, `SELECT id, account, state, minor, currency FROM holds WHERE `+where, value).
		Scan(&h.id, &h.account, &h.state, &h.amount.Minor, &h.amount.Currency)
	if errors.Is(err, sql.ErrNoRows) {
		return h, plugins.Reject(CodeHoldNotFound, "there is no hold %s", value)
	}
	if err != nil {
		return h, fmt.Errorf("look up hold %s: %w", value, err)
	}
	return h, nil
}

// closeHold frees the reserved money first, so that an entry that moves it
// leaves the account within its means, and then closes the hold.
func (s *ledger) closeHold(ctx context.Context, tx *sql.Tx, h hold, state string, book func() (entry string, err error)) error {
	var entry any
	err := store.Change(ctx, tx, `UPDATE accounts SET held = held - ? WHERE number = ?`, h.amount.Minor, h.account)
	if err == nil && book != nil {
		entry, err = book()
	}
	if err == nil {
		err = store.Change(ctx, tx, `UPDATE holds SET state = ?, entry = ?, closed_at = ? WHERE id = ? AND state = 'held'`,
			state, entry, s.Instant(), h.id)
	}
	if err != nil {
		return fmt.Errorf("close %s as %s: %w", h.id, state, err)
	}
	return nil
}
