package testcards

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The README's tables are those of the code.
func TestReadme(t *testing.T) {
	raw, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(raw)
	for p, at := range places {
		code := "`" + at.code + "`"
		if at.code == "" {
			code = "cannot tell"
		}
		if row := fmt.Sprintf("| %d | `%s` | %s |", p, at.activity, code); !strings.Contains(readme, row) {
			t.Errorf("the README lacks the row %s", row)
		}
	}
	for b := Permanent; b <= Straggler; b++ {
		if row := fmt.Sprintf("| %d | %s |", b, b); !strings.Contains(readme, row) {
			t.Errorf("the README lacks the row %s", row)
		}
	}
	for _, c := range []Card{{RailsSubmit, Reject}, {RailsSubmit, CrashAfter}, {LedgerHold, Lost}} {
		if !strings.Contains(readme, c.String()) {
			t.Errorf("the README lacks the example %s", c)
		}
	}
}
