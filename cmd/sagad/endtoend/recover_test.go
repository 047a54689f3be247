package endtoend

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
	"github.com/sagad/sagad/engine/invariant"
	"github.com/sagad/sagad/engine/temporal"
)

// Sagas that were terminated are taken up again with the same keys (S15).

func (s *scene) recover(id string) {
	s.t.Helper()
	if err := s.client.Recover(s.t.Context(), namespace, id, "ops", "by mistake"); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) signal(id, name string) {
	s.t.Helper()
	if reply, err := s.client.Signal(s.t.Context(), id, &engine.Signal{ID: "m-" + name, Name: name}); err != nil || !reply.Accepted {
		s.t.Fatalf("signal: %+v, %v", reply, err)
	}
}

// ends checks how a saga ends, and that its history is replayed as it was.
func (s *scene) ends(id, outcome, trace string) engine.Result {
	s.t.Helper()
	r := s.wait(id)
	if got := strings.Join(r.Trace, " "); r.Outcome != outcome || got != trace {
		s.t.Errorf("%s ended %s, trace %s, cause %+v; want %s, %s", id, r.Outcome, got, r.Cause, outcome, trace)
	}
	histories, err := s.client.Histories(s.t.Context(), id)
	if err != nil {
		s.t.Error(err)
	}
	for _, h := range histories {
		if _, err := temporal.Replay(h); err != nil {
			s.t.Errorf("replay: %v", err)
		}
	}
	return r
}

func TestRecoverWhereItWaits(t *testing.T) {
	s := newScene(t)
	_, start := s.start("waits", stepA+stepW+stepP, nil)
	s.until(start.ID, "the await", at("w", engine.StateRunning))
	s.terminate(start.ID)
	s.recover(start.ID)
	s.signal(start.ID, "go")
	if r := s.ends(start.ID, engine.OutcomeCompleted, "a w p"); r.Interventions != 1 {
		t.Errorf("%d interventions, want the one that recovered it", r.Interventions)
	}
	if n := s.world(start.ID).Calls("t.a"); n != 1 {
		t.Errorf("a was called %d times", n)
	}
}

// What was under way is done again, with its key.
func TestRecoverInMidCall(t *testing.T) {
	s := newScene(t)
	_, start := s.start("mid-call", stepA+stepP, enginetest.Mocks{"t.a": {enginetest.After(500*time.Millisecond, enginetest.OK(`{}`))}})
	s.calling(start.ID, "t.a")
	s.terminate(start.ID)
	s.recover(start.ID)
	s.ends(start.ID, engine.OutcomeCompleted, "a p")
	s.oneKey(start.ID, "t.a", 2)
}

// oneKey checks that an activity was called so often, each time with the same
// key.
func (s *scene) oneKey(id, activity string, calls int) {
	s.t.Helper()
	var keys []string
	for _, m := range s.world(id).Moments() {
		if m.Kind == invariant.MomentBegan && m.Invoke.Activity == activity {
			keys = append(keys, m.Invoke.Key)
		}
	}
	if len(keys) != calls || len(slices.Compact(keys)) != 1 {
		s.t.Errorf("%s was called with %v, want %d times the same key", activity, keys, calls)
	}
}

// A pivot that was under way may have had its effect: an operator looks first.
func TestRecoverWithThePivotInDoubt(t *testing.T) {
	s := newScene(t)
	_, start := s.start("in-doubt", stepA+stepP+stepR, enginetest.Mocks{"t.p": {enginetest.After(500*time.Millisecond, enginetest.OK(`{"n": 1}`))}})
	s.calling(start.ID, "t.p")
	s.terminate(start.ID)
	s.recover(start.ID)
	r := s.until(start.ID, "the park", isParked("p", engine.CodeReset))
	if got := strings.Join(r.Parked[0].Commands, " "); got != "retry resolve" {
		t.Errorf("commands %s", got)
	}
	if n := s.world(start.ID).Calls("t.p"); n != 1 {
		t.Errorf("the pivot was called %d times before anybody had looked", n)
	}
	corrected := engine.Operator{ID: "c", Actor: "ops", Command: engine.CommandRetry, Path: "p", Input: map[string]any{"n": 2}}
	if reply, err := s.client.Operate(t.Context(), start.ID, &corrected); err != nil || reply.Accepted {
		t.Errorf("a second payment under a new key: %+v, %v", reply, err)
	}
	yes := true
	s.operate(start.ID, engine.Operator{Command: engine.CommandResolve, Path: "p", Applied: &yes, Output: map[string]any{"n": 1}, Reason: "statement"})
	s.ends(start.ID, engine.OutcomeResolved, "a p r")
}

