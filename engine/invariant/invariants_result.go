package invariant

import (
	"slices"

	"github.com/sagad/sagad/engine"
)

// resultFits checks that a result is one of the states of S19 and that what it
// says about the saga fits together.
func resultFits(r *Run) (p problems) {
	got := r.Result
	backward := got.Direction == engine.Backward
	if !backward && got.Direction != engine.Forward {
		p.add("the direction is %q", got.Direction)
	}
	if backward != (got.Cause != nil) {
		p.add("the direction is %s and the cause %v", got.Direction, got.Cause)
	}
	switch got.Outcome {
	case engine.OutcomeCompleted:
		p.want(r.closed() && !backward, got)
	case engine.OutcomeCompensated:
		p.want(r.closed() && backward, got)
	case engine.OutcomeResolved:
		p.want(r.closed() && got.Interventions > 0, got)
	case engine.OutcomeRunning:
		p.want(!r.closed() && !backward, got)
	case engine.OutcomeCompensating:
		p.want(!r.closed() && backward, got)
	case engine.OutcomeParked:
		p.want(!r.closed(), got)
	default:
		p.add("the outcome is %q", got.Outcome)
	}
	if parked := parkedItself(&got); (got.Outcome == engine.OutcomeParked) != parked {
		p.add("the outcome is %s and parked are %v", got.Outcome, got.Parked)
	}
	if got.Output != nil && (!r.closed() || backward) {
		p.add("the outcome is %s and the output %v", got.Outcome, got.Output)
	}
	return append(p, causeFits(got.Cause)...)
}

// parkedItself says whether something of the saga's own is parked, not of a child
// that runs.
func parkedItself(r *engine.Result) bool {
	return slices.ContainsFunc(r.Parked, func(p engine.Parked) bool { return r.Addressee(p.Path) == r.ID })
}

func (p *problems) want(fits bool, got engine.Result) {
	if !fits {
		p.add("the outcome %s does not fit status %s, direction %s, %d interventions and %d parked", got.Outcome, got.Status, got.Direction, got.Interventions, len(got.Parked))
	}
}

// causeFits checks that a cause is one of the three kinds (S13, S14).
func causeFits(cause *engine.Failure) (p problems) {
	if cause == nil {
		return nil
	}
	fits := false
	switch cause.Kind {
	case engine.CauseError:
		fits = cause.Code != ""
	case engine.CauseCancel:
		fits = cause.Step == nil && cause.Code == engine.CodeCancelled
	case engine.CauseDeadline:
		fits = cause.Step == nil && cause.Code == engine.CodeDeadline
	}
	if !fits {
		p.add("the cause is %+v", *cause)
	}
	return p
}

func stepsClosed(r *Run) (p problems) {
	if !r.closed() {
		return nil
	}
	for _, s := range r.Result.Steps {
		switch s.State {
		case engine.StateSucceeded, engine.StateSkipped, engine.StateFailed, engine.StateRejected, engine.StateUnknown, engine.StateCompensated:
			if s.ClosedAt.IsZero() {
				p.add("%s is %s and was never closed", s.Path, s.State)
			}
		default:
			p.add("%s is %s", s.Path, s.State)
		}
	}
	return p
}
