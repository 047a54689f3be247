package engine

import (
	"slices"
	"time"

	"github.com/sagad/sagad/dsl"
)

// TakeOver adds to the report of a saga that was ended from outside what became of
// its Children, as it would have heard it itself. below holds a report of each, in
// their order.
func (r *Report) TakeOver(below []*Report) {
	if len(r.Children) == 0 {
		return
	}
	r.InDoubt = false // one that may decide runs alone: then it was what is in doubt
	for i, id := range r.Children {
		inner := below[i]
		r.takeSteps(id, &inner.Result)
		r.Entries = append(r.Entries, inner.Entries...)
		r.Committed = r.Committed || inner.Committed
		r.InDoubt = r.InDoubt || inner.InDoubt
		r.Forced = r.Forced || inner.Forced || inner.Result.Outcome == OutcomeResolved
		r.Generation = max(r.Generation, inner.Generation)
		r.Result.Interventions += inner.Result.Interventions
	}
	r.Children = nil
}

// takeSteps adds the steps and the trace of a child that has ended.
func (r *Report) takeSteps(id string, inner *Result) {
	r.Result.Trace = append(r.Result.Trace, inner.Trace...)
	at := slices.IndexFunc(r.Result.Steps, func(s StepResult) bool { return s.Child == id })
	if at < 0 {
		return
	}
	s := &r.Result.Steps[at]
	if inner.Outcome != OutcomeOrphaned { // otherwise its parent settles it
		k := markOK
		s.State, s.Code = StateSucceeded, ""
		if inner.Direction == Backward {
			k, s.State = markFailed, StateRejected
			if c := inner.Cause; c != nil {
				s.Code = c.Code
			}
		}
		s.ClosedAt = inner.StartedAt.Add(time.Duration(inner.Elapsed))
		r.Result.Trace = slices.DeleteFunc(r.Result.Trace, func(item string) bool { return item == s.Path+string(markOpen) }) // it was parked
		r.Result.Trace = append(r.Result.Trace, s.Path+string(k))
	}
	r.Result.Steps = slices.Insert(r.Result.Steps, at+1, inner.Steps...)
}

// settleLost says of a step that was open when its saga was ended from outside
// what is true from now on: nothing of it runs any more, and what it called may
// have had its effect. reached is false for a step that was still to come.
func (m *Machine) settleLost(step *dsl.Step, s *StepResult, trace []string) (reached bool) {
	switch s.State {
	case StatePending:
		return false
	case StateRunning, StateParked, StateCompensating:
	default:
		return true
	}
	switch {
	case slices.Contains(trace, s.Path): // it is its compensation that was open
		s.State, s.Code = StateSucceeded, ""
	case step.Call == nil && step.Child == nil, step.Call != nil && step.Call.Effect == dsl.EffectNone:
		s.State, s.Code = StateFailed, CodeTerminated // it had no effect
	default:
		s.State, s.Code = StateUnknown, CodeTerminated
	}
	if s.ClosedAt.IsZero() {
		s.ClosedAt = m.now
	}
	return true
}
