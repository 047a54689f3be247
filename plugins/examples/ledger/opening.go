package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/iban"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// bankCode is the demo bank's number in its accounts.
const bankCode = "028"

// applicationsSchema is a migration of its own: ledgers of older versions have
// everything else.
const applicationsSchema = `
-- Accounts that were opened after the bank was. One that was never active can
-- be closed again.
CREATE TABLE applications (
	id         TEXT NOT NULL PRIMARY KEY,
	action_key TEXT NOT NULL UNIQUE,
	account    TEXT NOT NULL UNIQUE,
	state      TEXT NOT NULL CHECK (state IN ('opened', 'closed', 'active'))
) STRICT, WITHOUT ROWID;`

// OpenAccountInput asks for an account.
type OpenAccountInput struct {
	Application string `json:"application" description:"number of the application, unique in the bank; its last digits may be a test card" minLength:"1" maxLength:"64"`
	Currency    string `json:"currency" description:"ISO 4217 code of the account's currency" pattern:"^[A-Z]{3}$"`
}

// OpenAccountOutput names the account.
type OpenAccountOutput struct {
	Account string `json:"account" description:"the new account's IBAN" sensitive:"true"`
}

func (s *ledger) openAccount(ctx context.Context, call plugins.Call, in OpenAccountInput) (OpenAccountOutput, error) {
	hand := testcards.FromAccount(in.Application)
	return testcards.Do(ctx, s.Deck, call, testcards.LedgerOpenAccount, hand, func(ctx context.Context, tx *sql.Tx) (OpenAccountOutput, error) {
		var there, kept bool
		err := tx.QueryRowContext(ctx, `
			SELECT EXISTS (SELECT 1 FROM applications WHERE id = ?), EXISTS (SELECT 1 FROM accounts WHERE kind = 'clearing' AND currency = ?)`,
			in.Application, in.Currency).Scan(&there, &kept)
		switch {
		case err != nil:
			return OpenAccountOutput{}, fmt.Errorf("look up application %s: %w", in.Application, err)
		case there:
			return OpenAccountOutput{}, plugins.Reject(CodeApplicationExists, "there is an application %s already: use a new number", in.Application)
		case !kept:
			return OpenAccountOutput{}, plugins.Reject(CodeCurrencyUnknown, "this bank keeps no accounts in %s", in.Currency)
		}
		number, err := accountNumber(call)
		if err == nil {
			err = insertAccount(ctx, tx, number, "customer-"+in.Application, "customer", bankCountry, in.Currency)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO applications (id, action_key, account, state) VALUES (?, ?, ?, 'opened')`, in.Application, call.ActionKey, number)
		}
		if err != nil {
			return OpenAccountOutput{}, fmt.Errorf("open the account of %s: %w", in.Application, err)
		}
		call.Logger.Info("account opened", "application", in.Application, "account", iban.Mask(number))
		return OpenAccountOutput{Account: number}, nil
	})
}

// accountNumber derives a number from the operation that opens the account.
func accountNumber(call plugins.Call) (string, error) {
	sum := sha256.Sum256([]byte("account\x00" + service.Operation(call)))
	return iban.Make(bankCountry, fmt.Sprintf("%s%013d", bankCode, binary.BigEndian.Uint64(sum[:8])%10_000_000_000_000))
}

// CloseAccountInput names an account by the key of its action, because whether
// it was opened may be unknown.
type CloseAccountInput struct {
	Request string `json:"request" description:"key of the action that opened the account"`
}

// CloseAccountOutput tells what was closed.
type CloseAccountOutput struct {
	Closed bool `json:"closed" description:"false when there was nothing to close"`
}

func (s *ledger) closeAccount(ctx context.Context, call plugins.Call, in CloseAccountInput) (CloseAccountOutput, error) {
	return testcards.Do(ctx, s.Deck, call, testcards.LedgerCloseAccount, nil, func(ctx context.Context, tx *sql.Tx) (CloseAccountOutput, error) {
		var id, account, state string
		err := tx.QueryRowContext(ctx, `SELECT id, account, state FROM applications WHERE action_key = ?`, in.Request).Scan(&id, &account, &state)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return CloseAccountOutput{}, plugins.Reject(CodeApplicationNotFound, "no account was opened with the key %s", in.Request)
		case err != nil:
			return CloseAccountOutput{}, fmt.Errorf("look up the account of %s: %w", in.Request, err)
		case state == "active":
			return CloseAccountOutput{}, plugins.Reject(CodeAccountActive, "the account of %s is in use", id)
		case state == "closed":
			return CloseAccountOutput{Closed: false}, nil
		}
		err = store.Change(ctx, tx, `UPDATE applications SET state = 'closed' WHERE id = ?`, id)
		if err == nil { // nothing was ever posted to it
			err = store.Change(ctx, tx, `DELETE FROM accounts WHERE number = ?`, account)
		}
		if err != nil {
			return CloseAccountOutput{}, fmt.Errorf("close the account of %s: %w", id, err)
		}
		call.Logger.Info("account closed", "application", id, "account", iban.Mask(account))
		return CloseAccountOutput{Closed: true}, nil
	})
}

// ActivateAccountInput names the application.
type ActivateAccountInput struct {
	Application string `json:"application" description:"number of the application" minLength:"1" maxLength:"64"`
}

// ActivateAccountOutput names the account.
type ActivateAccountOutput struct {
	Account string `json:"account" description:"the IBAN that is in use now" sensitive:"true"`
}

func (s *ledger) activateAccount(ctx context.Context, call plugins.Call, in ActivateAccountInput) (ActivateAccountOutput, error) {
	hand := testcards.FromAccount(in.Application)
	return testcards.Do(ctx, s.Deck, call, testcards.LedgerActivateAccount, hand, func(ctx context.Context, tx *sql.Tx) (ActivateAccountOutput, error) {
		var out ActivateAccountOutput
		var state string
		err := tx.QueryRowContext(ctx, `SELECT account, state FROM applications WHERE id = ?`, in.Application).Scan(&out.Account, &state)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return out, plugins.Reject(CodeApplicationNotFound, "there is no application %s", in.Application)
		case err != nil:
			return out, fmt.Errorf("look up application %s: %w", in.Application, err)
		case state != "opened":
			return out, plugins.Reject(CodeApplicationClosed, "the account of %s is %s", in.Application, state)
		}
		if err := store.Change(ctx, tx, `UPDATE applications SET state = 'active' WHERE id = ?`, in.Application); err != nil {
			return out, fmt.Errorf("activate the account of %s: %w", in.Application, err)
		}
		call.Logger.Info("account in use", "application", in.Application, "account", iban.Mask(out.Account))
		return out, nil
	})
}
