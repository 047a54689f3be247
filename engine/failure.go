package engine

import (
	"slices"
	"strings"

	"github.com/sagad/sagad/dsl"
)

// CauseKind says where the failure of a saga came from.
type CauseKind string

// The kinds of causes.
const (
	CauseError    CauseKind = "error"
	CauseCancel   CauseKind = "cancel"
	CauseDeadline CauseKind = "deadline"
)

// Failure is why a step or a saga failed.
type Failure struct {
	Kind    CauseKind `json:"kind"`
	Step    *string   `json:"step"` // ID; null when no step is to blame
	Path    string    `json:"path,omitempty"`
	Code    string    `json:"code"`
	Message string    `json:"message"`
}

// unwind is the way back from a failure to the savepoint that catches it.
type unwind struct {
	failure    Failure
	handler    *dsl.Catch // nil at the saga itself
	recovering bool       // everything inside has closed; compensations run
}

func (m *Machine) failure(n *node, code, message string) Failure {
	f := Failure{Kind: CauseError, Code: code, Message: message}
	if n != nil {
		f.Step, f.Path = &n.step.ID, n.path
	}
	return f
}

func (m *Machine) expressionFailure(n *node, err error) Failure {
	return m.failure(n, CodeExpression, clip(err.Error(), maxMessage))
}

// failExpression fails a step of which nothing was scheduled (S25).
func (m *Machine) failExpression(n *node, err error) {
	f := m.expressionFailure(n, err)
	if n != nil && n.effect() != dsl.EffectNone {
		m.fail(n, f, StateRejected)
		return
	}
	m.fail(n, f, StateFailed)
}

func (m *Machine) failBlock(n *node, code, message string) {
	m.fail(n, m.failure(n, code, message), StateFailed)
}

// fail closes a step badly and finds who answers for it: a catch, the operator
// once the point of no return has passed (S12), or the saga. Inside a block
// that is being stopped nobody does any more: the first failure is the cause
// (S7).
func (m *Machine) fail(n *node, f Failure, state State) {
	n.code = f.Code
	stopped := n.stopped()
	t, clause := m.catcher(n, f)
	if t == m.root && m.committed && !stopped {
		m.park(n, f, state)
		return
	}
	m.closeLeaf(n)
	n.state, n.closedAt = state, m.now
	if n.leaf() {
		m.trace.add(n.path, failMark(state))
		m.record(Record{Transition: failTransition(state), Path: n.path, Attempt: n.attempts(), Code: f.Code, Message: f.Message})
	}
	if n == m.pivot {
		m.pivot = nil
	}
	switch {
	case stopped:
	case m.pending != nil: // the cancel has waited for this outcome (S13)
		m.cancelWins()
	default:
		m.unwindTo(t, clause, f, n)
	}
}

func failTransition(state State) Transition {
	if state == StateUnknown {
		return TransitionUnknown
	}
	return TransitionFailed
}

// leaf says whether n stands in traces.
func (n *node) leaf() bool {
	switch n.step.Kind {
	case dsl.KindParallel, dsl.KindForeach, dsl.KindSwitch, dsl.KindScope:
		return false
	}
	return true
}

// catcher finds the innermost step around n, n included, with a clause for f
// (S10). Without one it gives the saga.
func (m *Machine) catcher(n *node, f Failure) (*node, *dsl.Catch) {
	for ; n.step != nil; n = n.parent() {
		if n.handling {
			continue // a failure in a handler goes to the next catch outside
		}
		for i := range n.step.Catch {
			c := &n.step.Catch[i]
			if slices.Contains(c.On, f.Code) || slices.Contains(c.On, "*") {
				return n, c
			}
		}
	}
	return n, nil
}

// unwindTo starts the way back from f to t. from is the step that failed; nil
// for a cancel or a deadline, whose causes stand outside the flow.
func (m *Machine) unwindTo(t *node, clause *dsl.Catch, f Failure, from *node) {
	t.unwind = &unwind{failure: f, handler: clause}
	m.unwinds = slices.DeleteFunc(m.unwinds, func(inner *node) bool { return inner.within(t) })
	m.unwinds = append(m.unwinds, t)
	if t == m.root {
		m.cause = &t.unwind.failure
	}
	for _, b := range t.blocks {
		b.stopped = true
	}
	for _, leaf := range m.leavesWithin(t) {
		m.drain(leaf, m.drainPolicy(leaf, from))
	}
}

