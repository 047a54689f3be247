package endtoend

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
	"github.com/sagad/sagad/engine/temporal"
)

// What is done to sagas with Temporal's own tools.

const stepR = "  - {id: r, call: t.r, effect: retriable}\n"

// until waits for a saga to stand as it should.
func (s *scene) until(id, what string, holds func(engine.Result) bool) engine.Result {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(time.Minute); ; {
		r, err := s.client.Result(s.t.Context(), id)
		if err == nil && holds(r) {
			return r
		}
		select {
		case <-tick.C:
		case <-limit:
			s.t.Fatalf("%s: waited a minute for %s: %v %+v", id, what, err, r)
		}
	}
}

// at gives the state of a step.
func at(path string, state engine.State) func(engine.Result) bool {
	return func(r engine.Result) bool {
		return slices.ContainsFunc(r.Steps, func(s engine.StepResult) bool { return s.Path == path && s.State == state })
	}
}

// calling waits until an activity has been called and has not answered.
func (s *scene) calling(id, activity string) {
	s.t.Helper()
	s.until(id, "the call of "+activity, func(engine.Result) bool { return s.world(id).Calls(activity) > 0 })
}

func isParked(path, code string) func(engine.Result) bool {
	return func(r engine.Result) bool {
		return slices.ContainsFunc(r.Parked, func(p engine.Parked) bool { return p.Path == path && p.Code == code })
	}
}

func (s *scene) world(id string) *enginetest.World {
	s.worlds.mu.Lock()
	defer s.worlds.mu.Unlock()
	return s.worlds.byID[id]
}

func (s *scene) terminate(id string) {
	s.t.Helper()
	if err := s.sdk.TerminateWorkflow(s.t.Context(), id, "", "by hand"); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) operate(id string, o engine.Operator) {
	s.t.Helper()
	o.ID, o.Actor = "op-"+o.Command+o.Path, "ops@example.com"
	if reply, err := s.client.Operate(s.t.Context(), id, &o); err != nil || !reply.Accepted {
		s.t.Fatalf("%s %s: %+v, %v", o.Command, o.Path, reply, err)
	}
}

// A saga that was terminated is orphaned, and what it would have compensated is
// there to be seen (S15).
func TestTerminated(t *testing.T) {
	s := newScene(t)
	_, start := s.start("terminated", stepA+stepW, nil)
	s.until(start.ID, "the await", at("w", engine.StateRunning))
	s.terminate(start.ID)
	r, err := s.client.Result(t.Context(), start.ID)
	if err != nil {
		t.Fatal(err)
	}
	if r.Outcome != engine.OutcomeOrphaned || r.Status != engine.StatusClosed {
		t.Errorf("%s, %s", r.Outcome, r.Status)
	}
	if a := r.Steps[0]; a.Path != "a" || a.Compensation.State != engine.StateArmed {
		t.Errorf("what is left behind: %+v", r.Steps)
	}
}

// The entries of a child that was terminated are adopted and compensated by its
// parent, with the keys they had (S9).
func TestChildTerminated(t *testing.T) {
	s := newScene(t)
	child := map[string]string{"wait": "steps:\n  - {id: x, call: t.x, compensate: {call: t.undoX}}\n  - {id: y, call: t.y, compensate: {call: t.undoY}}\n" + stepW}
	start := s.startFamily("child-terminated", stepA+"  - {id: c, saga: wait, with: {id: z}}\n"+stepP, child, nil)
	s.until(start.ID, "the child's await", at("c/w", engine.StateRunning))
	s.terminate(engine.ChildID(start.ID, "c", 0))
	r := s.wait(start.ID)
	if r.Outcome != engine.OutcomeCompensated || r.Cause.Code != engine.CodeTerminated || r.Cause.Path != "c" {
		t.Errorf("%s by %+v", r.Outcome, r.Cause)
	}
	if got := strings.Join(r.Trace, " "); got != "a c/x c/y c? ~c/y ~c/x ~a" {
		t.Errorf("trace %s", got)
	}
	if left := s.world(start.ID).Effects(); len(left) > 0 {
		t.Errorf("effects are left: %v", left)
	}
	if n := s.world(start.ID).Calls("t.p"); n != 0 {
		t.Errorf("the pivot was called %d times", n)
	}
}