func TestRecoverAfterThePivot(t *testing.T) {
	s := newScene(t)
	_, start := s.start("after", stepA+stepP+stepR, enginetest.Mocks{"t.r": {enginetest.After(500*time.Millisecond, enginetest.OK(`{}`))}})
	s.calling(start.ID, "t.r")
	s.terminate(start.ID)
	s.recover(start.ID)
	s.ends(start.ID, engine.OutcomeCompleted, "a p r")
	s.oneKey(start.ID, "t.r", 2)
	s.oneKey(start.ID, "t.p", 1)
}

func TestRecoverOnTheWayBack(t *testing.T) {
	s := newScene(t)
	b := "  - {id: b, call: t.b, compensate: {call: t.undoB}}\n"
	_, start := s.start("way-back", stepA+b+stepP, enginetest.Mocks{
		"t.p": {enginetest.Reject("NO")}, "t.undoA": {enginetest.After(500*time.Millisecond, enginetest.OK(`{}`))},
	})
	s.calling(start.ID, "t.undoA")
	s.terminate(start.ID)
	s.recover(start.ID)
	s.ends(start.ID, engine.OutcomeCompensated, "a b p! ~b ~a")
	s.oneKey(start.ID, "t.undoB", 1)
	s.oneKey(start.ID, "t.undoA", 2)
	if left := s.world(start.ID).Effects(); len(left) > 0 {
		t.Errorf("effects are left: %v", left)
	}
}

// Children run on while their parent is terminated; one that closes meanwhile,
// or is terminated as well, is not forgotten.
func TestRecoverWithChildren(t *testing.T) {
	child := map[string]string{"wait": "steps:\n  - {id: x, call: t.x, compensate: {call: t.undoX}}\n" + stepW}
	for _, c := range []struct {
		key, outcome, trace string
		meanwhile, then     func(s *scene, child string)
	}{
		{
			key: "open", outcome: engine.OutcomeCompleted, trace: "a c/x c/w c p",
			then: func(s *scene, child string) { s.signal(child, "go") },
		},
		{
			key: "closed", outcome: engine.OutcomeCompleted, trace: "a c/x c/w c p",
			meanwhile: func(s *scene, child string) { s.signal(child, "go"); s.wait(child) },
		},
		{
			key: "terminated", outcome: engine.OutcomeCompensated, trace: "a c/x c? ~c/x ~a",
			meanwhile: func(s *scene, child string) { s.terminate(child) },
		},
		{
			key: "cancelled", outcome: engine.OutcomeCompensated, trace: "a c/x c/w! ~c/x c! ~a",
			then: func(s *scene, child string) {
				if reply, err := s.client.Cancel(s.t.Context(), strings.TrimSuffix(child, "/c")); err != nil || !reply.Accepted {
					s.t.Errorf("cancel: %+v, %v", reply, err)
				}
			},
		},
	} {
		t.Run(c.key, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			start := s.startFamily(c.key, stepA+"  - {id: c, saga: wait, with: {id: z}}\n"+stepP, child, nil)
			id := engine.ChildID(start.ID, "c", 0)
			s.until(start.ID, "the child's await", at("c/w", engine.StateRunning))
			s.terminate(start.ID)
			if c.meanwhile != nil {
				c.meanwhile(s, id)
			}
			if err := s.client.Recover(t.Context(), namespace, id, "ops", ""); !errors.Is(err, temporal.ErrChild) {
				t.Errorf("recover the child: %v", err)
			}
			s.recover(start.ID)
			if c.then != nil {
				c.then(s, id)
			}
			s.ends(start.ID, c.outcome, c.trace)
		})
	}
}

