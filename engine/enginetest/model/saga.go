package model

import (
	"slices"
	"strconv"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// saga is a saga that is being interpreted.
type saga struct {
	*world
	plan      *dsl.Plan
	start     *engine.Start
	family    *family
	startedAt time.Time
	lastEvent time.Time

	root   *frame   // the saga itself, around all its steps
	frames []*frame // steps that were reached, in order
	open   []*pause // what open leaves wait for

	entries    []*entry // armed compensations, in order of completion (S6)
	recoveries []*recovery
	failures   int

	pivot     *frame // a pivot whose outcome is open
	committed bool   // the point of no return has passed (S11)
	held      *held  // a cancel that waits for the pivot (S13)
	closed    bool   // nothing happens any more
	grace     *appointment

	inbox []*engine.Signal // messages that nobody has taken, oldest first
	seen  map[string]bool  // IDs of messages

	taken         map[string]string // operators' commands with all they bring along, by ID
	interventions int
	forced        bool // a skip or a resolve was needed (S19)

	output      any
	outputError bool
	trace       []string
	waiting     map[string]bool // what stands in the trace until it closes
}

// world is what all sagas of a family share.
type world struct {
	participants *Participants
	wrong        mistake // what is done wrong on purpose

	now         time.Time
	agenda      []*appointment
	appointed   int
	strands     []*strand
	invocations []Invoked
	replies     map[string]engine.Reply
}

// Run interprets a saga until it closes, or until nothing more can happen to it.
func Run(plan *dsl.Plan, start *engine.Start, at time.Time, script *Script) *Observed {
	return run(plan, start, at, script, "")
}

// run is Run with a mistake; empty: without.
func run(plan *dsl.Plan, start *engine.Start, at time.Time, script *Script, wrong mistake) *Observed {
	w := &world{participants: NewParticipants(script), wrong: wrong, now: at, replies: map[string]engine.Reply{}}
	defer w.abandon()
	s := w.saga(plan, start)
	s.family = &family{id: start.ID, startedAt: at}
	s.at(at, "", func() { s.spawn(s.main) })
	for i, h := range script.Outside {
		w.at(nil, at.Add(h.After), "", func() { s.happens(strconv.Itoa(i), h) })
	}
	for next := w.soonest(); next != nil && !s.closed; next = w.soonest() {
		w.now = next.at
		if next.saga == nil {
			next.do()
		} else {
			next.saga.event(next.do)
		}
	}
	return s.observed()
}

// saga gives a saga that has not begun.
func (w *world) saga(plan *dsl.Plan, start *engine.Start) *saga {
	return &saga{
		world: w, plan: plan, start: start, startedAt: w.now,
		root: &frame{scope: outermost(start, w.now), state: engine.StateRunning},
		seen: map[string]bool{}, taken: map[string]string{}, waiting: map[string]bool{},
	}
}

// event lets something happen to a saga, and whatever follows from it at once.
// To one that has closed nothing happens.
func (s *saga) event(do func()) {
	if s.closed {
		return
	}
	s.lastEvent = s.now
	do()
	s.settle()
	if s.closed && s.family.report != nil {
		s.family.report()
	}
}

// abandon ends the strands of sagas that are not looked at any more.
func (w *world) abandon() {
	for _, x := range w.strands {
		x.stop()
	}
}

// main is the life of a saga: its steps, and the way back if they fail.
func (s *saga) main(x *strand) {
	if limit := s.plan.Deadline; limit != nil {
		after, err := limit.Eval(s.root.scope.env)
		if err != nil {
			s.leave(s.root, nil, engine.Failure{Kind: engine.CauseError, Code: engine.CodeExpression}, nil)
		} else {
			s.at(s.now.Add(after), "", s.deadline)
		}
	}
	_, how := s.steps(x, s.root, nil, s.root.scope, s.plan.Steps)
	switch {
	case s.closed: // by a step that completes it
	case how == well:
		s.complete(s.plan.Output, s.root.scope)
	default:
		s.cancelled(s.grace)
		s.recover(x, s.root)
		s.closed = true
	}
}

// complete ends the saga well. An output that cannot be computed takes nothing
// back (S25).
func (s *saga) complete(output *dsl.Value, in *scope) {
	value, err := output.Eval(in.env)
	if err != nil {
		value, s.outputError = nil, true
	}
	s.output, s.closed = value, true
}

// happens takes in what comes from outside.
func (s *saga) happens(request string, h Happening) {
	switch {
	case h.Cancel:
		s.event(func() { s.cancel(request) })
	case h.Signal != nil:
		s.event(func() { s.signal(request, h.Signal) })
	default:
		to := s.addressee(h.Operator.Path)
		to.event(func() { to.operate(request, h.Operator) })
	}
}

// accept and refuse answer a request, if it was one.
func (s *saga) accept(request string) {
	if request == "" {
		return
	}
	s.replies[request] = engine.Reply{Request: request, Accepted: true}
}

func (s *saga) refuse(request, code string) {
	if request == "" {
		return
	}
	s.replies[request] = engine.Reply{Request: request, Code: code}
}

// held is a cancel or a deadline that waits for the outcome of the pivot.
type held struct {
	cause    engine.Failure
	requests []string
}

// cancel turns the saga around, or is refused (S13).
func (s *saga) cancel(request string) {
	switch {
	case s.committed:
		s.refuse(request, engine.RefusedCommitted)
	case s.root.failure != nil: // it is on its way back already
		s.accept(request)
		if s.wrong != waitsForSiblings {
			s.graceBegins()
		}
	default:
		s.turn(engine.Failure{Kind: engine.CauseCancel, Code: engine.CodeCancelled}, request)
	}
}

// deadline acts as a cancel with a cause of its own (S14).
func (s *saga) deadline() {
	switch {
	case s.committed:
	case s.root.failure != nil:
		s.graceBegins()
	default:
		s.turn(engine.Failure{Kind: engine.CauseDeadline, Code: engine.CodeDeadline}, "")
	}
}

// turn turns the saga around. If the pivot may have had its effect, or may have
// it yet, that waits until its outcome is known; what holds it up first is the
// cause.
func (s *saga) turn(cause engine.Failure, request string) {
	if s.pivot == nil || !s.mayStillDecide(s.pivot) || s.wrong == cancelsThePivot {
		s.turned(&held{cause, []string{request}})
		return
	}
	if s.held == nil {
		s.held = &held{cause: cause}
	}
	s.held.requests = append(s.held.requests, request)
	if s.pivot.child != nil {
		s.cancelChild(s.pivot)
	}
}

// mayStillDecide says whether a pivot runs or is in doubt. While it waits for
// another attempt after one that was not sent it is neither.
func (s *saga) mayStillDecide(pivot *frame) bool {
	if pivot.child != nil {
		return true // whether it still can turn around is its own to say
	}
	a := pivot.action
	return a.ambiguous || a.applied || slices.ContainsFunc(s.open, func(p *pause) bool {
		return p.frame == pivot && p.what != aTime
	})
}

// turned lets a cancel win: everything is left, without a catch.
func (s *saga) turned(h *held) {
	s.held = nil
	for _, request := range h.requests {
		s.accept(request)
	}
	s.leave(s.root, nil, h.cause, nil)
	s.graceBegins()
}

// graceBegins lets what runs be cut when its grace is over.
func (s *saga) graceBegins() {
	if s.grace != nil || len(s.open) == 0 {
		return
	}
	s.grace = s.at(s.now.Add(s.plan.CancelGrace), "", func() {
		for _, p := range s.open {
			s.cut(p)
		}
	})
}

// commit passes the point of no return: nothing is compensated any more (S11,
// S12), and a cancel that waited is refused (S13).
func (s *saga) commit() {
	s.committed, s.entries = true, nil
	if s.held != nil {
		for _, request := range s.held.requests {
			s.refuse(request, engine.RefusedCommitted)
		}
		s.held = nil
	}
}
