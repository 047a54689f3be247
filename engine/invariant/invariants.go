package invariant

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// Run is a saga with its children as it was seen from outside, until now.
type Run struct {
	Plan    *dsl.Plan
	Start   *engine.Start
	Moments []Moment
	Result  engine.Result
	// Lossy says that attempts may have been lost before a participant saw them,
	// and transitions told twice or not at all, because workers were killed.
	Lossy bool

	layout *layout
}

// Invariant is something that holds of every run, whatever happens in it.
type Invariant struct {
	Rule string // of the semantics
	Says string
	// check gives what breaks it.
	check func(r *Run) problems
	// told says that it is about transitions: it cannot be checked of a run
	// that nobody was told of.
	told bool
}

// All hold of every run.
var All = []Invariant{
	{"S1", "what was compensated has no effect", noEffectLeft, false},
	{"S2", "attempts are numbered from 1 without a gap", attemptsNumbered, false},
	{"S2", "no attempt follows one that was applied or rejected", attemptsEnd, false},
	{"S4", "no two operations of a step run at once", neverBothAtOnce, false},
	{"S4", "no action has its effect after its compensation", noLateEffect, false},
	{"S5", "the input of a key never changes", inputsFrozen, false},
	{"S6", "a compensation follows its action and takes effect at most once", compensatedOnce, false},
	{"S6", "compensations run in exact reverse order, past parked ones only beside them (S7, S17)", reverseOrder, true},
	{"S6", "one compensation runs at a time, or those of a block that allows it", oneAtATime, true},
	{"S6", "what is armed when a saga turns around is compensated before it closes", nothingLeftArmed, true},
	{"S7", "compensation waits for what runs inside", recoveryAwaits, true},
	{"S10", "only what stands inside what is recovered from is compensated", compensatedInside, true},
	{"S10", "a handler waits for the compensations", handlerWaits, true},
	{"S12", "nothing is compensated after the point of no return", nothingAfterCommit, false},
	{"S13", "a decisive action is never cut", decisiveNeverCut, false},
	{"S17", "what is beside a parked compensation goes on", parkedSparesOthers, true},
	{"S18", "a new generation follows only what had no effect", generationsFollow, true},
	{"S19", "result, cause, direction and interventions fit", resultFits, false},
	{"S19", "a closed saga has no step that is not closed", stepsClosed, false},
	{"S19", "nothing runs when a saga has closed", nothingRunsClosed, false},
	{"S19", "nothing begins when a saga has closed", nothingBeginsClosed, true},
	{"S20", "a key has the form of its operation", keysFormed, false},
	{"S20", "an operation has one key, and a key one operation", keysStable, false},
}

// Broken gives what in a run breaks the invariant.
func (i Invariant) Broken(r *Run) []string {
	if r.layout == nil {
		r.layout = newLayout(r.Plan)
	}
	return i.check(r)
}

// Violations checks a run against all invariants. What it gives begins with the
// rule that is broken.
func (r *Run) Violations() []string {
	var broken []string
	told := slices.ContainsFunc(r.Moments, func(m Moment) bool { return m.Kind == MomentRecorded })
	for _, i := range All {
		if i.told && (!told || r.Lossy) {
			continue
		}
		for _, problem := range i.Broken(r) {
			broken = append(broken, i.Rule+": "+problem)
		}
	}
	return broken
}

// problems collects what breaks an invariant.
type problems []string

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

// effectOf gives the effect of the step at a path.
func (r *Run) effectOf(path string) dsl.Effect {
	if s := r.Plan.StepAt(path); s != nil && s.Call != nil {
		return s.Call.Effect
	}
	return dsl.EffectNone
}

func (r *Run) closed() bool { return r.Result.Status == engine.StatusClosed }

