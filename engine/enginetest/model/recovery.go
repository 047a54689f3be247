package model

import (
	"slices"
	"time"

	"github.com/sagad/sagad/engine"
)

// entry is an armed compensation (S1).
type entry struct {
	frame      *frame
	place      *frame // where it stands: frame, or the step of the child that it was handed up from
	key        string
	generation int
	input      any // frozen (S5)

	running   bool
	attempts  int
	ambiguous bool // an attempt may have had its effect
	parked    *parking
}

// arm gives an entry its place in the order of completion (S6).
func (s *saga) arm(e *entry) { s.entries = append(s.entries, e) }

// recovery is a strand that waits until everything armed inside a frame has been
// compensated.
type recovery struct {
	frame  *frame
	strand *strand
}

// recover compensates what is armed inside f, all of whose steps have ended. It
// is false if what is around f is being left before it is done, which takes the
// compensation over.
func (s *saga) recover(x *strand, f *frame) bool {
	if f.parent.leaving() {
		return false
	}
	s.recoveries = append(s.recoveries, &recovery{f, x})
	slices.SortFunc(s.recoveries, func(a, b *recovery) int { return a.frame.failed - b.frame.failed })
	x.wait()
	return !f.parent.leaving()
}

// settle moves all recoveries as far as they go, that of the first failure first.
func (s *saga) settle() {
	for i := 0; i < len(s.recoveries) && !s.closed; {
		r := s.recoveries[i]
		if !r.frame.parent.leaving() && s.hasEntries(r.frame) {
			i++
			continue
		}
		s.recoveries = slices.Delete(s.recoveries, i, i+1)
		r.strand.wake()
		i = 0
	}
	for _, r := range s.recoveries {
		for _, e := range slices.Backward(slices.Clone(s.entries)) {
			if e.place.inside(r.frame) && s.isItsTurn(e, r.frame) {
				s.spawn(func(x *strand) { s.compensate(x, e) })
			}
		}
	}
}

func (s *saga) hasEntries(t *frame) bool {
	return slices.ContainsFunc(s.entries, func(e *entry) bool { return e.place.inside(t) })
}

// isItsTurn says whether an entry inside t may be compensated now: one at a time,
// the last that completed first (S6). Two that stand in different branches of a
// block with parallel compensation do not wait for each other (S7).
func (s *saga) isItsTurn(e *entry, t *frame) bool {
	if e.running || s.stuck(e, t) {
		return false
	}
	later := s.wrong == compensatesForward
	for _, other := range s.entries {
		if other == e {
			later = !later // those that follow
			continue
		}
		block := apart(e.place, other.place)
		if block != nil && (compensatesInParallel(block) || s.wrong == forgetsTheOrder) {
			continue
		}
		if other.running || (later && other.place.inside(t) && !s.stuck(other, t)) {
			return false
		}
	}
	return true
}

// stuck says whether an entry inside t waits for an operator: it is parked, or
// its step comes before one of which that is true (S17).
func (s *saga) stuck(e *entry, t *frame) bool {
	if e.parked != nil || s.wrong == holdsUpTheRest {
		return e.parked != nil
	}
	i := slices.Index(s.entries, e)
	return slices.ContainsFunc(s.entries[i+1:], func(later *entry) bool {
		ordered := apart(e.place, later.place) == nil || s.wrong == waitsForTheParked
		return ordered && later.place.inside(t) && s.stuck(later, t)
	})
}

// compensate repeats a compensation until it succeeds or parks (S16).
func (s *saga) compensate(x *strand, e *entry) {
	f, spec := e.frame, e.frame.step.Call.Compensate
	r, begun, before := spec.Retry, s.now, e.attempts
	e.running = true
	for {
		e.attempts++
		f.state = engine.StateCompensating
		if s.wrong == evaluatesLate {
			if now, err := input(spec.With, f.scope.with("self", f.action.self(nil))); err == nil {
				e.input = now
			}
		}
		out := s.attemptCompensation(x, e, engine.Invocation{
			Op: engine.OpCompensation, Activity: spec.Activity, Key: e.key, Attempt: e.attempts,
			Generation: e.generation, Input: e.input, Timeout: spec.Timeout,
		})
		if out.Class == engine.Applied {
			s.compensated(e)
			return
		}
		e.ambiguous = e.ambiguous || out.Class == engine.Ambiguous
		tried := e.attempts - before
		next := s.now.Add(pauseAfter(r, tried))
		if (out.Class == engine.Rejected && s.wrong != insists) || out.Final || slices.Contains(r.Never, out.Code) ||
			(r.Attempts > 0 && tried >= r.Attempts) || (r.Within > 0 && next.After(begun.Add(r.Within))) {
			s.parkEntry(e, out.Code)
			return
		}
		s.pass(x, f, next)
	}
}

// attemptCompensation is attempt for a compensation, which ends with its own
// answer and nothing else.
func (s *saga) attemptCompensation(x *strand, e *entry, inv engine.Invocation) engine.Outcome {
	out, took := s.invoke(e.frame, inv)
	s.pass(x, e.frame, s.now.Add(took))
	return out
}

// pass lets time pass for a strand, whatever happens.
func (s *saga) pass(x *strand, f *frame, until time.Time) {
	s.at(until, f.path, x.wake)
	x.wait()
}

// compensated notes that the effect of a step is gone.
func (s *saga) compensated(e *entry) {
	s.note("~"+e.frame.path, "")
	s.forget(e, engine.StateCompensated)
}

// forget takes an entry out of the order.
func (s *saga) forget(e *entry, state engine.State) {
	e.running, e.parked = false, nil
	e.frame.state = state
	s.entries = slices.DeleteFunc(s.entries, func(other *entry) bool { return other == e })
}
