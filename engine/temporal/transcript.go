package temporal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/sagad/sagad/engine"
)

// transcript notes what a workflow does while its history is replayed.
type transcript struct {
	interceptor.WorkerInterceptorBase
	deeds   []deed
	replies map[string]engine.Reply // by the ID of the update
	ended   bool
	ending  ending
}

// deed is one command of a workflow, from a replay or from a history.
type deed struct {
	what  string        // for people, without the data of the saga
	input []byte        // canonical, of an activity or a child
	limit time.Duration // of an activity
	ctx   workflow.Context
}

// withdrawn says that a deed of a replay was taken back. If that was in the
// task that did it, it never became an event.
func (d *deed) withdrawn() bool { return d.ctx.Err() != nil }

// InterceptWorkflow takes in a workflow.
func (t *transcript) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &inbound{WorkflowInboundInterceptorBase: interceptor.WorkflowInboundInterceptorBase{Next: next}, to: t}
}

// inbound notes the answers to requests and the end.
type inbound struct {
	interceptor.WorkflowInboundInterceptorBase
	to *transcript
}

// Init puts the outbound side in place.
func (i *inbound) Init(next interceptor.WorkflowOutboundInterceptor) error {
	return i.Next.Init(&outbound{WorkflowOutboundInterceptorBase: interceptor.WorkflowOutboundInterceptorBase{Next: next}, to: i.to})
}

// ExecuteWorkflow notes the end.
func (i *inbound) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	result, err := i.Next.ExecuteWorkflow(ctx, in)
	i.to.ended, i.to.ending = true, endingOf(workflow.GetInfo(ctx).WorkflowExecution.ID, result, err)
	return result, err
}

// ExecuteUpdate notes the answer.
func (i *inbound) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (any, error) {
	answer, err := i.Next.ExecuteUpdate(ctx, in)
	if reply, ok := answer.(engine.Reply); ok && err == nil {
		i.to.replies[workflow.GetCurrentUpdateInfo(ctx).ID] = reply
	}
	return answer, err
}

// outbound notes commands.
type outbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	to *transcript
}

func (o *outbound) note(ctx workflow.Context, d deed) {
	d.ctx = ctx
	o.to.deeds = append(o.to.deeds, d)
}

// ExecuteActivity notes an attempt.
func (o *outbound) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	if ctx.Err() == nil { // otherwise the SDK does nothing
		o.note(ctx, attemptOf(name, encoded(args), workflow.GetActivityOptions(ctx).StartToCloseTimeout))
	}
	return o.Next.ExecuteActivity(ctx, name, args...)
}

// ExecuteChildWorkflow notes a child.
func (o *outbound) ExecuteChildWorkflow(ctx workflow.Context, name string, args ...any) workflow.ChildWorkflowFuture {
	if ctx.Err() == nil {
		o.note(ctx, childOf(name, workflow.GetChildWorkflowOptions(ctx).WorkflowID, encoded(args)))
	}
	return o.Next.ExecuteChildWorkflow(ctx, name, args...)
}

// NewTimer notes a timer.
func (o *outbound) NewTimer(ctx workflow.Context, d time.Duration) workflow.Future {
	o.timer(ctx, d)
	return o.Next.NewTimer(ctx, d)
}

// NewTimerWithOptions notes a timer.
func (o *outbound) NewTimerWithOptions(ctx workflow.Context, d time.Duration, options workflow.TimerOptions) workflow.Future {
	o.timer(ctx, d)
	return o.Next.NewTimerWithOptions(ctx, d, options)
}

func (o *outbound) timer(ctx workflow.Context, d time.Duration) {
	if d > 0 && ctx.Err() == nil { // otherwise it fires without a command
		o.note(ctx, timerOf(d))
	}
}

// UpsertTypedSearchAttributes notes a change of the saga's state.
func (o *outbound) UpsertTypedSearchAttributes(ctx workflow.Context, updates ...sdk.SearchAttributeUpdate) error {
	state, _ := sdk.NewSearchAttributes(updates...).GetKeyword(sdk.NewSearchAttributeKeyKeyword(AttributeState))
	o.note(ctx, stateOf(state))
	return o.Next.UpsertTypedSearchAttributes(ctx, updates...)
}

// encoded gives arguments as they stand in a history.
func encoded(args []any) *commonpb.Payloads {
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(args...)
	if err != nil { // the SDK fails for the same reason
		return nil
	}
	return payloads
}

// deedOf gives the deed that an event of a history tells of; ok is false for
// other events.
func deedOf(e *historypb.HistoryEvent) (d deed, ok bool) {
	if a := e.GetActivityTaskScheduledEventAttributes(); a != nil {
		return attemptOf(a.GetActivityType().GetName(), a.GetInput(), a.GetStartToCloseTimeout().AsDuration()), true
	}
	if a := e.GetStartChildWorkflowExecutionInitiatedEventAttributes(); a != nil {
		return childOf(a.GetWorkflowType().GetName(), a.GetWorkflowId(), a.GetInput()), true
	}
	if a := e.GetTimerStartedEventAttributes(); a != nil {
		return timerOf(a.GetStartToFireTimeout().AsDuration()), true
	}
	if a := e.GetUpsertWorkflowSearchAttributesEventAttributes(); a != nil {
		var state string
		if p := a.GetSearchAttributes().GetIndexedFields()[AttributeState]; p != nil {
			_ = converter.GetDefaultDataConverter().FromPayload(p, &state) // what is no text is no state
		}
		return stateOf(state), true
	}
	return deed{}, false
}

func attemptOf(name string, input *commonpb.Payloads, limit time.Duration) deed {
	d := deed{what: "calls " + name, input: plain(input), limit: limit}
	var args callArgs
	if converter.GetDefaultDataConverter().FromPayloads(input, &args) == nil {
		d.what = fmt.Sprintf("calls %s as attempt %d of %s", name, max(args.Attempt, 1), args.Key)
		if args.ResetRun != "" || args.Asks != "" {
			args.ResetRun, args.Guarded = "", false // where a saga is replayed it was not reset
			args.Asks = ""                          // the plan has it, and old histories do not
			d.input, _ = json.Marshal(&args)        // it was JSON before
		}
	}
	return d
}

// childOf leaves the plan out, which the digest in the second argument names:
// compressed it may look otherwise.
func childOf(name, id string, input *commonpb.Payloads) deed {
	return deed{what: fmt.Sprintf("starts %s as %s", name, id), input: plain(&commonpb.Payloads{Payloads: input.GetPayloads()[min(1, len(input.GetPayloads())):]})}
}

func timerOf(d time.Duration) deed { return deed{what: fmt.Sprintf("starts a timer of %s", d)} }

func stateOf(state string) deed { return deed{what: "goes over to " + state} }

// plain gives the data of payloads, JSON in one form: servers and tools may
// write it in another.
func plain(payloads *commonpb.Payloads) []byte {
	var all [][]byte
	for _, p := range payloads.GetPayloads() {
		var compact bytes.Buffer
		if json.Compact(&compact, p.GetData()) == nil {
			all = append(all, compact.Bytes())
		} else {
			all = append(all, p.GetData())
		}
	}
	return bytes.Join(all, []byte("\n"))
}
