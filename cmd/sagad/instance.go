package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/temporal"
)

// answerTime bounds how long an open saga may take to show its state.
const answerTime = 15 * time.Second

// instance is a command about one saga that exists.
type instance struct {
	console  *console
	flags    *flags
	format   *format
	settings *settings
	stack    *stack.Stack
	id       string
}

// instanceCommand makes a command whose first argument is a saga's ID. do runs
// with an open, connected stack.
func instanceCommand(c *console, cmd *cobra.Command, do func(ctx context.Context, i *instance, args []string) error) *cobra.Command {
	i := &instance{console: c, flags: sharedFlags(cmd), format: formatFlag(cmd)}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		i.id = engine.CanonicalID(args[0])
		if err := i.open(cmd.Context()); err != nil {
			return err
		}
		defer i.close()
		return do(cmd.Context(), i, args)
	}
	return cmd
}

// open connects to where the saga is. Its tenant stands in its ID.
func (i *instance) open(ctx context.Context) (err error) {
	tenant, _, _ := strings.Cut(i.id, "/")
	if strings.Count(i.id, "/") < 2 {
		return fmt.Errorf("%q is no ID of a saga, which is TENANT/SAGA/KEY, of a child with the path of its step behind; `sagad list` shows them", i.id)
	}
	set := i.flags.cmd.Flags()
	if set.Changed("tenant") && i.flags.tenant != tenant {
		return fmt.Errorf("%s belongs to the tenant %s, not to %s", i.id, tenant, i.flags.tenant)
	}
	if err := set.Set("tenant", tenant); err != nil {
		return err
	}
	if i.settings, err = i.flags.resolve(i.console, ""); err != nil {
		return err
	}
	if i.stack, err = i.settings.open(ctx); err != nil {
		return err
	}
	if i.stack.Empty() {
		return fmt.Errorf("there is no saga %s: nothing has run on the data directory %s; name another with --data", i.id, i.settings.Data)
	}
	return i.stack.Connect(ctx)
}

func (i *instance) close() {
	if err := i.stack.Close(); err != nil {
		i.settings.Logger.Warn("not everything stopped in order", "error", err)
	}
}

// result gives the saga as it stands. Only a worker knows how an open saga
// stands, and one above a child that has closed; where there is none, this process
// is one that calls no plugin: who looks moves nothing.
func (i *instance) result(ctx context.Context) (engine.Result, error) {
	if err := i.work(ctx, true, i.stack.StartLooking); err != nil {
		return engine.Result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	r, err := i.stack.Client().Result(ctx, i.id)
	return r, i.explain(err)
}

// serve makes this process run the saga if it is open and nobody else does. Its
// region is the one it was started in.
func (i *instance) serve(ctx context.Context) error { return i.work(ctx, false, i.stack.StartWorker) }

// work starts a worker if the saga is open and has none; above says that it is
// needed as well when the saga at the top of the family is.
func (i *instance) work(ctx context.Context, above bool, start func(context.Context) error) error {
	if i.settings.Temporal != stack.Embedded || i.stack.Working() {
		return nil
	}
	described, err := i.stack.SDK().DescribeWorkflowExecution(ctx, i.id, "")
	if err != nil {
		return i.explain(err)
	}
	info := described.GetWorkflowExecutionInfo()
	if root := info.GetRootExecution().GetWorkflowId(); above && info.GetCloseTime() != nil && root != "" && root != i.id {
		if described, err := i.stack.SDK().DescribeWorkflowExecution(ctx, root, ""); err == nil { // it may be kept no more
			info = described.GetWorkflowExecutionInfo()
		}
	}
	if info.GetCloseTime() != nil {
		return nil
	}
	queue := info.GetTaskQueue()
	region, ok := temporal.RegionOf(queue, i.settings.Tenant)
	if !ok {
		return fmt.Errorf("%s was not started by sagad: it waits on the task queue %s", i.id, queue)
	}
	i.settings.Region = region
	i.stack.Region(region)
	return start(ctx)
}

// explain turns what Temporal says into what helps.
func (i *instance) explain(err error) error {
	var late *serviceerror.DeadlineExceeded
	switch {
	case err == nil:
		return nil
	case errors.Is(err, temporal.ErrNotFound) || isMissing(err):
		return fmt.Errorf("there is no saga %s, or none any more; `sagad list` shows what there is", i.id)
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &late):
		return fmt.Errorf("%s does not answer: no worker of tenant %s runs in its region; start `sagad dev`", i.id, i.settings.Tenant)
	}
	return err
}

// attend stays with the saga until it closes or parks.
func (i *instance) attend(ctx context.Context, stay bool) error {
	printer := i.console.printer(i.format.json())
	defer printer.Close()
	if plan, err := i.stack.Client().Plan(ctx, i.id); err == nil { // otherwise lines name no activities
		printer.Plan(plan)
	}
	printer.Title(i.id)
	a := &attendance{
		console: i.console, printer: printer, stay: stay,
		saga: &durableSaga{stack: i.stack, name: i.id, feed: newFeed(printer), watch: i.settings.hint("watch", i.id)},
	}
	result, err := a.attend(ctx)
	if errors.Is(err, errLeft) {
		printer.Close()
		return outcomeError{"left " + i.id + ": " + a.saga.left()}
	}
	if err != nil {
		return i.explain(err)
	}
	return finish(i.console, i.format, printer, result, i.settings.again)
}

// answered prints the saga's answer to a request, with what would fit if it is a
// refusal. If this process is the one that runs the saga it stays with it; otherwise
// others carry on.
func (i *instance) answered(ctx context.Context, what request, reply engine.Reply, err error) error {
	if err != nil {
		return i.explain(err)
	}
	if !reply.Accepted {
		if mend := i.fitting(ctx, what, reply); mend != "" {
			reply.Message += "; " + mend
		}
		if i.format.json() {
			if err := printJSON(i.console.out, reply); err != nil {
				return err
			}
		}
		return outcomeError{what.name + " refused: " + progress.Reason(reply.Code, reply.Message)}
	}
	if !i.stack.Working() {
		if i.format.json() {
			return printJSON(i.console.out, reply)
		}
		i.console.say("%s: %s", what.name, reply.Message)
		return nil
	}
	if !i.format.json() {
		i.console.say("%s: %s", what.name, reply.Message)
	}
	return i.attend(ctx, false)
}
