package engine

import (
	"slices"
	"strings"
	"time"
)

// parking is why an operation waits for an operator (S17).
type parking struct {
	op      Op
	failure Failure
	state   State // of the step if the operator says nothing else: rejected, unknown or failed
	since   time.Time
}

// park keeps n open until an operator decides (S12, S17).
func (m *Machine) park(n *node, f Failure, state State) {
	if !slices.Contains(m.leaves, n) {
		m.openLeaf(n)
	}
	m.parks++
	n.parked = &parking{op: OpAction, failure: f, state: state, since: m.now}
	n.state, n.code = StateParked, f.Code
	if n.leaf() {
		m.trace.park(n.path, markOpen)
	}
	m.record(Record{Transition: TransitionParked, Path: n.path, Op: OpAction, Attempt: n.attempts(), Code: f.Code, Message: f.Message})
}

// parkEntry keeps a compensation open until an operator decides.
func (m *Machine) parkEntry(e *entry) {
	m.settled(e)
	m.parks++
	e.state = StateParked
	e.parked = &parking{op: OpCompensation, failure: e.last, state: StateParked, since: m.now}
	e.node.state, e.node.code = StateParked, e.last.Code
	m.trace.park("~"+e.node.path, markFailed)
	m.record(Record{Transition: TransitionParked, Path: e.node.path, Op: OpCompensation, Attempt: e.attempts, Code: e.last.Code, Message: e.last.Message})
}

// unpark takes back park: an operator, or a child that was read, has decided.
func (m *Machine) unpark(n *node) {
	if n.parked != nil {
		n.parked = nil
		m.parks--
	}
}

// unparkEntry takes back parkEntry.
func (m *Machine) unparkEntry(e *entry) {
	if e.parked != nil {
		e.parked = nil
		m.parks--
	}
}

// Parked is one operation that waits for an operator.
type Parked struct {
	Path     string    `json:"path"`
	Op       Op        `json:"op"`
	Code     string    `json:"code"`
	Message  string    `json:"message"`
	Since    time.Time `json:"since"`
	Commands []string  `json:"commands"` // operator commands that fit
}

// parkedList gives what is parked, ordered by path.
func (m *Machine) parkedList() []Parked {
	var list []Parked
	add := func(path string, p *parking, commands []string) {
		list = append(list, Parked{Path: path, Op: p.op, Code: p.failure.Code, Message: m.redact(p.failure.Message), Since: p.since, Commands: commands})
	}
	for _, n := range m.leaves {
		if n.parked != nil {
			add(n.path, n.parked, n.commands())
		}
	}
	for _, e := range m.armed {
		if e.parked != nil {
			add(e.node.path, e.parked, []string{CommandRetry, CommandSkip, CommandResolve})
		}
	}
	slices.SortFunc(list, func(a, b Parked) int { return strings.Compare(a.Path, b.Path) })
	return list
}

// commands gives the operator commands that fit a parked step: what may have
// happened has to be resolved, it cannot be skipped.
func (n *node) commands() []string {
	switch {
	case n.child != nil && n.parked.state == StateUnknown && n.child.report == nil:
		return []string{} // its state is being read (S9)
	case n.child != nil && n.parked.state == StateUnknown, n.call != nil && n.call.applied:
		return []string{CommandResolve}
	case n.parked.state == StateUnknown:
		return []string{CommandRetry, CommandResolve}
	case n.decisive() && n.call != nil:
		return []string{CommandRetry, CommandSkip, CommandResolve}
	default:
		return []string{CommandRetry, CommandSkip}
	}
}