// An action that was on its way when its saga was terminated is compensated too
// (S1, S9).
func TestChildTerminatedInMidCall(t *testing.T) {
	s := newScene(t)
	child := map[string]string{"slow": "defaults: {timeout: 1s}\nsteps:\n  - {id: x, call: t.x, compensate: {call: t.undoX}}\n  - {id: y, call: t.y, effect: none}\n"}
	start := s.startFamily("child-mid-call", stepA+"  - {id: c, saga: slow, with: {id: z}}\n", child, enginetest.Mocks{"t.x": {enginetest.After(900*time.Millisecond, enginetest.OK(`{}`))}})
	s.calling(start.ID, "t.x")
	s.terminate(engine.ChildID(start.ID, "c", 0))
	r := s.wait(start.ID)
	if got := strings.Join(r.Trace, " "); r.Outcome != engine.OutcomeCompensated || got != "a c? ~c/x ~a" {
		t.Errorf("%s, trace %s", r.Outcome, got)
	}
}

// A child that was terminated while its pivot was on its way parks its parent:
// neither direction is right until somebody knows (S12).
func TestChildTerminatedInDoubt(t *testing.T) {
	s := newScene(t)
	child := map[string]string{"decide": "defaults: {timeout: 1s}\nsteps:\n  - {id: x, call: t.x, compensate: {call: t.undoX}}\n" + stepP + stepR}
	start := s.startFamily("child-in-doubt", stepA+"  - {id: c, saga: decide, with: {id: z}}\n", child, enginetest.Mocks{"t.p": {enginetest.After(900*time.Millisecond, enginetest.Reject("NO"))}})
	s.calling(start.ID, "t.p")
	s.terminate(engine.ChildID(start.ID, "c", 0))
	s.until(start.ID, "the park", func(r engine.Result) bool {
		return isParked("c", engine.CodeTerminated)(r) && strings.Contains(r.Parked[0].Message, "may have passed")
	})
	no := false
	s.operate(start.ID, engine.Operator{Command: engine.CommandResolve, Path: "c", Applied: &no, Reason: "the network knows nothing"})
	r := s.wait(start.ID)
	if got := strings.Join(r.Trace, " "); r.Outcome != engine.OutcomeResolved || r.Direction != engine.Backward || got != "a c/x c? ~c/x ~a" {
		t.Errorf("%s %s, trace %s", r.Outcome, r.Direction, got)
	}
}

// A child that was terminated after its parent's point of no return, and that
// has decided nothing itself, is tried again by an operator (S9, S12).
func TestChildTerminatedAfterThePivot(t *testing.T) {
	s := newScene(t)
	child := map[string]string{"wait": "steps:\n  - {id: e, call: t.e, effect: none}\n" + stepW}
	start := s.startFamily("child-after-pivot", stepA+stepP+"  - {id: c, saga: wait, with: {id: z}}\n", child, nil)
	s.until(start.ID, "the child's await", at("c/w", engine.StateRunning))
	s.terminate(engine.ChildID(start.ID, "c", 0))
	s.until(start.ID, "the park", func(r engine.Result) bool {
		return isParked("c", engine.CodeTerminated)(r) && slices.Contains(r.Parked[0].Commands, engine.CommandRetry)
	})
	s.operate(start.ID, engine.Operator{Command: engine.CommandRetry, Path: "c"})
	s.until(start.ID, "the await of the child that was started again", at("c/w", engine.StateRunning))
	s.signal(engine.ChildID(start.ID, "c", 1), "go")
	s.ends(start.ID, engine.OutcomeCompleted, "a p c/e c/e c/w c") // e was done twice
}

