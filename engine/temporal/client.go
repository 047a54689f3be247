package temporal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	sdk "go.temporal.io/sdk/temporal"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// Client starts sagas and talks to them. It is safe for concurrent use.
type Client struct{ sdk client.Client }

// NewClient gives a Client that uses c. The caller closes c.
func NewClient(c client.Client) *Client { return &Client{sdk: c} }

// Errors of a Client.
var (
	// ErrNotFound says that there is no such saga, or none any more.
	ErrNotFound = errors.New("no such saga")
	// ErrNoResult says that a workflow ended as no saga does.
	ErrNoResult = errors.New("it failed and left no result of a saga")
	// ErrOtherInput says that the business key is taken by a saga with another
	// input.
	ErrOtherInput = errors.New("a saga with this key was started with another input; another try needs another key")
)

// Start starts a saga. started is false when the same saga, with the same input,
// was started before, whatever became of it (S20); with another input the error
// is ErrOtherInput.
func (c *Client) Start(ctx context.Context, plan *dsl.Plan, start *engine.Start, search map[string]any) (started bool, err error) {
	args, err := encodeStart(plan, start)
	if err != nil {
		return false, err
	}
	attributes, err := searchAttributes(plan, start, search)
	if err != nil {
		return false, err
	}
	_, err = c.sdk.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                                       start.ID,
		TaskQueue:                                TaskQueue(start.Tenant, start.Region),
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		EnableEagerStart:                         true,
		TypedSearchAttributes:                    attributes,
	}, plan.Saga, packed(plan), args)
	if err == nil {
		return true, nil
	}
	var exists *serviceerror.WorkflowExecutionAlreadyStarted
	if !errors.As(err, &exists) {
		return false, fmt.Errorf("start %s: %w", start.ID, err)
	}
	return false, c.sameInput(ctx, start.ID, args.Input)
}

// sameInput checks that a saga was started with this input.
func (c *Client) sameInput(ctx context.Context, id string, input []byte) error {
	first, _, err := c.started(ctx, id)
	if err != nil {
		return err
	}
	if !bytes.Equal(first.Input, input) {
		return fmt.Errorf("%s: %w", id, ErrOtherInput)
	}
	return nil
}

// Plan gives the plan of a saga, which stands in the first event of its history.
func (c *Client) Plan(ctx context.Context, id string) (*dsl.Plan, error) {
	args, packed, err := c.started(ctx, id)
	if err != nil {
		return nil, err
	}
	plans := &planCache{}
	return plans.get(args.Digest, packed)
}

// started gives what a saga was started with and its compressed plan, from the
// first event of its history.
func (c *Client) started(ctx context.Context, id string) (*startArgs, []byte, error) {
	history := c.sdk.GetWorkflowHistory(ctx, id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	event, err := history.Next()
	if err != nil {
		return nil, nil, fmt.Errorf("history of %s: %w", id, err)
	}
	args, packed, _, err := readStarted(id, event)
	return args, packed, err
}

// readStarted reads the first event of a history. snapshot is the state that the
// runs before it have left, or nil.
func readStarted(id string, event *historypb.HistoryEvent) (args *startArgs, packed, snapshot []byte, err error) {
	payloads := event.GetWorkflowExecutionStartedEventAttributes().GetInput()
	var state []byte
	args = &startArgs{}
	if err := converter.GetDefaultDataConverter().FromPayloads(payloads, &packed, args, &state); err != nil {
		return nil, nil, nil, fmt.Errorf("input of %s: %w", id, err)
	}
	if snapshot, err = args.unpack(state); err != nil {
		return nil, nil, nil, fmt.Errorf("input of %s: %w", id, err)
	}
	return args, packed, snapshot, nil
}

// StartedAt gives the instant at which the saga of a run started: of its first
// event, whatever it has continued as and from whatever it was reset (S20). The
// error is ErrNotFound if the run is kept no more. namespace is the one of
// Temporal's that the Client is connected to.
func (c *Client) StartedAt(ctx context.Context, namespace string, run *commonpb.WorkflowExecution) (time.Time, error) {
	id := run.GetWorkflowId()
	page, err := c.sdk.WorkflowService().GetWorkflowExecutionHistory(ctx, &workflowservice.GetWorkflowExecutionHistoryRequest{
		Namespace: namespace, Execution: run, MaximumPageSize: 1,
	})
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return time.Time{}, fmt.Errorf("%s: %w", id, ErrNotFound)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("history of %s: %w", id, err)
	}
	if len(page.GetHistory().GetEvents()) == 0 {
		return time.Time{}, fmt.Errorf("history of %s: %w", id, ErrNotFound)
	}
	event := page.GetHistory().GetEvents()[0]
	_, _, state, err := readStarted(id, event)
	switch {
	case err != nil:
		return time.Time{}, err
	case state != nil:
		return engine.SnapshotStart(state)
	}
	return event.GetEventTime().AsTime(), nil
}

