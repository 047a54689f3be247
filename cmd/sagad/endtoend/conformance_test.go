package endtoend

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
	"github.com/sagad/sagad/engine/temporal"
)

// worlds answers the attempts of many sagas, each from its own world.
type worlds struct {
	enginetest.Strict
	mu    sync.Mutex
	byID  map[string]*enginetest.World
	wakes map[string]chan struct{}
	told  map[string]map[engine.Record]bool
}

// news says whether a transition was not told before. A worker tells it again
// when the server did not take its task, as when a request came meanwhile.
func (w *worlds) news(id string, r engine.Record) bool {
	r.At, r.Until, r.Message = time.Time{}, time.Time{}, ""
	if w.told == nil {
		w.told = map[string]map[engine.Record]bool{}
	}
	if w.told[id] == nil {
		w.told[id] = map[engine.Record]bool{}
	}
	closed := engine.Record{Transition: engine.TransitionClosed}
	if w.told[id][r] || w.told[id][closed] {
		return r.Transition == engine.TransitionRefused
	}
	w.told[id][r] = true
	return true
}

func (w *worlds) Invoke(ctx context.Context, saga *engine.Identity, inv *engine.Invocation) engine.Outcome {
	w.mu.Lock()
	world := w.byID[saga.ID] // of the family
	w.mu.Unlock()
	return world.Invoke(ctx, saga, inv)
}

// observe tells the saga's world of a transition, and wakes whoever drives it.
func (w *worlds) observe(id string, r engine.Record) {
	w.mu.Lock()
	world, wake := w.byID[id], w.wakes[id]
	news := w.news(id, r)
	w.mu.Unlock()
	if world != nil && news {
		world.Recorded(r)
	}
	select {
	case wake <- struct{}{}:
	default:
	}
}

// The suite on the real server, with real time. With -cache=false every task
// replays the saga from its history.
func TestConformance(t *testing.T) { conform(t, 0, nil) }

// The suite on a server that suggests to continue as new all the time: each saga
// does so again and again, and nobody can tell (S26).
func TestConformanceContinuedAsNew(t *testing.T) {
	// A deadline that is a fraction of a second away passes while sagas continue.
	hasDeadline := func(c *enginetest.Case) bool { return strings.Contains(c.Head, "deadline") }
	cases := len(enginetest.Cases) + len(enginetest.EdgeCases)
	if runs := conform(t, suggestSoon, hasDeadline); runs < 2*cases {
		t.Errorf("%d cases had %d runs: sagas did not continue as new", cases, runs)
	}
}

// suggestSoon is a number of events that most sagas of the suite have.
const suggestSoon = 8

// conform runs the suite, replays all that it has left on the server and gives
// the number of runs of workflows.
func conform(t *testing.T, suggestAfter int, except func(*enginetest.Case) bool) (runs int) {
	c := dial(t, startSuggesting(t, suggestAfter).Address())
	w := &worlds{byID: map[string]*enginetest.World{}, wakes: map[string]chan struct{}{}}
	startWorker(t, c, temporal.WorkerOptions{Tenant: "demo", Region: "eu-west-1", Invoker: w, Observe: w.observe})
	var n, total atomic.Int64
	unique := func() string { return fmt.Sprintf("-%d", n.Add(1)) }
	run := func(t *testing.T, s *enginetest.Saga) enginetest.Observed {
		got := drive(t, c, w, s)
		total.Add(int64(replay(t, c, s.Start.ID)))
		return got
	}
	t.Run("cases", func(t *testing.T) {
		enginetest.RunAll(t, slices.Concat(enginetest.Cases, enginetest.EdgeCases), unique, except, run)
	})
	// A thousand items in a hundred runs, or replayed a thousand times, prove nothing more.
	if suggestAfter == 0 && *cache {
		t.Run("heavy", func(t *testing.T) { enginetest.RunAll(t, enginetest.HeavyCases, unique, except, run) })
	}
	return int(total.Load())
}

// replay proves that what Temporal keeps of a saga replays, and gives the number
// of its runs.
func replay(t *testing.T, c client.Client, id string) int {
	t.Helper()
	runs, err := temporal.NewClient(c).Histories(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, history := range runs {
		if _, err := temporal.Replay(history); err != nil {
			t.Error(err)
		}
	}
	return len(runs)
}

// drive runs one case.
func drive(t *testing.T, c client.Client, w *worlds, s *enginetest.Saga) enginetest.Observed {
	t.Helper()
	wake := make(chan struct{}, 1)
	w.mu.Lock()
	w.byID[s.Start.ID], w.wakes[s.Start.ID] = s.World, wake
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tc := temporal.NewClient(c)
	if started, err := tc.Start(ctx, s.Plan, s.Start, nil); err != nil || !started {
		t.Fatalf("started %t: %v", started, err)
	}
	h := &handle{t: t, ctx: ctx, client: tc, id: s.Start.ID, done: make(chan struct{})}
	go h.wait()
	return enginetest.Drive(h, s, wake)
}

// handle is a saga on Temporal as the suite drives it.
type handle struct {
	t      *testing.T
	ctx    context.Context
	client *temporal.Client
	id     string
	done   chan struct{}
}

var _ enginetest.Handle = (*handle)(nil)

func (h *handle) wait() {
	if _, err := h.client.Wait(h.ctx, h.id); err == nil {
		close(h.done)
	}
}

func (h *handle) Done() <-chan struct{} { return h.done }

func (h *handle) Result() engine.Result {
	r, err := h.client.Result(h.ctx, h.id)
	if err != nil {
		h.t.Errorf("result: %v", err)
	}
	return r
}

func (h *handle) Signal(s engine.Signal) engine.Reply {
	return h.reply(h.client.Signal(h.ctx, h.id, &s))
}

func (h *handle) Cancel() engine.Reply { return h.reply(h.client.Cancel(h.ctx, h.id)) }

func (h *handle) Operate(o engine.Operator) engine.Reply {
	return h.reply(h.client.Operate(h.ctx, h.id, &o))
}

func (h *handle) reply(r engine.Reply, err error) engine.Reply {
	if err != nil {
		h.t.Errorf("request: %v", err)
	}
	return r
}
