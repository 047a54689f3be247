package model

import (
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
)

// startedAt is when all sagas start.
var startedAt = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// interpreter is the machine, or the model.
type interpreter func(plan *dsl.Plan, start *engine.Start, at time.Time, script *Script) *Observed

// machine runs a saga on the machine, in virtual time.
func machine(plan *dsl.Plan, start *engine.Start, at time.Time, script *Script) *Observed {
	o, _ := watched(plan, start, at, script, func(string, engine.Event, []engine.Command) {})
	return o
}

// watched is machine, and tells what each saga of the family takes and gives.
func watched(plan *dsl.Plan, start *engine.Start, at time.Time, script *Script, watch func(string, engine.Event, []engine.Command)) (*Observed, engine.Result) {
	o := &Observed{Replies: map[string]engine.Reply{}}
	world := NewParticipants(script)
	now := at
	events := local.Script{
		Family: true,
		Answer: func(inv *engine.Invocation) (engine.Outcome, time.Duration) {
			told := *inv
			told.ID, told.Sensitive = 0, nil
			o.Invocations = append(o.Invocations, Invoked{now, told})
			return world.Answer(inv.Op, inv.Path, inv.Timeout)
		},
		Observe: func(id string, ev engine.Event, commands []engine.Command) {
			now = ev.At
			watch(id, ev, commands)
			for _, c := range commands {
				if c.Kind == engine.CommandReply {
					o.Replies[c.Reply.Request] = engine.Reply{Request: c.Reply.Request, Accepted: c.Reply.Accepted, Code: c.Reply.Code}
				}
			}
		},
	}
	for i, h := range script.Outside {
		ev := engine.Event{Kind: engine.EventOperator, Operator: h.Operator, Request: strconv.Itoa(i)}
		switch {
		case h.Cancel:
			ev.Kind = engine.EventCancel
		case h.Signal != nil:
			ev.Kind, ev.Signal = engine.EventSignal, h.Signal
		}
		events.At = append(events.At, local.Timed{After: h.After, Event: ev})
	}
	result := local.Simulate(plan, start, at, events)
	o.of(result)
	return o, result
}

// of takes over what a result says.
func (o *Observed) of(r engine.Result) {
	o.Outcome, o.Direction, o.Interventions = r.Outcome, r.Direction, r.Interventions
	o.Trace = append(o.Trace, r.Trace...) // nil if it is empty
	o.Output, o.OutputError = r.Output, r.OutputError != ""
	o.Elapsed = time.Duration(r.Elapsed)
	if c := r.Cause; c != nil {
		o.Cause = strings.Join([]string{string(c.Kind), c.Path, c.Code}, " ")
	}
	for _, s := range r.Steps {
		if s.State == engine.StatePending {
			continue // what may still come is read off the plan
		}
		o.Steps = append(o.Steps, Step{s.Path, s.State, s.Code, s.Attempts, s.Key, s.Compensation.Attempts, s.Compensation.Key})
	}
	for _, p := range r.Parked {
		o.Parked = append(o.Parked, Parked{p.Path, p.Op, p.Code, strings.Join(p.Commands, " ")})
	}
}

// difference says in what two runs differ; empty if in nothing.
func difference(machine, model *Observed) string {
	if equal(machine, model) {
		return ""
	}
	return "(-machine +model)\n" + cmp.Diff(machine, model)
}

// equal compares faster than difference.
func equal(a, b *Observed) bool { return reflect.DeepEqual(a, b) }

// root is the name of all sagas at the top of a family.
const root = "t"

// compile compiles the definitions of a family, by name.
func compile(family map[string]string) (*dsl.Plan, error) {
	library := dsl.Definitions{}
	for name, yaml := range family {
		library[name] = dsl.Source{Name: name + ".yaml", Data: []byte(yaml)}
	}
	plan, diagnostics := dsl.Compile(library[root], dsl.Options{Sagas: library})
	if plan == nil {
		return nil, diagnostics
	}
	return plan, nil
}

// prepare gives what a script starts a saga of a plan with.
func prepare(plan *dsl.Plan, script *Script) (*engine.Start, error) {
	target := engine.Target{Tenant: "demo", Region: "eu-west-1", Settings: map[string]any{"limit": "300ms"}}
	start, _, err := engine.Prepare(plan, target, script.Input)
	return start, err
}
