package ledger_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/sagad/sagad/plugins/examples/exampletest"
	"github.com/sagad/sagad/plugins/examples/iban"
	"github.com/sagad/sagad/plugins/examples/ledger"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

func application(minor int64) ledger.OpenAccountInput {
	return ledger.OpenAccountInput{Application: fmt.Sprintf("a-%d", minor), Currency: "EUR"}
}

func TestOpenAccount(t *testing.T) {
	exampletest.Effect{
		Plugin: ledger.New, Name: ledger.Name, Action: testcards.LedgerOpenAccount,
		Prepare: func(_ testing.TB, _ *exampletest.Process, _ exampletest.Step, minor int64) any {
			return application(minor)
		},
		Count:        `SELECT count(*) FROM accounts WHERE label LIKE 'customer-a-%'`,
		Compensation: testcards.LedgerCloseAccount,
		Compensate: func(step exampletest.Step, _ []byte) any {
			return ledger.CloseAccountInput{Request: step.Key()}
		},
	}.Run(t)
}

func TestActivateAccount(t *testing.T) {
	exampletest.Effect{
		Plugin: ledger.New, Name: ledger.Name, Action: testcards.LedgerActivateAccount,
		Prepare: func(t testing.TB, p *exampletest.Process, step exampletest.Step, minor int64) any {
			in := application(minor)
			exampletest.Must[ledger.OpenAccountOutput](t, p, "ledger.openAccount", exampletest.Step{Saga: step.Saga, Path: "open"}, in)
			return ledger.ActivateAccountInput{Application: in.Application}
		},
		Count: `SELECT count(*) FROM applications WHERE state = 'active'`,
	}.Run(t)
}

// A new account is empty, can be used when it is active, and cannot be closed
// from then on.
func TestApplication(t *testing.T) {
	p := exampletest.Start(t, ledger.New, t.TempDir())
	step := func(path string) exampletest.Step { return exampletest.Step{Saga: "s", Path: path} }
	in := application(1)
	out := exampletest.Must[ledger.OpenAccountOutput](t, p, "ledger.openAccount", step("open"), in)
	if err := iban.Check(out.Account); err != nil {
		t.Error(err)
	}
	if err := ledger.Verify(t.Context(), open(t, p.DataDir)); !errors.Is(err, ledger.ErrDangling) || errors.Is(err, ledger.ErrUnbalanced) {
		t.Errorf("an account that is not in use: %v", err)
	}
	answer := func(activity string, input any) string {
		_, err := p.Invoke(activity, exampletest.Step{Saga: activity + fmt.Sprint(input), Path: "step"}.Action(1), input)
		return exampletest.Answer(err)
	}
	strange := application(2)
	strange.Currency = "JPY"
	for _, tt := range []struct {
		activity string
		input    any
		want     string
	}{
		{"ledger.openAccount", in, "reject APPLICATION_EXISTS"},
		{"ledger.openAccount", strange, "reject CURRENCY_UNKNOWN"},
		{"ledger.charge", ledger.ChargeInput{Account: out.Account, Amount: euro(1)}, "reject INSUFFICIENT_FUNDS"},
		{"ledger.activateAccount", ledger.ActivateAccountInput{Application: "none"}, "reject APPLICATION_NOT_FOUND"},
		{"ledger.activateAccount", ledger.ActivateAccountInput{Application: in.Application}, "ok"},
	} {
		if got := answer(tt.activity, tt.input); got != tt.want {
			t.Errorf("%s %v: answer %q, want %q", tt.activity, tt.input, got, tt.want)
		}
	}
	again := exampletest.Step{Saga: "again", Path: "step"}
	_, err := p.Invoke("ledger.activateAccount", again.Action(1), ledger.ActivateAccountInput{Application: in.Application})
	if got, want := exampletest.Answer(err), "reject APPLICATION_CLOSED"; got != want {
		t.Errorf("activated twice, in two operations: answer %q, want %q", got, want)
	}
	_, err = p.Invoke("ledger.closeAccount", step("open").Compensation(1), ledger.CloseAccountInput{Request: step("open").Key()})
	if got, want := exampletest.Answer(err), "reject ACCOUNT_ACTIVE"; got != want {
		t.Errorf("closed while in use: answer %q, want %q", got, want)
	}
	if err := ledger.Verify(t.Context(), open(t, p.DataDir)); err != nil {
		t.Errorf("an account in use: %v", err)
	}
}