// reset makes a saga begin again at its first task.
func (s *scene) reset(id string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	d, err := s.sdk.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		s.t.Fatal(err)
	}
	s.resetRun(ctx, id, d.GetWorkflowExecutionInfo().GetExecution().GetRunId())
}

// resetRun does so with one of its runs.
func (s *scene) resetRun(ctx context.Context, id, run string) {
	s.t.Helper()
	s.resetTo(ctx, id, run, 1)
}

// resetTo resets a run to one of its tasks, counted from 1.
func (s *scene) resetTo(ctx context.Context, id, run string, task int) {
	s.t.Helper()
	history := s.sdk.GetWorkflowHistory(ctx, id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		if err != nil {
			s.t.Fatal(err)
		}
		if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			task--
		}
		if task > 0 {
			continue
		}
		_, err = s.sdk.ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
			Namespace: namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: run},
			Reason: "by hand", WorkflowTaskFinishEventId: event.GetEventId(), RequestId: run + "-reset",
		})
		if err != nil {
			s.t.Fatal(err)
		}
		return
	}
	s.t.Fatal("the saga has taken no task")
}

// Of a child that failed as no saga does nobody will know more: an operator has
// to decide.
func TestChildLeavesNoReport(t *testing.T) {
	s := newScene(t)
	id := engine.ChildID("demo/t/no-report", "c", 0)
	other, err := s.sdk.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: id, TaskQueue: temporal.TaskQueue("demo", "eu-west-1")}, "t", "no saga")
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Get(t.Context(), nil); err == nil {
		t.Error("it is a saga")
	}
	child := map[string]string{"some": "steps:\n  - {id: x, call: t.x, compensate: {call: t.undoX}}\n"}
	start := s.startFamily("no-report", stepA+"  - {id: c, saga: some, with: {id: z}}\n", child, nil)
	s.until(start.ID, "the park", func(r engine.Result) bool {
		return isParked("c", engine.CodeTerminated)(r) && slices.Equal(r.Parked[0].Commands, []string{engine.CommandResolve})
	})
	no := false
	s.operate(start.ID, engine.Operator{Command: engine.CommandResolve, Path: "c", Applied: &no, Reason: "nothing was called"})
	s.ends(start.ID, engine.OutcomeResolved, "a c? ~a")
}

// A saga that is reset to before its payment, which was made, calls nobody until
// an operator has looked. Then it goes on with the same keys, so that there is
// no second payment (S11, S20).
func TestResetAcrossThePivot(t *testing.T) {
	s := newScene(t)
	_, start := s.start("reset-across", stepA+stepP+stepR, nil)
	s.wait(start.ID)
	keys, calls := s.world(start.ID).Keys(), s.world(start.ID).Calls("t.a")
	s.reset(start.ID)
	r := s.until(start.ID, "the park", isParked("a", engine.CodeReset))
	if got := s.world(start.ID).Calls("t.a"); got != calls {
		t.Errorf("a was called %d times before anybody had looked", got-calls)
	}
	if !slices.Contains(r.Parked[0].Commands, engine.CommandRetry) {
		t.Errorf("commands %v", r.Parked[0].Commands)
	}
	s.operate(start.ID, engine.Operator{Command: engine.CommandRetry, Path: "a"})
	if r := s.wait(start.ID); r.Outcome != engine.OutcomeCompleted {
		t.Errorf("ended %s by %+v", r.Outcome, r.Cause)
	}
	if got := s.world(start.ID).Keys(); !slices.Equal(got, keys) {
		t.Errorf("keys %v, before the reset %v", got, keys)
	}
}

// That the saga was reset is not forgotten when it continues as new before it
// calls anybody. The run that was reset has a few events more than the first one.
func TestResetThenContinuedAsNew(t *testing.T) {
	s := sceneOn(t, startSuggesting(t, 7))
	_, start := s.start("reset-continued", stepW+stepP, nil)
	s.until(start.ID, "the await", at("w", engine.StateRunning))
	s.signal(start.ID, "go")
	s.wait(start.ID)
	s.reset(start.ID)
	s.until(start.ID, "the park", isParked("p", engine.CodeReset))
	if histories, err := s.client.Histories(t.Context(), start.ID); err != nil || len(histories) < 2 {
		t.Errorf("it has not continued as new: %d runs, %v", len(histories), err)
	}
	if n := s.world(start.ID).Calls("t.p"); n != 1 {
		t.Errorf("the pivot was called %d times before anybody had looked", n)
	}
}

