package temporal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"

	"github.com/sagad/sagad/engine"
)

// resets knows what a saga has done in runs of which the present one knows
// nothing, because it was made by a reset to before that. It is safe for
// concurrent use.
type resets struct {
	client *Client
	pasts  sync.Map // run ID to *past
}

// past is what was done in such runs.
type past struct {
	passed bool            // the point of no return was passed, or may have been
	turned bool            // something was compensated
	keys   map[string]bool // of what was called
}

// check gives the outcome of an attempt that must not be made, or nil. Whatever
// a saga decides once more may contradict what has been done, so that nobody is
// called until an operator has looked.
func (r *resets) check(ctx context.Context, args *callArgs, op engine.Op) (*past, *engine.Outcome) {
	if args.ResetRun == "" || r.client == nil {
		return nil, nil
	}
	p, err := r.past(ctx, activity.GetInfo(ctx).WorkflowExecution.ID, args.ResetRun)
	switch {
	case err != nil:
		// It may have been called in a run that cannot be read.
		return nil, &engine.Outcome{Class: engine.Ambiguous, Code: engine.CodeUnavailable, Message: "nothing was sent: what this run was reset from is not known yet: " + err.Error()}
	case args.Guarded && (p.passed || p.turned && op == engine.OpAction):
		return p, &engine.Outcome{
			Class: engine.NotSent, Code: engine.CodeReset, Final: true,
			Message: "the saga was reset or recovered after it had passed its point of no return, or may have, or had compensated; compare with what was done, then retry or resolve: keys are the same as before",
		}
	}
	return p, nil
}

// judge gives the outcome of an attempt in the light of the past: what was
// called before under the same key may have had its effect then, whatever the
// participant says now (S2).
func (p *past) judge(args *callArgs, op engine.Op, out engine.Outcome) engine.Outcome {
	if p == nil || !p.keys[args.Key] || op == engine.OpProbe {
		return out
	}
	switch out.Class {
	case engine.Rejected:
		out.Class, out.Final = engine.Ambiguous, true
	case engine.NotSent:
		out.Class = engine.Ambiguous
	}
	return out
}

// past gives what was done beside a run that was made by a reset, and beside
// those that it has continued as.
func (r *resets) past(ctx context.Context, id, run string) (*past, error) {
	if known, ok := r.pasts.Load(run); ok {
		return known.(*past), nil
	}
	histories, err := r.runs(ctx, id)
	if err != nil {
		return nil, err
	}
	from := map[string]int64{} // the first event of a base that the run does not have
	for at := run; at != ""; {
		if histories[at] == nil {
			if histories[at], err = r.client.history(ctx, id, at); err != nil {
				return nil, fmt.Errorf("history of %s: %w", id, err)
			}
		}
		base, point := "", int64(0)
		for _, event := range histories[at].GetEvents() {
			if b := baseOf(event); b != "" {
				base, point = b, event.GetEventId()
			}
		}
		if _, seen := from[base]; seen || base == run {
			break
		}
		if at = base; at != "" {
			from[base] = point
		}
	}
	p := &past{keys: map[string]bool{}}
	for other, history := range histories {
		if continues(histories, other, run) || continues(histories, run, other) {
			continue
		}
		if err := p.add(history, from[other]); err != nil {
			return nil, err
		}
		if passed, err := r.passedBy(ctx, id, other, history); err != nil {
			return nil, err
		} else if passed {
			p.passed = true
		}
	}
	r.pasts.Store(run, p)
	return p, nil
}

// runs gives the histories of all runs of a saga, by run ID.
func (r *resets) runs(ctx context.Context, id string) (map[string]*historypb.History, error) {
	histories := map[string]*historypb.History{}
	for request := (&workflowservice.ListWorkflowExecutionsRequest{Query: Equals("WorkflowId", id)}); ; {
		page, err := r.client.sdk.ListWorkflow(ctx, request)
		if err != nil {
			return nil, fmt.Errorf("runs of %s: %w", id, err)
		}
		for _, info := range page.GetExecutions() {
			run := info.GetExecution().GetRunId()
			if histories[run], err = r.client.history(ctx, id, run); err != nil {
				return nil, fmt.Errorf("history of %s: %w", id, err)
			}
		}
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return histories, nil
		}
	}
}

// continues says whether a run is another one, or has continued as new from it.
func continues(histories map[string]*historypb.History, run, from string) bool {
	for ; run != from; run = histories[run].GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId() {
		if histories[run] == nil {
			return false
		}
	}
	return true
}

// add takes in what a run has called, from an event on.
func (p *past) add(history *historypb.History, from int64) error {
	for _, event := range history.GetEvents() {
		scheduled := event.GetActivityTaskScheduledEventAttributes()
		if scheduled == nil || event.GetEventId() < from || strings.HasPrefix(scheduled.GetActivityType().GetName(), ownActivities) {
			continue
		}
		args := &callArgs{}
		if err := converter.GetDefaultDataConverter().FromPayloads(scheduled.GetInput(), args); err != nil {
			return fmt.Errorf("input of %s: %w", scheduled.GetActivityType().GetName(), err)
		}
		inv, _, err := args.decode()
		if err != nil {
			return err
		}
		p.keys[args.Key] = true
		p.turned = p.turned || inv.Op == engine.OpCompensation
	}
	return nil
}

// passedBy says whether a run has passed the point of no return, or may have.
func (r *resets) passedBy(ctx context.Context, id, run string, history *historypb.History) (bool, error) {
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
