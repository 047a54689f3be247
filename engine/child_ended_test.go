package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// calling gives what commands set going, without records and timers.
func calling(commands []engine.Command) []engine.Command {
	return slices.DeleteFunc(slices.Clone(commands), func(c engine.Command) bool {
		return c.Kind != engine.CommandInvoke && c.Kind != engine.CommandStartChild
	})
}

// A child that was ended from outside parks its step until its state is read
// (S9). Then what was armed in it, and what was on its way, is compensated; a
// catch takes the error like any other.
func TestChildEndedFromOutside(t *testing.T) {
	parent, child, id := begun(t, stepCatching, "  - {id: a, call: t.a, compensate: {call: t.undoA}}\n  - {id: b, call: t.b, compensate: {call: t.undoB}}\n")
	child.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: 1, Outcome: engine.Outcome{Class: engine.Applied}})
	report := orphaned(child) // b is on its way

	out := calling(parent.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: id, Child: &engine.Report{Lost: true}}))
	if len(out) != 0 || parent.Outcome() != engine.OutcomeParked {
		t.Errorf("before the state of the child is known the parent is %s and does %+v", parent.Outcome(), out)
	}
	no := false
	for _, c := range parent.Step(engine.Event{Kind: engine.EventOperator, At: at, Request: "r", Operator: &engine.Operator{
		ID: "o", Actor: "ops", Command: engine.CommandResolve, Path: "c", Reason: "a guess", Applied: &no,
	}}) {
		if c.Kind == engine.CommandReply && c.Reply.Code != engine.RefusedNotPossible {
			t.Errorf("resolve before its state is known: %+v", c.Reply)
		}
	}
	out = calling(parent.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: id, Child: report}))
	var done []string
	for len(out) == 1 {
		done = append(done, out[0].Invoke.Activity)
		out = calling(parent.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: out[0].ID, Outcome: engine.Outcome{Class: engine.Applied}}))
	}
	if diff := cmp.Diff([]string{"t.undoB", "t.undoA"}, done); diff != "" {
		t.Error(diff)
	}
	if r := parent.Result(); r.Outcome != engine.OutcomeCompleted || r.Output != engine.CodeTerminated {
		t.Errorf("the parent is %s with %v, trace %v", r.Outcome, r.Output, r.Trace)
	}
}

// What an operator skipped in a child that was ended from outside later counts in
// its parent (S19).
func TestSkippedInAChildThatEnded(t *testing.T) {
	parent, child, id := begun(t, stepKid, "  - {id: a, call: t.a, compensate: {call: t.undoA}}\n  - {id: b, call: t.b, compensate: {call: t.undoB}}\n  - {id: f, fail: {code: NO}}\n")
	for call, outcome := range []engine.Outcome{{Class: engine.Applied}, {Class: engine.Applied}, {Class: engine.Rejected, Code: "CANNOT"}} {
		child.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: call + 1, Outcome: outcome})
	}
	child.Step(engine.Event{Kind: engine.EventOperator, At: at, Request: "r", Operator: &engine.Operator{
		ID: "o", Actor: "ops", Command: engine.CommandSkip, Path: "c/b", Reason: "by hand",
	}})
	report := orphaned(child) // while a is compensated
	for out := calling(parent.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: id, Child: report})); len(out) == 1; {
		out = calling(parent.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: out[0].ID, Outcome: engine.Outcome{Class: engine.Applied}}))
	}
	if r := parent.Result(); r.Outcome != engine.OutcomeResolved {
		t.Errorf("the parent is %s, trace %v", r.Outcome, r.Trace)
	}
}

const (
	stepKid = "  - {id: c, saga: kid, with: {id: z}}\n"
	// stepCatching goes on if its child is ended from outside.
	stepCatching = `  - id: c
    saga: kid
    with: {id: z}
    catch: [{on: [TERMINATED], do: [{id: h, set: {code: "${{ error.code }}"}}]}]
output: ${{ vars.code ?? "none" }}
`
)

