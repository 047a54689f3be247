package enginetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/invariant"
)

// goodRuns are the runs that TestInvariantsBite spoils.
var goodRuns = map[string]Case{
	"backward": {Head: quick, Steps: stepA + stepB + stepP, Mocks: Mocks{"t.p": {Reject("NO")}}},
	"forward":  {Head: quick, Steps: stepA + stepP + stepR},
	"retried":  {Head: quick, Steps: stepA + stepB + stepP, Mocks: Mocks{"t.a": {Fail("BUSY"), OK(`{}`)}, "t.p": {Reject("NO")}}},
	"probed":   {Head: quick, Steps: stepA + stepQ, Mocks: Mocks{"t.p": {Lost(true)}}},
	"caught": {Head: quick, Steps: stepA + `  - id: s
    scope: {do: [{id: x, call: t.x, compensate: {call: t.undoX}}, {id: y, call: t.y, compensate: {call: t.undoY}}, {id: f, fail: {code: STOP}}]}
    catch: [{on: [STOP], do: [{id: h, call: t.h, effect: none}]}]
` + stepP},
	"parked": {Head: quick, Steps: both + `      branches:
        one: [{id: x, call: t.x, compensate: {call: t.undoX}}]
        two: [{id: y, call: t.y, compensate: {call: t.undoY}}]
` + stepP, Mocks: Mocks{"t.y": {After(50*ms, OK(`{}`))}, "t.undoY": {Reject("CANNOT")}, "t.p": {Reject("NO")}}},
	"child": {Head: quick, Sagas: pair, Steps: stepA + stepPair + stepP, Mocks: Mocks{"t.p": {Reject("NO")}}},
}

