package temporal

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// pollers is how many requests for work of each kind a worker keeps open. More
// of them make latency worse on few cores and do not raise throughput.
const pollers = 4

// heartbeatEvery is how often a running attempt reports to the server, and so
// how soon a cut reaches it.
const heartbeatEvery = time.Second

// WorkerOptions say what a worker serves.
type WorkerOptions struct {
	Tenant  string
	Region  string
	Invoker engine.Invoker
	// Observe is told of every transition of the sagas that run in this worker,
	// in the order of each saga, from several goroutines. It must not wait. A
	// transition may be told again after a worker was lost. Nil: nobody is told.
	Observe func(id string, r engine.Record)
	// LookOnly makes a worker that answers how sagas stand and runs no attempt.
	LookOnly bool
	// StopTimeout is how long Stop waits for running attempts. 0: not at all.
	StopTimeout time.Duration
}

// NewWorker gives the worker of one tenant in one region. It serves the
// interpreter and the activities on TaskQueue(tenant, region).
func NewWorker(c client.Client, o WorkerOptions) worker.Worker {
	w := worker.New(c, TaskQueue(o.Tenant, o.Region), worker.Options{
		MaxConcurrentWorkflowTaskPollers: pollers,
		MaxConcurrentActivityTaskPollers: pollers,
		DefaultHeartbeatThrottleInterval: heartbeatEvery,
		MaxHeartbeatThrottleInterval:     heartbeatEvery,
		WorkerStopTimeout:                o.StopTimeout,
		LocalActivityWorkerOnly:          o.LookOnly,
		DisableEagerActivities:           o.LookOnly,
	})
	register(w, o, NewClient(c))
	return w
}

// Registry is what Register needs of a worker; the SDK's test environment has
// it too.
type Registry interface {
	RegisterDynamicWorkflow(w any, options workflow.DynamicRegisterOptions)
	RegisterDynamicActivity(a any, options activity.DynamicRegisterOptions)
}

// Register makes a worker serve sagas. It has no way to read other sagas: a
// child that was ended from outside stays parked in its parent.
func Register(w Registry, o WorkerOptions) { register(w, o, nil) }

func register(w Registry, o WorkerOptions, c *Client) {
	payloads, _ := o.Invoker.(engine.Payloads)
	i := &interpreter{observe: o.Observe, payloads: payloads}
	w.RegisterDynamicWorkflow(i.run, workflow.DynamicRegisterOptions{})
	a := &attempts{invoker: o.Invoker, payloads: payloads, tenant: o.Tenant, region: o.Region, client: c, resets: resets{client: c}}
	w.RegisterDynamicActivity(a.run, activity.DynamicRegisterOptions{})
}

// attempts runs activities.
type attempts struct {
	invoker        engine.Invoker
	payloads       engine.Payloads // nil: schemas are not known
	tenant, region string
	client         *Client // nil: other sagas cannot be read
	resets         resets
}

// run is the activity function of every attempt.
func (a *attempts) run(ctx context.Context, values converter.EncodedValues) (converter.RawValue, error) {
	switch activity.GetInfo(ctx).ActivityType.Name {
	case activityReport:
		return a.runReport(ctx, values)
	case activityInputs:
		return a.runInputs(ctx, values)
	}
	var args callArgs
	if err := values.Get(&args); err != nil {
		return converter.RawValue{}, notSent(engine.CodeInvalidInput, err)
	}
	inv, saga, err := args.decode()
	if err != nil {
		return converter.RawValue{}, notSent(engine.CodeInvalidInput, err)
	}
	info := activity.GetInfo(ctx)
	if saga.Tenant != a.tenant || !familyOf(saga.ID, info.WorkflowExecution.ID) {
		return converter.RawValue{}, notSent(engine.CodeInvalidInput, fmt.Errorf("the key %s belongs to another saga", args.Key))
	}
	inv.Activity, inv.Timeout, saga.Region = info.ActivityType.Name, info.StartToCloseTimeout-timeoutMargin, a.region
	past, refused := a.resets.check(ctx, &args, inv.Op)
	if refused != nil {
		return converter.RawValue{}, failed(*refused)
	}
	stop := beat(ctx)
	out := engine.CheckProbed(a.payloads, inv, engine.BoundOutput(inv, a.invoker.Invoke(ctx, saga, inv)))
	stop()
	out = past.judge(&args, inv.Op, out)
	if out.Class == engine.Applied && out.Code == "" {
		return encodeOutput(out.Output)
	}
	return converter.RawValue{}, failed(out)
}

