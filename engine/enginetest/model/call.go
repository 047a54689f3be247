package model

import (
	"slices"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// action is the action of a step. Its input is frozen (S5).
type action struct {
	key        string
	generation int
	input      any
	probe      any    // input of the probe
	entry      *entry // its compensation; nil: none, or disarmed

	attempts  int       // so far
	before    int       // attempts before the operator's last retry
	begun     time.Time // first scheduling, or the operator's last retry
	ambiguous bool      // an attempt may have had its effect
	applied   bool      // the effect is certain, its output cannot be used (S25)
	last      engine.Failure
}

// stateUnusable is how an action ends that was applied and whose output cannot
// be used. It is not a state of a step.
const stateUnusable engine.State = "unusable"

// call runs an action until its outcome is certain or nothing more can be done
// about it.
func (s *saga) call(x *strand, f *frame) (any, ending) {
	a, err := s.freeze(f)
	if err != nil {
		return s.failExpression(x, f, err)
	}
	f.action = a
	switch f.effect() {
	case dsl.EffectPivot:
		s.pivot = f
	case dsl.EffectRetriable:
		if s.wrong != commitsLate {
			s.commit() // S11
		}
	}
	for {
		a.before, a.begun = a.attempts, s.now
		state, output := s.attempts(x, f)
		if state == engine.StateSucceeded {
			return s.succeeded(x, f, output)
		}
		switch v := s.unsuccessful(x, f, state); v.command {
		case "":
			return nil, left
		case engine.CommandSkip:
			return nil, passed
		case engine.CommandResolve:
			return s.succeeded(x, f, v.output)
		} // a retry begins with all attempts
	}
}

// freeze evaluates the inputs of a step's operations before the first of them is
// scheduled (S5). If one fails nothing is.
func (s *saga) freeze(f *frame) (*action, error) {
	spec := f.step.Call
	g := s.family.generation
	a := &action{key: s.key(f, engine.OpAction, g), generation: g}
	var err error
	if a.input, err = input(spec.With, f.scope); err != nil {
		return nil, err
	}
	if spec.Compensate != nil {
		a.entry = &entry{frame: f, place: f, key: s.key(f, engine.OpCompensation, g), generation: g}
		if a.entry.input, err = input(spec.Compensate.With, f.scope.with("self", a.self(nil))); err != nil {
			return nil, err
		}
	}
	if spec.Probe != nil {
		a.probe, err = input(spec.Probe.With, f.scope.with("self", a.self(nil)))
	}
	return a, err
}

// self is what the inputs of a compensation and a probe see of the action.
func (a *action) self(output any) map[string]any {
	return map[string]any{"key": a.key, "input": a.input, "output": output}
}

// input evaluates an input: an empty object where none is written.
func input(with *dsl.Value, in *scope) (any, error) {
	if with == nil {
		return map[string]any{}, nil
	}
	return with.Eval(in.env)
}

// attempts tries the action until it is settled (S2, S3).
func (s *saga) attempts(x *strand, f *frame) (engine.State, any) {
	a, spec := f.action, f.step.Call
	for {
		a.attempts++
		if s.wrong == trustsLastAttempt {
			a.ambiguous = false
		}
		f.state = engine.StateRunning
		out := s.attempt(x, f, engine.Invocation{
			Op: engine.OpAction, Activity: spec.Activity, Key: a.key, Attempt: a.attempts,
			Generation: a.generation, Input: a.input, Timeout: spec.Timeout,
		})
		if out.Class == engine.Applied && out.Code == "" {
			return engine.StateSucceeded, out.Output
		}
		f.code, a.last = out.Code, engine.Failure{Code: out.Code, Message: out.Message}
		switch {
		case out.Class == engine.Applied:
			return stateUnusable, nil
		case out.Class == engine.Rejected:
			return a.settled(f), nil
		case out.Class == engine.Ambiguous && f.effect() != dsl.EffectNone:
			a.ambiguous = true
			if spec.Probe != nil && (f.decisive() || !f.stopped() || s.wrong == asksOnTheWayBack) {
				switch state, output := s.probe(x, f); state {
				case engine.StateRejected: // the participant promises that there was no effect
					a.ambiguous = false
				default:
					return state, output
				}
			} else if f.effect() == dsl.EffectPivot && !spec.Retry.Ambiguous {
				return engine.StateUnknown, nil
			}
		}
		if out.Final || slices.Contains(spec.Retry.Never, out.Code) || !s.mayRetry(f) {
			return a.settled(f), nil
		}
		if !s.rest(x, f, s.now.Add(pauseAfter(spec.Retry, a.attempts-a.before)), false) {
			return a.settled(f), nil
		}
	}
}

// settled is how an action ends that gets no further attempt (S2).
func (a *action) settled(f *frame) engine.State {
	switch {
	case f.effect() == dsl.EffectNone:
		return engine.StateFailed // it is never unknown
	case a.ambiguous:
		return engine.StateUnknown
	default:
		return engine.StateRejected
	}
}

// mayRetry says whether another attempt may follow: its block goes on, neither
// the attempts nor the time are used up, and no cancel waits for a pivot that has
// had no effect (S2, S7, S13).
func (s *saga) mayRetry(f *frame) bool {
	a, r := f.action, f.step.Call.Retry
	tried := a.attempts - a.before
	return (!f.stopped() || s.wrong == retriesWhenLeft) &&
		(r.Attempts == 0 || tried < r.Attempts) &&
		(r.Within == 0 || !s.now.Add(pauseAfter(r, tried)).After(a.begun.Add(r.Within))) &&
		(s.held == nil || a.ambiguous)
}

// pauseAfter is the pause after so many attempts: doubled after each, up to Max.
func pauseAfter(r dsl.Retry, attempts int) time.Duration {
	pause := r.Initial
	for range attempts - 1 {
		pause = min(2*pause, r.Max)
	}
	return min(pause, r.Max)
}

// probe asks what became of the attempt in doubt until the participant can tell
// or its time is over (S3): succeeded, rejected or unknown.
func (s *saga) probe(x *strand, f *frame) (engine.State, any) {
	a, spec := f.action, f.step.Call.Probe
	until := s.now.Add(spec.Within)
	for {
		out := s.attempt(x, f, engine.Invocation{
			Op: engine.OpProbe, Activity: spec.Activity, Asks: f.step.Call.Activity, Key: s.key(f, engine.OpProbe, a.generation), Attempt: a.attempts,
			Generation: a.generation, Input: a.probe, Timeout: spec.Timeout,
		})
		if out.Probed && s.wrong != losesTheReport {
			f.code, a.last = out.Code, engine.Failure{Code: out.Code, Message: out.Message}
			return stateUnusable, nil
		}
		if answer, ok := out.Output.(map[string]any); ok && out.Class == engine.Applied && out.Code == "" {
			switch answer["applied"] {
			case true:
				return engine.StateSucceeded, answer["output"]
			case false:
				return engine.StateRejected, nil
			}
		}
		again := s.now.Add(spec.Every)
		if again.After(until) || (f.stopped() && !f.decisive()) || !s.rest(x, f, again, f.decisive()) {
			return engine.StateUnknown, nil
		}
	}
}

// succeeded follows up on an action that was applied.
func (s *saga) succeeded(x *strand, f *frame, output any) (any, ending) {
	if e := f.action.entry; e != nil {
		s.arm(e)
		again, err := input(f.step.Call.Compensate.With, f.scope.with("self", f.action.self(output)))
		if err != nil { // compensated with the first (S5)
			s.raise(x, f, engine.Failure{Code: engine.CodeExpression, Message: err.Error()}, engine.StateFailed)
			return nil, left
		}
		e.input = again
	}
	if f.effect() == dsl.EffectPivot {
		s.pivot = nil
		s.commit() // S11
	}
	s.note(f.path, "")
	return output, well
}

// unsuccessful follows up on an action that was settled otherwise. It gives what
// the operator made of it, if it was parked.
func (s *saga) unsuccessful(x *strand, f *frame, state engine.State) verdict {
	a := f.action
	doubtful := state == engine.StateUnknown || state == stateUnusable
	switch {
	case doubtful && f.decisive(): // S12, S25
		a.applied = state == stateUnusable
		if v := s.park(x, f, a.last, engine.StateUnknown); v.command != engine.CommandResolve || v.applied {
			return v
		}
		a.ambiguous, state = false, engine.StateRejected
	case doubtful && a.entry != nil && s.wrong != forgetsUnknown,
		a.entry != nil && s.wrong == compensatesRefused:
		s.arm(a.entry) // S1
	case state == engine.StateRejected:
		a.entry = nil // S2
	}
	if state == stateUnusable {
		state = engine.StateFailed
	}
	for {
		v := s.raise(x, f, a.last, state)
		if v.command != engine.CommandResolve || v.applied {
			return v
		}
		// resolved as not applied, which is a rejection
	}
}
