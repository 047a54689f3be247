package invariant

import (
	"slices"
	"strings"

	"github.com/sagad/sagad/engine"
)

func reverseOrder(r *Run) (p problems) {
	r.follow(func(s *shadow, m Moment) {
		e := s.begins(m)
		if e == nil {
			return
		}
		if t := s.target(e.path); t != nil {
			if l := s.blocks(e, *t); l != nil {
				p.add("%s is compensated before %s, which completed later", e.path, l.path)
			}
		}
	})
	return p
}

func oneAtATime(r *Run) (p problems) {
	r.follow(func(s *shadow, m Moment) {
		e := s.begins(m)
		if e == nil {
			return
		}
		for _, other := range s.armed {
			if other.running && !compensatesInParallel(s.fork(e.path, other.path)) && s.saga(e.path) == s.saga(other.path) {
				p.add("%s is compensated while %s is", e.path, other.path)
			}
		}
	})
	return p
}

func nothingLeftArmed(r *Run) (p problems) {
	end := r.follow(func(s *shadow, m Moment) {
		if m.Kind != MomentRecorded || m.Record.Transition != engine.TransitionFailed || !slices.Contains(s.children, m.Record.Path) {
			return
		}
		for _, e := range s.armed { // a child that fails has compensated itself
			if strings.HasPrefix(e.path, m.Record.Path+"/") {
				p.add("%s is armed when %s fails", e.path, m.Record.Path)
			}
		}
	})
	if r.closed() && r.Result.Direction == engine.Backward {
		for _, e := range end.armed {
			p.add("%s is armed when the saga closes", e.path)
		}
	}
	return p
}

func recoveryAwaits(r *Run) (p problems) {
	r.follow(func(s *shadow, m Moment) {
		e := s.begins(m)
		if e == nil {
			return
		}
		t := s.target(e.path)
		for _, path := range s.running {
			if t != nil && s.layout.inside(path, *t) {
				p.add("%s is compensated while %s runs", e.path, path)
			}
		}
	})
	return p
}

// builtin are the codes of failures that are told of only by what follows: those
// of a block, and those of which it is not clear where they come from.
var builtin = []string{engine.CodeExpression, engine.CodeDuplicateKey, engine.CodeTooLarge, engine.CodeCancelled}

func compensatedInside(r *Run) (p problems) {
	r.follow(func(s *shadow, m Moment) {
		if m.Kind != MomentRecorded || m.Record.Op != engine.OpCompensation || m.Record.Transition != engine.TransitionCompensating {
			return
		}
		path := m.Record.Path
		if s.entry(path) == nil {
			p.add("%s is compensated and is not armed", path)
		}
		if s.target(path) == nil && !slices.ContainsFunc(builtin, func(code string) bool {
			_, caught := s.catcher(path, code)
			return caught
		}) {
			p.add("%s is compensated and nothing around it has failed", path)
		}
	})
	return p
}

func handlerWaits(r *Run) (p problems) {
	r.follow(func(s *shadow, m Moment) {
		if m.Kind != MomentRecorded || m.Record.Op == engine.OpCompensation || m.Record.Transition == engine.TransitionRefused {
			return
		}
		for _, around := range s.layout.around(m.Record.Path) {
			if around.role != inHandler {
				continue
			}
			for _, e := range s.armed {
				if s.layout.inside(e.path, around.owner) {
					p.add("%s of %s, in a handler of %s, while %s is armed", m.Record.Transition, m.Record.Path, around.owner, e.path)
				}
			}
		}
	})
	return p
}

func parkedSparesOthers(r *Run) (p problems) {
	s := r.follow(func(*shadow, Moment) {})
	if slices.ContainsFunc(s.armed, func(e *armedEntry) bool { return e.running }) {
		return nil
	}
	for _, e := range s.armed {
		t := s.target(e.path)
		if t == nil || e.parked || s.stuck(e, *t) || s.blocks(e, *t) != nil {
			continue
		}
		open := slices.Concat(s.running, s.waiting, s.children)
		if !slices.ContainsFunc(open, func(path string) bool { return s.layout.inside(path, *t) || s.layout.inside(*t, path) }) {
			p.add("%s waits, and for nothing that is parked", e.path)
		}
	}
	return p
}
