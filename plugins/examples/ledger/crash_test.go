package ledger_test

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/exampletest"
	"github.com/sagad/sagad/plugins/examples/ledger"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// crashDir names, to a copy of this test program, the data directory on which
// it is to place a hold whose test card ends the process.
const crashDir = "LEDGER_TEST_CRASH_DIR"

const crashStatus = 66

func crashing(b testcards.Behaviour) ledger.HoldInput {
	return ledger.HoldInput{Account: customer, Amount: euro(testcards.Minor(testcards.Card{Point: testcards.LedgerHold, Behaviour: b}))}
}

// A card really ends the process, and what was committed before survives it.
func TestProcessCrash(t *testing.T) {
	step := exampletest.Step{Saga: "s", Path: "hold"}
	behaviour := testcards.CrashAfter
	if dir := os.Getenv(crashDir); dir != "" {
		p := exampletest.Start(t, func(...testcards.Option) *plugins.Plugin { return ledger.New() }, dir)
		_, err := p.Invoke("ledger.hold", step.Action(1), crashing(behaviour))
		t.Fatalf("the process lives on: %v", err)
	}
	dir := t.TempDir()
	self := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProcessCrash$")
	self.Env = append(os.Environ(), crashDir+"="+dir)
	output, err := self.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != crashStatus {
		t.Fatalf("the process ended with %v, want status %d:\n%s", err, crashStatus, output)
	}

	db := open(t, dir) // before anybody has repaired the database
	if err := ledger.Verify(t.Context(), db); !errors.Is(err, ledger.ErrDangling) || errors.Is(err, ledger.ErrUnbalanced) {
		t.Fatalf("after the crash: %v, want one open hold in a ledger that balances", err)
	}
	p := exampletest.Start(t, ledger.New, dir)
	if _, err := p.Invoke("ledger.hold", step.Action(2), crashing(behaviour)); err != nil {
		t.Fatalf("after the restart: %v", err)
	}
	if _, err := p.Invoke("ledger.release", step.Compensation(1), ledger.ReleaseInput{Account: customer, Hold: step.Key()}); err != nil {
		t.Fatal(err)
	}
	if err := ledger.Verify(t.Context(), db); err != nil {
		t.Error(err)
	}
}
