package endtoend

import (
	"errors"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/temporal"
)

// A saga has one start, in whatever run it is: after it has continued as new, after
// it was terminated and recovered, and then once more.
func TestStartedAtOfEveryRun(t *testing.T) {
	s := sceneOn(t, startSuggesting(t, 7))
	_, start := s.start("runs", stepA+"  - {id: b, call: t.b, compensate: {call: t.undoB}}\n  - {id: c, call: t.c, compensate: {call: t.undoC}}\n"+stepW+stepP, nil)
	runs := map[string]bool{}
	look := func() {
		t.Helper()
		r := s.until(start.ID, "the await", at("w", engine.StateRunning))
		described, err := s.sdk.DescribeWorkflowExecution(t.Context(), start.ID, "")
		if err != nil {
			t.Fatal(err)
		}
		info := described.GetWorkflowExecutionInfo()
		runs[info.GetExecution().GetRunId()], runs[info.GetFirstRunId()] = true, true
		started, err := s.client.StartedAt(t.Context(), namespace, info.GetExecution())
		if err != nil || !started.Equal(r.StartedAt) {
			t.Errorf("the run that began at %s says that the saga started at %s, %v; it did at %s", info.GetStartTime().AsTime(), started, err, r.StartedAt)
		}
	}
	look()
	s.terminate(start.ID)
	s.recover(start.ID)
	look()
	s.signal(start.ID, "go")
	if r := s.ends(start.ID, engine.OutcomeCompleted, "a b c w p"); r.Interventions != 1 {
		t.Errorf("%d interventions", r.Interventions)
	}
	if len(runs) < 3 {
		t.Errorf("the saga had the runs %v", runs)
	}
	none := &commonpb.WorkflowExecution{WorkflowId: "demo/t/never"}
	if _, err := s.client.StartedAt(t.Context(), namespace, none); !errors.Is(err, temporal.ErrNotFound) {
		t.Errorf("a saga that never was: %v", err)
	}
}

// A signal of an older version, which did not say who recovered a saga, counts as no
// intervention and is no hindrance.
func TestRecoveredByAnOlderVersion(t *testing.T) {
	s := newScene(t)
	_, start := s.start("older", stepA+stepW+stepP, nil)
	s.until(start.ID, "the await", at("w", engine.StateRunning))
	if err := s.sdk.SignalWorkflow(t.Context(), start.ID, "", temporal.SignalRecover, nil); err != nil {
		t.Fatal(err)
	}
	s.signal(start.ID, "go")
	if r := s.ends(start.ID, engine.OutcomeCompleted, "a w p"); r.Interventions != 0 {
		t.Errorf("%d interventions", r.Interventions)
	}
}

// An open saga is as old as the clock says, not as its last event; one that was ended
// from outside was so old then.
func TestAge(t *testing.T) {
	s := newScene(t)
	_, start := s.start("age", stepA+stepW, nil)
	s.until(start.ID, "the await", at("w", engine.StateRunning))
	asked := time.Now()
	r, err := s.client.Result(t.Context(), start.ID)
	if err != nil || time.Duration(r.Elapsed) < asked.Sub(r.StartedAt) {
		t.Errorf("the saga is %s old, %v; asked %s after its start", time.Duration(r.Elapsed), err, asked.Sub(r.StartedAt))
	}
	s.terminate(start.ID)
	described, err := s.sdk.DescribeWorkflowExecution(t.Context(), start.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	want := described.GetWorkflowExecutionInfo().GetCloseTime().AsTime().Sub(r.StartedAt)
	if r, err := s.client.Result(t.Context(), start.ID); err != nil || time.Duration(r.Elapsed).Round(time.Millisecond) != want.Round(time.Millisecond) {
		t.Errorf("it ended %s old, %v, want %s", time.Duration(r.Elapsed), err, want)
	}
}