// begun starts a saga with one child and gives both, and the ID of the child.
func begun(t *testing.T, steps, kid string) (parent, child *engine.Machine, id int) {
	t.Helper()
	sagas := dsl.Definitions{"kid": {Name: "kid.yaml", Data: []byte("saga: kid\nkey: ${{ input.id }}\nsteps:\n" + kid)}}
	source := dsl.Source{Name: "parent.yaml", Data: []byte("saga: parent\nkey: ${{ input.id }}\nsteps:\n" + steps)}
	plan, diags := dsl.Compile(source, dsl.Options{Sagas: sagas})
	if plan == nil {
		t.Fatal(diags)
	}
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo"}, map[string]any{"id": "k"})
	if err != nil {
		t.Fatal(err)
	}
	parent = engine.New(plan)
	out := calling(parent.Step(engine.Event{Kind: engine.EventStarted, At: at, Start: start}))
	for len(out) == 1 && out[0].Kind == engine.CommandInvoke { // all before the child is applied
		out = calling(parent.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: out[0].ID, Outcome: engine.Outcome{Class: engine.Applied}}))
	}
	if len(out) != 1 || out[0].Kind != engine.CommandStartChild {
		t.Fatalf("the child is not started: %+v", out)
	}
	child = engine.New(out[0].Child.Plan)
	child.Step(engine.Event{Kind: engine.EventStarted, At: at, Start: out[0].Child.Start})
	return parent, child, out[0].ID
}

// orphaned is what is read of a child that was ended from outside.
func orphaned(child *engine.Machine) *engine.Report {
	r := child.Report()
	r.Result.Outcome = engine.OutcomeOrphaned
	return &r
}

// operate gives a machine a command and returns its answer and what it sets going.
func operate(t *testing.T, m *engine.Machine, o engine.Operator) (engine.Reply, []engine.Command) {
	t.Helper()
	o.Actor = "ops"
	out := m.Step(engine.Event{Kind: engine.EventOperator, At: at, Request: "r", Operator: &o})
	i := slices.IndexFunc(out, func(c engine.Command) bool { return c.Kind == engine.CommandReply })
	if i < 0 {
		t.Fatalf("%s %s is not answered", o.Command, o.Path)
	}
	return out[i].Reply, calling(out)
}

// A child that was ended from outside after its point of no return cannot be
// resolved as not applied: what it did stays done (S12).
func TestChildEndedPastItsPivot(t *testing.T) {
	parent, child, id := begun(t, "  - {id: a, call: t.a, compensate: {call: t.undoA}}\n"+stepKid,
		"  - {id: p, call: t.p, effect: pivot, retry: {ambiguous: true}}\n  - {id: r, call: t.r, effect: retriable}\n")
	child.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: 1, Outcome: engine.Outcome{Class: engine.Applied}})
	parent.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: id, Child: orphaned(child)})
	applied := false
	resolve := engine.Operator{ID: "1", Command: engine.CommandResolve, Path: "c", Reason: "statement", Applied: &applied}
	if reply, out := operate(t, parent, resolve); reply.Code != engine.RefusedNotPossible || len(out) != 0 {
		t.Errorf("resolved as not applied: %+v, and does %+v", reply, out)
	}
	resolve.ID, applied = "2", true
	if reply, _ := operate(t, parent, resolve); !reply.Accepted {
		t.Errorf("resolved as applied: %+v", reply)
	}
	if r := parent.Result(); r.Outcome != engine.OutcomeResolved || r.Direction != engine.Forward {
		t.Errorf("the parent is %s %s, trace %v", r.Outcome, r.Direction, r.Trace)
	}
}

