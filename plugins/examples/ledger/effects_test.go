package ledger_test

import (
	"encoding/json"
	"testing"

	"github.com/sagad/sagad/plugins/examples/exampletest"
	"github.com/sagad/sagad/plugins/examples/ledger"
	"github.com/sagad/sagad/plugins/examples/money"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

const customer = "DE89370400440532013000"

func euro(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "EUR"} }

func TestHold(t *testing.T) {
	exampletest.Effect{
		Plugin: ledger.New, Name: ledger.Name, Action: testcards.LedgerHold,
		Prepare: func(_ testing.TB, _ *exampletest.Process, _ exampletest.Step, minor int64) any {
			return ledger.HoldInput{Account: customer, Amount: euro(minor)}
		},
		Count:        `SELECT count(*) FROM holds WHERE state = 'held'`,
		Compensation: testcards.LedgerRelease,
		Compensate: func(step exampletest.Step, _ []byte) any {
			return ledger.ReleaseInput{Account: customer, Hold: step.Key()}
		},
	}.Run(t)
}

func TestSettle(t *testing.T) {
	exampletest.Effect{
		Plugin: ledger.New, Name: ledger.Name, Action: testcards.LedgerSettle,
		Prepare: func(t testing.TB, p *exampletest.Process, step exampletest.Step, minor int64) any {
			step.Path = "hold"
			held := exampletest.Must[ledger.HoldOutput](t, p, "ledger.hold", step, ledger.HoldInput{Account: customer, Amount: euro(minor)})
			return ledger.SettleInput{Hold: held.HoldID}
		},
		Count: `SELECT count(*) FROM entries WHERE kind = 'settle'`,
	}.Run(t)
}

func TestCharge(t *testing.T) {
	exampletest.Effect{
		Plugin: ledger.New, Name: ledger.Name, Action: testcards.LedgerCharge,
		Prepare: func(_ testing.TB, _ *exampletest.Process, _ exampletest.Step, minor int64) any {
			return ledger.ChargeInput{Account: customer, Amount: euro(minor), Reference: "o-1"}
		},
		Count:        `SELECT count(*) FROM charges WHERE refund IS NULL`,
		Compensation: testcards.LedgerRefund,
		Compensate: func(step exampletest.Step, _ []byte) any {
			return ledger.RefundInput{Account: customer, Charge: step.Key()}
		},
		Probe: testcards.LedgerChargeStatus,
		Ask:   func(step exampletest.Step) any { return ledger.ChargeStatusInput{Charge: step.Key()} },
	}.Run(t)
}

func TestRejections(t *testing.T) {
	p := exampletest.Start(t, ledger.New, t.TempDir())
	const german, poor = customer, "IT60X0542811101000000123456"
	placed := exampletest.Step{Saga: "placed", Path: "hold"}
	held := exampletest.Must[ledger.HoldOutput](t, p, "ledger.hold", placed, ledger.HoldInput{Account: german, Amount: euro(100)})
	released := exampletest.Step{Saga: "released", Path: "hold"}
	gone := exampletest.Must[ledger.HoldOutput](t, p, "ledger.hold", released, ledger.HoldInput{Account: german, Amount: euro(100)})
	if _, err := p.Invoke("ledger.release", released.Compensation(1), ledger.ReleaseInput{Account: german, Hold: released.Key()}); err != nil {
		t.Fatal(err)
	}

	tests := []struct {
		name, activity string
		input          any
		want           string
	}{
		{"unknown account", "ledger.hold", ledger.HoldInput{Account: "AT611904300234573201", Amount: euro(1)}, "reject ACCOUNT_NOT_FOUND"},
		{"account of the bank itself", "ledger.hold", ledger.HoldInput{Account: "clearing:EUR", Amount: euro(1)}, "reject ACCOUNT_NOT_FOUND"},
		{"other currency", "ledger.hold", ledger.HoldInput{Account: german, Amount: money.Amount{Minor: 1, Currency: "SEK"}}, "reject CURRENCY_MISMATCH"},
		{"one cent too much", "ledger.hold", ledger.HoldInput{Account: poor, Amount: euro(50_01)}, "reject INSUFFICIENT_FUNDS"},
		{"charge of too much", "ledger.charge", ledger.ChargeInput{Account: poor, Amount: euro(50_01)}, "reject INSUFFICIENT_FUNDS"},
		{"nothing", "ledger.hold", ledger.HoldInput{Account: german, Amount: euro(0)}, "reject INVALID_INPUT"},
		{"negative", "ledger.hold", ledger.HoldInput{Account: german, Amount: euro(-5)}, "reject INVALID_INPUT"},
		{"beyond 2^53-1", "ledger.hold", json.RawMessage(`{"account": "` + german + `", "amount": {"minor": 9007199254740992, "currency": "EUR"}}`), "reject INVALID_INPUT"},
		{"a float", "ledger.hold", json.RawMessage(`{"account": "` + german + `", "amount": {"minor": 1.5, "currency": "EUR"}}`), "reject INVALID_INPUT"},
		{"settle nothing", "ledger.settle", ledger.SettleInput{Hold: "hold-none"}, "reject HOLD_NOT_FOUND"},
		{"settle what is released", "ledger.settle", ledger.SettleInput{Hold: gone.HoldID}, "reject HOLD_RELEASED"},
		{"everything there is", "ledger.hold", ledger.HoldInput{Account: poor, Amount: euro(50_00)}, "ok"},
		{"settle", "ledger.settle", ledger.SettleInput{Hold: held.HoldID}, "ok"},
		{"settle twice, in two operations", "ledger.settle", ledger.SettleInput{Hold: held.HoldID}, "reject HOLD_SETTLED"},
		{"printed in groups", "ledger.hold", ledger.HoldInput{Account: "de89 3704 0044 0532 0130 00", Amount: euro(1)}, "ok"},
	}
	for _, tt := range tests {
		_, err := p.Invoke(tt.activity, exampletest.Step{Saga: tt.name, Path: "step"}.Action(1), tt.input)
		if got := exampletest.Answer(err); got != tt.want {
			t.Errorf("%s: answer %q, want %q", tt.name, got, tt.want)
		}
	}

	_, err := p.Invoke("ledger.release", placed.Compensation(1), ledger.ReleaseInput{Account: german, Hold: placed.Key()})
	if got, want := exampletest.Answer(err), "reject HOLD_SETTLED"; got != want {
		t.Errorf("release of a settled hold: %q, want %q", got, want)
	}
}

// A compensation that names the wrong account or key must not touch the money
// of another one.
func TestReleaseOfAnotherHold(t *testing.T) {
	p := exampletest.Start(t, ledger.New, t.TempDir())
	mine := exampletest.Step{Saga: "mine", Path: "hold"}
	exampletest.Must[ledger.HoldOutput](t, p, "ledger.hold", mine, ledger.HoldInput{Account: customer, Amount: euro(100)})
	for name, tt := range map[string]struct {
		input ledger.ReleaseInput
		want  string
	}{
		"account": {ledger.ReleaseInput{Account: "NL91ABNA0417164300", Hold: mine.Key()}, "reject ACCOUNT_MISMATCH"},
		"key":     {ledger.ReleaseInput{Account: customer, Hold: "another key"}, "reject HOLD_NOT_FOUND"},
	} {
		_, err := p.Invoke("ledger.release", mine.Compensation(1), tt.input)
		if got := exampletest.Answer(err); got != tt.want {
			t.Errorf("wrong %s: answer %q, want %q", name, got, tt.want)
		}
	}
}
