package invariant

import (
	"slices"
	"strings"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// armedEntry is a compensation that is to run if what is around it fails.
type armedEntry struct {
	path    string
	running bool // scheduled, and neither closed nor parked
	parked  bool
}

// shadow follows a run by what it tells, as far as the order of compensations
// needs it.
type shadow struct {
	*Run
	armed     []*armedEntry   // open entries, in completion order
	applied   map[string]bool // an attempt at the action, or a probe, said so
	running   []string        // actions in flight
	waiting   []string        // actions that are parked
	targets   []string        // what is recovered from: steps with a catch, children, "" the saga
	turning   bool            // the saga itself fails, and waits for what runs
	committed bool
	children  []string // open children
}

// follow shows each moment of a run to look, before the shadow takes it in, and
// gives the shadow as it stands at the end.
func (r *Run) follow(look func(s *shadow, m Moment)) *shadow {
	s := &shadow{Run: r, applied: map[string]bool{}}
	for _, m := range r.Moments {
		look(s, m)
		s.take(m)
	}
	return s
}

func (s *shadow) take(m Moment) {
	switch m.Kind {
	case MomentBegan:
		if m.Invoke.Op == engine.OpAction {
			s.running = append(s.running, m.Invoke.Path)
		}
	case MomentEnded:
		if m.Invoke.Op == engine.OpAction {
			s.running = slices.DeleteFunc(s.running, func(path string) bool { return path == m.Invoke.Path })
		}
		answer, _ := m.Outcome.Output.(map[string]any)
		if m.Outcome.Class == engine.Applied && (m.Invoke.Op == engine.OpAction || (m.Invoke.Op == engine.OpProbe && (answer["applied"] == true || m.Outcome.Probed))) {
			s.applied[m.Invoke.Path] = true
		}
	case MomentRecorded:
		s.told(m.Record)
	}
}

func (s *shadow) told(r engine.Record) {
	if r.Op == engine.OpCompensation {
		s.compensation(r)
		return
	}
	switch r.Transition {
	case engine.TransitionScheduled:
		s.unpark(r.Path)
		if r.Child != "" {
			s.children = append(s.children, r.Path)
		}
		if s.effectOf(r.Path) == dsl.EffectRetriable {
			s.commit()
		}
	case engine.TransitionSkipped:
		s.close(r.Path)
	case engine.TransitionSucceeded:
		s.close(r.Path)
		s.arm(r.Path)
		if s.effectOf(r.Path) == dsl.EffectPivot {
			s.commit()
		}
	case engine.TransitionUnknown:
		s.close(r.Path)
		s.arm(r.Path)
		s.failed(r)
	case engine.TransitionFailed:
		s.close(r.Path)
		if s.applied[r.Path] {
			s.arm(r.Path)
		}
		s.failed(r)
	case engine.TransitionParked:
		s.waiting = append(s.waiting, r.Path)
	case engine.TransitionCompensating: // the saga, or a child, has nothing open any more
		s.targets = append(s.targets, r.Path)
	}
}

func (s *shadow) unpark(path string) {
	s.waiting = slices.DeleteFunc(s.waiting, func(p string) bool { return p == path })
}

// close notes that a step has closed. What a child leaves takes its place in the
// order then (S9).
func (s *shadow) close(path string) {
	s.unpark(path)
	if !slices.Contains(s.children, path) {
		return
	}
	s.children = slices.DeleteFunc(s.children, func(p string) bool { return p == path })
	s.targets = slices.DeleteFunc(s.targets, func(t string) bool { return t == path || strings.HasPrefix(t, path+"/") })
	var before, handed []*armedEntry
	for _, e := range s.armed {
		if strings.HasPrefix(e.path, path+"/") {
			handed = append(handed, e)
		} else {
			before = append(before, e)
		}
	}
	s.armed = slices.Concat(before, handed)
}

func (s *shadow) arm(path string) {
	if !s.committed && s.effectOf(path) == dsl.EffectCompensatable {
		s.armed = append(s.armed, &armedEntry{path: path})
	}
}

func (s *shadow) commit() { s.committed, s.armed = true, nil }

func (s *shadow) compensation(r engine.Record) {
	e := s.entry(r.Path)
	if e == nil {
		return
	}
	switch r.Transition {
	case engine.TransitionCompensating:
		e.running, e.parked = true, false
	case engine.TransitionParked:
		e.running, e.parked = false, true
	case engine.TransitionCompensated, engine.TransitionSkipped:
		s.armed = slices.DeleteFunc(s.armed, func(x *armedEntry) bool { return x == e })
	}
}

func (s *shadow) entry(path string) *armedEntry {
	for _, e := range s.armed {
		if e.path == path {
			return e
		}
	}
	return nil
}

// failed finds out what a failure is recovered from: the step around it that
// catches it, unless that is being left already. What is cancelled mostly ends
// with what is around it.
func (s *shadow) failed(r engine.Record) {
	if s.turning || r.Code == engine.CodeCancelled || s.target(r.Path) != nil {
		return
	}
	if t, ok := s.catcher(r.Path, r.Code); ok {
		s.targets = append(s.targets, t)
	} else if !strings.Contains(r.Path, "/") && !s.committed { // a child fails by itself
		s.turning = true
	}
}

// catcher gives the innermost step around a path that catches a code, in the
// child that the path leads into.
func (s *shadow) catcher(path, code string) (string, bool) {
	if catches(s.Plan.StepAt(path), code) {
		return path, true
	}
	around := s.layout.around(path)
	for i := len(around) - 1; i > 0; i-- {
		e := around[i]
		if e.step.Kind == dsl.KindSaga && e.role == inBody {
			return "", false
		}
		if e.role != inHandler && catches(e.step, code) {
			return e.owner, true
		}
	}
	return "", false
}

func catches(step *dsl.Step, code string) bool {
	return step != nil && slices.ContainsFunc(step.Catch, func(c dsl.Catch) bool {
		return slices.Contains(c.On, code) || slices.Contains(c.On, "*")
	})
}

// target gives the outermost of what is recovered from that path stands inside.
// An open child compensates by itself.
func (s *shadow) target(path string) *string {
	var outermost *string
	child := s.saga(path)
	for i, t := range s.targets {
		if child != "" && t != child && !strings.HasPrefix(t, child+"/") {
			continue
		}
		if s.layout.inside(path, t) && (outermost == nil || s.layout.inside(*outermost, t)) {
			outermost = &s.targets[i]
		}
	}
	return outermost
}

// begins says whether a moment is the turn of an entry to compensate.
func (s *shadow) begins(m Moment) *armedEntry {
	if m.Kind != MomentRecorded || m.Record.Op != engine.OpCompensation || m.Record.Transition != engine.TransitionCompensating {
		return nil
	}
	if e := s.entry(m.Record.Path); e != nil && !e.running {
		return e
	}
	return nil
}

// later gives the open entries inside t that completed after e.
func (s *shadow) later(e *armedEntry, t string) (list []*armedEntry) {
	for i := len(s.armed) - 1; i >= 0 && s.armed[i] != e; i-- {
		if s.layout.inside(s.armed[i].path, t) {
			list = append(list, s.armed[i])
		}
	}
	return list
}

// stuck says whether e waits for an operator: it is parked, or comes in the flow
// before an entry inside t that is (S17).
func (s *shadow) stuck(e *armedEntry, t string) bool {
	return e.parked || slices.ContainsFunc(s.later(e, t), func(l *armedEntry) bool {
		return l.parked && s.fork(e.path, l.path) == nil
	})
}

// blocks gives the entry that e has to wait for inside t, or nil.
func (s *shadow) blocks(e *armedEntry, t string) *armedEntry {
	for _, l := range s.later(e, t) {
		fork := s.fork(e.path, l.path)
		if fork == nil || !(compensatesInParallel(fork) || s.stuck(l, t)) {
			return l
		}
	}
	return nil
}

// fork gives the block that lets two entries compensate beside each other. What a
// closed child has left is one entry (S9).
func (s *shadow) fork(a, b string) *dsl.Step {
	for _, e := range s.layout.around(a) {
		if e.step != nil && e.step.Kind == dsl.KindSaga && strings.HasPrefix(b, e.owner+"/") && !slices.Contains(s.children, e.owner) {
			return nil
		}
	}
	return s.layout.fork(a, b)
}

// saga gives the innermost open child that a path leads into: each compensates
// by itself.
func (s *shadow) saga(path string) (child string) {
	for _, c := range s.children {
		if strings.HasPrefix(path, c+"/") && len(c) > len(child) {
			child = c
		}
	}
	return child
}
