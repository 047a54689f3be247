package main

import (
	"context"
	"errors"
	"sync"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
)

// saga is a started saga, wherever it runs.
type saga interface {
	id() string
	// signal sends a message to the saga or, if to is the path of a step, to the
	// child saga that the step runs.
	signal(ctx context.Context, to string, s engine.Signal) (engine.Reply, error)
	cancel(ctx context.Context) (engine.Reply, error)
	// wait returns when the saga has closed or, if parked says so, is parked
	// for the first time. Transitions are told to the feed meanwhile.
	wait(ctx context.Context, parked bool) (engine.Result, error)
	// left says what becomes of the saga when this process leaves it.
	left() string
}

// feed passes transitions on to whoever watches a saga. Its fields do not
// change once the saga has started.
type feed struct {
	printer *progress.Printer
	offer   func(engine.Record) // told of every transition; must not wait; may be nil
	parked  chan struct{}       // gets a value at the first park
}

func newFeed(p *progress.Printer) *feed {
	return &feed{printer: p, parked: make(chan struct{}, 1)}
}

func (f *feed) take(r engine.Record) {
	f.printer.Record(r)
	if f.offer != nil {
		f.offer(r)
	}
	if r.Transition == engine.TransitionParked {
		select {
		case f.parked <- struct{}{}:
		default:
		}
	}
}

// localSaga runs in this process.
type localSaga struct {
	*local.Saga
	name string
	feed *feed
}

func startLocal(ctx context.Context, plan *dsl.Plan, start *engine.Start, invoker engine.Invoker, f *feed) *localSaga {
	return &localSaga{local.Start(ctx, plan, start, local.Options{Invoker: invoker, Observe: f.take}), start.ID, f}
}

func (s *localSaga) id() string { return s.name }

func (s *localSaga) signal(_ context.Context, to string, m engine.Signal) (engine.Reply, error) {
	if to == "" {
		return s.Signal(m), nil
	}
	child := s.Child(engine.ChildID(s.name, to, 0))
	if child == nil {
		return engine.Reply{Code: engine.RefusedClosed, Message: "the child saga of " + to + " does not run"}, nil
	}
	return child.Signal(m), nil
}

func (s *localSaga) cancel(context.Context) (engine.Reply, error) { return s.Cancel(), nil }

func (s *localSaga) wait(ctx context.Context, parked bool) (engine.Result, error) {
	var park <-chan struct{}
	if parked {
		park = s.feed.parked
	}
	select {
	case <-s.Done():
		return s.Wait()
	case <-park:
		return s.Result(), nil
	case <-ctx.Done():
		return s.Result(), ctx.Err()
	}
}

func (s *localSaga) left() string {
	return "a local saga ends with its process; what it has done so far stays as it is"
}

// durableSaga runs on Temporal.
type durableSaga struct {
	stack *stack.Stack
	name  string
	feed  *feed
	watch string // the command that shows it
	// observed says that the transitions are told by the worker of this process;
	// otherwise they are read off the saga's states.
	observed bool
}

func (s *durableSaga) id() string { return s.name }

func (s *durableSaga) signal(ctx context.Context, to string, m engine.Signal) (engine.Reply, error) {
	if to == "" {
		return s.stack.Client().Signal(ctx, s.name, &m)
	}
	return s.stack.Client().Signal(ctx, engine.ChildID(s.name, to, 0), &m)
}

func (s *durableSaga) cancel(ctx context.Context) (engine.Reply, error) {
	return s.stack.Client().Cancel(ctx, s.name)
}

func (s *durableSaga) wait(ctx context.Context, parked bool) (engine.Result, error) {
	if !s.observed {
		return s.follow(ctx, parked)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type end struct {
		result engine.Result
		err    error
	}
	closed := make(chan end, 1)
	go func() {
		result, err := s.stack.Client().Wait(ctx, s.name)
		closed <- end{result, err}
	}()
	var park <-chan struct{}
	if parked {
		park = s.feed.parked
	}
	select {
	case e := <-closed:
		return e.result, e.err
	case <-park:
		return s.stack.Client().Result(ctx, s.name)
	}
}

// follow reads the transitions off the states of a saga that runs elsewhere.
func (s *durableSaga) follow(ctx context.Context, parked bool) (engine.Result, error) {
	var before engine.Result
	return s.stack.Follow(ctx, s.name, func(now engine.Result) bool {
		for _, r := range progress.Changes(before, now) {
			s.feed.take(r)
		}
		before = now
		return parked && len(now.Parked) > 0
	})
}

func (s *durableSaga) left() string {
	if s.stack.Served() || !s.stack.Working() {
		return "the saga goes on without this command: " + s.watch
	}
	return "the saga stays as it is and goes on with: " + s.watch
}

// router passes the transitions of the sagas in this process to their feeds.
type router struct {
	mu    sync.Mutex
	feeds map[string]*feed
}

func (r *router) take(id string, record engine.Record) {
	r.mu.Lock()
	f := r.feeds[id]
	r.mu.Unlock()
	if f != nil {
		f.take(record)
	}
}

// add must come before the saga is started.
func (r *router) add(id string, f *feed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.feeds == nil {
		r.feeds = make(map[string]*feed)
	}
	r.feeds[id] = f
}

// errLeft ends a command that leaves its saga open.
var errLeft = errors.New("left")

func (r *router) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.feeds, id)
}