// Every invariant is broken on purpose, and reports it.
func TestInvariantsBite(t *testing.T) {
	unbroken := map[string]bool{}
	for _, i := range invariant.All {
		unbroken[i.Rule+" "+i.Says] = true
	}
	for _, c := range []struct {
		run   string
		spoil func(r *invariant.Run)
		want  string
	}{
		{"backward", drop(invariant.MomentEffect, engine.OpCompensation, "a"), "S1: the effect of a is left over"},
		{"retried", attempt(1, 2), "S2: attempt 2 of action of a follows attempt 1"},
		{"retried", attempt(2, 3), "S2: attempt 3 of action of a follows attempt 2"},
		{"retried", attempt(2, 1), "S2: attempt 1 of action of a follows attempt 2"},
		{"retried", unwatched(attempt(2, 3)), "S2: attempt 3 of action of a follows attempt 1"},
		{"retried", unwatched(attempt(2, 1)), "S2: attempt 1 of action of a follows attempt 1"},
		{"retried", func(r *invariant.Run) { told(r, engine.TransitionScheduled, "a").Attempt = 2 }, "S2: attempt 2 of action of a is told after attempt 0"},
		{"backward", func(r *invariant.Run) { told(r, engine.TransitionCompensating, "a").Attempt = 2 }, "S2: attempt 2 of compensation of a is told after attempt 0"},
		{"probed", func(r *invariant.Run) { began(r, engine.OpProbe, "p").Attempt = 2 }, "S2: probe of p asks about attempt 2, the last one is 1"},
		{"forward", again(engine.OpAction, "a", func(inv *engine.Invocation) { inv.Attempt = 2 }), "S2: attempt 2 of action of a begins after one was applied"},
		{"backward", again(engine.OpAction, "p", func(inv *engine.Invocation) { inv.Attempt = 2 }), "S2: attempt 2 of action of p begins after one was rejected"},
		{"backward", drop(invariant.MomentEnded, engine.OpAction, "b"), "S4: the compensation of b begins while the action runs"},
		{"probed", drop(invariant.MomentEnded, engine.OpAction, "p"), "S4: the probe of p begins while the action runs"},
		{"backward", late, "S4: the action of a has its effect after its compensation"},
		{"retried", func(r *invariant.Run) { began(r, engine.OpAction, "a").Input = "other" }, "S5: the input of demo:demo/t/k:a:action:20261123T100000Z:0 changes from"},
		{"backward", drop(invariant.MomentBegan, engine.OpAction, "a"), "S6: a is compensated and was never called"},
		{"backward", again(engine.OpCompensation, "a", nil), "S6: a is compensated again"},
		{"backward", func(r *invariant.Run) { r.Result.Trace = append(r.Result.Trace, "~a") }, "S6: ~a stands in the trace twice"},
		{"backward", func(r *invariant.Run) { r.Result.Trace = append(r.Result.Trace, "~c") }, "S6: ~c stands in the trace and what it compensates does not"},
		{"backward", swap("a", "b"), "S6: a is compensated before b, which completed later"},
		{"child", swap("c/x", "c/y"), "S6: c/x is compensated before c/y, which completed later"},
		{"child", swap("a", "c/x"), "S6: a is compensated before c/x, which completed later"},
		{"caught", swap("x", "y"), "S6: x is compensated before y, which completed later"},
		{"backward", early("a", "b"), "S6: a is compensated while b is"},
		{"backward", untold(engine.TransitionCompensated, "a"), "S6: a is armed when the saga closes"},
		{"backward", drop(invariant.MomentEnded, engine.OpAction, "p"), "S7: b is compensated while p runs"},
		{"backward", untold(engine.TransitionCompensating, ""), "S10: b is compensated and nothing around it has failed"},
		{"caught", func(r *invariant.Run) { told(r, engine.TransitionCompensating, "x").Path = "a" }, "S10: a is compensated and nothing around it has failed"},
		{"backward", untold(engine.TransitionSucceeded, "a"), "S10: a is compensated and is not armed"},
		{"caught", untold(engine.TransitionCompensated, "x"), "S10: scheduled of h, in a handler of s, while x is armed"},
		{"backward", func(r *invariant.Run) { told(r, engine.TransitionFailed, "p").Transition = engine.TransitionSucceeded }, "S12: b is compensated after p"},
		{"forward", again(engine.OpCompensation, "a", nil), "S12: a is compensated after r"},
		{"forward", func(r *invariant.Run) {
			r.Moments = append(r.Moments, invariant.Moment{Kind: invariant.MomentCut, Invoke: began(r, engine.OpAction, "p")})
		}, "S13: p is cut"},
		{"parked", uncompensated("x"), "S17: x waits, and for nothing that is parked"},
		{"retried", again(engine.OpAction, "a", func(inv *engine.Invocation) { inv.Attempt, inv.Generation = 3, 1 }), "S18: generation 1 of action of a begins while an older one may have had its effect"},
		{"backward", func(r *invariant.Run) { r.Result.Outcome = "odd" }, `S19: the outcome is "odd"`},
		{"backward", func(r *invariant.Run) { r.Result.Outcome = engine.OutcomeResolved }, "S19: the outcome resolved does not fit"},
		{"backward", func(r *invariant.Run) { r.Result.Outcome = engine.OutcomeRunning }, "S19: the outcome running does not fit"},
		{"backward", func(r *invariant.Run) { r.Result.Cause = nil }, "S19: the direction is backward and the cause <nil>"},
		{"backward", func(r *invariant.Run) { r.Result.Cause.Kind = engine.CauseCancel }, "S19: the cause is {Kind:cancel"},
		{"backward", func(r *invariant.Run) { r.Result.Direction = "sideways" }, `S19: the direction is "sideways"`},
		{"backward", func(r *invariant.Run) { r.Result.Output = 1 }, "S19: the outcome is compensated and the output 1"},
		{"parked", func(r *invariant.Run) { r.Result.Parked = nil }, "S19: the outcome is parked and parked are []"},
		{"forward", func(r *invariant.Run) { r.Result.Steps[0].State = engine.StateRunning }, "S19: a is running"},
		{"forward", drop(invariant.MomentEnded, engine.OpAction, "r"), "S19: attempt 1 of action of r runs on"},
		{"forward", func(r *invariant.Run) {
			r.Moments = append(r.Moments, invariant.Moment{Kind: invariant.MomentBegan, Invoke: began(r, engine.OpAction, "r")})
		}, "S19: attempt 1 of action of r begins"},
		{"forward", func(r *invariant.Run) {
			r.Moments = append(r.Moments, invariant.Moment{Kind: invariant.MomentRecorded, Record: *told(r, engine.TransitionSucceeded, "r")})
		}, "S19: succeeded of r is told"},
		{"forward", func(r *invariant.Run) { began(r, engine.OpAction, "a").Key = "demo:k" }, "S20: the action of a has the key demo:k, want demo:demo/t/k:a:action:20261123T100000Z:0"},
		{"forward", func(r *invariant.Run) { r.Result.Steps[0].Key = "demo:k" }, "S20: the key of a is demo:k"},
		{"retried", func(r *invariant.Run) { began(r, engine.OpAction, "a").Key = "demo:k" }, "S20: the key of the action of a changes from demo:k to"},
		{"forward", func(r *invariant.Run) { began(r, engine.OpAction, "p").Key = began(r, engine.OpAction, "a").Key }, "is the key of the action of a and of the action of p"},
	} {
		t.Run(c.want, func(t *testing.T) {
			r := observe(t, goodRuns[c.run])
			if good := r.Violations(); len(good) > 0 {
				t.Fatalf("before it is spoilt: %v", good)
			}
			c.spoil(r)
			if got := r.Violations(); !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, c.want) }) {
				t.Errorf("not reported; reported are %q", got)
			}
			for _, i := range invariant.All {
				if len(i.Broken(r)) > 0 {
					delete(unbroken, i.Rule+" "+i.Says)
				}
			}
		})
	}
	for name := range unbroken {
		t.Errorf("nothing breaks %s", name)
	}
}

