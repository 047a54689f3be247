package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/engine/temporal"
)

func startCommand(c *console) *cobra.Command {
	var input string
	cmd := &cobra.Command{
		Use:   "start FILE",
		Short: "Start a saga and return at once",
		Long: `Start a saga and return at once. It runs in a ` + "`sagad dev`" + ` that uses the same
data directory, or in a worker on the Temporal that is named with --temporal.`,
		Example: `  sagad start payment.yaml --input testdata/settles.json
  sagad start payment.yaml --input - --temporal temporal.example.com:7233 < payment.json`,
		Args: needs("FILE"),
	}
	f, out := sharedFlags(cmd), formatFlag(cmd)
	cmd.Flags().StringVar(&input, "input", "", "`FILE` of JSON, - for standard input (default {})")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := f.resolve(c, args[0])
		if err != nil {
			return err
		}
		l := &launch{console: c, settings: s, file: args[0]}
		defer l.close()
		if err := l.read(input, ""); err != nil {
			return err
		}
		return startOnly(cmd.Context(), c, out, l)
	}
	return cmd
}

// startOnly starts the saga and leaves it to others.
func startOnly(ctx context.Context, c *console, out *format, l *launch) error {
	if err := l.prepare(ctx); err != nil {
		return err
	}
	if l.settings.Temporal == stack.Embedded && !l.stack.Served() {
		return fmt.Errorf("nobody runs the sagas of %s in %s on %s: start `sagad dev` in another terminal, or use `sagad run`", l.settings.Tenant, l.settings.Region, l.settings.Data)
	}
	if err := l.stack.Connect(ctx); err != nil {
		return err
	}
	started, err := l.stack.Client().Start(ctx, l.plan, l.start, l.search)
	if errors.Is(err, temporal.ErrOtherInput) {
		return fmt.Errorf("%w; what became of it shows `%s`", err, l.settings.hint("show", l.start.ID))
	}
	if err != nil {
		return err
	}
	if out.json() {
		return printJSON(c.out, map[string]any{"id": l.start.ID, "started": started, "digest": l.plan.Digest})
	}
	word, next := "started", "watch"
	switch {
	case started:
	case orphaned(ctx, l.stack, l.start.ID):
		word, next = "was started before, with the same input, and ended from outside:", "recover"
	default:
		word = "was started before, with the same input:"
	}
	c.say("%s %s", word, l.start.ID)
	c.say("  %s", l.settings.hint(next, l.start.ID))
	return nil
}