// runReport is report as a dynamic activity.
func (a *attempts) runReport(ctx context.Context, values converter.EncodedValues) (converter.RawValue, error) {
	var id string
	if err := values.Get(&id); err != nil {
		return converter.RawValue{}, notSent(engine.CodeInvalidInput, err)
	}
	kept, err := a.report(ctx, id)
	if err != nil {
		return converter.RawValue{}, err
	}
	data, err := json.Marshal(kept)
	return rawJSON(data), err
}

// runInputs is inputs as a dynamic activity.
func (a *attempts) runInputs(ctx context.Context, values converter.EncodedValues) (converter.RawValue, error) {
	var id string
	var from int
	if err := values.Get(&id, &from); err != nil {
		return converter.RawValue{}, notSent(engine.CodeInvalidInput, err)
	}
	page, err := a.inputs(ctx, id, from)
	if err != nil {
		return converter.RawValue{}, err
	}
	data, err := json.Marshal(page)
	return rawJSON(data), err
}

// familyOf says whether a saga may be a child, at any depth, of the one at the
// top of a family, or is that one.
func familyOf(root, id string) bool {
	if id == root || strings.HasPrefix(id, root+"/") {
		return true
	}
	names := strings.SplitN(root, "/", 3)
	return len(names) == 3 && strings.HasPrefix(id, names[0]+"/"+names[1]+"/sha256-")
}

// beat reports to the server while an attempt runs: the report's answer carries
// a cut.
func beat(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(heartbeatEvery, func() {
		for ticker := time.NewTicker(heartbeatEvery); ; {
			activity.RecordHeartbeat(ctx)
			select {
			case <-ticker.C:
			case <-ctx.Done():
				ticker.Stop()
				return
			}
		}
	})
	return func() {
		timer.Stop()
		cancel()
	}
}

// encodeOutput gives the output as one payload. One that is too large belongs
// to an action that was applied all the same (S25).
func encodeOutput(output any) (converter.RawValue, error) {
	data, err := dsl.MarshalCanonical(output)
	if err != nil {
		return converter.RawValue{}, failed(engine.Outcome{Class: engine.Applied, Code: engine.CodeInvalidOutput, Message: err.Error()})
	}
	if len(data) > MaxPayload {
		message := fmt.Sprintf("the output has %d bytes, at most %d are allowed; return a reference instead", len(data), MaxPayload)
		return converter.RawValue{}, failed(engine.Outcome{Class: engine.Applied, Code: engine.CodeTooLarge, Message: message})
	}
	return rawJSON(data), nil
}

func notSent(code string, err error) error {
	return failed(engine.Outcome{Class: engine.NotSent, Code: code, Message: err.Error(), Final: true})
}

// failed gives an outcome as the error of an activity. A rejection is business
// as usual and no cause for the SDK to raise its voice.
func failed(out engine.Outcome) error {
	category := sdk.ApplicationErrorCategoryUnspecified
	if out.Class == engine.Rejected {
		category = sdk.ApplicationErrorCategoryBenign
	}
	return sdk.NewApplicationErrorWithOptions(out.Message, out.Code, sdk.ApplicationErrorOptions{
		NonRetryable: true, Category: category,
		Details: []any{failureDetails{Class: out.Class, Final: out.Final, Probed: out.Probed}},
	})
}
