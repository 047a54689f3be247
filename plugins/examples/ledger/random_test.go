package ledger_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/exampletest"
	"github.com/sagad/sagad/plugins/examples/ledger"
)

// purchase is what one random saga does with one account: each operation is
// sent as often as it says, in this order.
type purchase struct {
	account string
	minor   int64
	// hold ends as "settle", "release" or, with a release that overtakes it,
	// "late"; charge as "keep" or "refund".
	hold, charge string
	times        int
}

var payers = []string{"DE89370400440532013000", "NL91ABNA0417164300", "IT60X0542811101000000123456"}

func purchases() *rapid.Generator[[]purchase] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) purchase {
		return purchase{
			account: rapid.SampledFrom(payers).Draw(t, "account"),
			minor:   rapid.Int64Range(1, 40_00).Draw(t, "minor"),
			hold:    rapid.SampledFrom([]string{"settle", "release", "late"}).Draw(t, "hold"),
			charge:  rapid.SampledFrom([]string{"keep", "refund", "refund first"}).Draw(t, "charge"),
			times:   rapid.IntRange(1, 3).Draw(t, "times"),
		}
	}), 1, 12)
}

// Whatever concurrent sagas do, repeat and overtake, money is neither made nor
// lost, no hold is left, and the accounts show exactly what succeeded.
func TestMoneyIsConserved(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		list := purchases().Draw(rt, "purchases")
		dir, err := os.MkdirTemp(t.TempDir(), "run")
		if err != nil {
			rt.Fatal(err)
		}
		p := exampletest.Start(t, ledger.New, dir)
		defer p.Stop()
		db, err := ledger.OpenReadOnly(t.Context(), dir)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = db.Close() }() // it only read
		before := balances(rt, p)

		spent := make([]int64, len(list))
		failures := make([]error, len(list))
		var sagas sync.WaitGroup
		for i, one := range list {
			sagas.Go(func() { spent[i], failures[i] = one.run(p, fmt.Sprintf("saga-%d", i)) })
		}
		sagas.Wait()

		want := map[string]int64{}
		for number, balance := range before {
			want[number] = balance
		}
		for i, one := range list {
			if failures[i] != nil {
				rt.Errorf("%+v: %v", one, failures[i])
			}
			want[one.account] -= spent[i]
		}
		got := balances(rt, p)
		for number := range want {
			if number == "clearing:EUR" || number == "merchant:EUR" {
				delete(want, number) // Verify accounts for these
				delete(got, number)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Errorf("balances (-want +got):\n%s", diff)
		}
		if err := ledger.Verify(t.Context(), db); err != nil {
			rt.Error(err)
		}
	})
}

func balances(t *rapid.T, p *exampletest.Process) map[string]int64 {
	out, err := exampletest.Invoke[ledger.BalancesOutput](p, "ledger.balances", exampletest.Step{Saga: "b", Path: "b"}.Action(1), ledger.BalancesInput{})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int64{}
	for _, b := range out.Accounts {
		all[b.Account] = b.Balance
	}
	return all
}

// run returns how much the purchase took from the account for good.
func (o purchase) run(p *exampletest.Process, saga string) (spent int64, err error) {
	step := func(path string) exampletest.Step { return exampletest.Step{Saga: saga, Path: path} }
	holding, settling, charging := step("hold"), step("settle"), step("charge")
	// send repeats one operation, whose answers must be ok or allowed and stay
	// ok, and tells whether the last one was ok.
	send := func(activity string, call func(attempt int) plugins.Call, input any, allowed ...string) bool {
		var last string
		for n := 1; n <= o.times && err == nil; n++ {
			_, failure := p.Invoke(activity, call(n), input)
			answer := exampletest.Answer(failure)
			if answer != "ok" && (last == "ok" || !slices.Contains(allowed, answer)) {
				err = fmt.Errorf("%s, attempt %d: %s after %q", activity, n, answer, last)
			}
			last = answer
		}
		return last == "ok"
	}
	const poor, late = "reject INSUFFICIENT_FUNDS", "reject FENCED"
	hold := ledger.HoldInput{Account: o.account, Amount: euro(o.minor)}
	release := ledger.ReleaseInput{Account: o.account, Hold: holding.Key()}
	charge := ledger.ChargeInput{Account: o.account, Amount: euro(o.minor)}
	refund := ledger.RefundInput{Account: o.account, Charge: charging.Key()}

	if o.hold == "late" {
		send("ledger.release", holding.Compensation, release)
	}
	held := send("ledger.hold", holding.Action, hold, poor, late)
	if held && o.hold == "late" {
		return 0, errors.New("a hold was placed after its release")
	}
	if o.charge == "refund first" {
		send("ledger.refund", charging.Compensation, refund)
	}
	charged := send("ledger.charge", charging.Action, charge, poor, late)
	switch {
	case charged && o.charge == "keep":
		spent += o.minor
	case o.charge == "refund":
		send("ledger.refund", charging.Compensation, refund)
	}
	switch {
	case held && o.hold == "settle":
		out, again := exampletest.Invoke[ledger.HoldOutput](p, "ledger.hold", holding.Action(9), hold)
		if again != nil {
			return spent, again
		}
		if send("ledger.settle", settling.Action, ledger.SettleInput{Hold: out.HoldID}) {
			spent += o.minor
		}
	case o.hold == "release":
		send("ledger.release", holding.Compensation, release)
	}
	return spent, err
}
