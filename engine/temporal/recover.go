package temporal

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/sagad/sagad/engine"
)

// Errors of Recover.
var (
	// ErrNotOrphaned says that nobody has ended the saga from outside.
	ErrNotOrphaned = errors.New("only a saga that was terminated or timed out from outside can be recovered")
	// ErrChild says that the saga is somebody's child.
	ErrChild = errors.New("a child is not recovered by itself: its parent takes over what it has left")
)

// Recover takes up a saga that was terminated or timed out from outside, where
// it stood and with the same keys (S15). Attempts that were under way are made
// again; if the pivot was one of them, or may have succeeded, the saga parks
// with engine.CodeReset before it calls anybody. Who recovers it and why stands in
// the history, and the saga counts it among its interventions. namespace is the one
// of Temporal's that the Client is connected to.
func (c *Client) Recover(ctx context.Context, namespace, id, actor, reason string) error {
	described, err := c.sdk.DescribeWorkflowExecution(ctx, id, "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return fmt.Errorf("%s: %w", id, ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("recover %s: %w", id, err)
	}
	info := described.GetWorkflowExecutionInfo()
	run := info.GetExecution().GetRunId()
	history, err := c.history(ctx, id, run)
	if err != nil {
		return fmt.Errorf("history of %s: %w", id, err)
	}
	ended := run
	if base, err := c.recoverable(ctx, info, history.GetEvents()); err != nil {
		return fmt.Errorf("%s: %w", id, err)
	} else if base != "" {
		ended = base
	} else {
		_, err = c.sdk.ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
			Namespace:                 namespace,
			WorkflowExecution:         info.GetExecution(),
			Reason:                    because(actor, reason),
			RequestId:                 run + "-recover", // of two who ask at once one recovers
			WorkflowTaskFinishEventId: resetPoint(history.GetEvents()),
		})
		if err != nil {
			return fmt.Errorf("recover %s: %w", id, err)
		}
	}
	if err := c.sdk.SignalWorkflow(ctx, id, "", SignalRecover, &wireRecover{ID: ended + "-recover", Actor: actor, Reason: reason}); err != nil {
		return fmt.Errorf("%s goes on, but has not heard which of its children have closed; recover it again: %w", id, err)
	}
	return nil
}

// wireRecover tells a saga that it was recovered.
type wireRecover struct {
	ID     string `json:"id"`
	Actor  string `json:"actor"`
	Reason string `json:"reason,omitempty"`
}

func (w *wireRecover) command() *engine.Operator {
	return &engine.Operator{ID: w.ID, Command: engine.CommandRecover, Actor: w.Actor, Reason: w.Reason}
}

func because(actor, reason string) string {
	if reason == "" {
		return "recovered by " + actor
	}
	return "recovered by " + actor + ": " + reason
}

// recoverable says whether a saga can be recovered. base is the run that was ended,
// of a saga that was reset by Recover and was not told; otherwise it is empty.
func (c *Client) recoverable(ctx context.Context, info *workflowpb.WorkflowExecutionInfo, events []*historypb.HistoryEvent) (base string, err error) {
	id := info.GetExecution().GetWorkflowId()
	if parent := info.GetParentExecution(); parent != nil {
		return "", fmt.Errorf("%w; that is %s", ErrChild, parent.GetWorkflowId())
	}
	switch info.GetStatus() {
	case enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		return "", nil
	case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		for _, event := range events {
			switch {
			case baseOf(event) != "":
				base = baseOf(event)
			case event.GetWorkflowExecutionSignaledEventAttributes().GetSignalName() == SignalRecover:
				base = ""
			}
		}
		if base != "" {
			return base, nil
		}
		return "", fmt.Errorf("%w; this one is open", ErrNotOrphaned)
	}
	result, err := c.Wait(ctx, id)
	if err != nil {
		return "", err
	}
	return "", fmt.Errorf("%w; this one ended %s", ErrNotOrphaned, result.Outcome)
}

// baseOf gives the run that the run of this event was reset from, if the event
// says so.
func baseOf(event *historypb.HistoryEvent) string {
	failed := event.GetWorkflowTaskFailedEventAttributes()
	if failed.GetCause() != enumspb.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW {
		return ""
	}
	return failed.GetBaseRunId()
}

// resetPoint gives the event of a closed run before which its last task can
// begin again, with as much of what was heard as possible. A task that nobody
// had taken up ends with the run.
func resetPoint(events []*historypb.HistoryEvent) int64 {
	var point int64
	for _, event := range events {
		switch event.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
			point = events[len(events)-1].GetEventId()
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED, enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
			enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED, enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
			point = event.GetEventId()
		}
	}
	return point
}
