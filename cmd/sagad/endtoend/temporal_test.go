package endtoend

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/sagad/sagad/cmd/sagad/embedded"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
	"github.com/sagad/sagad/engine/temporal"
)

const (
	stepA = "  - {id: a, call: t.a, compensate: {call: t.undoA}}\n"
	stepP = "  - {id: p, call: t.p, effect: pivot, retry: {ambiguous: true}}\n"
	stepW = "  - {id: w, await: {signal: go}}\n"
)

// scene is a server with a worker, for the tests of this file.
type scene struct {
	t      *testing.T
	sdk    client.Client
	client *temporal.Client
	worlds *worlds
}

func newScene(t *testing.T) *scene {
	t.Helper()
	return sceneOn(t, startServer(t))
}

func sceneOn(t *testing.T, server *embedded.Server) *scene {
	t.Helper()
	c := dial(t, server.Address())
	w := &worlds{byID: map[string]*enginetest.World{}, wakes: map[string]chan struct{}{}}
	startWorker(t, c, temporal.WorkerOptions{Tenant: "demo", Region: "eu-west-1", Invoker: w})
	return &scene{t: t, sdk: c, client: temporal.NewClient(c), worlds: w}
}

// start starts a saga of these steps with the key and gives its ID.
func (s *scene) start(key, steps string, mocks enginetest.Mocks) (plan *dsl.Plan, start *engine.Start) {
	s.t.Helper()
	plan = enginetest.Compile(s.t, "", steps)
	start, search, err := engine.Prepare(plan, engine.Target{Tenant: "demo", Region: "eu-west-1"}, map[string]any{"id": key, "n": 1})
	if err != nil {
		s.t.Fatal(err)
	}
	s.worlds.mu.Lock()
	s.worlds.byID[start.ID] = enginetest.NewWorld(mocks)
	s.worlds.mu.Unlock()
	if started, err := s.client.Start(s.t.Context(), plan, start, search); err != nil || !started {
		s.t.Fatalf("started %t: %v", started, err)
	}
	return plan, start
}

func (s *scene) wait(id string) engine.Result {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	r, err := s.client.Wait(ctx, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *scene) status(id string) enumspb.WorkflowExecutionStatus {
	s.t.Helper()
	d, err := s.sdk.DescribeWorkflowExecution(s.t.Context(), id, "")
	if err != nil {
		s.t.Fatal(err)
	}
	return d.GetWorkflowExecutionInfo().GetStatus()
}

// How a saga ends on Temporal, and that its result is the same by every way of
// asking (S19).
func TestEndings(t *testing.T) {
	s := newScene(t)
	for _, c := range []struct {
		key, steps string
		mocks      enginetest.Mocks
		act        func(id string)
		outcome    string
		status     enumspb.WorkflowExecutionStatus
	}{
		{key: "completed", steps: stepA + stepP, outcome: engine.OutcomeCompleted, status: enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED},
		{key: "compensated", steps: stepA + stepP, mocks: enginetest.Mocks{"t.p": {enginetest.Reject("NO")}}, outcome: engine.OutcomeCompensated, status: enumspb.WORKFLOW_EXECUTION_STATUS_FAILED},
		{key: "cancelled", steps: stepA + stepW, act: func(id string) {
			if reply, err := s.client.Cancel(t.Context(), id); err != nil || !reply.Accepted {
				t.Errorf("cancel: %+v, %v", reply, err)
			}
		}, outcome: engine.OutcomeCompensated, status: enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED},
		{key: "cancelled-raw", steps: stepA + stepW, act: func(id string) {
			if err := s.sdk.CancelWorkflow(t.Context(), id, ""); err != nil {
				t.Error(err)
			}
		}, outcome: engine.OutcomeCompensated, status: enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED},
		{key: "signalled-raw", steps: stepW, act: func(id string) {
			if err := s.sdk.SignalWorkflow(t.Context(), id, "", temporal.SignalMessage, map[string]any{"id": "m", "name": "go", "data": 1}); err != nil {
				t.Error(err)
			}
		}, outcome: engine.OutcomeCompleted, status: enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED},
	} {
		_, start := s.start(c.key, c.steps, c.mocks)
		if c.act != nil {
			c.act(start.ID)
		}
		r := s.wait(start.ID)
		if r.Outcome != c.outcome || r.ID != start.ID || r.Saga != "t" || r.Tenant != "demo" || r.Key != c.key || r.Region != "eu-west-1" {
			t.Errorf("%s: %+v", c.key, r)
		}
		if status := s.status(start.ID); status != c.status {
			t.Errorf("%s closed as %s, want %s", c.key, status, c.status)
		}
		if reply, err := s.client.Cancel(t.Context(), start.ID); err != nil || reply.Code != engine.RefusedClosed {
			t.Errorf("%s: cancel after the end: %+v, %v", c.key, reply, err)
		}
	}
}

// One saga per tenant, name and key, whatever became of it.
func TestSameKey(t *testing.T) {
	s := newScene(t)
	plan, start := s.start("once", stepA+stepP, enginetest.Mocks{"t.p": {enginetest.Reject("NO")}})
	s.wait(start.ID)
	if started, err := s.client.Start(t.Context(), plan, start, nil); err != nil || started {
		t.Errorf("the same input again: started %t, %v", started, err)
	}
	other := *start
	other.Input = map[string]any{"id": "once", "n": 2}
	if _, err := s.client.Start(t.Context(), plan, &other, nil); !errors.Is(err, temporal.ErrOtherInput) {
		t.Errorf("another input: %v", err)
	}
	if _, err := s.client.Result(t.Context(), "demo/t/never"); !errors.Is(err, temporal.ErrNotFound) {
		t.Errorf("a saga that never was: %v", err)
	}
}

// Data over a limit fails a step and blocks nothing (S25).
func TestTooLarge(t *testing.T) {
	s := newScene(t)
	big := strings.Repeat("x", temporal.MaxPayload)
	_, start := s.start("output", stepA, enginetest.Mocks{"t.a": {enginetest.OK(`"` + big + `"`)}})
	if r := s.wait(start.ID); r.Outcome != engine.OutcomeCompensated || r.Cause.Code != engine.CodeTooLarge || strings.Join(r.Trace, " ") != "a! ~a" {
		t.Errorf("a large output: %s %+v %v", r.Outcome, r.Cause, r.Trace)
	}
	doubled := "  - {id: v, set: {x: \"" + big[:temporal.MaxPayload/2] + "\"}}\n  - {id: b, call: t.b, with: {x: \"${{ vars.x }}\", y: \"${{ vars.x }}\"}, compensate: {call: t.undoB}}\n"
	_, start = s.start("input", doubled, nil)
	if r := s.wait(start.ID); r.Outcome != engine.OutcomeCompensated || r.Cause.Code != engine.CodeTooLarge || strings.Join(r.Trace, " ") != "v b!" {
		t.Errorf("a large input: %s %+v %v", r.Outcome, r.Cause, r.Trace)
	}
}
