package local_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
	"github.com/sagad/sagad/engine/local"
)

// The suite with goroutines, channels and timers, in a bubble of its own time.
func TestConformance(t *testing.T) {
	enginetest.RunAll(t, slices.Concat(enginetest.Cases, enginetest.EdgeCases, enginetest.HeavyCases), nil, nil, func(t *testing.T, s *enginetest.Saga) (got enginetest.Observed) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			changed := make(chan struct{}, 1)
			saga := local.Start(ctx, s.Plan, s.Start, local.Options{Invoker: s.World, Observe: func(r engine.Record) {
				s.World.Recorded(r)
				select {
				case changed <- struct{}{}:
				default:
				}
			}})
			got = enginetest.Drive(saga, s, changed)
			cancel()
			<-saga.Done() // a parked saga ends with its context
		})
		return got
	})
}

// The suite in virtual time.
func TestSimulate(t *testing.T) {
	enginetest.RunAll(t, slices.Concat(enginetest.Cases, enginetest.EdgeCases, enginetest.HeavyCases, enginetest.LongCases), nil, nil, enginetest.Simulate)
}

func TestStopped(t *testing.T) {
	plan := enginetest.Compile(t, "", "  - {id: a, call: t.a, effect: none, timeout: 1h}\n")
	ctx, cancel := context.WithCancel(context.Background())
	invoker := engine.InvokerFunc(func(ctx context.Context, _ *engine.Identity, _ *engine.Invocation) engine.Outcome {
		cancel()
		<-ctx.Done()
		return engine.Outcome{Class: engine.Ambiguous, Code: engine.CodeCancelled}
	})
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo"}, map[string]any{"id": "k"})
	if err != nil {
		t.Fatal(err)
	}
	result, err := local.Run(ctx, plan, start, local.Options{Invoker: invoker})
	if !errors.Is(err, local.ErrStopped) {
		t.Errorf("error %v, want ErrStopped", err)
	}
	if result.Status != engine.StatusOpen {
		t.Errorf("a stopped saga is %s", result.Status)
	}
}

func TestRequestsAfterTheEnd(t *testing.T) {
	plan := enginetest.Compile(t, "", "  - {id: a, call: t.a, effect: none}\n")
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo"}, map[string]any{"id": "k"})
	if err != nil {
		t.Fatal(err)
	}
	saga := local.Start(t.Context(), plan, start, local.Options{Invoker: enginetest.NewWorld(nil)})
	if _, err := saga.Wait(); err != nil {
		t.Fatal(err)
	}
	if reply := saga.Cancel(); reply.Accepted || reply.Code != engine.RefusedClosed {
		t.Errorf("cancel after the end: %+v", reply)
	}
	if r := saga.Result(); r.Outcome != engine.OutcomeCompleted {
		t.Errorf("result after the end: %+v", r)
	}
}

// Waits that end at one instant end in the order of their paths (S6).
func TestSameInstant(t *testing.T) {
	plan := enginetest.Compile(t, "", `  - id: both
    parallel:
      branches:
        one: [{id: b, sleep: 1s}]
        two: [{id: a, sleep: 1s}]
        three: [{id: c, sleep: 1s}]
`)
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo"}, map[string]any{"id": "k"})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			r, err := local.Run(t.Context(), plan, start, local.Options{Invoker: enginetest.NewWorld(nil)})
			if got := strings.Join(r.Trace, " "); err != nil || got != "a b c" {
				t.Fatalf("%s, %v", got, err)
			}
		})
	}
}

// A cancel that comes right after the start finds a saga that has started.
func TestCancelAtOnce(t *testing.T) {
	plan := enginetest.Compile(t, "", "  - {id: w, await: {signal: go}}\n")
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo"}, map[string]any{"id": "k"})
	if err != nil {
		t.Fatal(err)
	}
	saga := local.Start(t.Context(), plan, start, local.Options{Invoker: enginetest.NewWorld(nil)})
	if reply := saga.Cancel(); !reply.Accepted {
		t.Errorf("%+v", reply)
	}
	r, err := saga.Wait()
	if err != nil || r.ID != "demo/t/k" || strings.Join(r.Trace, " ") != "w!" {
		t.Errorf("%+v, %v", r, err)
	}
}

// A child whose start and cancel come in one step of its parent is started first.
func TestChildCancelledAtOnce(t *testing.T) {
	c := enginetest.Case{
		Steps: "  - id: both\n    parallel:\n      branches:\n        x: [{id: c, saga: kid, with: {id: z}}]\n        y: [{id: f, fail: {code: STOP}}]\n",
		Sagas: map[string]string{"kid": "steps:\n  - {id: x, call: t.x, compensate: {call: t.undoX}}\n"},
	}
	saga := c.Prepare(t, "")
	r, err := local.Run(t.Context(), saga.Plan, saga.Start, local.Options{Invoker: saga.World})
	if err != nil {
		t.Fatal(err)
	}
	if left := saga.World.Effects(); r.Outcome != engine.OutcomeCompensated || len(left) > 0 {
		t.Errorf("%s, trace %v, effects left: %v", r.Outcome, r.Trace, left)
	}
}
