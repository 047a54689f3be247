package ledger_test

import (
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/plugins/examples/exampletest"
	"github.com/sagad/sagad/plugins/examples/iban"
	"github.com/sagad/sagad/plugins/examples/ledger"
)

func open(t testing.TB, dir string) *sql.DB {
	t.Helper()
	db, err := ledger.OpenReadOnly(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestSeed(t *testing.T) {
	p := exampletest.Start(t, ledger.New, t.TempDir())
	p.Restart() // seeds nothing twice
	out := exampletest.Must[ledger.BalancesOutput](t, p, "ledger.balances", exampletest.Step{Saga: "s", Path: "b"}, ledger.BalancesInput{})
	countries, currencies := map[string]bool{}, map[string]bool{}
	for _, b := range out.Accounts {
		if b.Available != b.Balance-b.Held {
			t.Errorf("%s: available %d", b.Label, b.Available)
		}
		if b.Kind != "customer" {
			continue
		}
		countries[b.Country], currencies[b.Currency] = true, true
		if err := iban.Check(b.Account); err != nil {
			t.Errorf("%s: %v", b.Label, err)
		}
		if b.Balance <= 0 || iban.Country(b.Account) != b.Country {
			t.Errorf("%s opens with %d in %s", b.Label, b.Balance, b.Country)
		}
	}
	if len(countries) < 8 || len(currencies) < 5 {
		t.Errorf("customers in %d countries and %d currencies", len(countries), len(currencies))
	}
	if err := ledger.Verify(t.Context(), open(t, p.DataDir)); err != nil {
		t.Errorf("a fresh ledger: %v", err)
	}
}

func TestVerifyFindsAnOpenHold(t *testing.T) {
	p := exampletest.Start(t, ledger.New, t.TempDir())
	step := exampletest.Step{Saga: "s", Path: "hold"}
	held := exampletest.Must[ledger.HoldOutput](t, p, "ledger.hold", step, ledger.HoldInput{Account: customer, Amount: euro(100)})
	err := ledger.Verify(t.Context(), open(t, p.DataDir))
	if !errors.Is(err, ledger.ErrDangling) || errors.Is(err, ledger.ErrUnbalanced) {
		t.Fatalf("Verify = %v, want ErrDangling alone", err)
	}
	if !strings.Contains(err.Error(), held.HoldID) || strings.Contains(err.Error(), customer) {
		t.Errorf("the error must name the hold and not the account: %v", err)
	}
}

// Each way of tampering with the books is found.
func TestVerifyFindsTampering(t *testing.T) {
	const drop = `DROP TRIGGER postings_are_final; DROP TRIGGER postings_stay; DROP TRIGGER entries_are_final; DROP TRIGGER entries_stay;
		PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;`
	for name, tampering := range map[string]string{
		"a balance":                `UPDATE accounts SET balance = balance + 1 WHERE label = 'customer-de'`,
		"a posting":                `UPDATE postings SET minor = minor + 1 WHERE entry IN (SELECT id FROM entries WHERE kind = 'settle') AND minor > 0`,
		"a balance with a posting": `UPDATE postings SET minor = minor + 1 WHERE account = 'clearing:EUR'; UPDATE accounts SET balance = balance + 1 WHERE number = 'clearing:EUR'`,
		"an entry without reason":  `DELETE FROM holds WHERE state = 'settled'`,
		"a posting left out":       `DELETE FROM postings WHERE account = 'clearing:EUR'`,
		"a hold's amount":          `UPDATE holds SET minor = minor + 1 WHERE state = 'settled'`,
		"what is held":             `UPDATE accounts SET held = held + 1 WHERE label = 'customer-de'`,
		"a charge's amount":        `UPDATE charges SET minor = minor + 1`,
		"a refund that is not one": `UPDATE charges SET refund = entry`,
		"an overdrawn customer":    `UPDATE accounts SET balance = -1 WHERE label = 'customer-nl'`,
	} {
		t.Run(name, func(t *testing.T) {
			p := exampletest.Start(t, ledger.New, t.TempDir())
			held := exampletest.Must[ledger.HoldOutput](t, p, "ledger.hold", exampletest.Step{Saga: "s", Path: "hold"}, ledger.HoldInput{Account: customer, Amount: euro(100)})
			exampletest.Must[ledger.SettleOutput](t, p, "ledger.settle", exampletest.Step{Saga: "s", Path: "settle"}, ledger.SettleInput{Hold: held.HoldID})
			exampletest.Must[ledger.ChargeOutput](t, p, "ledger.charge", exampletest.Step{Saga: "s", Path: "charge"}, ledger.ChargeInput{Account: customer, Amount: euro(70)})
			p.Stop()
			if err := ledger.Verify(t.Context(), open(t, p.DataDir)); err != nil {
				t.Fatalf("before: %v", err)
			}
			db, err := sql.Open("sqlite", "file:"+p.DataDir+"/ledger.db")
			if err != nil {
				t.Fatal(err)
			}
			_, err = db.ExecContext(t.Context(), drop+tampering)
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
			if err := ledger.Verify(t.Context(), open(t, p.DataDir)); !errors.Is(err, ledger.ErrUnbalanced) {
				t.Errorf("Verify = %v, want ErrUnbalanced", err)
			}
		})
	}
}

// What is booked cannot be changed through the database either.
func TestPostingsAreFinal(t *testing.T) {
	p := exampletest.Start(t, ledger.New, t.TempDir())
	p.Stop()
	db, err := sql.Open("sqlite", "file:"+p.DataDir+"/ledger.db")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, statement := range []string{`UPDATE postings SET minor = 1`, `DELETE FROM postings`, `UPDATE entries SET kind = 'charge'`, `DELETE FROM entries`} {
		if _, err := db.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "final") {
			t.Errorf("%s: %v, want a refusal", statement, err)
		}
	}
}

// Account numbers are neither in the log nor in any message.
func TestNoAccountNumberInClear(t *testing.T) {
	p := exampletest.Start(t, ledger.New, t.TempDir())
	step := exampletest.Step{Saga: "s", Path: "step"}
	_, err := p.Invoke("ledger.hold", step.Action(1), ledger.HoldInput{Account: customer, Amount: euro(1 << 50)})
	if err == nil || strings.Contains(err.Error(), customer) {
		t.Errorf("message: %v", err)
	}
	exampletest.Must[ledger.HoldOutput](t, p, "ledger.hold", step, ledger.HoldInput{Account: customer, Amount: euro(5)})
	if _, err := p.Invoke("ledger.release", step.Compensation(1), ledger.ReleaseInput{Account: customer, Hold: step.Key()}); err != nil {
		t.Fatal(err)
	}
	exampletest.Must[ledger.ChargeOutput](t, p, "ledger.charge", exampletest.Step{Saga: "s", Path: "charge"}, ledger.ChargeInput{Account: customer, Amount: euro(5)})
	logs := p.Logs()
	if strings.Contains(logs, customer) {
		t.Errorf("the log shows the account:\n%s", logs)
	}
	if got := strings.Count(logs, iban.Mask(customer)); got != 3 {
		t.Errorf("the log names the masked account %d times, want 3:\n%s", got, logs)
	}
}

func TestManifest(t *testing.T) {
	want := map[string][]string{
		"ledger.hold": {"account"}, "ledger.release": {"account"}, "ledger.settle": nil,
		"ledger.charge": {"account"}, "ledger.refund": {"account"}, "ledger.chargeStatus": nil, "ledger.balances": nil,
		"ledger.openAccount": nil, "ledger.closeAccount": nil, "ledger.activateAccount": nil,
	}
	got := map[string][]string{}
	for _, a := range ledger.New().Manifest().Activities {
		got[a.Name] = a.Sensitive
		if a.Name == "ledger.balances" {
			if diff := cmp.Diff([]string{"accounts[].account"}, a.SensitiveOutput); diff != "" {
				t.Errorf("sensitive output (-want +got):\n%s", diff)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sensitive inputs (-want +got):\n%s", diff)
	}
}
