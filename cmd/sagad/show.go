package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"

	"github.com/sagad/sagad/cmd/sagad/progress"
)

func isMissing(err error) bool {
	var missing *serviceerror.NotFound
	return errors.As(err, &missing)
}

func showCommand(c *console) *cobra.Command {
	var keys, table bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show how a saga stands, or how it ended",
		Long: `Show how a saga stands, or how it ended: the outcome, and a drawing of its flow
with the state of every step. Branches and items have lanes, the steps of a
child saga stand below it, and behind a step stands its way back: armed,
compensating, compensated, parked or skipped.`,
		Example: `  sagad show demo/cross-border-payment/p-1
  sagad show demo/cross-border-payment/p-1 --keys
  sagad show demo/cross-border-payment/p-1 -o json`,
		Args: needs("ID"),
	}
	cmd.Flags().BoolVar(&keys, "keys", false, "with the idempotency keys")
	cmd.Flags().BoolVar(&table, "table", false, "a plain table of the steps, in order of reaching them")
	return instanceCommand(c, cmd, func(ctx context.Context, i *instance, _ []string) error {
		r, err := i.result(ctx)
		if err != nil {
			return err
		}
		if i.format.json() {
			return printJSON(c.out, r)
		}
		progress.Result(c.out, c.style(), r, i.settings.again)
		plan, err := i.stack.Client().Plan(ctx, i.id)
		if table || err != nil { // a drawing needs the flow
			progress.Steps(c.out, c.style(), r)
			return nil
		}
		progress.Draw(c.out, c.style(), plan, r, keys)
		return nil
	})
}

func watchCommand(c *console) *cobra.Command {
	var wait bool
	cmd := &cobra.Command{
		Use:   "watch ID",
		Short: "Show a saga as it goes on, until it ends or parks",
		Example: `  sagad watch demo/cross-border-payment/p-1
  sagad watch demo/cross-border-payment/p-1 --wait -o json`,
		Args: needs("ID"),
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "stay while the saga is parked")
	return instanceCommand(c, cmd, func(ctx context.Context, i *instance, _ []string) error {
		if err := i.serve(ctx); err != nil {
			return err
		}
		return i.attend(ctx, wait)
	})
}
