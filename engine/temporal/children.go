package temporal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/sagad/sagad/engine"
)

// activityReport reads what a child that was ended from outside has left. No
// plugin has an activity of this name.
const activityReport = "sagad:report"

// reportTimeout bounds one try at it; it is tried until the state is known.
const reportTimeout = 30 * time.Second

// wireReport is what an engine.Report holds beside the result.
type wireReport struct {
	InDoubt    bool            `json:"inDoubt,omitempty"`
	Forced     bool            `json:"forced,omitempty"`
	Generation int             `json:"generation,omitempty"`
	Output     json.RawMessage `json:"output,omitempty"`
	Entries    []wireEntry     `json:"entries,omitempty"`
}

type wireEntry struct {
	engine.Entry
	Input json.RawMessage `json:"input,omitempty"`
}

// packReport gives a report as a child's workflow keeps it.
func packReport(report *engine.Report, start *engine.Start) (*closing, error) {
	kept := pack(&report.Result, start.Parent)
	kept.Saga, kept.Committed = report.Result.Saga, report.Committed
	wire := &wireReport{InDoubt: report.InDoubt, Forced: report.Forced, Generation: report.Generation}
	var err error
	if wire.Output, err = encodeOptional(report.Output); err != nil {
		return nil, fmt.Errorf("encode output: %w", err)
	}
	for _, e := range report.Entries {
		w := wireEntry{Entry: e}
		w.Entry.Input = nil
		if w.Input, err = encodeOptional(e.Input); err != nil {
			return nil, fmt.Errorf("encode input of %s: %w", e.Path, err)
		}
		wire.Entries = append(wire.Entries, w)
	}
	kept.Report = wire
	return kept, nil
}

// report gives back what packReport was given.
func (c *closing) report(id string) (*engine.Report, error) {
	r := &engine.Report{Result: c.unpack(id)}
	if c.Report == nil {
		return nil, fmt.Errorf("%s left no report: it is nobody's child", id)
	}
	r.Committed, r.InDoubt, r.Forced, r.Generation = c.Committed, c.Report.InDoubt, c.Report.Forced, c.Report.Generation
	var err error
	if r.Output, err = parseOptional(c.Report.Output); err != nil {
		return nil, fmt.Errorf("output of %s: %w", id, err)
	}
	for _, w := range c.Report.Entries {
		if w.Entry.Input, err = parseOptional(w.Input); err != nil {
			return nil, fmt.Errorf("input of %s: %w", w.Path, err)
		}
		r.Entries = append(r.Entries, w.Entry)
	}
	return r, nil
}

// startChild runs a child as a workflow of its own and reports its end (S9).
func (r *runtime) startChild(c engine.Command) {
	id := c.Child.Start.ID
	args, err := encodeStart(c.Child.Plan, c.Child.Start)
	if err != nil {
		r.childFailed(c.ID, engine.CodeInvalidInput, err)
		return
	}
	attributes, err := searchAttributes(c.Child.Plan, c.Child.Start, c.Child.Search)
	if err != nil {
		r.childFailed(c.ID, engine.CodeExpression, err)
		return
	}
	ctx, cancel := workflow.WithCancel(workflow.WithChildOptions(r.ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            id,
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WaitForCancellation:   true,
		TypedSearchAttributes: attributes,
	}))
	before := r.recovered
	r.cancels[c.ID] = func() {
		if r.recovered == before {
			cancel()
			return
		}
		workflow.RequestCancelExternalWorkflow(r.ctx, id, "") // it is the child of a run before this one
	}
	closed := workflow.ExecuteChildWorkflow(ctx, c.Child.Plan.Saga, packed(c.Child.Plan), args)
	r.children++
	workflow.Go(r.ctx, func(ctx workflow.Context) {
		report := r.awaitChild(ctx, id, closed, before)
		if report == nil {
			report = r.childReport(ctx, c.ID, id, closed)
		}
		r.children--
		delete(r.cancels, c.ID)
		r.events.Send(ctx, engine.Event{Kind: engine.EventChildClosed, ID: c.ID, Child: report})
	})
}

// childFailed reports a child that could not be started.
func (r *runtime) childFailed(id int, code string, err error) {
	report := notStarted(engine.Failure{Kind: engine.CauseError, Code: code, Message: err.Error()})
	workflow.Go(r.ctx, func(ctx workflow.Context) {
		r.events.Send(ctx, engine.Event{Kind: engine.EventChildClosed, ID: id, Child: report})
	})
}

// notStarted is the report of a child of which nothing has run.
func notStarted(cause engine.Failure) *engine.Report {
	return &engine.Report{Result: engine.Result{
		Status: engine.StatusClosed, Outcome: engine.OutcomeCompensated, Direction: engine.Backward, Cause: &cause,
	}}
}

