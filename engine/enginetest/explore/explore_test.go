package explore

import (
	"flag"
	"sync"
	"testing"
)

var (
	faults   = flag.Int("faults", 0, "how many more faults TestEveryOrder lets happen in a run than its definitions say")
	commands = flag.Int("commands", 0, "how many more commands of operators TestEveryOrder lets come in a run than its definitions say")
	states   = flag.Int("states", 0, "how many states of a definition TestEveryOrder looks at; 0: all")
)

// Every order of events of small sagas, and every cut between them.
func TestEveryOrder(t *testing.T) {
	var mu sync.Mutex
	var total Report
	t.Run("definitions", func(t *testing.T) {
		for _, d := range definitions {
			t.Run(d.Name, func(t *testing.T) {
				t.Parallel()
				r := Explore(d.scenario(t))
				if r.Problem != "" {
					t.Fatalf("%s\n%s%s", r.Problem, d.Head, d.Steps)
				}
				t.Logf("%s: %d states, %d events tried, %.0f runs of up to %d events; all: %t", d.Name, r.States, r.Events, r.Runs, r.Depth, !r.Cut)
				mu.Lock()
				defer mu.Unlock()
				total.States, total.Events, total.Runs = total.States+r.States, total.Events+r.Events, total.Runs+r.Runs
			})
		}
	})
	t.Logf("%d definitions, %d states, %d events tried, %.0f runs", len(definitions), total.States, total.Events, total.Runs)
}

// scenario gives what TestEveryOrder explores of a definition.
func (d *definition) scenario(t *testing.T) *Scenario {
	sc := &Scenario{Saga: d.Prepare(t, ""), Bounds: d.bounds}
	sc.Faults, sc.Commands, sc.States = max(sc.Faults+*faults, 0), max(sc.Commands+*commands, 0), *states
	for _, h := range d.Outside {
		sc.Outside = append(sc.Outside, h.Event("outside"))
	}
	return sc
}
