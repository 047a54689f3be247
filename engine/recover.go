package engine

import (
	"slices"
	"time"

	"github.com/sagad/sagad/dsl"
)

// entry is an armed compensation. It is made before its action is scheduled
// (S1) and takes its place in the order when the action closes (S6).
type entry struct {
	node       *node
	key        string
	generation int
	input      any // frozen (S5)

	running   bool      // scheduled, and neither closed nor parked
	attempts  int       // so far; they number the attempts and never start again
	spent     int       // attempts before the operator's last retry
	since     time.Time // first scheduling, or the operator's last retry
	ambiguous bool      // an attempt may have had the effect
	last      Failure
	parked    *parking
}

// arm gives an entry its place in the completion order.
func (m *Machine) arm(e *entry) { m.armed = append(m.armed, e) }

// hasArmed says whether anything inside t is still to be compensated.
func (m *Machine) hasArmed(t *node) bool {
	for _, e := range m.armed {
		if e.node.within(t) {
			return true
		}
	}
	return false
}

// maxCompensating bounds how many compensations of a saga run at the same time,
// as foreach bounds its actions.
const maxCompensating = 500

// startCompensations schedules every compensation whose turn it is: exact
// reverse completion order, one at a time across the whole saga (S6), except
// inside blocks with parallel compensation (S7) and past parked entries that
// the flow does not order with it (S17).
func (m *Machine) startCompensations() {
	running := 0
	for _, e := range m.armed {
		if e.running {
			running++
		}
	}
	for _, t := range m.unwinds {
		if !t.unwind.recovering {
			continue
		}
		var later []*entry // open entries of t that completed after e
		for i := len(m.armed) - 1; i >= 0 && running < maxCompensating; i-- {
			e := m.armed[i]
			if !e.node.within(t) {
				continue
			}
			if !e.running && e.parked == nil && m.mayCompensate(e, later) {
				m.compensate(e)
				running++
			}
			later = append(later, e)
		}
	}
}

// mayCompensate says whether it is e's turn.
func (m *Machine) mayCompensate(e *entry, later []*entry) bool {
	for _, l := range later {
		fork, _, _ := forkOf(e.node, l.node)
		if fork == nil {
			return false
		}
		if l.parked == nil && !compensatesInParallel(fork) {
			return false
		}
	}
	for _, r := range m.armed {
		if r == e || !r.running {
			continue
		}
		if fork, _, _ := forkOf(e.node, r.node); fork == nil || !compensatesInParallel(fork) {
			return false
		}
	}
	return true
}

func compensatesInParallel(fork *node) bool {
	if fork.step.Kind == dsl.KindForeach {
		return fork.step.Foreach.ParallelCompensation
	}
	return fork.step.Parallel.ParallelCompensation
}

// compensate sends the compensation out once.
func (m *Machine) compensate(e *entry) {
	n, spec := e.node, e.node.step.Call.Compensate
	if !e.running {
		e.running, e.since = true, m.now
	}
	e.attempts++
	n.state = StateCompensating
	m.record(Record{Transition: TransitionCompensating, Path: n.path, Op: OpCompensation, Activity: spec.Activity, Attempt: e.attempts})
	m.invoke(flight{op: OpCompensation, node: n, entry: e}, &Invocation{
		Path: n.path, Activity: spec.Activity, Key: e.key, ActionKey: n.call.key,
		Attempt: e.attempts, Generation: e.generation, Input: e.input, Timeout: spec.Timeout,
	})
}

// compensationClosed follows up on an attempt at a compensation: it is retried
// until its window closes, then parks; a rejection parks at once (S16).
func (m *Machine) compensationClosed(e *entry, out Outcome) {
	if out.Class == Applied {
		m.compensated(e)
		return
	}
	n, r := e.node, &e.node.step.Call.Compensate.Retry
	e.ambiguous = e.ambiguous || (out.Class != Rejected && out.Class != NotSent)
	e.last = m.failure(n, out.Code, out.Message)
	wait := backoff(r, e.attempts-e.spent)
	at := m.now.Add(wait)
	if out.Class == Rejected || out.Final || slices.Contains(r.Never, out.Code) ||
		(r.Attempts > 0 && e.attempts-e.spent >= r.Attempts) ||
		(r.Within > 0 && at.After(e.since.Add(r.Within))) {
		m.parkEntry(e)
		return
	}
	m.record(Record{Transition: TransitionRetrying, Path: n.path, Op: OpCompensation, Attempt: e.attempts, Code: e.last.Code, Message: e.last.Message, Until: at})
	m.startTimer(timer{use: timerCompensation, node: n, entry: e}, at)
}

// compensated closes an entry: its effect is gone.
func (m *Machine) compensated(e *entry) {
	n := e.node
	m.trace.add("~"+n.path, markOK)
	m.record(Record{Transition: TransitionCompensated, Path: n.path, Op: OpCompensation, Attempt: e.attempts})
	m.closeEntry(e, StateCompensated)
}

// closeEntry takes an entry out of the order.
func (m *Machine) closeEntry(e *entry, state State) {
	e.running, e.parked = false, nil
	e.node.state, e.node.closedAt = state, m.now
	m.armed = slices.DeleteFunc(m.armed, func(x *entry) bool { return x == e })
}
