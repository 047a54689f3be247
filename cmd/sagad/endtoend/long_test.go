package endtoend

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
)

// longRan says that the saga of ten thousand steps has run in this process.
var longRan atomic.Bool

// A saga of ten thousand steps goes forward, and compensates the last thousand of
// them, over several runs that replay (S26). That all of them can be taken back
// is measured by the benchmark: it takes minutes.
func TestTenThousandSteps(t *testing.T) {
	if !*cache {
		t.Skip("without the cache thousands of tasks would replay the saga, and show nothing that the suite does not")
	}
	if longRan.Swap(true) {
		t.Skip("once is enough")
	}
	const looked, taken = 9_000, 1_000
	c := enginetest.Case{
		Input: `{"id": "k", "looked": ` + numbers(looked) + `, "taken": ` + numbers(taken) + `}`,
		Steps: `  - id: one
    foreach: {in: input.looked, as: it, concurrency: 50, do: [{id: look, call: t.look, effect: none}]}
  - id: two
    foreach: {in: input.taken, as: it, concurrency: 50, do: [{id: take, call: t.take, compensate: {call: t.give}}]}
  - {id: f, fail: {code: STOP}}
`,
	}
	s, scene := c.Prepare(t, ""), newScene(t)
	scene.worlds.byID[s.Start.ID] = s.World
	if started, err := scene.client.Start(t.Context(), s.Plan, s.Start, nil); err != nil || !started {
		t.Fatalf("started %t: %v", started, err)
	}
	r, err := scene.client.Wait(t.Context(), s.Start.ID)
	if err != nil {
		t.Fatal(err)
	}
	if r.Outcome != engine.OutcomeCompensated || r.Cause.Code != "STOP" || len(r.Trace) != looked+2*taken+1 {
		t.Errorf("%s by %+v, %d items in the trace", r.Outcome, r.Cause, len(r.Trace))
	}
	for activity, want := range map[string]int{"t.look": looked, "t.take": taken, "t.give": taken} {
		if n := s.World.Calls(activity); n != want {
			t.Errorf("%s was called %d times, want %d", activity, n, want)
		}
	}
	for _, problem := range enginetest.Violations(s, r) {
		t.Error(problem)
	}
	if runs := replay(t, scene.sdk, s.Start.ID); runs < 2 {
		t.Errorf("it had %d runs: it did not continue as new", runs)
	}
}

// numbers gives the JSON list of the first n numbers.
func numbers(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint(i)
	}
	return "[" + strings.Join(list, ",") + "]"
}