func searchAttributes(plan *dsl.Plan, start *engine.Start, search map[string]any) (sdk.SearchAttributes, error) {
	updates := []sdk.SearchAttributeUpdate{
		sdk.NewSearchAttributeKeyKeyword(AttributeTenant).ValueSet(start.Tenant),
		sdk.NewSearchAttributeKeyKeyword(AttributeSaga).ValueSet(plan.Saga),
		sdk.NewSearchAttributeKeyKeyword(AttributeState).ValueSet(engine.OutcomeRunning),
	}
	for _, s := range plan.Search {
		switch value := search[s.Name].(type) {
		case nil:
		case string:
			updates = append(updates, sdk.NewSearchAttributeKeyKeyword(s.Name).ValueSet(value))
		case int:
			updates = append(updates, sdk.NewSearchAttributeKeyInt64(s.Name).ValueSet(int64(value)))
		case bool:
			updates = append(updates, sdk.NewSearchAttributeKeyBool(s.Name).ValueSet(value))
		case time.Time:
			updates = append(updates, sdk.NewSearchAttributeKeyTime(s.Name).ValueSet(value))
		default:
			return sdk.SearchAttributes{}, fmt.Errorf("search attribute %s: a %T cannot be searched", s.Name, value)
		}
	}
	return sdk.NewSearchAttributes(updates...), nil
}

// Wait waits for the end of a saga and gives its result.
func (c *Client) Wait(ctx context.Context, id string) (engine.Result, error) {
	var kept closing
	err := c.sdk.GetWorkflow(ctx, id, "").Get(ctx, &kept)
	if err == nil {
		return kept.unpack(id), nil
	}
	return resultOf(id, err)
}

// resultOf reads the result out of the error a saga's workflow ended with.
func resultOf(id string, err error) (engine.Result, error) {
	var kept closing
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return engine.Result{}, fmt.Errorf("%s: %w", id, ErrNotFound)
	}
	var failed *sdk.WorkflowExecutionError
	ended := errors.As(err, &failed)
	if err = keptIn(err, &kept); err != nil && ended {
		return engine.Result{}, fmt.Errorf("%s: %w: %w", id, ErrNoResult, err)
	}
	if err != nil {
		return engine.Result{}, fmt.Errorf("%s: %w", id, err)
	}
	return kept.unpack(id), nil
}

// maxAsked is how many open children of a saga are asked for their state.
const maxAsked = 100

// Result gives a saga as it stands, an open one with its age by the clock of this
// process. An open saga is asked, which needs a worker of its tenant and region, and
// so are the first hundred of its open children, whose steps stand behind their own;
// a closed one left its result behind. The compensations that a closed child has
// handed up stand as they stand at the top of its family, if that one answers.
func (c *Client) Result(ctx context.Context, id string) (engine.Result, error) {
	left := maxAsked
	result, err := c.result(ctx, id, &left)
	if err == nil && result.LeavesArmed() {
		ctx, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		if root, err := c.own(ctx, result.Root); err == nil {
			result.HandedUp(root)
		}
	}
	return result, err
}

func (c *Client) result(ctx context.Context, id string, left *int) (engine.Result, error) {
	result, err := c.own(ctx, id)
	if err != nil || result.Status == engine.StatusClosed && result.Outcome != engine.OutcomeOrphaned {
		return result, err
	}
	for _, child := range result.OpenChildren() {
		if *left--; *left < 0 {
			break
		}
		inner, err := c.result(ctx, child, left)
		switch {
		case errors.Is(err, ErrNotFound): // not started yet
		case errors.Is(err, ErrNoResult): // its parent parks
		case err != nil:
			return result, err
		default:
			result.Include(inner)
		}
	}
	return result, nil
}

