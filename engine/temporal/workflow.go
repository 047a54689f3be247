package temporal

import (
	"fmt"

	"go.temporal.io/sdk/converter"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/sagad/sagad/engine"
)

// interpreter is the one workflow: it runs whatever plan it is given.
type interpreter struct {
	plans    planCache
	observe  func(id string, r engine.Record)
	payloads engine.Payloads // nil: schemas are not known
	witness  *witness        // of a replay, or nil
}

// run is the workflow function of every saga.
func (i *interpreter) run(ctx workflow.Context, args converter.EncodedValues) (*closing, error) {
	var packed []byte
	var start startArgs
	var state []byte
	if err := args.Get(&packed, &start, &state); err != nil {
		return nil, refuse(err)
	}
	if start.Semantics > engine.SemanticsVersion {
		// Fails the task, not the saga: a newer worker takes it up.
		panic(fmt.Sprintf("the saga follows semantics %d, this worker knows %d: update the worker", start.Semantics, engine.SemanticsVersion))
	}
	plan, err := i.plans.get(start.Digest, packed)
	if err != nil {
		return nil, refuse(err)
	}
	r := &runtime{ctx: ctx, id: workflow.GetInfo(ctx).WorkflowExecution.ID, args: &start, packed: packed, observe: i.observe, payloads: i.payloads}
	snapshot, err := start.unpack(state)
	if err != nil {
		return nil, refuse(err)
	}
	if r.start, err = start.decode(r.id); err != nil {
		return nil, refuse(err)
	}
	r.continued = snapshot != nil
	if r.machine = engine.New(plan); r.continued {
		if r.machine, err = engine.Restore(plan, r.start, snapshot); err != nil {
			panic(err) // fails the task, not the saga: a newer worker may know this state
		}
	}
	if err := r.listen(plan); err != nil {
		return nil, err
	}
	result, err := engine.Run(i.watched(r), r.machine)
	if err != nil {
		return nil, err
	}
	return r.end(&result)
}

// refuse ends a workflow that was not started by sagad: its input makes no
// saga, and trying again will not change that.
func refuse(err error) error {
	return sdk.NewNonRetryableApplicationError("not a saga: "+err.Error(), "SagaRefused", err)
}

// keep gives what the closed workflow leaves behind: of a child all that its
// parent needs.
func (r *runtime) keep(result *engine.Result) (*closing, error) {
	if r.start.Parent == nil {
		return pack(result, nil), nil
	}
	report := r.machine.Report()
	return packReport(&report, r.start)
}

// end gives the workflow the ending that belongs to the saga's (S19).
func (r *runtime) end(result *engine.Result) (*closing, error) {
	workflow.Go(r.ctx, func(ctx workflow.Context) { // requests that came with the last event
		for {
			var ev engine.Event
			r.events.Receive(ctx, &ev)
			for _, c := range r.machine.Step(ev) {
				r.Do(c)
			}
		}
	})
	if err := workflow.Await(r.ctx, func() bool { return workflow.AllHandlersFinished(r.ctx) }); err != nil {
		return nil, err
	}
	kept, err := r.keep(result)
	if err != nil {
		return nil, err
	}
	if result.Direction == engine.Forward {
		return kept, nil
	}
	if result.Outcome == engine.OutcomeCompensated && result.Cause.Kind == engine.CauseCancel {
		return nil, sdk.NewCanceledError(*kept)
	}
	kind := ErrorCompensated
	if result.Outcome == engine.OutcomeResolved {
		kind = ErrorResolved
	}
	message := fmt.Sprintf("%s: %s", result.Cause.Code, result.Cause.Message)
	return nil, sdk.NewApplicationErrorWithOptions(message, kind, sdk.ApplicationErrorOptions{NonRetryable: true, Details: []any{*kept}})
}
