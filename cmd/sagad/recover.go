package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/sagad/sagad/engine"
)

func recoverCommand(c *console) *cobra.Command {
	var actor, reason string
	cmd := &cobra.Command{
		Use:   "recover ID",
		Short: "Take up a saga that was terminated from outside",
		Long: `Take up a saga that was terminated or timed out with Temporal's own tools, and
is orphaned: it goes on where it stood, with the same keys. Attempts that were
under way are made again. If its pivot was one of them, the saga parks with RESET
before it calls anybody: compare with what was done, then retry or resolve.`,
		Example: `  sagad list --state orphaned
  sagad recover demo/cross-border-payment/p-1 --reason "terminated by mistake"`,
		Args: needs("ID"),
	}
	cmd.Flags().StringVar(&actor, "actor", "", "`NAME` of who gives the command (default you)")
	cmd.Flags().StringVar(&reason, "reason", "", "`WHY`, for the record")
	return instanceCommand(c, cmd, func(ctx context.Context, i *instance, _ []string) error {
		if actor == "" {
			actor = whoami()
		}
		if err := i.stack.Client().Recover(ctx, i.stack.Namespace(), i.id, actor, reason); err != nil {
			return i.explain(err)
		}
		if err := i.serve(ctx); err != nil {
			return err
		}
		return i.answered(ctx, request{name: "recover"}, engine.Reply{Accepted: true, Message: "the saga goes on where it stood"}, nil)
	})
}
