package local

import (
	"context"
	"sync"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// runtime is the engine.Runtime of one saga. Everything but attempts happens in
// the goroutine that runs the machine.
type runtime struct {
	saga     *Saga
	ctx      context.Context
	machine  *engine.Machine
	start    *engine.Start
	identity engine.Identity
	options  Options

	begun    bool
	attempts map[int]context.CancelFunc
	timers   map[int]*time.Timer
	running  sync.WaitGroup
}

var _ engine.Runtime = (*runtime)(nil)

func newRuntime(ctx context.Context, s *Saga, plan *dsl.Plan, start *engine.Start, options Options) *runtime {
	return &runtime{
		saga: s, ctx: ctx, machine: engine.New(plan), start: start, options: options,
		attempts: make(map[int]context.CancelFunc),
	}
}

// Next waits for the next event and, in between, shows the saga to whoever asks.
func (r *runtime) Next() (engine.Event, error) {
	if !r.begun {
		r.begun = true
		now := time.Now().UTC()
		r.identity = engine.Identity{ID: r.start.ID, Tenant: r.start.Tenant, Region: r.start.Region, StartedAt: now}
		return engine.Event{Kind: engine.EventStarted, At: now, Start: r.start}, nil
	}
	for {
		select {
		case ev := <-r.saga.events:
			ev.At = time.Now().UTC()
			if ev.Kind == engine.EventClosed {
				if cancel := r.attempts[ev.ID]; cancel != nil {
					cancel()
					delete(r.attempts, ev.ID)
				}
			}
			return ev, nil
		case view := <-r.saga.views:
			view <- r.machine.Result()
		case <-r.ctx.Done():
			return engine.Event{}, ErrStopped
		}
	}
}

// Do carries out a command.
func (r *runtime) Do(c engine.Command) {
	switch c.Kind {
	case engine.CommandInvoke:
		ctx, cancel := context.WithCancel(r.ctx)
		r.attempts[c.ID] = cancel
		r.running.Add(1)
		go r.invoke(ctx, c.Invoke)
	case engine.CommandCut:
		if cancel := r.attempts[c.ID]; cancel != nil {
			cancel()
		}
	case engine.CommandStartTimer:
		id := c.ID
		if r.timers == nil {
			r.timers = make(map[int]*time.Timer)
		}
		r.timers[id] = time.AfterFunc(time.Until(c.At), func() {
			r.saga.send(engine.Event{Kind: engine.EventTimer, ID: id})
		})
	case engine.CommandCancelTimer:
		r.timers[c.ID].Stop()
		delete(r.timers, c.ID)
	case engine.CommandRecord:
		if r.options.Observe != nil {
			r.options.Observe(c.Record)
		}
	case engine.CommandReply:
		r.saga.reply(c.Reply)
	}
}

func (r *runtime) invoke(ctx context.Context, inv *engine.Invocation) {
	defer r.running.Done()
	out := r.options.Invoker.Invoke(ctx, &r.identity, inv)
	select {
	case r.saga.events <- engine.Event{Kind: engine.EventClosed, ID: inv.ID, Outcome: out}:
	case <-r.ctx.Done():
	}
}

// stop ends what still runs: nothing after an end, attempts after ErrStopped.
func (r *runtime) stop() {
	for _, t := range r.timers {
		t.Stop()
	}
	for _, cancel := range r.attempts {
		cancel()
	}
	r.running.Wait()
}