// own gives a saga without what its open children do.
func (c *Client) own(ctx context.Context, id string) (engine.Result, error) {
	described, err := c.sdk.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		return resultOf(id, err)
	}
	switch info := described.GetWorkflowExecutionInfo(); info.GetStatus() {
	case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		result, err := c.view(ctx, id)
		result.AsOf(time.Now())
		return result, err
	case enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		result, err := c.view(ctx, id)
		result.AsOf(info.GetCloseTime().AsTime())
		result.Status, result.Outcome, result.Parked = engine.StatusClosed, engine.OutcomeOrphaned, nil
		return result, err
	}
	return c.Wait(ctx, id)
}

// askAgain is how often a saga is asked for its state when the answer fails, and
// askTime how long one answer may take.
const (
	askAgain = 5
	askTime  = 4 * time.Second
)

// view asks an open saga. A worker that does not have the saga in memory builds
// it up from its history, and fails if the saga moves on meanwhile
// (temporalio/sdk-go issue 755); a question to a worker that has just gone is
// lost. Then it is asked again. The error is context.DeadlineExceeded if nobody
// answers.
func (c *Client) view(ctx context.Context, id string) (result engine.Result, err error) {
	for range askAgain {
		var value converter.EncodedValue
		if value, err = c.ask(ctx, id); err == nil {
			return result, value.Get(&result)
		}
		var failed *serviceerror.QueryFailed
		moved := errors.As(err, &failed) && strings.Contains(failed.Message, "TMPRL1100")
		if ctx.Err() != nil || !moved && !errors.Is(err, context.DeadlineExceeded) {
			break
		}
	}
	return result, fmt.Errorf("ask %s for its state: %w", id, err)
}

func (c *Client) ask(ctx context.Context, id string) (converter.EncodedValue, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	value, err := c.sdk.QueryWorkflow(ctx, id, "", QueryView)
	var late *serviceerror.DeadlineExceeded
	if errors.As(err, &late) {
		return nil, context.DeadlineExceeded
	}
	return value, err
}

// Signal sends a message to a saga (S27). A message with an ID that the saga
// has seen is accepted and without effect.
func (c *Client) Signal(ctx context.Context, id string, s *engine.Signal) (engine.Reply, error) {
	data, err := dsl.MarshalCanonical(s.Data)
	if err != nil {
		return engine.Reply{}, fmt.Errorf("encode message: %w", err)
	}
	return c.update(ctx, id, UpdateSignal, wireSignal{ID: s.ID, Name: s.Name, Data: data})
}

// Cancel asks a saga to turn around (S13). While the outcome of its pivot is
// not known the answer waits for it.
func (c *Client) Cancel(ctx context.Context, id string) (engine.Reply, error) {
	return c.update(ctx, id, UpdateCancel)
}

// Operate gives an operator's command to a saga (S18), or to the open child
// whose step it is about.
func (c *Client) Operate(ctx context.Context, id string, o *engine.Operator) (engine.Reply, error) {
	if strings.Contains(o.Path, "/") {
		result, err := c.Result(ctx, id)
		if err != nil {
			return engine.Reply{}, err
		}
		id = result.Addressee(o.Path)
	}
	wire, err := encodeOperator(o)
	if err != nil {
		return engine.Reply{}, err
	}
	return c.update(ctx, id, UpdateOperate, wire)
}

// update sends a request and waits for its answer. A request that the saga does
// not even look at is a refusal too.
func (c *Client) update(ctx context.Context, id, name string, args ...any) (reply engine.Reply, err error) {
	handle, err := c.sdk.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateName: name, Args: args, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, &reply)
	}
	var refused *sdk.ApplicationError
	var missing *serviceerror.NotFound
	switch {
	case err == nil:
		return reply, nil
	case errors.As(err, &refused):
		return refusalOf(err), nil
	case errors.As(err, &missing):
		result, err := c.own(ctx, id)
		if err != nil {
			return reply, err
		}
		if result.Status == engine.StatusOpen { // it has just continued as new
			return c.update(ctx, id, name, args...)
		}
		return engine.Reply{Code: engine.RefusedClosed, Message: "the saga has ended: " + result.Outcome}, nil
	}
	return reply, fmt.Errorf("%s to %s: %w", name, id, err)
}

// refusalOf gives the answer to a request that was refused before the saga took
// it in.
func refusalOf(err error) engine.Reply {
	var refused *sdk.ApplicationError
	if errors.As(err, &refused) && refused.Type() == alreadyReceived {
		return engine.Reply{Accepted: true, Message: refused.Message()}
	}
	if errors.As(err, &refused) {
		return engine.Reply{Code: refused.Type(), Message: refused.Message()}
	}
	return engine.Reply{Code: engine.RefusedNotPossible, Message: err.Error()}
}
