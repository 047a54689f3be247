package shop

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/money"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// MaxVoucher is the most that a voucher is worth, in minor units.
const MaxVoucher = 5_000_00

// vouchersSchema is a migration of its own: shops of older versions have
// everything else.
const vouchersSchema = `
CREATE TABLE vouchers (
	id         TEXT    NOT NULL PRIMARY KEY,
	action_key TEXT    NOT NULL UNIQUE,
	email      TEXT    NOT NULL,
	minor      INTEGER NOT NULL CHECK (minor > 0),
	currency   TEXT    NOT NULL,
	issued_at  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;`

// IssueVoucherInput says who gets a voucher worth how much.
type IssueVoucherInput struct {
	Email  string       `json:"email" description:"whom the voucher is mailed to" sensitive:"true" minLength:"3"`
	Amount money.Amount `json:"amount" description:"what it is worth"`
}

// IssueVoucherOutput names the voucher.
type IssueVoucherOutput struct {
	VoucherID string `json:"voucherId" description:"names the voucher"`
}

func (s *shop) issueVoucher(ctx context.Context, call plugins.Call, in IssueVoucherInput) (IssueVoucherOutput, error) {
	hand := testcards.FromMinor(in.Amount.Minor)
	return testcards.Do(ctx, s.Deck, call, testcards.ShopIssueVoucher, hand, func(ctx context.Context, tx *sql.Tx) (IssueVoucherOutput, error) {
		out := IssueVoucherOutput{VoucherID: service.Identity("voucher", call)}
		if in.Amount.Minor > MaxVoucher {
			return out, plugins.Reject(CodeVoucherTooLarge, "a voucher is worth at most %d minor units, not %d", MaxVoucher, in.Amount.Minor)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO vouchers (id, action_key, email, minor, currency, issued_at) VALUES (?, ?, ?, ?, ?, ?)`,
			out.VoucherID, call.ActionKey, in.Email, in.Amount.Minor, in.Amount.Currency, s.Instant()); err != nil {
			return out, fmt.Errorf("issue %s: %w", out.VoucherID, err)
		}
		call.Logger.Info("voucher issued", "voucher", out.VoucherID, "amount", in.Amount.String())
		return out, nil
	})
}
