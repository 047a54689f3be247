package local

import (
	"container/heap"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// Script says what happens to a simulated saga from outside.
type Script struct {
	// Answer gives the outcome of an attempt and how long it takes. An attempt
	// that takes longer than its timeout ends as Ambiguous TIMEOUT.
	Answer func(inv *engine.Invocation) (engine.Outcome, time.Duration)
	// At gives events from outside, each at a time after the start. Events of
	// one instant keep their order and come before the saga's own.
	At []Timed
	// Observe is told of every event before the machine takes it, and of the
	// commands that follow. Nil: nobody is told.
	Observe func(engine.Event, []engine.Command)
}

// Timed is an event from outside.
type Timed struct {
	After time.Duration
	Event engine.Event
}

// Simulate runs a saga in virtual time, in the calling goroutine: nothing is
// called and nothing waits, whatever the waits of the definition. The same
// script gives the same result. A saga that can go no further, because it is
// parked or awaits a message that the script does not send, is given as it
// stands.
func Simulate(plan *dsl.Plan, start *engine.Start, at time.Time, script Script) engine.Result {
	s := &simulation{script: script, now: at, timers: make(map[int]*item), attempts: make(map[int]*item)}
	s.push(&item{at: at, event: engine.Event{Kind: engine.EventStarted, Start: start}})
	for _, timed := range script.At {
		s.push(&item{at: at.Add(timed.After), event: timed.Event})
	}
	m := engine.New(plan)
	for !m.Closed() && s.queue.Len() > 0 {
		next := heap.Pop(&s.queue).(*item)
		s.now = next.at
		next.event.At = s.now
		commands := m.Step(next.event)
		if script.Observe != nil {
			script.Observe(next.event, commands)
		}
		for _, c := range commands {
			s.do(c)
		}
	}
	return m.Result()
}

type simulation struct {
	script   Script
	now      time.Time
	queue    queue
	pushed   int
	timers   map[int]*item
	attempts map[int]*item
}

func (s *simulation) do(c engine.Command) {
	switch c.Kind {
	case engine.CommandInvoke:
		out, took := s.script.Answer(c.Invoke)
		if took >= c.Invoke.Timeout {
			took = c.Invoke.Timeout
			out = engine.Outcome{Class: engine.Ambiguous, Code: engine.CodeTimeout, Message: "no answer within " + took.String()}
		}
		it := &item{at: s.now.Add(took), path: c.Invoke.Path, event: engine.Event{Kind: engine.EventClosed, ID: c.ID, Outcome: out}}
		s.attempts[c.ID] = it
		s.push(it)
	case engine.CommandCut:
		if it := s.attempts[c.ID]; it.index >= 0 {
			it.at = s.now
			it.event.Outcome = engine.Outcome{Class: engine.Ambiguous, Code: engine.CodeCancelled, Message: "cut while it ran"}
			heap.Fix(&s.queue, it.index)
		}
	case engine.CommandStartTimer:
		it := &item{at: c.At, path: c.Path, event: engine.Event{Kind: engine.EventTimer, ID: c.ID}}
		s.timers[c.ID] = it
		s.push(it)
	case engine.CommandCancelTimer:
		if it := s.timers[c.ID]; it.index >= 0 {
			heap.Remove(&s.queue, it.index)
		}
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
