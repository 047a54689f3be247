package engine

import (
	"strconv"
	"time"

	"github.com/sagad/sagad/dsl"
)

// State is where a step stands.
type State string

// The states of a step. A step with an effect ends rejected or unknown when it
// fails (S2), a step without one ends failed.
const (
	StatePending      State = "pending"
	StateRunning      State = "running"
	StateSucceeded    State = "succeeded"
	StateSkipped      State = "skipped"
	StateFailed       State = "failed"
	StateRejected     State = "rejected"
	StateUnknown      State = "unknown"
	StateParked       State = "parked"
	StateCompensating State = "compensating"
	StateCompensated  State = "compensated"
)

// The states of a compensation, beside compensating, compensated, parked and
// skipped.
const (
	StateArmed    State = "armed"    // it runs if the saga turns around
	StateDisarmed State = "disarmed" // it never runs: the saga has passed the point of no return, or has ended
)

// node is one step that has been reached, or the saga itself (step is nil).
type node struct {
	step  *dsl.Step
	in    *block // nil for the saga
	path  string
	state State
	code  string // of the last failure
	done  bool   // closed well, or skipped: its block goes on

	open     int      // open leaves at this node and beneath
	armed    int      // open entries at this node and beneath
	later    tally    // what startCompensations has passed by here
	blocks   []*block // body, branches, items; the handler stands last
	handling bool     // its own catch has been taken
	unwind   *unwind  // set while errors inside it are being recovered from

	call   *call
	wait   *wait
	child  *child
	join   *join
	parked *parking

	scheduledAt, closedAt time.Time
	actedAt               time.Time // when its action had closed, once its compensation has closed too
}

// parent gives the node around n, or nil for the saga.
func (n *node) parent() *node {
	if n.in == nil {
		return nil
	}
	return n.in.owner
}

// within says whether n is t or stands inside it.
func (n *node) within(t *node) bool {
	for ; n != nil; n = n.parent() {
		if n == t {
			return true
		}
	}
	return false
}

// stopped says whether n stands in a block that starts nothing any more.
func (n *node) stopped() bool { return n.in != nil && n.in.halted() }

// effect is the effect of n's action; what is neither a call nor a child has none.
func (n *node) effect() dsl.Effect {
	switch n.step.Kind {
	case dsl.KindCall:
		return n.step.Call.Effect
	case dsl.KindSaga:
		return childEffect(n.step.Child)
	}
	return dsl.EffectNone
}

// decisive says whether n may neither be cut nor be left in doubt: it stands at
// or after the point of no return.
func (n *node) decisive() bool {
	e := n.effect()
	return e == dsl.EffectPivot || e == dsl.EffectRetriable
}

// blockRole says why a block runs.
type blockRole uint8

const (
	roleBody    blockRole = iota // the one list of steps of its owner
	roleBranch                   // one of several that are not ordered among each other
	roleHandler                  // a catch
)

// block is a list of steps that run one after the other.
type block struct {
	owner    *node
	role     blockRole
	index    int // of the branch, item, case or catch
	steps    []*dsl.Step
	scope    *scope
	next     int // index of the next step to enter
	current  *node
	last     any       // output of the last step that ran
	lastStep *dsl.Step // that step; nil: none

	stopped   bool // starts nothing any more
	advancing bool // advance is on the stack

	later tally // what startCompensations has passed by here
}

// halted says whether b, or a block around it, starts nothing any more.
func (b *block) halted() bool {
	for ; b != nil; b = b.owner.in {
		if b.stopped {
			return true
		}
	}
	return false
}

// enter reaches a step of b and starts it.
func (m *Machine) enter(b *block, step *dsl.Step) *node {
	path := m.prefix + step.ID
	if b.scope.keys != "" {
		path += b.scope.keys
	}
	n := &node{step: step, in: b, path: path, state: StateRunning, scheduledAt: m.now}
	b.current = n
	m.nodes = append(m.nodes, n)
	if m.explain != nil {
		m.explain(Evaluation{Entered: path})
	}
	m.begin(n)
	return n
}

// begin starts a step, or starts it again after it was parked.
func (m *Machine) begin(n *node) {
	step := n.step
	if step.If != nil {
		holds, err := step.If.Bool(n.in.scope.env)
		if err != nil {
			m.failExpression(n, err)
			return
		}
		if !holds {
			m.skip(n)
			return
		}
	}
	switch step.Kind {
	case dsl.KindCall:
		m.beginCall(n)
	case dsl.KindParallel:
		m.beginParallel(n)
	case dsl.KindForeach:
		m.beginForeach(n)
	case dsl.KindSwitch:
		m.beginSwitch(n)
	case dsl.KindScope:
		m.runBody(n, step.Scope.Do)
	case dsl.KindAwait:
		m.beginAwait(n)
	case dsl.KindSleep:
		m.beginSleep(n)
	case dsl.KindSet:
		m.beginSet(n)
	case dsl.KindFail:
		m.beginFail(n)
	case dsl.KindComplete:
		m.beginComplete(n)
	case dsl.KindSaga:
		m.beginChild(n)
	default:
		panic("engine: step " + step.ID + " has kind " + strconv.Itoa(int(step.Kind)) + ", which no plan of this language version holds")
	}
}

// advance enters the steps of b until one of them has to wait or fails.
func (m *Machine) advance(b *block) {
	if b.advancing {
		return // the loop below is on the stack and goes on by itself
	}
	b.advancing = true
	for !m.closed && b.next < len(b.steps) && (b.current == nil || b.current.done) && !b.halted() {
		step := b.steps[b.next]
		b.next++
		m.enter(b, step)
	}
	b.advancing = false
	if b.next == len(b.steps) && (b.current == nil || b.current.done) && !m.closed && !b.halted() {
		m.blockDone(b)
	}
}

// skip closes a step whose condition does not hold.
func (m *Machine) skip(n *node) {
	n.state, n.done, n.closedAt = StateSkipped, true, m.now
	n.in.scope.setOutput(n.step.ID, nil)
	m.record(Record{Transition: TransitionSkipped, Path: n.path})
	m.advance(n.in)
}

// succeed closes a step well and goes on with the next.
func (m *Machine) succeed(n *node, output any) {
	n.done = true
	if !n.handling { // a step that was caught stays what it was
		n.state, n.code, n.closedAt = StateSucceeded, "", m.now
	}
	n.in.scope.setOutput(n.step.ID, output)
	n.in.last, n.in.lastStep = output, n.step
	m.advance(n.in)
}

// succeedLeaf closes a leaf well: it stands in the trace.
func (m *Machine) succeedLeaf(n *node, output any) {
	m.closeLeaf(n)
	m.trace.add(n.path, markOK)
	m.record(Record{Transition: TransitionSucceeded, Path: n.path, Attempt: n.attempts()})
	m.succeed(n, output)
}

// openLeaf counts n as something that has to close before what is around it.
func (m *Machine) openLeaf(n *node) {
	n.scheduledAt = m.now
	for a := n; a != nil; a = a.parent() {
		a.open++
	}
	m.leaves = append(m.leaves, n)
}

// closeLeaf takes back openLeaf. It does nothing for a node that is not open.
func (m *Machine) closeLeaf(n *node) {
	for i, l := range m.leaves {
		if l != n {
			continue
		}
		m.leaves = append(m.leaves[:i], m.leaves[i+1:]...)
		for a := n; a != nil; a = a.parent() {
			a.open--
		}
		return
	}
}

// attempts is the number of attempts at n's action.
func (n *node) attempts() int {
	if n.call == nil {
		return 0
	}
	return n.call.attempts
}