// childReport gives what a closed child says. One that was ended from outside, or
// that runs since before this saga was reset, is read.
func (r *runtime) childReport(ctx workflow.Context, invocation int, id string, closed workflow.ChildWorkflowFuture) *engine.Report {
	var kept closing
	err := closed.Get(ctx, &kept)
	if err != nil {
		err = keptIn(err, &kept)
	}
	if err == nil {
		report, err := kept.report(id)
		if err == nil {
			return report
		}
		return notStarted(engine.Failure{Kind: engine.CauseError, Code: engine.CodeInvalidOutput, Message: err.Error()})
	}
	var cancelled *sdk.CanceledError
	var running *sdk.ChildWorkflowExecutionAlreadyStartedError
	switch {
	case errors.As(err, &cancelled):
		return notStarted(engine.Failure{Kind: engine.CauseCancel, Code: engine.CodeCancelled, Message: "cancelled before it was started"})
	case errors.As(err, &running):
		r.cancels[invocation] = func() { workflow.RequestCancelExternalWorkflow(r.ctx, id, "") }
	default:
		r.events.Send(ctx, engine.Event{Kind: engine.EventChildClosed, ID: invocation, Child: &engine.Report{Lost: true}})
	}
	return r.readReport(ctx, id)
}

// awaitChild waits until a child has closed. Temporal tells that to an open
// parent only: after the saga was recovered the child is read as well, and what
// is known first counts. The report is nil if Temporal tells it. before is how
// often the saga had been recovered when it started the child.
func (r *runtime) awaitChild(ctx workflow.Context, id string, closed workflow.ChildWorkflowFuture, before int) *engine.Report {
	if workflow.Await(ctx, func() bool { return closed.IsReady() || r.recovered > before }) != nil || closed.IsReady() {
		return nil
	}
	var report *engine.Report
	ctx, cancel := workflow.WithCancel(ctx)
	workflow.Go(ctx, func(ctx workflow.Context) { report = r.readReport(ctx, id) })
	told := workflow.Await(ctx, func() bool { return closed.IsReady() || report != nil }) != nil || closed.IsReady()
	cancel()
	if told {
		return nil
	}
	return report
}

// keptIn reads the result out of the error that a saga's workflow ended with.
// It gives the error back that holds none.
func keptIn(err error, kept *closing) error {
	var failed *sdk.ApplicationError
	var cancelled *sdk.CanceledError
	switch {
	case errors.As(err, &failed) && (failed.Type() == ErrorCompensated || failed.Type() == ErrorResolved):
		return failed.Details(kept)
	case errors.As(err, &cancelled) && cancelled.HasDetails():
		return cancelled.Details(kept)
	}
	return err
}

// readReport asks until the state of a child is known. It has no effect, so the
// server may repeat it.
func (r *runtime) readReport(ctx workflow.Context, id string) *engine.Report {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: reportTimeout,
		RetryPolicy:         &sdk.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
	})
	r.reading++
	defer func() { r.reading-- }()
	var kept closing
	err := workflow.ExecuteActivity(ctx, activityReport, id).Get(ctx, &kept)
	if err == nil {
		var report *engine.Report
		if report, err = kept.report(id); err == nil {
			return report
		}
	}
	return &engine.Report{InDoubt: true, Result: engine.Result{
		Status: engine.StatusClosed, Outcome: engine.OutcomeOrphaned,
		Cause: &engine.Failure{Kind: engine.CauseError, Code: engine.CodeTerminated, Message: err.Error()},
	}}
}

// report is the activity that reads the state of a child. While the child is
// open it fails, so that it is tried again.
func (a *attempts) report(ctx context.Context, id string) (*closing, error) {
	if a.client == nil {
		return nil, sdk.NewNonRetryableApplicationError("this worker cannot read other sagas", "NoClient", nil)
	}
	if info := activity.GetInfo(ctx); !familyOf(info.WorkflowExecution.ID, id) {
		return nil, sdk.NewNonRetryableApplicationError(id+" is no child of "+info.WorkflowExecution.ID, engine.CodeInvalidInput, nil)
	}
	described, err := a.client.sdk.DescribeWorkflowExecution(ctx, id, "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) { // nobody will ever know: an operator has to
		return nil, sdk.NewNonRetryableApplicationError(id+" is no longer kept by Temporal", engine.CodeTerminated, err)
	}
	if err != nil {
		return nil, err
	}
	info := described.GetWorkflowExecutionInfo()
	kept := &closing{}
	switch info.GetStatus() {
	case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, enumspb.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW:
		return nil, errors.New(id + " is still open")
	case enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		return queryReport(ctx, a.client.sdk, id, info.GetExecution().GetRunId())
	}
	if err := a.client.sdk.GetWorkflow(ctx, id, info.GetExecution().GetRunId()).Get(ctx, kept); err != nil {
		return kept, keptIn(err, kept)
	}
	return kept, nil
}

// queryReport asks a run, open or closed, for what it would leave to a parent.
// Of a run that was ended from outside it says so.
func queryReport(ctx context.Context, c client.Client, id, run string) (*closing, error) {
	value, err := c.QueryWorkflow(ctx, id, run, QueryReport)
	if err != nil {
		return nil, fmt.Errorf("ask %s for its state: %w", id, err)
	}
	kept := &closing{}
	if err := value.Get(kept); err != nil {
		return nil, fmt.Errorf("state of %s: %w", id, err)
	}
	if kept.Open {
		kept.Outcome, kept.Open = engine.OutcomeOrphaned, false
	}
	return kept, nil
}
