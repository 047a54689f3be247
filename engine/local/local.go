// Package local runs sagas in this process: goroutines, channels and context,
// no server. The results are those of the durable runtime; what a saga has
// done so far ends with the process.
package local

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// ErrStopped is why a saga has no end: its context ended before it did.
var ErrStopped = errors.New("the saga was stopped before its end; the local runtime remembers nothing")

// Options say what a saga runs with.
type Options struct {
	Invoker engine.Invoker
	// Observe is told of every transition, in order, one at a time. It must
	// neither wait for the saga nor talk to it. Nil: nobody is told.
	Observe func(engine.Record)
}

// Saga is a saga that runs in this process. Its methods are safe for concurrent
// use.
//
// The machine is a monitor: whoever has an event takes the lock, lets the
// machine step, and carries out what follows. So a step whose action is the
// only one that runs costs no change of goroutine.
type Saga struct {
	ctx       context.Context
	options   Options
	invoker   engine.Invoker
	start     *engine.Start
	identity  engine.Identity
	startedAt time.Time
	done      chan struct{} // closed after the machine's last step
	running   sync.WaitGroup

	firing sync.Mutex // one goroutine at a time gives out timers

	mu       sync.Mutex // guards all that follows
	machine  *engine.Machine
	ended    bool
	err      error
	attempts []*attempt // that run
	children map[int]*Saga
	timers   map[int]*timer
	requests int
	replies  map[string]chan engine.Reply // requests that wait for an answer
	release  func() bool                  // takes back the watch on ctx
}

// Start starts a saga and returns at once. When ctx ends before the saga does,
// its attempts are cut and nothing is compensated; to turn a saga around use
// Cancel.
func Start(ctx context.Context, plan *dsl.Plan, start *engine.Start, options Options) *Saga {
	s := newSaga(ctx, plan, start, options.serial())
	if next := s.take(begin(start)); next != nil { // before any request
		s.spawn(next)
	}
	return s
}

// Run runs a saga to its end. The error is ErrStopped when ctx ended first.
func Run(ctx context.Context, plan *dsl.Plan, start *engine.Start, options Options) (engine.Result, error) {
	s := newSaga(ctx, plan, start, options.serial())
	s.running.Add(1)
	s.play(s.take(begin(start)))
	s.running.Done()
	return s.Wait()
}

// serial makes a family of sagas tell its transitions one at a time.
func (o Options) serial() Options {
	if observe := o.Observe; observe != nil {
		var telling sync.Mutex
		o.Observe = func(r engine.Record) {
			telling.Lock()
			defer telling.Unlock()
			observe(r)
		}
	}
	return o
}

func newSaga(ctx context.Context, plan *dsl.Plan, start *engine.Start, options Options) *Saga {
	s := &Saga{
		ctx: ctx, options: options, invoker: engine.Bounded{Invoker: options.Invoker}, start: start, machine: engine.New(plan), startedAt: time.Now().UTC(),
		done: make(chan struct{}),
	}
	s.identity = start.Identity(s.startedAt)
	if ctx.Done() != nil {
		s.release = context.AfterFunc(ctx, s.stop)
	}
	return s
}

func begin(start *engine.Start) engine.Event {
	return engine.Event{Kind: engine.EventStarted, Start: start}
}

// Wait waits for the end of the saga.
func (s *Saga) Wait() (engine.Result, error) {
	<-s.done
	return s.Result(), s.err
}

// Done is closed when the saga has ended.
func (s *Saga) Done() <-chan struct{} { return s.done }

// Result gives the saga as it stands at its last event, with what the children that
// run have done.
func (s *Saga) Result() engine.Result {
	s.mu.Lock()
	result := s.machine.Result()
	children := make(map[string]*Saga, len(s.children))
	for _, c := range s.children {
		children[c.start.ID] = c
	}
	s.mu.Unlock()
	for _, id := range result.OpenChildren() {
		if c := children[id]; c != nil {
			result.Include(c.Result())
		}
	}
	return result
}

// Child gives the running child saga with an instance ID, at any depth, or nil.
func (s *Saga) Child(id string) *Saga {
	return s.find(func(c *Saga) bool { return c.start.ID == id })
}

// find gives the first running child, at any depth, that is asked for.
func (s *Saga) find(wanted func(*Saga) bool) *Saga {
	s.mu.Lock()
	children := slices.Collect(maps.Values(s.children))
	s.mu.Unlock()
	for _, c := range children {
		if wanted(c) {
			return c
		}
		if inner := c.find(wanted); inner != nil {
			return inner
		}
	}
	return nil
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

// Operate gives an operator's command to the saga (S18), or to the running child
// whose step it is about.
func (s *Saga) Operate(command engine.Operator) engine.Reply {
	s.mu.Lock()
	children := slices.Collect(maps.Values(s.children))
	s.mu.Unlock()
	for _, c := range children {
		if strings.HasPrefix(command.Path, c.start.Parent.Prefix) {
			return c.Operate(command)
		}
	}
	payloads, _ := s.options.Invoker.(engine.Payloads)
	s.mu.Lock()
	code, err := s.machine.CheckOperator(&command, payloads)
	s.mu.Unlock()
	if err != nil {
		return engine.Reply{Code: code, Message: err.Error()}
	}
	return s.request(engine.Event{Kind: engine.EventOperator, Operator: &command})
}

// request gives the machine an event and waits for its reply.
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
	if next := s.take(ev); next != nil {
		s.spawn(next)
	}
	select {
	case reply := <-answer:
		return reply
	case <-s.done:
	}
	select {
	case reply := <-answer: // the answer and the end came together
		return reply
	default:
		return engine.Reply{Request: ev.Request, Code: engine.RefusedClosed, Message: ErrStopped.Error()}
	}
}