// A child that is tried again has keys that none of its tries has had, whatever
// inputs were corrected in them (S9, S20).
func TestChildTriedAgainHasKeysOfItsOwn(t *testing.T) {
	parent, child, id := begun(t, "  - {id: p, call: t.p, effect: pivot, retry: {ambiguous: true}}\n"+stepKid,
		"  - {id: e, call: t.e, effect: none, retry: {attempts: 1}}\n")
	child.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: 1, Outcome: engine.Outcome{Class: engine.Rejected, Code: "NO"}})
	report := child.Report()
	report.Generation = 4 // as if inputs had been corrected in it
	parent.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: id, Child: &report})
	reply, out := operate(t, parent, engine.Operator{ID: "1", Command: engine.CommandRetry, Path: "c"})
	if !reply.Accepted || len(out) != 1 {
		t.Fatalf("retry: %+v, and does %+v", reply, out)
	}
	if again := out[0].Child.Start; again.ID != "demo/parent/k/c@5" || again.Parent.Generation != 5 {
		t.Errorf("it is tried again as %s with keys of generation %d", again.ID, again.Parent.Generation)
	}
}

// Past the point of no return a child that was ended from outside and has
// decided nothing can be tried again, or skipped (S9, S12).
func TestChildEndedAfterItsParentsPivot(t *testing.T) {
	parent, child, id := begun(t, "  - {id: p, call: t.p, effect: pivot, retry: {ambiguous: true}}\n"+stepKid,
		"  - {id: e, call: t.e, effect: none}\n")
	parent.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: id, Child: &engine.Report{Lost: true}})
	parent.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: id, Child: orphaned(child)})
	r := parent.Result()
	if len(r.Parked) != 1 || !slices.Equal(r.Parked[0].Commands, []string{engine.CommandRetry, engine.CommandSkip}) {
		t.Fatalf("the parent is %s: %+v", r.Outcome, r.Parked)
	}
	reply, out := operate(t, parent, engine.Operator{ID: "1", Command: engine.CommandRetry, Path: "c"})
	if !reply.Accepted || len(out) != 1 || out[0].Kind != engine.CommandStartChild {
		t.Errorf("retry: %+v, and does %+v", reply, out)
	}
}

