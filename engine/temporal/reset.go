package temporal

import (
	"context"
	"fmt"
	"slices"
	"sync"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/activity"

	"github.com/sagad/sagad/engine"
)

// resets knows which runs were reset across a point of no return: a run that
// begins again before it, while the one it was made of had passed it. Whatever
// such a run decides may contradict what has been done, so it calls nobody until
// an operator has looked. It is safe for concurrent use.
type resets struct {
	client *Client
	passed sync.Map // run ID to bool
}

// check gives the outcome of an attempt that must not be made, or nil. run was
// made by a reset, and runs the attempt or has continued as the one that does.
func (r *resets) check(ctx context.Context, run string) *engine.Outcome {
	if r.client == nil {
		return nil
	}
	passed, known := r.passed.Load(run)
	if !known {
		found, err := r.across(ctx, activity.GetInfo(ctx).WorkflowExecution.ID, run, map[string]bool{})
		if err != nil {
			return &engine.Outcome{Class: engine.NotSent, Code: engine.CodeUnavailable, Message: "what this run was reset from is not known yet: " + err.Error()}
		}
		r.passed.Store(run, found)
		passed = found
	}
	if passed == false {
		return nil
	}
	return &engine.Outcome{
		Class: engine.NotSent, Code: engine.CodeReset, Final: true,
		Message: "the saga was reset or recovered after it had passed its point of no return, or may have; compare with what was done, then retry or resolve: keys are the same as before",
	}
}

// passedBy says whether a run has passed the point of no return, or may have.
func (r *resets) passedBy(ctx context.Context, id, run string) (bool, error) {
	history, err := r.client.history(ctx, id, run)
	if err != nil {
		return false, fmt.Errorf("history of %s: %w", id, err)
	}
	if !slices.ContainsFunc(history.GetEvents(), func(event *historypb.HistoryEvent) bool {
		return event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
	}) {
		return false, nil // it has done nothing yet, and cannot be asked
	}
	kept, err := queryReport(ctx, r.client.sdk, id, run)
	if err != nil {
		return false, err
	}
	return kept.Committed || kept.Report.InDoubt, nil
}

// across says whether one of the runs that a run was reset from has passed the
// point of no return, or may have.
func (r *resets) across(ctx context.Context, id, run string, seen map[string]bool) (bool, error) {
	if seen[run] {
		return false, nil
	}
	seen[run] = true
	history := r.client.sdk.GetWorkflowHistory(ctx, id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		if err != nil {
			return false, fmt.Errorf("history of %s: %w", id, err)
		}
		base := baseOf(event)
		if base == "" {
			continue
		}
		if passed, err := r.passedBy(ctx, id, base); passed || err != nil {
			return passed, err
		}
		if found, err := r.across(ctx, id, base, seen); found || err != nil {
			return found, err
		}
	}
	return false, nil
}
