package invariant

import (
	"maps"
	"slices"
	"strings"

	"github.com/sagad/sagad/engine"
)

// operation names one operation of a step.
type operation struct {
	path string
	op   engine.Op
}

func (o operation) String() string { return o.op.String() + " of " + o.path }

func operationOf(inv *engine.Invocation) operation { return operation{inv.Path, inv.Op} }

// counts are the numbers of the last attempts at operations.
type counts map[operation]int

// anew forgets what stands inside a child that is started again.
func (c counts) anew(child string) {
	maps.DeleteFunc(c, func(o operation, _ int) bool { return strings.HasPrefix(o.path, child+"/") })
}

func attemptsNumbered(r *Run) (p problems) {
	begun, told := counts{}, counts{}
	for _, m := range r.Moments {
		switch {
		case m.Kind == MomentRecorded && m.Record.Child != "":
			begun.anew(m.Record.Path)
			told.anew(m.Record.Path)
		case m.Kind == MomentRecorded && schedules(m.Record):
			o := operation{m.Record.Path, m.Record.Op}
			if m.Record.Attempt != told[o]+1 && !r.Lossy {
				p.add("attempt %d of %s is told after attempt %d", m.Record.Attempt, o, told[o])
			}
			told[o] = m.Record.Attempt
		case m.Kind == MomentBegan:
			p = append(p, r.numbered(m.Invoke, begun, told)...)
			begun[operationOf(m.Invoke)] = m.Invoke.Attempt
		}
	}
	return p
}

// schedules says whether a record tells of an attempt.
func schedules(r engine.Record) bool {
	return r.Transition == engine.TransitionScheduled || (r.Transition == engine.TransitionCompensating && r.Op == engine.OpCompensation)
}

// numbered checks the number of an attempt that begins. One that was told of may
// never have begun: it was not sent.
func (r *Run) numbered(inv *engine.Invocation, begun, told counts) (p problems) {
	o := operationOf(inv)
	last, known := begun[o], told[o]
	switch {
	case inv.Op == engine.OpProbe:
		if n := begun[operation{inv.Path, engine.OpAction}]; inv.Attempt != n && !r.Lossy {
			p.add("%s asks about attempt %d, the last one is %d", o, inv.Attempt, n)
		}
	case r.Lossy && inv.Attempt > last, known == inv.Attempt && inv.Attempt > last, known == 0 && inv.Attempt == last+1:
	case known == 0 && inv.Attempt == 1 && inv.Generation > 0: // a child that was started again
	default:
		p.add("attempt %d of %s follows attempt %d", inv.Attempt, o, max(last, known))
	}
	return p
}

func attemptsEnd(r *Run) (p problems) {
	over := map[operation]engine.Class{}
	for _, m := range r.Moments {
		switch m.Kind {
		case MomentRecorded:
			if m.Record.Transition == engine.TransitionOperator { // a child may begin anew with its step
				maps.DeleteFunc(over, func(o operation, _ engine.Class) bool {
					return o.path == m.Record.Path || strings.HasPrefix(o.path, m.Record.Path+"/")
				})
			}
		case MomentBegan:
			if class := over[operationOf(m.Invoke)]; class != 0 {
				p.add("attempt %d of %s begins after one was %s", m.Invoke.Attempt, operationOf(m.Invoke), class)
			}
		case MomentEnded:
			out := m.Outcome.Class
			if m.Invoke.Op != engine.OpProbe && (out == engine.Applied || out == engine.Rejected) {
				over[operationOf(m.Invoke)] = out
			}
		}
	}
	return p
}

func neverBothAtOnce(r *Run) (p problems) {
	running := map[string]engine.Op{}
	for _, m := range r.Moments {
		switch m.Kind {
		case MomentBegan:
			if op := running[m.Invoke.Path]; op != 0 {
				p.add("the %s begins while the %s runs", operationOf(m.Invoke), op)
			}
			running[m.Invoke.Path] = m.Invoke.Op
		case MomentEnded:
			delete(running, m.Invoke.Path)
		}
	}
	return p
}

func nothingRunsClosed(r *Run) (p problems) {
	if !r.closed() {
		return nil
	}
	running := map[*engine.Invocation]bool{}
	for _, m := range r.Moments {
		switch m.Kind {
		case MomentBegan:
			running[m.Invoke] = true
		case MomentEnded:
			delete(running, m.Invoke)
		}
	}
	for inv := range running {
		p.add("attempt %d of %s runs on", inv.Attempt, operationOf(inv))
	}
	slices.Sort(p)
	return p
}

func nothingBeginsClosed(r *Run) (p problems) {
	closed := false
	for _, m := range r.Moments {
		switch {
		case m.Kind == MomentRecorded && m.Record.Transition == engine.TransitionClosed:
			closed = true
		case m.Kind == MomentBegan && closed:
			p.add("attempt %d of %s begins", m.Invoke.Attempt, operationOf(m.Invoke))
		case m.Kind == MomentRecorded && closed && m.Record.Transition != engine.TransitionRefused:
			p.add("%s of %s is told", m.Record.Transition, m.Record.Path)
		}
	}
	return p
}
