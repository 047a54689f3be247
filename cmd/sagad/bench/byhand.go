package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// The five steps of fiveSteps, written by hand as a careful Go programmer would:
// compensations armed before their action, in reverse order, on a context that
// a cancellation does not reach, idempotency keys, and one attempt at a time so
// that a lost answer is seen.

// handArgs starts the saga.
type handArgs struct {
	ID string `json:"id"`
	N  int    `json:"n"`
}

// callIn and callOut are what the activities take and give.
type callIn struct {
	Key string `json:"key"`
	N   int    `json:"n"`
}

type callOut struct {
	OK bool `json:"ok"`
}

// noop is every activity of the saga.
func noop(_ context.Context, _ callIn) (callOut, error) { return callOut{OK: true}, nil }

func handWritten(ctx workflow.Context, args handArgs) (result callOut, err error) {
	info := workflow.GetInfo(ctx)
	started := info.WorkflowStartTime.UTC().Format("20060102T150405Z")
	key := func(step, op string) string {
		return fmt.Sprintf("demo:%s:%s:%s:%s:0", info.WorkflowExecution.ID, step, op, started)
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 30 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
	})
	var undo []func(workflow.Context) error
	defer func() {
		if err == nil {
			return
		}
		detached, cancel := workflow.NewDisconnectedContext(ctx)
		defer cancel()
		for i := len(undo) - 1; i >= 0; i-- {
			err = errors.Join(err, undo[i](detached))
		}
	}()
	call := func(ctx workflow.Context, activity, step string) error {
		for attempt := 1; ; attempt++ {
			err := workflow.ExecuteActivity(ctx, activity, callIn{Key: key(step, "action"), N: args.N}).Get(ctx, &result)
			if err == nil || attempt == 3 {
				return err
			}
			if err := workflow.Sleep(ctx, time.Second<<(attempt-1)); err != nil {
				return err
			}
		}
	}
	for _, step := range []struct{ id, activity, compensation string }{
		{"s1", "noop.one", "noop.undoOne"},
		{"s2", "noop.two", "noop.undoTwo"},
		{"s3", "noop.three", ""},
		{"s4", "noop.four", ""},
		{"s5", "noop.five", ""},
	} {
		if step.compensation != "" {
			undo = append(undo, func(ctx workflow.Context) error {
				return workflow.ExecuteActivity(ctx, step.compensation, callIn{Key: key(step.id, "compensation"), N: args.N}).Get(ctx, nil)
			})
		}
		if err := call(ctx, step.activity, step.id); err != nil {
			return callOut{}, err
		}
	}
	return result, nil
}
