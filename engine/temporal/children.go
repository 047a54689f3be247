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

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// Activities of the engine's own. No plugin has one whose name begins like
// theirs.
const (
	ownActivities  = "sagad:"
	activityReport = ownActivities + "report" // reads what a child that was ended from outside has left
	activityInputs = ownActivities + "inputs" // reads inputs that stand apart from a report
)

// maxInputs bounds the inputs of compensations that stand together in one
// payload, in bytes, but for one that is larger. The server takes no payload of
// more than 2 MB.
const maxInputs = 1 << 20

// reportTimeout bounds one try at it; it is tried until the state is known.
const reportTimeout = 30 * time.Second

// wireReport is what an engine.Report holds beside the result.
type wireReport struct {
	InDoubt    bool            `json:"inDoubt,omitempty"`
	Forced     bool            `json:"forced,omitempty"`
	Generation int             `json:"generation,omitempty"`
	Output     json.RawMessage `json:"output,omitempty"`
	Entries    []wireEntry     `json:"entries,omitempty"`
	Children   []string        `json:"children,omitempty"`
	Apart      bool            `json:"apart,omitempty"` // the inputs of the entries are too large: QueryInputs gives them
}

type wireEntry struct {
	engine.Entry
	Input json.RawMessage `json:"input,omitempty"`
}

// packReport gives a report as a child's workflow keeps it.
func packReport(report *engine.Report, start *engine.Start) (*closing, error) {
	kept := pack(&report.Result, start.Parent)
	kept.Saga, kept.Committed = report.Result.Saga, report.Committed
	wire := &wireReport{InDoubt: report.InDoubt, Forced: report.Forced, Generation: report.Generation, Children: report.Children}
	var err error
	if wire.Output, err = encodeOptional(report.Output); err != nil {
		return nil, fmt.Errorf("encode output: %w", err)
	}
	size := 0
	for _, e := range report.Entries {
		w := wireEntry{Entry: e}
		w.Entry.Input = nil
		if w.Input, err = encodeOptional(e.Input); err != nil {
			return nil, fmt.Errorf("encode input of %s: %w", e.Path, err)
		}
		size += len(w.Input)
		wire.Entries = append(wire.Entries, w)
	}
	if wire.Apart = size > maxInputs; wire.Apart {
		for i := range wire.Entries {
			wire.Entries[i].Input = nil
		}
	}
	kept.Report = wire
	return kept, nil
}

// packInputs gives the inputs of entries from one on: as many as stand together.
func packInputs(entries []engine.Entry, from int) (page []json.RawMessage, err error) {
	size := 0
	for _, e := range entries[min(max(from, 0), len(entries)):] {
		input, err := dsl.MarshalCanonical(e.Input)
		if err != nil {
			return nil, fmt.Errorf("encode input of %s: %w", e.Path, err)
		}
		if size += len(input); size > maxInputs && len(page) > 0 {
			break
		}
		page = append(page, input)
	}
	return page, nil
}

