package temporal

import (
	"encoding/json"
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/sagad/sagad/engine"
)

// Limits of one run of a workflow. A saga that comes near them continues as new
// (S26): the server ends a run at 51,200 events or 50 MB, takes 2,000 updates
// in one, and suggests to continue long before.
const (
	maxUpdates = 1800
	// waitsForChildren is the number of events up to which a saga with open
	// children goes on in its run: they may take days, and nothing else would
	// start meanwhile.
	waitsForChildren = 20_000
	// waitsForChildrenBytes is that in bytes.
	waitsForChildrenBytes = 20 << 20
	// staysFor is the number of events after which a saga tries again that had too
	// much state to continue as new.
	staysFor = 1000
	// maxState is the largest state, compressed with the input, that is carried over. A saga
	// with more stays in its run for now. The server takes 2 MB for all of the input.
	maxState = 1 << 20
)

// leaving says whether the saga is to continue as new: nothing new is started
// then until what is open has closed. A request that waits for an answer may
// wait for just what would be held back.
func (r *runtime) leaving() bool {
	info := workflow.GetInfo(r.ctx)
	length := info.GetCurrentHistoryLength()
	if length < r.stays || len(r.replies) > 0 || r.reading > 0 {
		return false
	}
	due := info.GetContinueAsNewSuggested() || r.requests >= maxUpdates
	return due && (r.children == 0 || length >= waitsForChildren || info.GetCurrentHistorySize() >= waitsForChildrenBytes)
}

// quiet says whether nothing is open: no activity, no child, no request, and
// nothing that has come and not been taken.
func (r *runtime) quiet() bool {
	return r.flying == 0 && r.children == 0 && r.events.Len() == 0 && workflow.AllHandlersFinished(r.ctx)
}

// continueAsNew gives the error that ends this run and starts the next one with
// the state of this one. When the state is too large it gives nil, and the saga
// stays.
func (r *runtime) continueAsNew() error {
	snapshot, err := r.machine.Snapshot()
	if err != nil {
		return err
	}
	text, err := json.Marshal(carried{Input: r.args.Input, State: snapshot})
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	state := compressor.EncodeAll(text, nil)
	if len(state) > maxState {
		workflow.GetLogger(r.ctx).Warn("the saga is too large to continue as new and stays in its run", "bytes", len(state))
		r.stays = workflow.GetInfo(r.ctx).GetCurrentHistoryLength() + staysFor
		r.release()
		return nil
	}
	next := *r.args
	next.Input, next.State, next.ResetRun = nil, nil, r.resetRun()
	return workflow.NewContinueAsNewError(r.ctx, workflow.GetInfo(r.ctx).WorkflowType.Name, r.packed, &next, state)
}

// release starts what was held back: the saga stays in this run, at least for
// now.
func (r *runtime) release() {
	held := r.held
	r.held = nil
	for _, c := range held {
		r.Do(c)
	}
}

// dropHeld takes back an attempt that was held back, as one that was cut before
// it was sent; ok says that there was one.
func (r *runtime) dropHeld(id int) (ok bool) {
	i := slices.IndexFunc(r.held, func(c engine.Command) bool { return c.Kind == engine.CommandInvoke && c.ID == id })
	if i < 0 {
		return false
	}
	r.held = slices.Delete(r.held, i, i+1)
	out := engine.Outcome{Class: engine.NotSent, Code: engine.CodeCancelled, Message: "cut before it was sent", Final: true}
	r.flying++ // the machine has to hear of it before the saga continues as new
	workflow.Go(r.ctx, func(ctx workflow.Context) {
		r.flying--
		r.events.Send(ctx, engine.Event{Kind: engine.EventClosed, ID: id, Outcome: out})
	})
	return true
}