func noEffectLeft(r *Run) (p problems) {
	if !r.closed() || r.Result.Outcome != engine.OutcomeCompensated {
		return nil
	}
	left := map[string]string{} // path by action key
	for _, m := range r.Moments {
		if m.Kind != MomentEffect {
			continue
		}
		switch inv := m.Invoke; inv.Op {
		case engine.OpAction:
			left[inv.Key] = inv.Path
		case engine.OpCompensation:
			delete(left, inv.ActionKey)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(left)) {
		if path := left[key]; r.effectOf(path) != dsl.EffectNone {
			p.add("the effect of %s is left over", path)
		}
	}
	return p
}

func noLateEffect(r *Run) (p problems) {
	applied, fenced := map[string]bool{}, map[string]bool{} // by action key
	for _, m := range r.Moments {
		if m.Kind != MomentEffect {
			continue
		}
		switch inv := m.Invoke; {
		case inv.Op == engine.OpCompensation:
			fenced[inv.ActionKey] = fenced[inv.ActionKey] || !applied[inv.ActionKey]
			applied[inv.ActionKey] = false
		case inv.Op == engine.OpAction && fenced[inv.Key]:
			p.add("the action of %s has its effect after its compensation", inv.Path)
		case inv.Op == engine.OpAction:
			applied[inv.Key] = true
		}
	}
	return p
}

func inputsFrozen(r *Run) (p problems) {
	inputs := map[string]string{}
	for _, m := range r.Moments {
		if m.Kind != MomentBegan {
			continue
		}
		input := canonical(m.Invoke.Input)
		if first, seen := inputs[m.Invoke.Key]; seen && first != input {
			p.add("the input of %s changes from %s to %s", m.Invoke.Key, first, input)
		}
		inputs[m.Invoke.Key] = input
	}
	return p
}

func compensatedOnce(r *Run) (p problems) {
	scheduled, done := map[string]bool{}, map[string]bool{} // by action key
	for _, m := range r.Moments {
		inv := m.Invoke
		switch {
		case m.Kind == MomentBegan && inv.Op == engine.OpAction:
			scheduled[inv.Key] = true
		case m.Kind == MomentBegan && inv.Op == engine.OpCompensation:
			if !scheduled[inv.ActionKey] && !r.Lossy {
				p.add("%s is compensated and was never called", inv.Path)
			}
			if done[inv.ActionKey] {
				p.add("%s is compensated again", inv.Path)
			}
		case m.Kind == MomentEnded && inv.Op == engine.OpCompensation && m.Outcome.Class == engine.Applied:
			done[inv.ActionKey] = true
		}
	}
	return append(p, traceOrder(r.Result.Trace)...)
}

// traceOrder checks that a trace names nothing as compensated that it does not
// name before, and nothing twice.
func traceOrder(trace []string) (p problems) {
	seen := map[string]bool{}
	for _, item := range trace {
		name := strings.TrimRight(item, "!?")
		if name[0] == '~' {
			if seen[name] {
				p.add("%s stands in the trace twice", name)
			}
			if !seen[name[1:]] {
				p.add("%s stands in the trace and what it compensates does not", name)
			}
		}
		seen[name] = true
	}
	return p
}

func nothingAfterCommit(r *Run) (p problems) {
	committed := ""
	for _, m := range r.Moments {
		switch {
		case m.Kind == MomentBegan && m.Invoke.Op == engine.OpCompensation && committed != "":
			p.add("%s is compensated after %s", m.Invoke.Path, committed)
		case m.Kind == MomentBegan && m.Invoke.Op == engine.OpAction && r.effectOf(m.Invoke.Path) == dsl.EffectRetriable,
			m.Kind == MomentRecorded && m.Record.Transition == engine.TransitionSucceeded && r.effectOf(m.Record.Path) == dsl.EffectPivot,
			m.Kind == MomentEnded && m.Invoke.Op == engine.OpAction && m.Outcome.Class == engine.Applied && r.effectOf(m.Invoke.Path) == dsl.EffectPivot:
			if m.Kind == MomentRecorded {
				committed = m.Record.Path
			} else {
				committed = m.Invoke.Path
			}
		}
	}
	return p
}

func decisiveNeverCut(r *Run) (p problems) {
	for _, m := range r.Moments {
		if m.Kind != MomentCut || m.Invoke.Op != engine.OpAction {
			continue
		}
		if e := r.effectOf(m.Invoke.Path); e == dsl.EffectPivot || e == dsl.EffectRetriable {
			p.add("%s is cut", m.Invoke.Path)
		}
	}
	return p
}

func generationsFollow(r *Run) (p problems) {
	doubtful, generation := map[operation]bool{}, map[operation]int{}
	for _, m := range r.Moments {
		switch {
		case m.Kind == MomentRecorded && m.Record.Transition == engine.TransitionOperator && m.Record.Command == engine.CommandResolve:
			maps.DeleteFunc(doubtful, func(o operation, _ bool) bool { return o.path == m.Record.Path })
		case m.Kind == MomentBegan:
			o := operationOf(m.Invoke)
			if m.Invoke.Generation > generation[o] && doubtful[o] {
				p.add("generation %d of %s begins while an older one may have had its effect", m.Invoke.Generation, o)
			}
			generation[o] = m.Invoke.Generation
		case m.Kind == MomentEnded && m.Invoke.Op == engine.OpProbe:
			if answer, ok := m.Outcome.Output.(map[string]any); ok && m.Outcome.Class == engine.Applied && answer["applied"] == false {
				delete(doubtful, operation{m.Invoke.Path, engine.OpAction})
			}
		case m.Kind == MomentEnded && m.Outcome.Class == engine.Ambiguous && r.effectOf(m.Invoke.Path) != dsl.EffectNone:
			doubtful[operationOf(m.Invoke)] = true
		}
	}
	return p
}

func canonical(v any) string {
	data, err := dsl.MarshalCanonical(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