// observe gives a run whose moments nobody else has.
func observe(t *testing.T, c Case) *invariant.Run {
	t.Helper()
	s := c.Prepare(t, "")
	got := Simulate(t, s)
	r := &invariant.Run{Plan: s.Plan, Start: s.Start, Result: got.Result, Moments: s.World.Moments()}
	copies := map[*engine.Invocation]*engine.Invocation{}
	for i, m := range r.Moments {
		if m.Invoke == nil {
			continue
		}
		if copies[m.Invoke] == nil {
			inv := *m.Invoke
			copies[m.Invoke] = &inv
		}
		r.Moments[i].Invoke = copies[m.Invoke]
	}
	return r
}

func is(m invariant.Moment, kind invariant.MomentKind, op engine.Op, path string) bool {
	return m.Kind == kind && m.Invoke.Op == op && m.Invoke.Path == path
}

// began gives the first attempt at an operation.
func began(r *invariant.Run, op engine.Op, path string) *engine.Invocation {
	i := slices.IndexFunc(r.Moments, func(m invariant.Moment) bool { return is(m, invariant.MomentBegan, op, path) })
	return r.Moments[i].Invoke
}

func tells(m invariant.Moment, transition engine.Transition, path string) bool {
	return m.Kind == invariant.MomentRecorded && m.Record.Transition == transition && m.Record.Path == path
}

// told gives the first record of a transition of a step.
func told(r *invariant.Run, transition engine.Transition, path string) *engine.Record {
	i := slices.IndexFunc(r.Moments, func(m invariant.Moment) bool { return tells(m, transition, path) })
	return &r.Moments[i].Record
}

// drop leaves moments of an operation out.
func drop(kind invariant.MomentKind, op engine.Op, path string) func(*invariant.Run) {
	return func(r *invariant.Run) {
		r.Moments = slices.DeleteFunc(r.Moments, func(m invariant.Moment) bool { return is(m, kind, op, path) })
	}
}

// untold leaves records out.
func untold(transition engine.Transition, path string) func(*invariant.Run) {
	return func(r *invariant.Run) {
		r.Moments = slices.DeleteFunc(r.Moments, func(m invariant.Moment) bool { return tells(m, transition, path) })
	}
}

// unwatched spoils a run that nobody is told of.
func unwatched(spoil func(*invariant.Run)) func(*invariant.Run) {
	return func(r *invariant.Run) {
		r.Moments = slices.DeleteFunc(r.Moments, func(m invariant.Moment) bool { return m.Kind == invariant.MomentRecorded })
		spoil(r)
	}
}

// uncompensated leaves a compensation out of what is told.
func uncompensated(path string) func(*invariant.Run) {
	return func(r *invariant.Run) {
		untold(engine.TransitionCompensating, path)(r)
		untold(engine.TransitionCompensated, path)(r)
	}
}

// attempt gives another number to an attempt at the action of a.
func attempt(n, number int) func(*invariant.Run) {
	return func(r *invariant.Run) {
		for _, m := range r.Moments {
			if is(m, invariant.MomentBegan, engine.OpAction, "a") && m.Invoke.Attempt == n {
				m.Invoke.Attempt = number
				return
			}
		}
	}
}

// again lets an operation begin once more at the end, changed. One that never
// began begins with the action's input.
func again(op engine.Op, path string, change func(*engine.Invocation)) func(*invariant.Run) {
	return func(r *invariant.Run) {
		inv := *began(r, engine.OpAction, path)
		if inv.Op != op {
			inv.Op, inv.Key = op, r.Key(path, op, 0)
		}
		if change != nil {
			change(&inv)
		}
		r.Moments = append(r.Moments, invariant.Moment{Kind: invariant.MomentBegan, Invoke: &inv})
	}
}

// late lets the first action have its effect at the very end.
func late(r *invariant.Run) {
	i := slices.IndexFunc(r.Moments, func(m invariant.Moment) bool { return is(m, invariant.MomentEffect, engine.OpAction, "a") })
	m := r.Moments[i]
	r.Moments = append(slices.Delete(r.Moments, i, i+1), m)
}

// swap exchanges the compensations of two steps.
func swap(a, b string) func(*invariant.Run) {
	other := map[string]string{a: b, b: a}
	return func(r *invariant.Run) {
		for i := range r.Moments {
			m := &r.Moments[i]
			if m.Kind == invariant.MomentRecorded && m.Record.Op == engine.OpCompensation && other[m.Record.Path] != "" {
				m.Record.Path = other[m.Record.Path]
			}
		}
	}
}

// early lets the compensation of one step begin with that of another.
func early(path, with string) func(*invariant.Run) {
	return func(r *invariant.Run) {
		from := slices.IndexFunc(r.Moments, func(m invariant.Moment) bool { return tells(m, engine.TransitionCompensating, path) })
		to := slices.IndexFunc(r.Moments, func(m invariant.Moment) bool { return tells(m, engine.TransitionCompensating, with) })
		m := r.Moments[from]
		r.Moments = slices.Insert(slices.Delete(r.Moments, from, from+1), to+1, m)
	}
}
