package engine

import (
	"slices"
	"time"

	"github.com/sagad/sagad/dsl"
)

// Machine is the state of one saga. It is not safe for concurrent use.
type Machine struct {
	plan  *dsl.Plan
	start *Start

	startedAt time.Time
	now       time.Time // of the event being taken
	keyPrefix string    // parts that all idempotency keys of the saga share
	keySuffix string
	prefix    string   // of the paths of a child's steps
	sensitive []string // values that are not shown

	root   *node
	nodes  []*node // every node, in order of creation
	leaves []*node // open leaves, in order of opening

	stalled []*node // foreach blocks with items that maxOpen holds back

	flights []flight // invocations that have not closed
	timers  []timer  // timers that have not fired
	flown   int      // invocations and children so far
	timed   int      // timers so far

	armed     []*entry // open entries whose action has closed, in completion order (S6)
	undoing   []*entry // those of them whose compensation is scheduled
	round     int      // of the search for compensations to start
	parks     int      // operations that are parked
	unwinds   []*node  // nodes that are being recovered from, in order of failure
	pivot     *node    // the pivot that has been scheduled and not closed
	committed bool     // the point of no return has passed (S11)
	confirmed bool     // an operator lets it go on after a reset
	pending   *pending // a cancel that waits for the pivot (S13)
	deadline  int      // timer of the deadline; 0: none
	grace     int      // timer of cancelGrace; 0: not begun, graceIsOver

	inbox inbox
	trace trace

	commanded     map[string]string // operator commands that were taken, with their paths, by ID
	interventions int
	forced        bool // a skip or resolve was needed (S19)

	closed      bool
	closedAt    time.Time
	cause       *Failure
	output      any
	outputError string

	out []Command

	explain func(Evaluation) // nil: nobody is told
}

// flight is an invocation on its way: of a step's action or probe, or of an
// entry's compensation.
type flight struct {
	id    int
	op    Op // 0: a child saga
	node  *node
	entry *entry
}

// timerUse says what a timer is for.
type timerUse uint8

const (
	timerBackoff timerUse = iota + 1
	timerProbe
	timerWait
	timerCompensation
	timerDeadline
	timerGrace
)

type timer struct {
	id    int
	use   timerUse
	node  *node
	entry *entry
	at    time.Time // when it fires
}

// command asks for the timer.
func (t *timer) command() Command {
	c := Command{Kind: CommandStartTimer, ID: t.id, At: t.at}
	if t.node != nil {
		c.Path = t.node.path
	}
	return c
}

// New gives a machine that runs plan and waits for EventStarted.
func New(plan *dsl.Plan) *Machine {
	n := plan.StepCount()
	return &Machine{
		plan: plan, root: &node{state: StateRunning},
		nodes: make([]*node, 0, n),
		trace: trace{items: make([]traceItem, 0, n)},
		out:   make([]Command, 0, 4),
	}
}

// Step takes one event and gives the commands that follow from it, in order.
// The slice is valid until the next call. Events for an invocation or a timer
// that is not open any more are without effect, and so is every event but a
// request after the saga has closed.
func (m *Machine) Step(ev Event) []Command {
	m.out = m.out[:0]
	if ev.At.After(m.now) {
		m.now = ev.At
	}
	if m.closed {
		m.refuseClosed(ev)
		return m.out
	}
	switch ev.Kind {
	case EventStarted:
		m.begun(ev.Start)
	case EventClosed:
		m.invocationClosed(ev.ID, ev.Outcome)
	case EventTimer:
		m.timerFired(ev.ID)
	case EventSignal:
		m.signalled(ev.Signal, ev.Request)
	case EventCancel:
		m.cancel(ev.Request)
	case EventOperator:
		m.operate(ev.Operator, ev.Request)
	case EventChildClosed:
		m.childReported(ev.ID, ev.Child)
	}
	m.startStalled()
	m.pump()
	return m.out
}

// Closed says whether the saga has ended. Nothing runs then.
func (m *Machine) Closed() bool { return m.closed }

// StartedAt is the instant of the saga's first event, UTC.
func (m *Machine) StartedAt() time.Time { return m.startedAt }

// Committed says whether the saga has passed its point of no return (S11).
func (m *Machine) Committed() bool { return m.committed }

// Confirmed says that an operator has seen that the saga was reset across its
// point of no return, and lets it go on.
func (m *Machine) Confirmed() bool { return m.confirmed }

// begun starts the saga.
func (m *Machine) begun(s *Start) {
	m.identify(s, m.now)
	m.root.scheduledAt = m.now
	m.record(Record{Transition: TransitionStarted})
	top := rootScope(s, m.now)
	top.explain(m.explain)
	if m.plan.Deadline != nil {
		limit, err := m.plan.Deadline.Eval(top.env)
		if err != nil {
			m.unwindTo(m.root, nil, m.expressionFailure(nil, err), nil)
			return
		}
		m.deadline = m.startTimer(timer{use: timerDeadline}, m.now.Add(limit))
	}
	m.run(m.root, roleBody, 0, m.plan.Steps, top)
}

