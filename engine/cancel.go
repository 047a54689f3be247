package engine

// pending is a cancel or deadline that waits for the pivot's outcome.
type pending struct {
	cause    Failure
	requests []string
}

var (
	cancelCause   = Failure{Kind: CauseCancel, Code: CodeCancelled, Message: "cancelled on request"}
	deadlineCause = Failure{Kind: CauseDeadline, Code: CodeDeadline, Message: "the saga's deadline passed"}
)

// cancel takes a request to cancel (S13).
func (m *Machine) cancel(request string) {
	switch {
	case m.committed:
		m.record(Record{Transition: TransitionRefused, Code: RefusedCommitted, Message: "a cancel came after the point of no return"})
		m.reply(refuseCommitted(request))
	case m.root.unwind != nil && m.root.open == 0:
		m.reply(Reply{Request: request, Accepted: true, Message: "the saga is already compensating; nothing changes"})
	case m.root.unwind != nil: // the first cause stays (S7)
		m.startGrace()
		m.reply(Reply{Request: request, Accepted: true, Message: "the saga is already turning back; what still runs is cut after its grace"})
	default:
		m.stopFor(cancelCause, request)
	}
}

// deadlinePassed acts as a cancel that nobody asked for (S14).
func (m *Machine) deadlinePassed() {
	switch {
	case m.committed:
	case m.root.unwind != nil:
		m.startGrace()
	default:
		m.stopFor(deadlineCause, "")
	}
}

// stopFor turns the saga around, now or once the pivot's outcome is known.
func (m *Machine) stopFor(cause Failure, request string) {
	if m.pivot != nil && m.undecided(m.pivot) {
		if m.pending == nil {
			m.pending = &pending{cause: cause}
		}
		if request != "" {
			m.pending.requests = append(m.pending.requests, request)
		}
		if m.pivot.child != nil { // whether it can still turn around is its own to say
			m.cancelChild(m.pivot)
		}
		return
	}
	m.reply(acceptCancel(request))
	m.turnBack(cause)
}

// undecided says whether the pivot may have had its effect, or may have it yet.
// While it only waits for another attempt after none was sent, it has none.
func (m *Machine) undecided(n *node) bool {
	return n.parked != nil || n.child != nil || n.call.ambiguous || n.call.applied || m.inFlight(n) != 0
}

// cancelWins follows up on a pivot that had no effect while a cancel waited.
func (m *Machine) cancelWins() {
	p := m.pending
	m.pending = nil
	for _, request := range p.requests {
		m.reply(acceptCancel(request))
	}
	m.turnBack(p.cause)
}

// turnBack leaves everything, without a catch.
func (m *Machine) turnBack(cause Failure) {
	m.unwindTo(m.root, nil, cause, nil)
	m.startGrace()
}

// graceIsOver stands in place of the timer.
const graceIsOver = -1

// startGrace begins the time that actions have after a cancel to end by
// themselves. It is given once.
func (m *Machine) startGrace() {
	if m.grace == 0 && m.root.open > 0 {
		m.grace = m.startTimer(timer{use: timerGrace}, m.now.Add(m.plan.CancelGrace))
	}
}

// graceOver cuts the actions that still run; they are unknown then. What is
// already being compensated goes on.
func (m *Machine) graceOver() {
	m.grace = graceIsOver
	for _, f := range m.flights {
		if f.entry == nil && f.op != 0 && !f.node.decisive() {
			m.cut(f.id)
		}
	}
}

func acceptCancel(request string) Reply {
	return Reply{Request: request, Accepted: true, Message: "cancelled; what was done, if anything, is compensated"}
}

func refuseCommitted(request string) Reply {
	return Reply{Request: request, Code: RefusedCommitted, Message: "the point of no return has passed; the saga can only go forward"}
}

// refuseClosed answers requests that come after the end.
func (m *Machine) refuseClosed(ev Event) {
	if ev.Request == "" {
		return
	}
	m.reply(Reply{Request: ev.Request, Code: RefusedClosed, Message: "the saga has ended: " + m.Outcome()})
}
