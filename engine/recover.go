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

	state     State     // armed, compensating, parked; or what closed it
	running   bool      // scheduled, and neither closed nor parked
	attempts  int       // so far; they number the attempts and never start again
	spent     int       // attempts before the operator's last retry
	since     time.Time // first scheduling, or the operator's last retry
	ambiguous bool      // an attempt may have had the effect
	last      Failure
	parked    *parking
}

// arm gives an entry its place in the completion order.
func (m *Machine) arm(e *entry) {
	e.state = StateArmed
	m.armed = append(m.armed, e)
	for n := e.node; n != nil; n = n.parent() {
		n.armed++
	}
}

// drop takes an entry out of the order.
func (m *Machine) drop(e *entry) {
	for i := len(m.armed) - 1; i >= 0; i-- { // mostly the last
		if m.armed[i] != e {
			continue
		}
		m.armed = slices.Delete(m.armed, i, i+1)
		for n := e.node; n != nil; n = n.parent() {
			n.armed--
		}
		return
	}
}

// disarm takes all entries out of the order: none of them runs any more.
func (m *Machine) disarm() {
	for _, e := range m.armed {
		e.state = StateDisarmed
		for n := e.node; n != nil; n = n.parent() {
			n.armed--
		}
	}
	m.armed = nil
}

// maxCompensating bounds how many compensations of a saga run at the same time,
// as foreach bounds its actions.
const maxCompensating = 500

// startCompensations schedules every compensation whose turn it is: exact
// reverse completion order, one at a time across the whole saga (S6), except
// inside blocks with parallel compensation (S7) and past parked entries that
// the flow does not order with it (S17). It goes from the last entry back, no
// further than others may start.
func (m *Machine) startCompensations() {
	for _, t := range m.unwinds {
		if !t.unwind.recovering {
			continue
		}
		m.round++
		seen := 0
		for i := len(m.armed) - 1; i >= 0 && seen < t.armed && len(m.undoing) < maxCompensating; i-- {
			e := m.armed[i]
			if !e.node.within(t) {
				continue
			}
			seen++
			if !e.running && e.parked == nil && m.mayCompensate(e) {
				m.compensate(e)
			}
			stuck := e.parked != nil || m.beforeStuck(e)
			if !stuck && !e.besides() {
				break // everything before it waits for it
			}
			m.passBy(e, stuck)
		}
	}
}

// tally counts the open entries that startCompensations has gone past in one
// round: those of a block or a step that completed later than the one it
// looks at. Stuck are those that wait for an operator.
type tally struct{ round, open, stuck int }

func (c *tally) of(round int) tally {
	if c.round != round {
		return tally{}
	}
	return *c
}

func (c *tally) add(round int, stuck bool) {
	*c = c.of(round)
	c.round = round
	c.open++
	if stuck {
		c.stuck++
	}
}

// passBy notes that e stands open behind what comes next.
func (m *Machine) passBy(e *entry, stuck bool) {
	for n := e.node; n != nil; n = n.parent() {
		n.later.add(m.round, stuck)
		if n.in != nil {
			n.in.later.add(m.round, stuck)
		}
	}
}

// beforeStuck says whether e comes in the flow before an entry that is parked,
// or before one that does: it waits for an operator, too (S17).
func (m *Machine) beforeStuck(e *entry) bool {
	for n := e.node; n.in != nil; n = n.parent() {
		b := n.in
		inside, inBlock, inFork := n.later.of(m.round), b.later.of(m.round), b.owner.later.of(m.round)
		if inBlock.stuck > inside.stuck || (b.role != roleBranch && inFork.stuck > inBlock.stuck) {
			return true
		}
	}
	return false
}

// besides says whether e stands in a block whose branches or items compensate
// at the same time.
func (e *entry) besides() bool {
	for b := e.node.in; b != nil; b = b.owner.in {
		if b.role == roleBranch && compensatesInParallel(b.owner) {
			return true
		}
	}
	return false
}

// mayCompensate says whether it is e's turn: nothing that completed later is
// open but in branches or items beside it that wait for an operator or compensate
// at the same time, and nothing runs but in the latter.
func (m *Machine) mayCompensate(e *entry) bool {
	for n := e.node; n.in != nil; n = n.parent() {
		b, fork := n.in, n.in.owner
		inside, inBlock, inFork := n.later.of(m.round), b.later.of(m.round), fork.later.of(m.round)
		if inBlock.open > inside.open {
			return false // in the same list of steps
		}
		open, stuck := inFork.open-inBlock.open, inFork.stuck-inBlock.stuck
		if open > 0 && (b.role != roleBranch || (open > stuck && !compensatesInParallel(fork))) {
			return false
		}
	}
	for _, r := range m.undoing {
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
		m.undoing = append(m.undoing, e)
	}
	e.attempts++
	n.state, e.state = StateCompensating, StateCompensating
	m.record(Record{Transition: TransitionCompensating, Path: n.path, Op: OpCompensation, Activity: spec.Activity, Attempt: e.attempts})
	m.invoke(flight{op: OpCompensation, node: n, entry: e})
}

// compensationClosed follows up on an attempt at a compensation: it is retried
// until its window closes, then parks; a rejection parks at once (S16).
func (m *Machine) compensationClosed(e *entry, out Outcome) {
	if out.Class == Applied {
		m.compensated(e)
		return
	}
	n, r := e.node, &e.node.step.Call.Compensate.Retry
	e.ambiguous = e.ambiguous || (out.Class != Rejected && out.Class != NotSent) || out.Code == CodeReset
	e.last = m.failure(n, out.Code, out.Message)
	wait := backoff(r, e.attempts-e.spent)
	at := m.now.Add(wait)
	if out.Class == Rejected || out.Final || out.Code == CodeReset || slices.Contains(r.Never, out.Code) ||
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

// settled notes that e's compensation is not scheduled any more.
func (m *Machine) settled(e *entry) {
	e.running = false
	m.undoing = slices.DeleteFunc(m.undoing, func(x *entry) bool { return x == e })
}

// closeEntry takes an entry out of the order for good.
func (m *Machine) closeEntry(e *entry, state State) {
	m.settled(e)
	m.unparkEntry(e)
	e.state = state
	n := e.node
	if n.actedAt.IsZero() {
		n.actedAt = n.closedAt
	}
	n.state, n.closedAt = state, m.now
	m.drop(e)
}