// A saga that no worker ever took up goes on too.
func TestRecoverWhatNeverBegan(t *testing.T) {
	c := dial(t, startServer(t).Address())
	w := &worlds{byID: map[string]*enginetest.World{}, wakes: map[string]chan struct{}{}}
	s := &scene{t: t, sdk: c, client: temporal.NewClient(c), worlds: w}
	_, start := s.start("never", stepA+stepP, nil)
	s.terminate(start.ID)
	s.recover(start.ID)
	startWorker(t, c, temporal.WorkerOptions{Tenant: "demo", Region: "eu-west-1", Invoker: w})
	s.ends(start.ID, engine.OutcomeCompleted, "a p")
}

// Who was cut off between the two halves of a recover does the second one; that it is
// told twice then makes no second intervention.
func TestRecoverInTwoHalves(t *testing.T) {
	s := newScene(t)
	_, start := s.start("halves", stepW+stepA, nil)
	s.until(start.ID, "the await", at("w", engine.StateRunning))
	d, err := s.sdk.DescribeWorkflowExecution(t.Context(), start.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	ended := d.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	s.terminate(start.ID)
	s.resetRun(t.Context(), start.ID, ended)
	s.until(start.ID, "the await again", at("w", engine.StateRunning))
	s.recover(start.ID)
	again := map[string]string{"id": ended + "-recover", "actor": "ops"}
	if err := s.sdk.SignalWorkflow(t.Context(), start.ID, "", temporal.SignalRecover, again); err != nil {
		t.Fatal(err)
	}
	s.signal(start.ID, "go")
	if r := s.wait(start.ID); r.Outcome != engine.OutcomeCompleted || r.Interventions != 1 {
		t.Errorf("it ended %s with %d interventions", r.Outcome, r.Interventions)
	}
}

// Only what was ended from outside is recovered; whoever asks twice is told.
func TestRecoverRefused(t *testing.T) {
	s := newScene(t)
	if err := s.client.Recover(t.Context(), namespace, "demo/t/never", "ops", ""); !errors.Is(err, temporal.ErrNotFound) {
		t.Errorf("a saga that never was: %v", err)
	}
	_, start := s.start("open", stepA+stepW, nil)
	s.until(start.ID, "the await", at("w", engine.StateRunning))
	if err := s.client.Recover(t.Context(), namespace, start.ID, "ops", ""); !errors.Is(err, temporal.ErrNotOrphaned) {
		t.Errorf("an open saga: %v", err)
	}
	s.terminate(start.ID)
	s.recover(start.ID)
	s.until(start.ID, "the recover", func(r engine.Result) bool { return r.Interventions == 1 }) // until then it is told again, once
	if err := s.client.Recover(t.Context(), namespace, start.ID, "ops", ""); !errors.Is(err, temporal.ErrNotOrphaned) {
		t.Errorf("a saga that was recovered: %v", err)
	}
	s.signal(start.ID, "go")
	s.ends(start.ID, engine.OutcomeCompleted, "a w")
	if status := s.status(start.ID); status != enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED {
		t.Errorf("status %s", status)
	}
	if err := s.client.Recover(t.Context(), namespace, start.ID, "ops", ""); !errors.Is(err, temporal.ErrNotOrphaned) || !strings.Contains(err.Error(), "completed") {
		t.Errorf("a saga that completed: %v", err)
	}
}

// What was under way and is refused when it is done again may have been done the
// first time: it is compensated (S1, S2).
func TestRecoverThenRejected(t *testing.T) {
	s := newScene(t)
	_, start := s.start("then-rejected", stepA+stepP, enginetest.Mocks{"t.a": {enginetest.After(500*time.Millisecond, enginetest.OK(`{}`)), enginetest.Reject("CLOSED")}})
	s.calling(start.ID, "t.a")
	s.terminate(start.ID)
	s.recover(start.ID)
	s.ends(start.ID, engine.OutcomeCompensated, "a? ~a")
	if left := s.world(start.ID).Effects(); len(left) > 0 {
		t.Errorf("effects are left: %v", left)
	}
}
