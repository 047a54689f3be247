package explore

import (
	"flag"
	"testing"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
)

var (
	faults = flag.Int("faults", 0, "how many more faults TestEveryOrder lets happen in a run than by default")
	states = flag.Int("states", 0, "how many states of a definition TestEveryOrder looks at; 0: all")
)

// Every order of events of small sagas, and every cut between them.
func TestEveryOrder(t *testing.T) {
	for _, d := range definitions {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			sc := &Scenario{Saga: d.Prepare(t, ""), Bounds: d.bounds}
			sc.Faults += *faults
			sc.States = *states
			for _, h := range d.Outside {
				sc.Outside = append(sc.Outside, h.Event("outside"))
			}
			r := Explore(sc)
			if r.Problem != "" {
				t.Fatalf("%s\n%s%s", r.Problem, d.Head, d.Steps)
			}
			t.Logf("%d states, %d events tried, %.4g runs of up to %d events; all: %t", r.States, r.Events, r.Runs, r.Depth, !r.Cut)
		})
	}
}

var _ = engine.Forward
var _ enginetest.Case