// leavesWithin gives the open leaves at or inside t, ordered by path.
func (m *Machine) leavesWithin(t *node) []*node {
	var found []*node
	for _, l := range m.leaves {
		if l.within(t) {
			found = append(found, l)
		}
	}
	slices.SortStableFunc(found, func(a, b *node) int { return strings.Compare(a.path, b.path) })
	return found
}

// drainPolicy is the policy of the block in which leaf and the failed step are
// siblings.
func (m *Machine) drainPolicy(leaf, failed *node) dsl.Drain {
	if failed == nil {
		return dsl.DrainWait
	}
	fork, _, _ := forkOf(leaf, failed)
	if fork == nil {
		return dsl.DrainWait
	}
	if fork.step.Kind == dsl.KindForeach {
		return fork.step.Foreach.OnFailure
	}
	return fork.step.Parallel.OnFailure
}

// forkOf finds the parallel or foreach in which a and b stand in different
// branches or items, and these; nil when the flow orders a and b.
func forkOf(a, b *node) (fork *node, inA, inB *block) {
	for x := a.in; x != nil; x = x.owner.in {
		for y := b.in; y != nil; y = y.owner.in {
			if x.owner != y.owner {
				continue
			}
			if x != y && x.role == roleBranch && y.role == roleBranch {
				return x.owner, x, y
			}
			return nil, nil, nil
		}
	}
	return nil, nil, nil
}

// drain ends an open leaf whose block is being stopped: waits, back-offs and
// pauses between probes end at once, a running attempt is awaited (S7, S13).
func (m *Machine) drain(n *node, policy dsl.Drain) {
	if n.parked != nil {
		return // its outcome is not known; only an operator moves it
	}
	if n.child != nil {
		m.cancelChild(n)
		return
	}
	if id := m.inFlight(n); id != 0 {
		if policy == dsl.DrainCancel && !n.decisive() {
			m.cut(id)
		}
		return
	}
	if n.call == nil {
		m.stopTimers(n)
		m.fail(n, m.failure(n, CodeCancelled, "ended with what is around it"), StateFailed)
		return
	}
	if n.decisive() && n.call.ambiguous {
		if !n.call.probing {
			m.stopTimers(n)
			m.park(n, n.call.last, StateUnknown)
		}
		return // its probe goes on: the outcome has to become known
	}
	m.stopTimers(n)
	m.failCall(n)
}

// cut asks for the end of a running invocation.
func (m *Machine) cut(id int) {
	m.out = append(m.out, Command{Kind: CommandCut, ID: id})
}

// pump moves every way back as far as it goes. It runs after each event.
func (m *Machine) pump() {
	for moved := true; moved && !m.closed; {
		moved = false
		for _, t := range m.unwinds {
			if t.open > 0 {
				continue
			}
			if !t.unwind.recovering {
				t.unwind.recovering = true
				m.recovering(t)
			}
			if t.armed == 0 {
				m.recovered(t)
				moved = true
				break
			}
		}
	}
	if !m.closed && len(m.unwinds) > 0 {
		m.startCompensations()
	}
}

// recovering notes that everything inside t has closed.
func (m *Machine) recovering(t *node) {
	if t != m.root {
		return
	}
	m.stopTimer(m.grace)
	f := t.unwind.failure
	m.record(Record{Transition: TransitionCompensating, Code: f.Code, Message: f.Message})
}

// recovered goes on after the last compensation inside t: with the handler, or
// with the end of the saga.
func (m *Machine) recovered(t *node) {
	u := t.unwind
	m.unwinds = slices.DeleteFunc(m.unwinds, func(n *node) bool { return n == t })
	t.unwind = nil
	if t == m.root {
		t.unwind = u
		m.finishBackward()
		return
	}
	t.handling = true
	f := u.failure
	raised := map[string]any{"code": f.Code, "message": f.Message, "step": *f.Step, "path": f.Path}
	m.run(t, roleHandler, clauseIndex(t.step, u.handler), u.handler.Do, t.in.scope.with("error", raised))
}