// Nor when it was another run than the one that is reset that passed the point
// of no return.
func TestResetBesideThePivot(t *testing.T) {
	s := newScene(t)
	_, start := s.start("reset-beside", stepA+stepW+stepP, nil)
	s.until(start.ID, "the await", at("w", engine.StateRunning))
	d, err := s.sdk.DescribeWorkflowExecution(t.Context(), start.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	s.reset(start.ID)
	s.until(start.ID, "the await again", at("w", engine.StateRunning))
	s.signal(start.ID, "go")
	s.ends(start.ID, engine.OutcomeCompleted, "a w p")
	s.resetRun(t.Context(), start.ID, d.GetWorkflowExecutionInfo().GetExecution().GetRunId())
	s.until(start.ID, "the park", isParked("a", engine.CodeReset))
}

// What was compensated is gone: a saga that is reset to before that must not go
// forward on it.
func TestResetBeforeTheWayBack(t *testing.T) {
	s := newScene(t)
	_, start := s.start("reset-way-back", stepA+stepP, enginetest.Mocks{"t.p": {enginetest.Reject("NO")}})
	s.ends(start.ID, engine.OutcomeCompensated, "a p! ~a")
	s.reset(start.ID)
	s.until(start.ID, "the park", isParked("a", engine.CodeReset))
}

// A saga that had not passed its point of no return goes on after a reset, with
// the same keys (S20).
func TestResetBeforeThePivot(t *testing.T) {
	s := newScene(t)
	_, start := s.start("reset-before", stepA+stepW+stepP, nil)
	s.until(start.ID, "the await", at("w", engine.StateRunning))
	keys := s.world(start.ID).Keys()
	s.reset(start.ID)
	s.until(start.ID, "the await again", func(r engine.Result) bool {
		return s.world(start.ID).Calls("t.a") == 2 && at("w", engine.StateRunning)(r)
	})
	if got := s.world(start.ID).Keys(); !slices.Equal(got, keys) {
		t.Errorf("keys %v, before the reset %v", got, keys)
	}
	if reply, err := s.client.Signal(t.Context(), start.ID, &engine.Signal{ID: "m", Name: "go"}); err != nil || !reply.Accepted {
		t.Fatalf("signal: %+v, %v", reply, err)
	}
	if r := s.wait(start.ID); r.Outcome != engine.OutcomeCompleted {
		t.Errorf("ended %s by %+v", r.Outcome, r.Cause)
	}
}

// A child that closed in the part of a run that a reset has taken away is heard of
// again.
func TestResetAfterAChildHasClosed(t *testing.T) {
	s := newScene(t)
	child := map[string]string{"wait": "steps:\n  - {id: x, call: t.x, compensate: {call: t.undoX}}\n" + stepW}
	start := s.startFamily("reset-child", stepA+"  - {id: c, saga: wait, with: {id: z}}\n"+stepP, child, nil)
	s.until(start.ID, "the child's await", at("c/w", engine.StateRunning))
	d, err := s.sdk.DescribeWorkflowExecution(t.Context(), start.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	s.signal(engine.ChildID(start.ID, "c", 0), "go")
	s.ends(start.ID, engine.OutcomeCompleted, "a c/x c/w c p")
	s.resetTo(t.Context(), start.ID, d.GetWorkflowExecutionInfo().GetExecution().GetRunId(), 3)
	history := s.sdk.GetWorkflowHistory(t.Context(), start.ID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for started := false; ; {
		event, err := history.Next()
		if err != nil {
			t.Fatal(err)
		}
		started = started || event.GetChildWorkflowExecutionStartedEventAttributes() != nil
		if event.GetWorkflowTaskFailedEventAttributes() == nil {
			continue
		}
		if !started {
			t.Error("the child was not started before the point of the reset")
		}
		break
	}
	s.until(start.ID, "the park", isParked("p", engine.CodeReset))
	s.operate(start.ID, engine.Operator{Command: engine.CommandRetry, Path: "p"})
	s.ends(start.ID, engine.OutcomeCompleted, "a c/x c/w c p")
	s.oneKey(start.ID, "t.p", 2)
}

// startFamily starts a saga with children.
func (s *scene) startFamily(key, steps string, sagas map[string]string, mocks enginetest.Mocks) *engine.Start {
	s.t.Helper()
	c := enginetest.Case{Steps: steps, Sagas: sagas, Mocks: mocks, Input: `{"id": "` + key + `"}`}
	saga := c.Prepare(s.t, "")
	s.worlds.mu.Lock()
	s.worlds.byID[saga.Start.ID] = saga.World
	s.worlds.mu.Unlock()
	if started, err := temporal.NewClient(s.sdk).Start(s.t.Context(), saga.Plan, saga.Start, nil); err != nil || !started {
		s.t.Fatalf("started %t: %v", started, err)
	}
	return saga.Start
}

// A double click of an operator is one command, and of two that contradict each
// other one wins (S18).
func TestOperatorsAtOnce(t *testing.T) {
	s := newScene(t)
	_, start := s.start("operators", stepA+"  - {id: p, call: t.p, effect: pivot}\n", enginetest.Mocks{"t.p": {enginetest.Fail("ODD"), enginetest.OK(`{}`)}})
	s.until(start.ID, "the park", isParked("p", "ODD"))
	no := false
	commands := []engine.Operator{
		{ID: "click", Actor: "a", Command: engine.CommandRetry, Path: "p"},
		{ID: "click", Actor: "a", Command: engine.CommandRetry, Path: "p"},
		{ID: "other", Actor: "b", Command: engine.CommandResolve, Path: "p", Applied: &no, Reason: "not in the statement"},
	}
	replies := make([]engine.Reply, len(commands))
	var all sync.WaitGroup
	for i := range commands {
		all.Go(func() {
			var err error
			if replies[i], err = s.client.Operate(t.Context(), start.ID, &commands[i]); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	r := s.wait(start.ID)
	if r.Interventions != 1 {
		t.Errorf("%d commands were taken: %+v", r.Interventions, replies)
	}
	if won := replies[0].Accepted || replies[1].Accepted; won == replies[2].Accepted {
		t.Errorf("replies %+v", replies)
	}
	if n := s.world(start.ID).Calls("t.p"); (r.Outcome == engine.OutcomeCompleted) != (n == 2) {
		t.Errorf("ended %s after %d calls of the pivot", r.Outcome, n)
	}
}

// A child that was terminated leaves its own child behind, which runs on: it is
// turned around before what stands above it is compensated (S9).
func TestChildTerminatedAboveAnother(t *testing.T) {
	s := newScene(t)
	sagas := map[string]string{
		"mid":  "steps:\n  - {id: x, call: t.x, compensate: {call: t.undoX}}\n  - {id: g, saga: wait, with: {id: z}}\n",
		"wait": "steps:\n  - {id: u, call: t.u, compensate: {call: t.undoU}}\n" + stepW,
	}
	start := s.startFamily("child-above", stepA+"  - {id: c, saga: mid, with: {id: z}}\n"+stepP, sagas, nil)
	s.until(start.ID, "the await in the child's child", at("c/g/w", engine.StateRunning))
	s.terminate(engine.ChildID(start.ID, "c", 0))
	s.ends(start.ID, engine.OutcomeCompensated, "a c/x c/g/u c/g/w! ~c/g/u c/g! c? ~c/x ~a")
	if left := s.world(start.ID).Effects(); len(left) > 0 {
		t.Errorf("effects are left: %v", left)
	}
}
