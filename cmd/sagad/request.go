package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sagad/sagad/engine"
)

func cancelCommand(c *console) *cobra.Command {
	return instanceCommand(c, &cobra.Command{
		Use:   "cancel ID",
		Short: "Turn a saga around: what was done is compensated",
		Long: `Turn a saga around: what was done is compensated, the last first. After the
point of no return a cancel is refused; while the outcome of the pivot is not
known the answer waits for it.`,
		Example: `  sagad cancel demo/cross-border-payment/p-1`,
		Args:    needs("ID"),
	}, func(ctx context.Context, i *instance, _ []string) error {
		if err := i.serve(ctx); err != nil {
			return err
		}
		told := i.tellWait(ctx)
		reply, err := i.stack.Client().Cancel(ctx, i.id)
		told()
		return i.answered(ctx, request{name: "cancel"}, reply, err)
	})
}

// waitsLong is after how long it is said what an answer waits for.
const waitsLong = 2 * time.Second

// tellWait says what the answer to a cancel waits for if it does not come soon.
// stop ends that.
func (i *instance) tellWait(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		late := time.NewTimer(waitsLong)
		defer late.Stop()
		select {
		case <-ctx.Done():
			return
		case <-late.C:
		}
		if r, err := i.stack.Client().Result(ctx, i.id); err == nil {
			i.console.note("cancel: %s", i.waitsFor(&r))
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// waitsFor says what the answer to a cancel of a saga waits for.
func (i *instance) waitsFor(r *engine.Result) string {
	for _, p := range r.Parked {
		if p.Op == engine.OpAction {
			return fmt.Sprintf("the outcome of %s is not known, it is parked with %s; the answer waits until an operator decides by %s, see `%s`. Ctrl-C leaves, and the cancel stays",
				p.Path, p.Code, strings.Join(p.Commands, " or "), i.settings.hint("show", i.id))
		}
	}
	return "what may be its point of no return is under way; the answer waits for its outcome. Ctrl-C leaves, and the cancel stays"
}

func signalCommand(c *console) *cobra.Command {
	var input, id string
	cmd := &cobra.Command{
		Use:   "signal ID NAME",
		Short: "Send a message to a saga",
		Long: `Send a message to a saga. One that comes before it is awaited is kept. A
second message with the same --id has no effect. A saga that has ended takes none:
it answers CLOSED and how it ended.`,
		Example: `  sagad signal demo/cross-border-payment/p-1 sca.completed --input confirmation.json
  echo '{"paymentId": "p-1"}' | sagad signal demo/cross-border-payment/p-1 sca.completed --input - --id sca-1`,
		Args: needs("ID", "NAME"),
	}
	cmd.Flags().StringVar(&input, "input", "", "`FILE` of JSON, - for standard input (default null)")
	cmd.Flags().StringVar(&id, "id", "", "`ID` of the message (default a new one)")
	return instanceCommand(c, cmd, func(ctx context.Context, i *instance, args []string) error {
		m := &engine.Signal{ID: id, Name: args[1]}
		if m.ID == "" {
			m.ID = newID("m")
		}
		if input != "" {
			var err error
			if m.Data, err = readJSON(c, "input", input); err != nil {
				return err
			}
		}
		if err := i.serve(ctx); err != nil {
			return err
		}
		reply, err := i.stack.Client().Signal(ctx, i.id, m)
		return i.answered(ctx, request{name: "signal " + m.Name, signal: m.Name}, reply, err)
	})
}

// afterTheEnd is the last sentence of the help of the commands that an ID makes
// the same.
const afterTheEnd = `

It is taken once: the same one with the same --id changes nothing. A saga that has
ended takes no more: it answers CLOSED and how it ended, also to one that was taken
before.`

// operatorCommand makes one of the commands about what is parked.
func operatorCommand(c *console, cmd *cobra.Command, complete func(o *engine.Operator) error) *cobra.Command {
	var o engine.Operator
	cmd.Args = needs("ID", "PATH")
	cmd.Long += afterTheEnd
	cmd.Flags().StringVar(&o.ID, "id", "", "`ID` of the command (default a new one); the same command again has no effect")
	cmd.Flags().StringVar(&o.Actor, "actor", "", "`NAME` of who gives the command (default you)")
	return instanceCommand(c, cmd, func(ctx context.Context, i *instance, args []string) error {
		o.Path = args[1]
		if o.ID == "" {
			o.ID = newID("op")
		}
		if o.Actor == "" {
			o.Actor = whoami()
		}
		if err := complete(&o); err != nil {
			return err
		}
		if err := i.serve(ctx); err != nil {
			return err
		}
		reply, err := i.stack.Client().Operate(ctx, i.id, &o)
		return i.answered(ctx, request{name: o.Command, path: o.Path}, reply, err)
	})
}

func whoami() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}

func retryCommand(c *console) *cobra.Command {
	var input string
	cmd := &cobra.Command{
		Use:   "retry ID PATH",
		Short: "Try again what is parked",
		Long: `Try again what is parked, with the same input and key, or with a corrected
input: that is a new operation, and possible only when the old one is known to
have had no effect.`,
		Example: `  sagad retry demo/cross-border-payment/p-1 settle
  sagad retry demo/cross-border-payment/p-1 settle --input corrected.json`,
	}
	cmd.Flags().StringVar(&input, "input", "", "`FILE` of JSON that replaces the input, - for standard input")
	return operatorCommand(c, cmd, func(o *engine.Operator) (err error) {
		o.Command = engine.CommandRetry
		if input != "" {
			o.Input, err = readJSON(c, "input", input)
		}
		return err
	})
}

func skipCommand(c *console) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     "skip ID PATH",
		Short:   "Go on without what is parked",
		Long:    `Go on without what is parked. The saga ends as resolved.`,
		Example: `  sagad skip demo/cross-border-payment/p-1 hold --reason "released by hand, ticket 4711"`,
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`WHY`, for the record")
	return operatorCommand(c, cmd, func(o *engine.Operator) error {
		o.Command, o.Reason = engine.CommandSkip, reason
		if strings.TrimSpace(reason) == "" {
			return errors.New("skip needs a reason: --reason WHY")
		}
		return nil
	})
}