// report gives back what packReport was given, without the inputs that stand
// apart.
func (c *closing) report(id string) (*engine.Report, error) {
	r := &engine.Report{Result: c.unpack(id)}
	if c.Report == nil {
		return nil, fmt.Errorf("%s left no report: it is nobody's child", id)
	}
	r.Committed, r.InDoubt, r.Forced, r.Generation = c.Committed, c.Report.InDoubt, c.Report.Forced, c.Report.Generation
	r.Children = c.Report.Children
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
		return r.readApart(ctx, id, &kept)
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

// readReport asks until the state of a child is known.
func (r *runtime) readReport(ctx workflow.Context, id string) *engine.Report {
	ctx = reading(ctx)
	r.reading++
	defer func() { r.reading-- }()
	var kept closing
	if err := workflow.ExecuteActivity(ctx, activityReport, id).Get(ctx, &kept); err != nil {
		return unreadable(err)
	}
	report := r.readApart(ctx, id, &kept)
	if report.Result.Outcome == engine.OutcomeOrphaned && !report.Committed {
		r.readBelow(ctx, report)
	}
	return report
}

// readBelow reads the children that a saga left behind when it was ended from
// outside. Nobody but this saga can answer for them any more: they are asked to
// turn around, and awaited.
func (r *runtime) readBelow(ctx workflow.Context, report *engine.Report) {
	for _, id := range report.Children {
		workflow.RequestCancelExternalWorkflow(r.ctx, id, "")
	}
	below := make([]*engine.Report, 0, len(report.Children))
	for _, id := range report.Children {
		below = append(below, r.readReport(ctx, id))
	}
	report.TakeOver(below)
}

// unreadable is the report of a child of which nobody will ever know more: an
// operator has to.
func unreadable(err error) *engine.Report {
	return &engine.Report{InDoubt: true, Result: engine.Result{
		Status: engine.StatusClosed, Outcome: engine.OutcomeOrphaned,
		Cause: &engine.Failure{Kind: engine.CauseError, Code: engine.CodeTerminated, Message: err.Error()},
	}}
}

// readApart gives the report of a closed child with the inputs that were too
// large to stand in it.
func (r *runtime) readApart(ctx workflow.Context, id string, kept *closing) *engine.Report {
	report, err := kept.report(id)
	if err != nil {
		return unreadable(err)
	}
	if !kept.Report.Apart {
		return report
	}
	ctx = reading(ctx)
	r.reading++
	defer func() { r.reading-- }()
	for from := 0; from < len(report.Entries); {
		var page []json.RawMessage
		err := workflow.ExecuteActivity(ctx, activityInputs, id, from).Get(ctx, &page)
		if err == nil && (len(page) == 0 || from+len(page) > len(report.Entries)) {
			err = fmt.Errorf("%s gives %d inputs from the %dth on of %d", id, len(page), from, len(report.Entries))
		}
		for _, input := range page {
			if err == nil {
				report.Entries[from].Input, err = parseOptional(input)
				from++
			}
		}
		if err != nil {
			return unreadable(err)
		}
	}
	return report
}

// reading is a context for activities that read other sagas. They have no effect,
// so the server may repeat them.
func reading(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: reportTimeout,
		RetryPolicy:         &sdk.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
	})
}

// report is the activity that reads the state of a child. While the child is
// open it fails, so that it is tried again.
func (a *attempts) report(ctx context.Context, id string) (*closing, error) {
	if err := a.mayRead(ctx, id); err != nil {
		return nil, err
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
	err = a.client.sdk.GetWorkflow(ctx, id, info.GetExecution().GetRunId()).Get(ctx, kept)
	var failed *sdk.WorkflowExecutionError
	if !errors.As(err, &failed) {
		return kept, err
	}
	if err = keptIn(err, kept); err != nil { // it did not end as sagas do
		return nil, sdk.NewNonRetryableApplicationError(id+" failed and left no report", engine.CodeTerminated, err)
	}
	return kept, nil
}

// mayRead says why this worker cannot read a saga for the one whose activity it
// runs.
func (a *attempts) mayRead(ctx context.Context, id string) error {
	if a.client == nil {
		return sdk.NewNonRetryableApplicationError("this worker cannot read other sagas", "NoClient", nil)
	}
	if info := activity.GetInfo(ctx); !familyOf(info.WorkflowExecution.ID, id) {
		return sdk.NewNonRetryableApplicationError(id+" is no child of "+info.WorkflowExecution.ID, engine.CodeInvalidInput, nil)
	}
	return nil
}

// inputs is the activity that reads the inputs that a child has kept apart, from
// one on.
func (a *attempts) inputs(ctx context.Context, id string, from int) (page []json.RawMessage, err error) {
	if err := a.mayRead(ctx, id); err != nil {
		return nil, err
	}
	value, err := a.client.sdk.QueryWorkflow(ctx, id, "", QueryInputs, from)
	if err != nil {
		return nil, fmt.Errorf("ask %s for its inputs: %w", id, err)
	}
	return page, value.Get(&page)
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
