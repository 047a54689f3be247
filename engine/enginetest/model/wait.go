package model

import (
	"slices"
	"strings"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// waitingFor says what an open leaf waits for.
type waitingFor int

const (
	anAnswer   waitingFor = iota // of a participant
	aTime                        // to pass
	aMessage                     // from outside, or a time
	aChild                       // to close
	anOperator                   // to decide
)

// pause is an open leaf that waits.
type pause struct {
	frame    *frame
	strand   *strand
	what     waitingFor
	stubborn bool // it goes on although what is around it is being left
	ends     *appointment
	with     any // what it was ended with
}

// ended are the ways a pause ends without an answer, a message or a verdict.
type ended int

const (
	timeOver ended = iota
	broken         // what is around it is being left
)

// pausing waits until someone ends the pause, and gives what it was ended with.
func (s *saga) pausing(p *pause) any {
	s.open = append(s.open, p)
	p.strand.wait()
	return p.with
}

// end ends a pause.
func (s *saga) end(p *pause, with any) {
	s.open = slices.DeleteFunc(s.open, func(other *pause) bool { return other == p })
	s.cancelled(p.ends)
	p.with = with
	p.strand.wake()
}

// rest lets a leaf wait for a time. It is false when what is around the leaf is
// being left before: waits and pauses end at once then (S7, S13).
func (s *saga) rest(x *strand, f *frame, until time.Time, stubborn bool) bool {
	p := &pause{frame: f, strand: x, what: aTime, stubborn: stubborn}
	p.ends = s.at(until, f.path, func() { s.end(p, timeOver) })
	return s.pausing(p) == timeOver
}

// attempt calls a participant once and waits for its answer.
func (s *saga) attempt(x *strand, f *frame, inv engine.Invocation) engine.Outcome {
	out, took := s.invoke(f, inv)
	p := &pause{frame: f, strand: x, what: anAnswer}
	p.ends = s.at(s.now.Add(took), f.path, func() { s.end(p, out) })
	return s.pausing(p).(engine.Outcome)
}

// invoke calls a participant. The answer comes when it has taken its time.
func (s *saga) invoke(f *frame, inv engine.Invocation) (answer engine.Outcome, took time.Duration) {
	inv.Path, inv.ActionKey = f.path, f.action.key
	s.invocations = append(s.invocations, Invoked{s.now, inv})
	return s.participants.Answer(inv.Op, f.path, inv.Timeout)
}

// cut ends an attempt whose answer nobody waits for any more: what became of it
// is not known. One at or after the point of no return is never cut (S13).
func (s *saga) cut(p *pause) {
	if p.what == anAnswer && !p.frame.decisive() {
		p.ends.at = s.now
		p.ends.do = func() { s.end(p, engine.Outcome{Class: engine.Ambiguous, Code: engine.CodeCancelled}) }
	}
}

// await waits for a message, or takes one that has come before (S27).
func (s *saga) await(x *strand, f *frame) (any, ending) {
	spec := f.step.Await
	limit, err := spec.Timeout.Eval(f.scope.env)
	if err != nil {
		return s.failExpression(x, f, err)
	}
	for i, m := range s.inbox {
		if s.wrong == takesTheNewest {
			i, m = len(s.inbox)-1-i, s.inbox[len(s.inbox)-1-i]
		}
		if s.matches(f, m) {
			s.inbox = slices.Delete(s.inbox, i, i+1)
			s.note(f.path, "")
			return m.Data, well
		}
	}
	p := &pause{frame: f, strand: x, what: aMessage}
	if spec.Timeout != nil {
		p.ends = s.at(s.now.Add(limit), f.path, func() { s.end(p, timeOver) })
	}
	switch got := s.pausing(p).(type) {
	case *engine.Signal:
		s.note(f.path, "")
		return got.Data, well
	case ended:
		if got == timeOver {
			return s.fail(x, f, engine.CodeTimeout, "")
		}
	}
	return s.fail(x, f, engine.CodeCancelled, "")
}

// sleep waits for a time to pass, or for an instant.
func (s *saga) sleep(x *strand, f *frame) (any, ending) {
	spec := f.step.Sleep
	var until time.Time
	if spec.For != nil {
		length, err := spec.For.Eval(f.scope.env)
		if err != nil {
			return s.failExpression(x, f, err)
		}
		until = s.now.Add(length)
	} else {
		value, err := spec.Until.Eval(f.scope.env)
		if err != nil {
			return s.failExpression(x, f, err)
		}
		text, _ := value.(string)
		if until, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return s.failExpression(x, f, err)
		}
	}
	if until.After(s.now) && !s.rest(x, f, until, false) {
		return s.fail(x, f, engine.CodeCancelled, "")
	}
	s.note(f.path, "")
	return nil, well
}

// signal takes in a message. It goes to the waiting step of the smallest path
// that it matches, otherwise it is kept (S27).
func (s *saga) signal(request string, m *engine.Signal) {
	if s.seen[m.ID] {
		s.accept(request) // and dropped
		return
	}
	if code := refusal(s.plan, m); code != "" {
		s.refuse(request, code)
		return
	}
	s.seen[m.ID] = true
	s.accept(request)
	for _, p := range s.openInside(s.root) {
		if p.what == aMessage && s.matches(p.frame, m) {
			s.end(p, m)
			return
		}
	}
	s.inbox = append(s.inbox, m)
}

// matches says whether a step awaits a message. A condition that fails on it is
// no match.
func (s *saga) matches(f *frame, m *engine.Signal) bool {
	spec := f.step.Await
	if spec.Signal != m.Name || (spec.Schema != nil && spec.Schema.Validate(m.Data) != nil) {
		return false
	}
	if spec.Where == nil {
		return true
	}
	holds, err := spec.Where.Bool(f.scope.with("event", m.Data).env)
	return err == nil && holds
}

// refusal gives why a message cannot be sent to sagas of a plan at all; empty if
// it can.
func refusal(plan *dsl.Plan, m *engine.Signal) string {
	if m.ID == "" {
		return engine.RefusedNotPossible
	}
	code := engine.RefusedNotAwaited
	for _, step := range everyStep(plan.Steps) {
		if step.Await == nil || step.Await.Signal != m.Name {
			continue
		}
		if step.Await.Schema == nil || step.Await.Schema.Validate(m.Data) == nil {
			return ""
		}
		code = engine.RefusedSchema
	}
	return code
}

// everyStep lists steps at all depths.
func everyStep(steps []*dsl.Step) (all []*dsl.Step) {
	for _, step := range steps {
		all = append(all, step)
		for _, inner := range step.Blocks() {
			all = append(all, everyStep(inner)...)
		}
	}
	return all
}

// openInside lists the open leaves in t by their paths.
func (s *saga) openInside(t *frame) (inside []*pause) {
	for _, p := range s.open {
		if p.frame.inside(t) {
			inside = append(inside, p)
		}
	}
	slices.SortStableFunc(inside, func(a, b *pause) int { return strings.Compare(a.frame.path, b.frame.path) })
	return inside
}
