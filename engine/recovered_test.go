package engine_test

import (
	"testing"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// That a saga was recovered is told, counted once and changes nothing else; a saga
// that runs cannot be asked for it (S18, S19).
func TestRecoveredIsAnIntervention(t *testing.T) {
	plan, diags := dsl.Compile(dsl.Source{Name: "t.yaml", Data: []byte("saga: t\nkey: ${{ input.id }}\nsteps:\n  - {id: w, await: {signal: go}}\n")}, dsl.Options{})
	if plan == nil {
		t.Fatal(diags)
	}
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo"}, map[string]any{"id": "k"})
	if err != nil {
		t.Fatal(err)
	}
	m := engine.New(plan)
	m.Step(engine.Event{Kind: engine.EventStarted, At: at, Start: start})
	recovered := engine.Event{Kind: engine.EventOperator, At: at, Operator: &engine.Operator{ID: "r", Command: engine.CommandRecover, Actor: "ada", Reason: "by mistake"}}
	asked := recovered
	asked.Request = "q"
	for _, c := range m.Step(asked) {
		if c.Kind == engine.CommandReply && c.Reply.Code != engine.RefusedNotPossible {
			t.Errorf("who asks a saga that runs is told %+v", c.Reply)
		}
	}
	told := 0
	for range 2 {
		for _, c := range m.Step(recovered) {
			if r := c.Record; c.Kind == engine.CommandRecord && r.Transition == engine.TransitionOperator {
				told++
				if r.Path != "" || r.Command != engine.CommandRecover || r.Actor != "ada" || r.Reason != "by mistake" {
					t.Errorf("it is told as %+v", r)
				}
			}
		}
	}
	if told != 1 {
		t.Errorf("it is told %d times", told)
	}
	m.Step(engine.Event{Kind: engine.EventSignal, At: at, Signal: &engine.Signal{ID: "m", Name: "go"}})
	if r := m.Result(); r.Outcome != engine.OutcomeCompleted || r.Interventions != 1 {
		t.Errorf("the saga ends %s with %d interventions", r.Outcome, r.Interventions)
	}
}