func resolveCommand(c *console) *cobra.Command {
	var applied, notApplied bool
	var evidence, output string
	cmd := &cobra.Command{
		Use:   "resolve ID PATH",
		Short: "Tell a saga what became of an operation in doubt",
		Long: `Tell a saga what became of an operation in doubt: that it had its effect, with
the output it gave, or that it had none. The saga ends as resolved.`,
		Example: `  sagad resolve demo/cross-border-payment/p-1 submit --applied --evidence "statement of 24 Nov" --output receipt.json
  sagad resolve demo/cross-border-payment/p-1 submit --not-applied --evidence "the network does not know it"`,
	}
	cmd.Flags().BoolVar(&applied, "applied", false, "it had its effect")
	cmd.Flags().BoolVar(&notApplied, "not-applied", false, "it had no effect and will have none")
	cmd.Flags().StringVar(&evidence, "evidence", "", "`WHAT` shows it, for the record")
	cmd.Flags().StringVar(&output, "output", "", "`FILE` of JSON with the output it gave, - for standard input")
	return operatorCommand(c, cmd, func(o *engine.Operator) (err error) {
		o.Command, o.Reason, o.Applied = engine.CommandResolve, evidence, &applied
		switch {
		case applied == notApplied:
			return errors.New("resolve needs one of --applied and --not-applied")
		case strings.TrimSpace(evidence) == "":
			return errors.New("resolve needs evidence: --evidence WHAT")
		case output != "" && notApplied:
			return errors.New("what was not applied has no output: leave --output out")
		case output != "":
			o.Output, err = readJSON(c, "output", output)
		}
		return err
	})
}
