package engine_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// endedFamily is a saga that goes on if its child is ended from outside.
var endedFamily = dsl.Definitions{
	"parent": {Name: "parent.yaml", Data: []byte(`saga: parent
key: ${{ input.id }}
steps:
  - id: c
    saga: child
    with: {id: "${{ input.id }}"}
    catch: [{on: [TERMINATED], do: [{id: h, set: {code: "${{ error.code }}"}}]}]
output: ${{ vars.code ?? "none" }}
`)},
	"child": {Name: "child.yaml", Data: []byte(`saga: child
key: ${{ input.id }}
steps:
  - {id: a, call: t.a, compensate: {call: t.undoA}}
  - {id: b, call: t.b, compensate: {call: t.undoB}}
`)},
}

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
	plan, diags := dsl.Compile(endedFamily["parent"], dsl.Options{Sagas: endedFamily})
	if plan == nil {
		t.Fatal(diags)
	}
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo"}, map[string]any{"id": "k"})
	if err != nil {
		t.Fatal(err)
	}
	parent := engine.New(plan)
	out := calling(parent.Step(engine.Event{Kind: engine.EventStarted, At: at, Start: start}))
	if len(out) != 1 || out[0].Kind != engine.CommandStartChild {
		t.Fatalf("the parent answers its start with %+v", out)
	}
	id := out[0].ID

	child := engine.New(out[0].Child.Plan)
	child.Step(engine.Event{Kind: engine.EventStarted, At: at, Start: out[0].Child.Start})
	child.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: 1, Outcome: engine.Outcome{Class: engine.Applied}})
	report := child.Report() // b is on its way
	report.Result.Outcome = engine.OutcomeOrphaned

	out = calling(parent.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: id, Child: &engine.Report{Lost: true}}))
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
	out = calling(parent.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: id, Child: &report}))
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
	family := dsl.Definitions{
		"parent": {Name: "parent.yaml", Data: []byte("saga: parent\nkey: ${{ input.id }}\nsteps:\n  - {id: c, saga: child, with: {id: z}}\n")},
		"child":  {Name: "child.yaml", Data: []byte("saga: child\nkey: ${{ input.id }}\nsteps:\n  - {id: a, call: t.a, compensate: {call: t.undoA}}\n  - {id: b, call: t.b, compensate: {call: t.undoB}}\n  - {id: f, fail: {code: NO}}\n")},
	}
	plan, diags := dsl.Compile(family["parent"], dsl.Options{Sagas: family})
	if plan == nil {
		t.Fatal(diags)
	}
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo"}, map[string]any{"id": "k"})
	if err != nil {
		t.Fatal(err)
	}
	parent := engine.New(plan)
	out := calling(parent.Step(engine.Event{Kind: engine.EventStarted, At: at, Start: start}))
	child, id := engine.New(out[0].Child.Plan), out[0].ID
	child.Step(engine.Event{Kind: engine.EventStarted, At: at, Start: out[0].Child.Start})
	for call, outcome := range []engine.Outcome{{Class: engine.Applied}, {Class: engine.Applied}, {Class: engine.Rejected, Code: "CANNOT"}} {
		child.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: call + 1, Outcome: outcome})
	}
	child.Step(engine.Event{Kind: engine.EventOperator, At: at, Request: "r", Operator: &engine.Operator{
		ID: "o", Actor: "ops", Command: engine.CommandSkip, Path: "c/b", Reason: "by hand",
	}})
	report := child.Report() // while a is compensated
	report.Result.Outcome = engine.OutcomeOrphaned
	for out = calling(parent.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: id, Child: &report})); len(out) == 1; {
		out = calling(parent.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: out[0].ID, Outcome: engine.Outcome{Class: engine.Applied}}))
	}
	if r := parent.Result(); r.Outcome != engine.OutcomeResolved {
		t.Errorf("the parent is %s, trace %v", r.Outcome, r.Trace)
	}
}
