// Package local runs sagas in this process: goroutines, channels and context,
// no server. The results are those of the durable runtime; what a saga has
// done so far ends with the process.
package local

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// ErrStopped is why a saga has no end: its context ended before it did.
var ErrStopped = errors.New("the saga was stopped before its end; the local runtime remembers nothing")

// Options say what a saga runs with.
type Options struct {
	Invoker engine.Invoker
	// Observe is told of every transition, in order, from one goroutine. It
	// must not wait for the saga. Nil: nobody is told.
	Observe func(engine.Record)
}

// Saga is a saga that runs in this process. Its methods are safe for concurrent
// use.
type Saga struct {
	events chan engine.Event
	views  chan chan engine.Result
	done   chan struct{} // closed after result and err are set
	result engine.Result
	err    error

	mu       sync.Mutex
	requests int
	replies  map[string]chan engine.Reply // requests that wait for an answer
}

// Start starts a saga and returns at once. When ctx ends before the saga does,
// its attempts are cut and nothing is compensated; to turn a saga around use
// Cancel.
func Start(ctx context.Context, plan *dsl.Plan, start *engine.Start, options Options) *Saga {
	s := &Saga{
		events: make(chan engine.Event, 4),
		views:  make(chan chan engine.Result),
		done:   make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		s.result, s.err = s.run(ctx, plan, start, options)
	}()
	return s
}

// Run runs a saga to its end in the calling goroutine. The error is ErrStopped
// when ctx ended first.
func Run(ctx context.Context, plan *dsl.Plan, start *engine.Start, options Options) (engine.Result, error) {
	s := &Saga{events: make(chan engine.Event, 4), done: make(chan struct{})}
	defer close(s.done)
	return s.run(ctx, plan, start, options)
}

func (s *Saga) run(ctx context.Context, plan *dsl.Plan, start *engine.Start, options Options) (engine.Result, error) {
	r := newRuntime(ctx, s, plan, start, options)
	defer r.stop()
	return engine.Run(r, r.machine)
}

// Wait waits for the end of the saga.
func (s *Saga) Wait() (engine.Result, error) {
	<-s.done
	return s.result, s.err
}

// Done is closed when the saga has ended.
func (s *Saga) Done() <-chan struct{} { return s.done }

// Result gives the saga as it stands.
func (s *Saga) Result() engine.Result {
	view := make(chan engine.Result, 1)
	select {
	case s.views <- view:
		return <-view
	case <-s.done:
		return s.result
	}
}

// Signal sends a message to the saga (S27).
func (s *Saga) Signal(signal engine.Signal) engine.Reply {
	return s.request(engine.Event{Kind: engine.EventSignal, Signal: &signal})
}

// Cancel asks the saga to turn around and waits for its answer, which comes
// when the outcome of a running pivot is known (S13).
func (s *Saga) Cancel() engine.Reply {
	return s.request(engine.Event{Kind: engine.EventCancel})
}

// Operate gives an operator's command to the saga (S18).
func (s *Saga) Operate(command engine.Operator) engine.Reply {
	return s.request(engine.Event{Kind: engine.EventOperator, Operator: &command})
}

// request sends an event and waits for the machine's reply.
func (s *Saga) request(ev engine.Event) engine.Reply {
	answer := make(chan engine.Reply, 1)
	s.mu.Lock()
	s.requests++
	ev.Request = strconv.Itoa(s.requests)
	if s.replies == nil {
		s.replies = make(map[string]chan engine.Reply)
	}
	s.replies[ev.Request] = answer
	s.mu.Unlock()
	if s.send(ev) {
		select {
		case reply := <-answer:
			return reply
		case <-s.done:
		}
	}
	select {
	case reply := <-answer: // the answer and the end came together
		return reply
	default:
		return engine.Reply{Request: ev.Request, Code: engine.RefusedClosed, Message: "the saga has ended: " + s.result.Outcome}
	}
}

// send hands an event to the machine; false says that the saga has ended.
func (s *Saga) send(ev engine.Event) bool {
	select {
	case s.events <- ev:
		return true
	case <-s.done:
		return false
	}
}

func (s *Saga) reply(r engine.Reply) {
	s.mu.Lock()
	answer := s.replies[r.Request]
	delete(s.replies, r.Request)
	s.mu.Unlock()
	if answer != nil {
		answer <- r
	}
}
