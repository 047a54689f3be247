package local

import (
	"container/heap"
	"strconv"
	"strings"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// Script says what happens to a simulated saga from outside.
type Script struct {
	// Answer gives the outcome of an attempt and how long it takes. An attempt
	// that takes longer than its timeout ends as Ambiguous TIMEOUT.
	Answer func(inv *engine.Invocation) (engine.Outcome, time.Duration)
	// Payloads are the schemas that outputs which probes and operators report are
	// checked against. Nil: none.
	Payloads engine.Payloads
	// At gives events from outside, each at a time after the start. Events of
	// one instant keep their order and come before the saga's own.
	At []Timed
	// Until ends the simulation at a time after the start. 0: when nothing
	// happens any more.
	Until time.Duration
	// Family makes the result hold the steps of open children as well.
	Family bool
	// Observe is told of every event that a saga takes, children included, and of the
	// commands that follow. Nil: nobody is told.
	Observe func(id string, ev engine.Event, commands []engine.Command)
	// Message gives what a saga is sent when it begins to await a message: the
	// data, and whether there is any. env is what the await's condition sees beside
	// event. Nil: nothing is sent but what At says.
	Message func(id, path string, await *dsl.Await, env dsl.Env) (data any, ok bool)
	// Explain is told of every expression that a saga of the family evaluates.
	// Nil: nobody is told.
	Explain func(id string, e engine.Evaluation)
}

// Timed is an event from outside.
type Timed struct {
	After time.Duration
	// To is the path of the step whose child saga gets the event; one that does not
	// run then gets nothing. Empty: the saga itself, or the one that an operator's
	// command is about.
	To    string
	Event engine.Event
}

// Simulate runs a saga in virtual time, in the calling goroutine: nothing is
// called and nothing waits, whatever the waits of the definition. The same
// script gives the same result. A saga that can go no further, because it is
// parked or awaits a message that the script does not send, is given as it
// stands.
func Simulate(plan *dsl.Plan, start *engine.Start, at time.Time, script Script) engine.Result {
	s := &simulation{script: script, now: at}
	root := s.begin(plan, start, nil, 0)
	for _, timed := range script.At {
		s.push(&item{at: at.Add(timed.After), saga: root, to: timed.To, event: timed.Event})
	}
	for !root.machine.Closed() && s.queue.Len() > 0 {
		next := heap.Pop(&s.queue).(*item)
		if script.Until > 0 && next.at.After(at.Add(script.Until)) {
			break
		}
		s.now = next.at
		if saga := next.saga.addressee(next.event, next.to); saga != nil {
			s.take(saga, next.event)
		}
	}
	if script.Family {
		return root.result()
	}
	return root.machine.Result()
}

// result gives a saga with the steps of its open children.
func (saga *simulated) result() engine.Result {
	r := saga.machine.Result()
	children := make(map[string]*simulated, len(saga.children))
	for _, c := range saga.children {
		children[c.instance] = c
	}
	for _, id := range r.OpenChildren() {
		if c := children[id]; c != nil {
			r.Include(c.result())
		}
	}
	return r
}

type simulation struct {
	script Script
	now    time.Time
	queue  queue
	pushed int
}

// simulated is one saga of a family.
type simulated struct {
	instance string
	machine  *engine.Machine
	parent   *simulated // nil at the top
	id       int        // that its parent gave it
	path     string     // of its step in the parent
	begun    bool       // it has taken its first event
	timers   map[int]*item
	attempts map[int]*item
	children map[int]*simulated
}

// begin adds a saga, whose first event is the next of this instant.
func (s *simulation) begin(plan *dsl.Plan, start *engine.Start, parent *simulated, id int) *simulated {
	saga := &simulated{
		instance: start.ID, machine: engine.New(plan), parent: parent, id: id,
		timers: make(map[int]*item), attempts: make(map[int]*item), children: make(map[int]*simulated),
	}
	if s.script.Explain != nil {
		saga.machine.Explain(func(e engine.Evaluation) { s.script.Explain(start.ID, e) })
	}
	if start.Parent != nil {
		saga.path = strings.TrimSuffix(start.Parent.Prefix, "/")
	}
	s.push(&item{at: s.now, path: saga.path, saga: saga, event: engine.Event{Kind: engine.EventStarted, Start: start}})
	return saga
}

// addressee gives the saga of a family that an event from outside is for, or nil.
func (saga *simulated) addressee(ev engine.Event, to string) *simulated {
	for _, child := range saga.children {
		about := ev.Kind == engine.EventOperator && strings.HasPrefix(ev.Operator.Path, child.path+"/")
		if child.begun && (about || to == child.path || strings.HasPrefix(to, child.path+"/")) {
			return child.addressee(ev, to)
		}
	}
	if to != "" && to != saga.path {
		return nil
	}
	return saga
}

// take gives a saga an event and carries out what follows.
func (s *simulation) take(saga *simulated, ev engine.Event) {
	if saga.machine.Closed() && ev.Request == "" {
		return
	}
	ev.At = s.now
	saga.begun = true // its first event is EventStarted
	commands, refused := s.refused(saga, ev)
	if !refused {
		commands = saga.machine.Step(ev)
	}
	if s.script.Observe != nil {
		s.script.Observe(saga.instance, ev, commands)
	}
	for _, c := range commands {
		s.do(saga, c)
	}
	if saga.parent != nil && saga.machine.Closed() {
		delete(saga.parent.children, saga.id)
		report := saga.machine.Report()
		s.push(&item{at: s.now, path: saga.path, saga: saga.parent, event: engine.Event{Kind: engine.EventChildClosed, ID: saga.id, Child: &report}})
	}
}

// refused gives the answer to a command that does not reach the machine, as what
// it brings along breaks a schema.
func (s *simulation) refused(saga *simulated, ev engine.Event) (commands []engine.Command, refused bool) {
	if ev.Kind != engine.EventOperator {
		return nil, false
	}
	code, err := saga.machine.CheckOperator(ev.Operator, s.script.Payloads)
	if err == nil {
		return nil, false
	}
	reply := engine.Reply{Request: ev.Request, Code: code, Message: err.Error()}
	return []engine.Command{{Kind: engine.CommandReply, Reply: reply}}, true
}

func (s *simulation) do(saga *simulated, c engine.Command) {
	switch c.Kind {
	case engine.CommandInvoke:
		out, sent := engine.BoundInput(c.Invoke)
		var took time.Duration
		if sent {
			out, took = s.script.Answer(c.Invoke)
			out = engine.CheckProbed(s.script.Payloads, c.Invoke, engine.BoundOutput(c.Invoke, out))
		}
		if took >= c.Invoke.Timeout {
			took = c.Invoke.Timeout
			out = engine.Outcome{Class: engine.Ambiguous, Code: engine.CodeTimeout, Message: "no answer within " + took.String()}
		}
		it := &item{at: s.now.Add(took), path: c.Invoke.Path, saga: saga, event: engine.Event{Kind: engine.EventClosed, ID: c.ID, Outcome: out}}
		saga.attempts[c.ID] = it
		s.push(it)
	case engine.CommandCut:
		if it := saga.attempts[c.ID]; it.index >= 0 {
			it.at = s.now
			it.event.Outcome = engine.Outcome{Class: engine.Ambiguous, Code: engine.CodeCancelled, Message: "cut while it ran"}
			heap.Fix(&s.queue, it.index)
		}
	case engine.CommandStartTimer:
		it := &item{at: c.At, path: c.Path, saga: saga, event: engine.Event{Kind: engine.EventTimer, ID: c.ID}}
		saga.timers[c.ID] = it
		s.push(it)
	case engine.CommandCancelTimer:
		if it := saga.timers[c.ID]; it.index >= 0 {
			heap.Remove(&s.queue, it.index)
		}
	case engine.CommandRecord:
		s.send(saga, c.Record)
	case engine.CommandStartChild:
		saga.children[c.ID] = s.begin(c.Child.Plan, c.Child.Start, saga, c.ID)
	case engine.CommandCancelChild:
		if child := saga.children[c.ID]; child != nil {
			s.push(&item{at: s.now, path: child.path, saga: child, event: engine.Event{Kind: engine.EventCancel}})
		}
	}
}

// send sends the message that the script has for an await that has begun.
func (s *simulation) send(saga *simulated, r engine.Record) {
	if s.script.Message == nil || r.Transition != engine.TransitionWaiting {
		return
	}
	await, env := saga.machine.Awaited(r.Path)
	if await == nil {
		return
	}
	if data, ok := s.script.Message(saga.instance, r.Path, await, env); ok {
		id := strconv.Itoa(s.pushed) // no other has it
		s.push(&item{at: s.now, path: r.Path, saga: saga, event: engine.Event{Kind: engine.EventSignal, Signal: &engine.Signal{ID: id, Name: await.Signal, Data: data}}})
	}
}

func (s *simulation) push(it *item) {
	s.pushed++
	it.order = s.pushed
	heap.Push(&s.queue, it)
}

// item is an event to come. index is its place in the queue, -1 once taken.
type item struct {
	at    time.Time
	path  string
	order int
	saga  *simulated
	to    string // of an event from outside: path of the step whose child it is for
	event engine.Event
	index int
}

// queue orders by instant, then by path, then by the order of scheduling.
type queue []*item

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	switch {
	case !a.at.Equal(b.at):
		return a.at.Before(b.at)
	case a.path != b.path:
		return a.path < b.path
	default:
		return a.order < b.order
	}
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue) Push(x any) {
	it := x.(*item)
	it.index = len(*q)
	*q = append(*q, it)
}

func (q *queue) Pop() any {
	old := *q
	it := old[len(old)-1]
	*q = old[:len(old)-1]
	it.index = -1
	return it
}
