package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sagad/sagad/engine"
)

// parking is a step or a compensation that waits for an operator (S17).
type parking struct {
	code  string
	state engine.State // of the step: how it would have ended
	pause *pause       // of the step
}

// verdict is what an operator made of a parked step. It is empty when nobody is
// asked because the step is being left.
type verdict struct {
	command string
	applied bool // resolve
	output  any
}

// park waits for an operator (S12, S17).
func (s *saga) park(x *strand, f *frame, failure engine.Failure, state engine.State) verdict {
	p := &pause{frame: f, strand: x, what: anOperator}
	f.state, f.code = engine.StateParked, failure.Code
	f.parked = &parking{code: failure.Code, state: state, pause: p}
	if f.leaf() {
		s.note(f.path, "?")
		s.waiting[f.path] = true
	}
	v := s.pausing(p).(verdict)
	if v.command == engine.CommandSkip && f.leaf() {
		s.note(f.path, "!")
	}
	return v
}

// parkEntry keeps a compensation for an operator (S16).
func (s *saga) parkEntry(e *entry, code string) {
	e.running, e.parked = false, &parking{code: code}
	e.frame.state, e.frame.code = engine.StateParked, code
	s.note("~"+e.frame.path, "!")
	s.waiting["~"+e.frame.path] = true
}

// fitting gives the commands that fit a parked step: what may have happened is
// resolved, never skipped (S18).
func (f *frame) fitting() []string {
	retry, skip, resolve := engine.CommandRetry, engine.CommandSkip, engine.CommandResolve
	switch {
	case f.action == nil:
		return []string{retry, skip}
	case f.action.applied:
		return []string{resolve}
	case f.parked.state == engine.StateUnknown:
		return []string{retry, resolve}
	case f.decisive():
		return []string{retry, skip, resolve}
	default:
		return []string{retry, skip}
	}
}

// operate takes an operator's command (S18).
func (s *saga) operate(request string, o *engine.Operator) {
	what := fmt.Sprint(o.Command, o.Path, o.Applied != nil, o.Applied != nil && *o.Applied, o.Output, o.Input)
	if before, ok := s.taken[o.ID]; ok && before != what {
		s.refuse(request, engine.RefusedNotPossible)
		return
	} else if ok {
		s.accept(request) // and dropped
		return
	}
	if code := s.take(o); code != "" {
		s.refuse(request, code)
		return
	}
	s.taken[o.ID] = what
	s.interventions++
	s.forced = s.forced || (o.Command != engine.CommandRetry && s.wrong != forgetsTheSkip)
	s.accept(request)
}

// take carries a command out, or gives the code of its refusal.
func (s *saga) take(o *engine.Operator) string {
	known := []string{engine.CommandRetry, engine.CommandSkip, engine.CommandResolve}
	needsReason := o.Command != engine.CommandRetry
	if o.ID == "" || o.Actor == "" || !slices.Contains(known, o.Command) ||
		(needsReason && strings.TrimSpace(o.Reason) == "") || (o.Command == engine.CommandResolve && o.Applied == nil) {
		return engine.RefusedNotPossible
	}
	for _, f := range s.frames {
		if f.path == o.Path && f.parked != nil {
			return s.decide(f, o)
		}
	}
	for _, e := range s.entries {
		if e.frame.path == o.Path && e.parked != nil {
			return s.decideEntry(e, o)
		}
	}
	return engine.RefusedNotParked
}

// decide gives a command to a parked step.
func (s *saga) decide(f *frame, o *engine.Operator) string {
	if !slices.Contains(f.fitting(), o.Command) {
		return engine.RefusedNotPossible
	}
	v := verdict{command: o.Command}
	switch a := f.action; o.Command {
	case engine.CommandResolve:
		v.applied, v.output = *o.Applied, o.Output
		if a.applied && !v.applied { // it is known to have been
			return engine.RefusedNotPossible
		}
	case engine.CommandRetry:
		if f.stopped() { // nothing new starts
			return engine.RefusedNotPossible
		}
		if o.Input != nil && (a == nil || a.ambiguous || !s.correct(f, o.Input)) {
			return engine.RefusedNotPossible
		}
	}
	p := f.parked.pause
	f.parked = nil
	s.end(p, v)
	return ""
}

// correct gives an action another input: a new generation of its key (S20).
func (s *saga) correct(f *frame, better any) bool {
	next := *f.action
	if s.wrong != keepsTheKey {
		next.generation++
	}
	next.input, next.key = better, s.key(f, engine.OpAction, next.generation)
	if probe := f.step.Call.Probe; probe != nil { // it asks about this generation
		var err error
		if next.probe, err = input(probe.With, f.scope.with("self", next.self(nil))); err != nil {
			return false
		}
	}
	*f.action = next
	return true
}

// decideEntry gives a command to a parked compensation.
func (s *saga) decideEntry(e *entry, o *engine.Operator) string {
	switch o.Command {
	case engine.CommandSkip: // the effect stays
		s.forget(e, engine.StateSkipped)
	case engine.CommandResolve:
		if !*o.Applied && !e.ambiguous { // it is known to have had no effect
			return engine.RefusedNotPossible
		}
		e.ambiguous = false
		if *o.Applied {
			s.compensated(e)
		}
	case engine.CommandRetry:
		if o.Input != nil {
			if e.ambiguous {
				return engine.RefusedNotPossible
			}
			e.generation++
			e.input, e.key = o.Input, s.key(e.frame, engine.OpCompensation, e.generation)
		}
		e.parked = nil // when its turn comes
		e.frame.state = engine.StateCompensating
	}
	return ""
}
