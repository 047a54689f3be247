package engine_test

import (
	"strings"
	"testing"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// three starts a saga with a child, which starts one itself. ids are what the
// first two have given to the one below them.
func three(t *testing.T, low string) (top, mid, bottom *engine.Machine, ids [2]int) {
	t.Helper()
	head := func(name string) string { return "saga: " + name + "\nkey: ${{ input.id }}\nsteps:\n" }
	sagas := dsl.Definitions{
		"mid": {Name: "mid.yaml", Data: []byte(head("mid") + "  - {id: x, call: t.x, compensate: {call: t.undoX}}\n  - {id: g, saga: low, with: {id: z}}\n")},
		"low": {Name: "low.yaml", Data: []byte(head("low") + low)},
	}
	plan, diags := dsl.Compile(dsl.Source{Name: "top.yaml", Data: []byte(head("top") + "  - {id: c, saga: mid, with: {id: z}}\n")}, dsl.Options{Sagas: sagas})
	if plan == nil {
		t.Fatal(diags)
	}
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo"}, map[string]any{"id": "k"})
	if err != nil {
		t.Fatal(err)
	}
	machines := [3]*engine.Machine{engine.New(plan)}
	for i := range ids {
		out := calling(machines[i].Step(engine.Event{Kind: engine.EventStarted, At: at, Start: start}))
		if i == 1 {
			out = applied(machines[i], out[0].ID)
		}
		start, ids[i] = out[0].Child.Start, out[0].ID
		machines[i+1] = engine.New(out[0].Child.Plan)
	}
	machines[2].Step(engine.Event{Kind: engine.EventStarted, At: at, Start: start})
	return machines[0], machines[1], machines[2], ids
}

func closed(m *engine.Machine, id int, out engine.Outcome) []engine.Command {
	return calling(m.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: id, Outcome: out}))
}

func applied(m *engine.Machine, id int) []engine.Command {
	return closed(m, id, engine.Outcome{Class: engine.Applied})
}

const (
	lowTwo   = "  - {id: u, call: t.u, compensate: {call: t.undoU}}\n  - {id: v, call: t.v, compensate: {call: t.undoV}}\n"
	lowPivot = "  - {id: u, call: t.u, compensate: {call: t.undoU}}\n  - {id: p, call: t.p, effect: pivot, retry: {ambiguous: true}}\n"
)

// What a saga that was ended from outside has left running is its parent's, too:
// it does not stay done, and it may have decided (S9, S12).
func TestChildOfAChildThatEnded(t *testing.T) {
	rejected := engine.Outcome{Class: engine.Rejected, Code: "NO"}
	for _, c := range []struct {
		name, low, outcome, trace string
		end                       func(low *engine.Machine) *engine.Report
		commands                  string // that the parent takes
	}{
		{"completed", lowTwo, engine.OutcomeCompensated, "c/x c/g/u c/g/v c/g c? ~c/g/v ~c/g/u ~c/x", func(low *engine.Machine) *engine.Report {
			applied(low, 1)
			applied(low, 2)
			r := low.Report()
			return &r
		}, ""},
		{"compensated", lowTwo, engine.OutcomeCompensated, "c/x c/g/u c/g/v! ~c/g/u c/g! c? ~c/x", func(low *engine.Machine) *engine.Report {
			applied(low, 1)
			closed(low, 2, rejected)
			applied(low, 3)
			r := low.Report()
			return &r
		}, ""},
		{"ended from outside", lowTwo, engine.OutcomeCompensated, "c/x c/g/u c? ~c/g/v ~c/g/u ~c/x", func(low *engine.Machine) *engine.Report {
			applied(low, 1)
			return orphaned(low)
		}, ""},
		{"decided", lowPivot, engine.OutcomeParked, "c/x c/g/u c/g/p c/g c?", func(low *engine.Machine) *engine.Report {
			applied(low, 1)
			applied(low, 2)
			r := low.Report()
			return &r
		}, "resolve"},
		{"did not decide", lowPivot, engine.OutcomeCompensated, "c/x c/g/u c/g/p! ~c/g/u c/g! c? ~c/x", func(low *engine.Machine) *engine.Report {
			applied(low, 1)
			closed(low, 2, rejected)
			applied(low, 3)
			r := low.Report()
			return &r
		}, ""},
		{"may have decided", lowPivot, engine.OutcomeParked, "c/x c/g/u c?", func(low *engine.Machine) *engine.Report {
			applied(low, 1)
			return orphaned(low)
		}, "resolve"},
	} {
		t.Run(c.name, func(t *testing.T) {
			top, mid, low, ids := three(t, c.low)
			report := orphaned(mid)
			report.TakeOver([]*engine.Report{c.end(low)})
			out := calling(top.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: ids[0], Child: report}))
			for len(out) == 1 {
				out = applied(top, out[0].ID)
			}
			r := top.Result()
			if got := strings.Join(r.Trace, " "); r.Outcome != c.outcome || got != c.trace {
				t.Errorf("%s, trace %s", r.Outcome, got)
			}
			var commands string
			if len(r.Parked) > 0 {
				commands = strings.Join(r.Parked[0].Commands, " ")
			}
			if commands != c.commands {
				t.Errorf("takes %q", commands)
			}
		})
	}
}

// A saga that was ended from outside while an operator was to decide about its own
// child hands that up with what is armed in it.
func TestDoubtOfAChildThatEnded(t *testing.T) {
	top, mid, low, ids := three(t, lowPivot)
	applied(low, 1)
	mid.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: ids[1], Child: orphaned(low)})
	top.Step(engine.Event{Kind: engine.EventChildClosed, At: at, ID: ids[0], Child: orphaned(mid)})
	no := false
	reply, out := operate(t, top, engine.Operator{ID: "1", Command: engine.CommandResolve, Path: "c", Reason: "statement", Applied: &no})
	if !reply.Accepted {
		t.Fatalf("%+v", reply)
	}
	for len(out) == 1 {
		out = applied(top, out[0].ID)
	}
	r := top.Result()
	if got := strings.Join(r.Trace, " "); r.Outcome != engine.OutcomeResolved || got != "c/x c/g/u c/g? c? ~c/g/u ~c/x" {
		t.Errorf("%s, trace %s", r.Outcome, got)
	}
}