// identify takes in who the saga is: what follows from it is in no snapshot.
func (m *Machine) identify(s *Start, startedAt time.Time) {
	m.start, m.startedAt = s, startedAt
	m.keyPrefix, m.keySuffix = keyPrefix(s.Tenant, s.ID), keySuffix(startedAt)
	if p := s.Parent; p != nil {
		m.keyPrefix, m.keySuffix, m.prefix = keyPrefix(s.Tenant, p.Root), keySuffix(p.StartedAt), p.Prefix
	}
	m.sensitive = m.plan.SensitiveValues(s.Input)
	slices.SortStableFunc(m.sensitive, func(a, b string) int { return len(b) - len(a) }) // no rest of a longer one is left
}

// invocationClosed hands an outcome to the operation it belongs to.
func (m *Machine) invocationClosed(id int, out Outcome) {
	out.Message, out.Code = clip(out.Message, maxMessage), clip(out.Code, maxCode)
	for i, f := range m.flights {
		if f.id != id {
			continue
		}
		m.flights = append(m.flights[:i], m.flights[i+1:]...)
		switch f.op {
		case OpAction:
			m.actionClosed(f.node, out)
		case OpProbe:
			m.probeClosed(f.node, out)
		case OpCompensation:
			m.compensationClosed(f.entry, out)
		}
		return
	}
}

// timerFired hands a timer to what waits for it.
func (m *Machine) timerFired(id int) {
	for i, t := range m.timers {
		if t.id != id {
			continue
		}
		m.timers = append(m.timers[:i], m.timers[i+1:]...)
		switch t.use {
		case timerBackoff:
			m.attempt(t.node)
		case timerProbe:
			m.probe(t.node)
		case timerWait:
			m.waitOver(t.node)
		case timerCompensation:
			m.compensate(t.entry)
		case timerDeadline:
			m.deadlinePassed()
		case timerGrace:
			m.graceOver()
		}
		return
	}
}

// invoke sends one attempt out.
func (m *Machine) invoke(f flight) {
	m.flown++
	f.id = m.flown
	m.flights = append(m.flights, f)
	m.out = append(m.out, Command{Kind: CommandInvoke, ID: f.id, Invoke: m.invocation(f)})
}

// invocation gives an attempt that is on its way as it is sent out.
func (m *Machine) invocation(f flight) *Invocation {
	n, c, spec := f.node, f.node.call, f.node.step.Call
	inv := &Invocation{ID: f.id, Op: f.op, Path: n.path, ActionKey: c.key, Sensitive: m.sensitive}
	switch f.op {
	case OpAction:
		inv.Activity, inv.Timeout, inv.Key = spec.Activity, spec.Timeout, c.key
		inv.Attempt, inv.Generation, inv.Input = c.attempts, c.generation, c.input
	case OpProbe:
		inv.Activity, inv.Asks, inv.Timeout, inv.Key = spec.Probe.Activity, spec.Activity, spec.Probe.Timeout, m.operationKey(n.path, OpProbe, c.generation)
		inv.Attempt, inv.Generation, inv.Input = c.attempts, c.generation, c.probeInput
	case OpCompensation:
		e := f.entry
		inv.Activity, inv.Timeout, inv.Key = spec.Compensate.Activity, spec.Compensate.Timeout, e.key
		inv.Attempt, inv.Generation, inv.Input = e.attempts, e.generation, e.input
	}
	return inv
}

// inFlight gives the invocation of n's action or probe, or 0.
func (m *Machine) inFlight(n *node) int {
	for _, f := range m.flights {
		if f.node == n && f.entry == nil {
			return f.id
		}
	}
	return 0
}

// compensates says whether an attempt at e's compensation is on its way.
func (m *Machine) compensates(e *entry) bool {
	return slices.ContainsFunc(m.flights, func(f flight) bool { return f.entry == e })
}

// startTimer asks for a timer and gives its ID.
func (m *Machine) startTimer(t timer, at time.Time) int {
	m.timed++
	t.id, t.at = m.timed, at
	m.timers = append(m.timers, t)
	m.out = append(m.out, t.command())
	return t.id
}

// stopTimers takes back the timers of a node's action.
func (m *Machine) stopTimers(n *node) {
	for i := 0; i < len(m.timers); {
		if t := m.timers[i]; t.node == n && t.entry == nil {
			m.stopTimer(t.id)
			continue
		}
		i++
	}
}

// stopTimer takes back one timer; 0 is none.
func (m *Machine) stopTimer(id int) {
	for i, t := range m.timers {
		if t.id == id {
			m.timers = append(m.timers[:i], m.timers[i+1:]...)
			m.out = append(m.out, Command{Kind: CommandCancelTimer, ID: id})
			return
		}
	}
}

// record tells whoever watches of a transition.
func (m *Machine) record(r Record) {
	r.At = m.now
	if r.Message != "" {
		r.Message = m.redact(r.Message)
	}
	m.out = append(m.out, Command{Kind: CommandRecord, Record: r})
}

// reply answers a request, if anyone waits for the answer.
func (m *Machine) reply(r Reply) {
	if r.Request != "" {
		m.out = append(m.out, Command{Kind: CommandReply, Reply: r})
	}
}

// maxMessage bounds the text of an error that a participant sends, in bytes:
// it is kept in state, history and results.
const maxMessage = 4096

// maxCode bounds an error's code likewise. No code in use comes near it.
const maxCode = 128

// clip cuts a text to so many bytes, and says that it did.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	cut := limit
	for cut > 0 && s[cut]&0xc0 == 0x80 { // not inside a character
		cut--
	}
	return s[:cut] + "…"
}
