package model

import (
	"strings"
	"testing"

	"github.com/sagad/sagad/engine/invariant"
)

// TestInvariants holds random sagas to the invariants.
func TestInvariants(t *testing.T) {
	for n := *first; n < *first+*cases; n += scriptsPerDefinition {
		list, err := draw(*seed, n)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range list {
			if broken := c.violations(); len(broken) > 0 {
				t.Fatalf("case %d of seed %d: %s\n%s\n%s", n+i, *seed, strings.Join(broken, "\n"), c.definition.yaml(), c.script.text())
			}
		}
	}
}

// violations runs a case on the machine and gives what breaks an invariant.
func (c drawn) violations() []string {
	var seen invariant.Recording
	watch := invariant.NewWatch(&seen, c.start)
	watch.Begins = true
	_, result := watched(c.plan, c.start, startedAt, c.script, watch.Observe)
	run := invariant.Run{Plan: c.plan, Start: c.start, Moments: seen.Moments(), Result: result}
	return run.Violations()
}
