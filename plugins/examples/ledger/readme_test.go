package ledger_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sagad/sagad/plugins/examples/exampletest"
	"github.com/sagad/sagad/plugins/examples/ledger"
)

// The README's table of the customers' accounts is that of a fresh ledger.
func TestReadme(t *testing.T) {
	raw, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := strings.ReplaceAll(string(raw), ",", "")
	p := exampletest.Start(t, ledger.New, t.TempDir())
	out := exampletest.Must[ledger.BalancesOutput](t, p, "ledger.balances", exampletest.Step{Saga: "s", Path: "b"}, ledger.BalancesInput{})
	for _, b := range out.Accounts {
		if b.Kind != "customer" {
			continue
		}
		row := fmt.Sprintf("| %s | %s | %s %d.%02d |", b.Account, b.Label, b.Currency, b.Balance/100, b.Balance%100)
		if !strings.Contains(readme, row) {
			t.Errorf("the README lacks the row %s", row)
		}
	}
}