// What was open in a child when it was ended from outside does not stay open in
// its parent: what waited has failed, what was still to come never came, and what
// was called may have had its effect until it is compensated.
func TestOpenStepsOfAChildThatEnded(t *testing.T) {
	parent, child, id := begun(t, stepKid, `  - id: all
    parallel:
      branches:
        a: [{id: a, call: t.a, compensate: {call: t.undoA}}]
        b: [{id: b, call: t.b, compensate: {call: t.undoB}}]
        look: [{id: look, call: t.look, effect: none}]
        w: [{id: w, await: {signal: go}}]
  - {id: later, set: {x: 1}}
`)
	acted := at.Add(time.Second)
	child.Step(engine.Event{Kind: engine.EventClosed, At: acted, ID: 1, Outcome: engine.Outcome{Class: engine.Applied}})
	report := orphaned(child)
	lost, end := at.Add(time.Minute), at.Add(time.Hour)
	for out := calling(parent.Step(engine.Event{Kind: engine.EventChildClosed, At: lost, ID: id, Child: report})); len(out) == 1; {
		out = calling(parent.Step(engine.Event{Kind: engine.EventClosed, At: end, ID: out[0].ID, Outcome: engine.Outcome{Class: engine.Applied}}))
	}
	type row struct {
		Path             string
		State            engine.State
		Code             string
		ActedAt, EndedAt time.Time
	}
	want := []row{
		{"c", engine.StateUnknown, engine.CodeTerminated, time.Time{}, lost},
		{"c/a", engine.StateCompensated, "", acted, end},
		{"c/b", engine.StateCompensated, engine.CodeTerminated, lost, end},
		{"c/look", engine.StateFailed, engine.CodeTerminated, time.Time{}, lost},
		{"c/w", engine.StateFailed, engine.CodeTerminated, time.Time{}, lost},
	}
	var got []row
	for _, s := range parent.Result().Steps {
		got = append(got, row{s.Path, s.State, s.Code, s.ActedAt, s.ClosedAt})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A step whose compensation was parked or on its way when its saga was ended had
// succeeded, and when is not forgotten.
func TestOpenCompensationsOfAChildThatEnded(t *testing.T) {
	parent, child, id := begun(t, stepKid, "  - {id: a, call: t.a, compensate: {call: t.undoA}}\n  - {id: no, fail: {code: NO}}\n")
	acted := at.Add(time.Second)
	child.Step(engine.Event{Kind: engine.EventClosed, At: acted, ID: 1, Outcome: engine.Outcome{Class: engine.Applied}})
	child.Step(engine.Event{Kind: engine.EventClosed, At: acted, ID: 2, Outcome: engine.Outcome{Class: engine.Rejected, Code: "GONE"}})
	parent.Step(engine.Event{Kind: engine.EventChildClosed, At: at.Add(time.Hour), ID: id, Child: orphaned(child)})
	s := parent.Result().Steps[1]
	if s.Path != "c/a" || s.State != engine.StateCompensating || s.Code != "" || !s.ClosedAt.Equal(acted) {
		t.Errorf("%s is %s (%s), closed at %s", s.Path, s.State, s.Code, s.ClosedAt)
	}
}

// A compensation that was on its way when its child was ended from outside may
// have had its effect, whatever the participant says to the next attempt (S2):
// its input is not corrected before that is known (S18).
func TestCompensationOnItsWayInAChildThatEnded(t *testing.T) {
	parent, child, id := begun(t, stepKid, "  - {id: a, call: t.a, compensate: {call: t.undoA}}\n  - {id: f, fail: {code: NO}}\n")
	child.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: 1, Outcome: engine.Outcome{Class: engine.Applied}})
	out := calling(parent.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: id, Child: orphaned(child)}))
	if len(out) != 1 || out[0].Invoke.Activity != "t.undoA" || out[0].Invoke.Attempt != 2 {
		t.Fatalf("the parent does %+v", out)
	}
	parent.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: out[0].ID, Outcome: engine.Outcome{Class: engine.Rejected, Code: "CANNOT"}})
	corrected := engine.Operator{ID: "1", Command: engine.CommandRetry, Path: "c/a", Input: map[string]any{"x": 1}}
	if reply, out := operate(t, parent, corrected); reply.Code != engine.RefusedNotPossible || len(out) != 0 {
		t.Errorf("corrected while it may have had its effect: %+v, and does %+v", reply, out)
	}
	applied := false
	if reply, _ := operate(t, parent, engine.Operator{ID: "2", Command: engine.CommandResolve, Path: "c/a", Reason: "statement", Applied: &applied}); !reply.Accepted {
		t.Errorf("resolved as not applied: %+v", reply)
	}
	corrected.ID = "3"
	if reply, out := operate(t, parent, corrected); !reply.Accepted || len(out) != 1 || out[0].Invoke.Generation != 1 {
		t.Errorf("corrected: %+v, and does %+v", reply, out)
	}
}

// What is armed in a child that an operator resolves as applied never runs: its
// pivot has decided (S12).
func TestResolvedAsAppliedNothingStaysArmed(t *testing.T) {
	parent, child, id := begun(t, stepKid, "  - {id: a, call: t.a, compensate: {call: t.undoA}}\n  - {id: p, call: t.p, effect: pivot, retry: {ambiguous: true}}\n")
	child.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: 1, Outcome: engine.Outcome{Class: engine.Applied}})
	parent.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: id, Child: orphaned(child)}) // p is on its way
	applied := true
	if reply, out := operate(t, parent, engine.Operator{ID: "1", Command: engine.CommandResolve, Path: "c", Reason: "statement", Applied: &applied}); !reply.Accepted || len(out) != 0 {
		t.Errorf("resolved as applied: %+v, and does %+v", reply, out)
	}
	r := parent.Result()
	i := slices.IndexFunc(r.Steps, func(s engine.StepResult) bool { return s.Path == "c/a" })
	if i < 0 || r.Steps[i].Compensation.State != engine.StateDisarmed {
		t.Errorf("the parent is %s, steps %+v", r.Outcome, r.Steps)
	}
}
