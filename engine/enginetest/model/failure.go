package model

import (
	"slices"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// fail ends a step badly that has not got as far as an attempt.
func (s *saga) fail(x *strand, f *frame, code, message string) (any, ending) {
	state := engine.StateFailed
	if f.effect() != dsl.EffectNone {
		state = engine.StateRejected
	}
	switch s.raise(x, f, engine.Failure{Code: code, Message: message}, state).command {
	case engine.CommandRetry:
		return nil, again
	case engine.CommandSkip:
		return nil, passed
	}
	return nil, left
}

// failExpression ends a step badly one of whose expressions failed (S25).
func (s *saga) failExpression(x *strand, f *frame, err error) (any, ending) {
	return s.fail(x, f, engine.CodeExpression, err.Error())
}

// raise ends a step badly, and begins to leave what is left for it: everything
// inside the step whose catch takes the failure, or the whole saga. After the
// point of no return nobody leaves the saga: the step parks instead (S12), and
// what the operator decides is given back. If it is left the command is empty.
func (s *saga) raise(x *strand, f *frame, failure engine.Failure, state engine.State) verdict {
	failure.Kind, failure.Step, failure.Path = engine.CauseError, &f.step.ID, f.path
	f.code = failure.Code
	t, clause := s.catcher(f, failure.Code)
	if t == s.root && s.committed && !f.stopped() {
		return s.park(x, f, failure, state)
	}
	f.state = state
	if f.leaf() {
		if state == engine.StateUnknown {
			s.note(f.path, "?")
		} else {
			s.note(f.path, "!")
		}
	}
	if f == s.pivot {
		s.pivot = nil
	}
	switch {
	case f.stopped(): // it is being left already; the first failure is the cause (S7)
	case s.held != nil:
		s.turned(s.held) // the cancel has waited for this (S13)
	default:
		s.leave(t, clause, failure, f)
	}
	return verdict{}
}

// catcher finds the innermost step around f, f included, whose catch takes a
// code; without one it is the saga (S10). A failure in a handler goes to the next
// catch outside.
func (s *saga) catcher(f *frame, code string) (*frame, *dsl.Catch) {
	for ; f != s.root; f = f.parent {
		for i := range f.step.Catch {
			if s.wrong == takesLastClause {
				i = len(f.step.Catch) - 1 - i
			}
			clause := &f.step.Catch[i]
			if !f.handling && (slices.Contains(clause.On, code) || slices.Contains(clause.On, "*")) {
				return f, clause
			}
		}
	}
	return s.root, nil
}

// leave begins to leave everything inside t: no step and no attempt starts there
// any more, waits and pauses end at once, running attempts may answer unless
// their block says otherwise (S7). from is the step that failed; nil after a
// cancel.
func (s *saga) leave(t *frame, clause *dsl.Catch, failure engine.Failure, from *frame) {
	s.failures++
	t.failure, t.clause, t.failed = &failure, clause, s.failures
	for _, p := range s.openInside(t) {
		switch p.what {
		case anAnswer:
			if from == nil {
				continue // after a cancel it has its grace
			}
			if block := apart(p.frame, from); block != nil && policy(block) == dsl.DrainCancel {
				s.cut(p)
			}
		case aTime, aMessage:
			if !p.stubborn {
				s.end(p, broken)
			}
		case aChild:
			s.cancelChild(p.frame) // and awaited
		case anOperator: // only an operator moves it
		}
	}
}
