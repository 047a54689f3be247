package temporal

import (
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
)

// A retry after midnight has the key of the first attempt, and a step that begins
// after midnight has the time of the saga's start in its key (S20).
func TestRetryAcrossMidnight(t *testing.T) {
	c := enginetest.Case{
		Steps: "  - {id: a, call: t.a, compensate: {call: t.undoA}, retry: {attempts: 3, backoff: 30s..30s}}\n  - {id: b, call: t.b, effect: none}\n",
		Mocks: enginetest.Mocks{"t.a": {enginetest.Fail("ODD"), enginetest.Fail("ODD"), enginetest.OK(`{}`)}},
	}
	s := c.Prepare(t, "")
	env := (&testsuite.WorkflowTestSuite{}).NewTestWorkflowEnvironment()
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: s.Start.ID, TaskQueue: TaskQueue("demo", "eu-west-1")})
	env.SetTestTimeout(time.Minute)
	env.SetStartTime(time.Date(2026, 12, 31, 23, 59, 50, 0, time.UTC))
	var last time.Time
	Register(env, WorkerOptions{Tenant: "demo", Region: "eu-west-1", Invoker: s.World, Observe: func(_ string, r engine.Record) { last = r.At }})
	run(t, env, s)
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	want := []string{"demo:demo/t/k:a:action:20261231T235950Z:0", "demo:demo/t/k:b:action:20261231T235950Z:0"}
	if keys := s.World.Keys(); s.World.Calls("t.a") != 3 || !slices.Equal(keys, want) {
		t.Errorf("%d calls of a; keys %q", s.World.Calls("t.a"), keys)
	}
	if midnight := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC); last.Before(midnight) {
		t.Errorf("it ended at %s, before midnight", last)
	}
}
