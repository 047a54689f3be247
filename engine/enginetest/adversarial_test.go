package enginetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
)

// attemptsOf simulates a saga of one step that succeeds at its third attempt and
// gives the keys of the attempts.
func attemptsOf(t *testing.T, tenant, key string, at time.Time) (keys []string) {
	t.Helper()
	plan := Compile(t, "", "  - {id: a, call: t.a, compensate: {call: t.undoA}, retry: {attempts: 3, backoff: 30s..30s}}\n")
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: tenant, Region: "eu-west-1"}, map[string]any{"id": key})
	if err != nil {
		t.Fatal(err)
	}
	local.Simulate(plan, start, at, local.Script{Answer: func(inv *engine.Invocation) (engine.Outcome, time.Duration) {
		keys = append(keys, inv.Key)
		if len(keys) < 3 {
			return engine.Outcome{Class: engine.Ambiguous, Code: "ODD"}, time.Second
		}
		return engine.Outcome{Class: engine.Applied}, time.Second
	}})
	return keys
}

// A retry after midnight has the key of the first attempt: the time in it is
// that of the start (S20).
func TestRetryAcrossMidnight(t *testing.T) {
	keys := attemptsOf(t, "demo", "k", time.Date(2026, 12, 31, 23, 59, 50, 0, time.UTC))
	if len(keys) != 3 || len(slices.Compact(slices.Clone(keys))) != 1 || !strings.Contains(keys[0], ":20261231T235950Z:0") {
		t.Errorf("keys %q", keys)
	}
}

// Two sagas that start in the same second share no key (S20).
func TestTwoSagasInOneSecond(t *testing.T) {
	at := time.Date(2026, 11, 23, 10, 0, 0, 100, time.UTC)
	one, two := attemptsOf(t, "demo", "k-1", at), attemptsOf(t, "demo", "k-2", at.Add(time.Millisecond))
	if one[0] == two[0] {
		t.Errorf("both have the key %s", one[0])
	}
}

// Colons in the names of tenants and in business keys make no two keys alike,
// and a key is taken apart as it was put together (S20).
func TestColonsInTenantAndKey(t *testing.T) {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	one, two := attemptsOf(t, "a:b", "c", at)[0], attemptsOf(t, "a", "b:c", at)[0]
	if one == two {
		t.Errorf("both have the key %s", one)
	}
	key, ok := engine.ParseKey(one)
	if !ok || key.Tenant != "a:b" || key.Saga != "a:b/t/c" || key.Path != "a" {
		t.Errorf("%s is taken apart as %+v", one, key)
	}
}

// The parent of a child that was ended from outside parks until the child's state
// is known, and then compensates what it has adopted (S9).
func TestChildLost(t *testing.T) {
	c := Case{Steps: "  - {id: c, saga: wait, with: {id: z}}\n" + stepP, Sagas: waits}
	s := c.Prepare(t, "")
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	parent := engine.New(s.Plan)
	start := parent.Step(engine.Event{Kind: engine.EventStarted, At: at, Start: s.Start})
	var begun engine.Command
	for _, c := range start {
		if c.Kind == engine.CommandStartChild {
			begun = c
		}
	}
	child := engine.New(begun.Child.Plan)
	child.Step(engine.Event{Kind: engine.EventStarted, At: at, Start: begun.Child.Start})
	child.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: 1, Outcome: engine.Outcome{Class: engine.Applied}})
	report := child.Report()
	report.Result.Outcome, report.Result.Status = engine.OutcomeOrphaned, engine.StatusClosed

	parent.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: begun.ID, Child: &engine.Report{Lost: true}})
	if r := parent.Result(); r.Outcome != engine.OutcomeParked || r.Parked[0].Code != engine.CodeTerminated {
		t.Fatalf("%s %+v", r.Outcome, r.Parked)
	}
	commands := parent.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: begun.ID, Child: &report})
	i := slices.IndexFunc(commands, func(c engine.Command) bool { return c.Kind == engine.CommandInvoke })
	if i < 0 {
		t.Fatalf("nothing is compensated: %+v", parent.Result())
	}
	inv := commands[i].Invoke
	if inv.Path != "c/x" || inv.Op != engine.OpCompensation || inv.Key != report.Entries[0].Key {
		t.Errorf("compensates %s with the key %s", inv.Path, inv.Key)
	}
	parent.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: inv.ID, Outcome: engine.Outcome{Class: engine.Applied}})
	if r := parent.Result(); r.Outcome != engine.OutcomeCompensated || strings.Join(r.Trace, " ") != "c/x c? ~c/x" {
		t.Errorf("%s %v", r.Outcome, r.Trace)
	}
}

// Ten thousand steps end, there and back, on the local runtime.
func TestTenThousandSteps(t *testing.T) {
	const n = 10_000
	c := Case{Input: `{"id": "k", "list": ` + numbers(n) + `}`, Steps: `  - id: each
    foreach: {in: input.list, as: it, concurrency: 50, do: [{id: x, call: t.x, compensate: {call: t.undoX}}]}
  - {id: f, fail: {code: STOP}}
`}
	s := c.Prepare(t, "")
	r, err := local.Run(t.Context(), s.Plan, s.Start, local.Options{Invoker: s.World})
	if err != nil {
		t.Fatal(err)
	}
	if r.Outcome != engine.OutcomeCompensated || len(r.Trace) != 2*n+1 || s.World.Calls("t.undoX") != n {
		t.Errorf("%s, %d items in the trace, %d compensations", r.Outcome, len(r.Trace), s.World.Calls("t.undoX"))
	}
}

// Items that the bound on open work has held back are not started once their
// foreach has failed, neither while its handler runs nor after it (S7, S8, S10).
func TestHeldBackItemsOfAForeachThatFailed(t *testing.T) {
	const steps = `  - id: par
    parallel:
      branches:
        a:
          - id: crowd
            foreach:
              in: input.list
              as: it
              concurrency: 400
              do:
                - {id: s1, sleep: 1s}
                - id: inner
                  parallel:
                    branches: {p: [{id: w1, sleep: 10s}], q: [{id: w2, sleep: 10s}], r: [{id: w3, sleep: 10s}]}
        c:
          - id: few
            catch: [{on: ["*"], do: [{id: h, sleep: HANDLER}]}]
            foreach:
              in: input.few
              as: it
              key: it
              concurrency: 2
              do: [{id: x, call: t.x, with: {n: "${{ it }}"}, compensate: {call: t.undoX}}]
`
	for _, handler := range []string{"1s", "60s"} {
		c := Case{Steps: strings.Replace(steps, "HANDLER", handler, 1), Input: `{"id": "k", "list": ` + numbers(400) + `, "few": [0, 1, 2, 3, 4, 5]}`}
		s := c.Prepare(t, "")
		var calls []string
		r := local.Simulate(s.Plan, s.Start, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), local.Script{Answer: func(inv *engine.Invocation) (engine.Outcome, time.Duration) {
			calls = append(calls, inv.Op.String()+" "+inv.Path)
			if inv.Path == "x[1]" {
				return engine.Outcome{Class: engine.Rejected, Code: "NO"}, 3 * time.Second
			}
			return engine.Outcome{Class: engine.Applied}, 2 * time.Second
		}})
		if len(calls) != 3 {
			t.Errorf("handler of %s: %s after %v", handler, r.Outcome, calls)
		}
	}
}
