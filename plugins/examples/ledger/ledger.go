// Package ledger is an example plugin: a bank's double entry ledger on
// SQLite. It holds, settles, charges and refunds money of its customers'
// accounts in integer minor units; every movement sums to zero, and Verify
// proves it.
//
// Accounts are opened for new customers, and closed again as long as they were
// never in use. Settled money moves to the clearing account of its currency, charged money
// to the merchant's. The customers' accounts come from the demo bank that the
// first start seeds.
package ledger

import (
	_ "embed"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// Name is the plugin's name.
const Name = "ledger"

// Codes of the errors that activities answer with.
const (
	CodeAccountNotFound     = "ACCOUNT_NOT_FOUND"
	CodeAccountMismatch     = "ACCOUNT_MISMATCH"
	CodeCurrencyMismatch    = "CURRENCY_MISMATCH"
	CodeInsufficientFunds   = "INSUFFICIENT_FUNDS"
	CodeHoldNotFound        = "HOLD_NOT_FOUND"
	CodeHoldReleased        = "HOLD_RELEASED"
	CodeHoldSettled         = "HOLD_SETTLED"
	CodeChargeNotFound      = "CHARGE_NOT_FOUND"
	CodeCurrencyUnknown     = "CURRENCY_UNKNOWN"
	CodeApplicationExists   = "APPLICATION_EXISTS"
	CodeApplicationNotFound = "APPLICATION_NOT_FOUND"
	CodeApplicationClosed   = "APPLICATION_CLOSED"
	CodeAccountActive       = "ACCOUNT_ACTIVE"
)

//go:embed schema.sql
var schema string

type ledger struct{ service.Service }

// New makes the plugin. Options replace what test cards do to the process.
func New(opts ...testcards.Option) *plugins.Plugin { return new(ledger).plugin(opts) }

func (s *ledger) plugin(opts []testcards.Option) *plugins.Plugin {
	return s.Plugin(Name, opts, []store.Migration{store.SQL(schema), s.seed, store.SQL(applicationsSchema)}, s.activities()...)
}

func (s *ledger) activities() []plugins.Definition {
	return []plugins.Definition{
		plugins.Activity("hold", s.hold,
			plugins.Describe("Reserves money on a customer's account until it is released or settled."),
			service.Errors(testcards.LedgerHold, CodeAccountNotFound, CodeCurrencyMismatch)),
		plugins.Activity("release", s.release,
			plugins.Describe("Compensates hold: the reserved money is available again. The hold is named by the key of its action."),
			service.Errors(testcards.LedgerRelease, CodeHoldNotFound, CodeAccountMismatch)),
		plugins.Activity("settle", s.settle,
			plugins.Describe("Moves held money to the clearing account of its currency and closes the hold."),
			service.Errors(testcards.LedgerSettle, CodeHoldReleased, CodeHoldSettled)),
		plugins.Activity("charge", s.charge,
			plugins.Describe("Moves money from a customer's account to the merchant at once; also fit for a pivot, since the same key charges once."),
			service.Errors(testcards.LedgerCharge, CodeAccountNotFound, CodeCurrencyMismatch)),
		plugins.Activity("refund", s.refund,
			plugins.Describe("Compensates charge: the merchant gives the money back. The charge is named by the key of its action."),
			service.Errors(testcards.LedgerRefund, CodeAccountMismatch)),
		plugins.Activity("chargeStatus", s.chargeStatus,
			plugins.Describe("Probe of charge: tells whether it took place, and if not makes sure that a late request will not."),
			service.ProbeErrors(testcards.LedgerChargeStatus)),
		plugins.Activity("openAccount", s.openAccount,
			plugins.Describe("Opens an account that is not in use yet."),
			service.Errors(testcards.LedgerOpenAccount, CodeCurrencyUnknown)),
		plugins.Activity("closeAccount", s.closeAccount,
			plugins.Describe("Compensates openAccount. The account is named by the key of its action."),
			service.Errors(testcards.LedgerCloseAccount, CodeApplicationNotFound)),
		plugins.Activity("activateAccount", s.activateAccount,
			plugins.Describe("Puts an opened account to use; it cannot be closed as if it had never been. The same key does it once."),
			service.Errors(testcards.LedgerActivateAccount, CodeApplicationClosed)),
		plugins.Activity("balances", s.balances,
			plugins.Describe("Lists the accounts with what they hold, what is reserved and what is available; no effect.")),
	}
}
