package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/sagad/sagad/cmd/sagad/embedded"
	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/engine"
)

// defaultUIPort is the one that Temporal's own development server uses.
const defaultUIPort = 8233

// maxPort is the largest number of a port.
const maxPort = 65535

func devCommand(c *console) *cobra.Command {
	d := developer{console: c}
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Stay up with Temporal, its web UI and the plugins",
		Long: `Stay up with Temporal, its web UI and the plugins, and run the sagas of one
tenant and region until Ctrl-C. Other commands that use the same data directory
go through this process. Open sagas go on when it starts.`,
		Example: `  sagad dev
  sagad dev --ui-port 0 --temporal-port 7233
  sagad dev --temporal temporal.example.com:7233 --tenant acme --region eu-west-1`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) },
	}
	d.flags, d.format = sharedFlags(cmd), formatFlag(cmd)
	d.flags.makesData = true
	cmd.Flags().IntVar(&d.port, strings.TrimPrefix(embedded.PortFlag, "--"), 0, "`PORT` of embedded Temporal; 0 takes a free one")
	cmd.Flags().IntVar(&d.uiPort, strings.TrimPrefix(embedded.UIPortFlag, "--"), defaultUIPort, "`PORT` of the web UI; 0 takes a free one")
	return cmd
}

// developer is one `sagad dev`.
type developer struct {
	console      *console
	flags        *flags
	format       *format
	port, uiPort int
}

func (d *developer) run(ctx context.Context) (err error) {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(interrupts)
	if err := errors.Join(checkPort(embedded.PortFlag, d.port), checkPort(embedded.UIPortFlag, d.uiPort)); err != nil {
		return err
	}
	s, err := d.flags.resolve(d.console, "")
	if err != nil {
		return err
	}
	s.Port, s.UIPort = d.port, d.uiPort
	if !d.flags.verbose {
		s.Logger = slog.New(newNotices(d.console))
	}
	s.Logger = slog.New(newStuck(s.Logger.Handler(), !d.flags.verbose, d.stuck))
	s.Observe = d.observe
	st, err := s.open(ctx)
	if err != nil {
		return err
	}
	if p := st.Peer(); p != nil {
		return fmt.Errorf("a `sagad dev` with pid %d serves the data directory %s already: use that one, or choose another directory with --data", p.PID, s.Data)
	}
	defer func() {
		if stopped := st.Close(); err == nil {
			err = stopped
		}
	}()
	if err := st.StartWorker(ctx); err != nil {
		return err
	}
	if s.Temporal == stack.Embedded {
		if err := st.Publish(); err != nil {
			return err
		}
	}
	if err := d.welcome(st, s); err != nil {
		return err
	}
	if !d.format.json() {
		watching, stop := context.WithCancel(ctx)
		var done sync.WaitGroup
		done.Go(func() { d.watchLost(watching, st, s) })
		defer done.Wait() // before the stack is closed
		defer stop()
	}
	<-interrupts
	if !d.format.json() {
		d.console.say("stopping; open sagas go on at the next start")
	}
	return nil
}

func checkPort(flag string, port int) error {
	if port < 0 || port > maxPort {
		return fmt.Errorf("%s %d is no port: it may be from 1 to %d, and 0 takes a free one", flag, port, maxPort)
	}
	return nil
}

// welcome says where everything is and what to type next.
func (d *developer) welcome(st *stack.Stack, s *settings) error {
	var names []string
	for _, m := range st.Manifests() {
		names = append(names, m.Plugin+" "+m.Version)
	}
	if d.format.json() {
		return printJSON(d.console.out, map[string]any{
			"address": st.Address(), "ui": st.UI(), "pid": os.Getpid(), "data": s.Data,
			"tenant": s.Tenant, "region": s.Region, "plugins": names,
		})
	}
	style := d.console.style()
	line := func(name, value string) {
		if value != "" {
			d.console.say("  %-9s %s", name, value)
		}
	}
	d.console.say("%s", style.Bold("sagad dev is up"))
	line("Temporal", st.Address())
	line("web UI", st.UI())
	line("data", s.Data)
	line("tenant", s.Tenant+" in "+s.Region)
	if len(names) == 0 {
		names = []string{"none in " + s.Plugins}
	}
	line("plugins", strings.Join(names, ", "))
	d.console.say("In another terminal:")
	example := filepath.Join(s.definitions, "examples", "cross-border-payment")
	if _, err := os.Stat(example); err == nil {
		d.console.say("  %s", s.hint("run", filepath.Join(example, "payment.yaml"), "--input", filepath.Join(example, "testdata", "settles.json")))
	} else {
		d.console.say("  %s", s.hint("run", "FILE", "--input", "FILE"))
	}
	d.console.say("  %s", s.hint("list"))
	d.console.say("Ctrl-C stops it.")
	return nil
}

// watchLost writes a line when a saga is ended from outside.
func (d *developer) watchLost(ctx context.Context, st *stack.Stack, s *settings) {
	l := &lost{stack: st, tenant: s.Tenant}
	l.watch(ctx, func(id, parent string, at time.Time) {
		mend := s.hint("recover", id)
		if parent != "" {
			mend = "its parent " + progress.Reason("", parent) + " takes over what it has left"
		}
		d.tell(at, id, d.console.style().Red("ended from outside")+": "+mend)
	}, func(err error) { s.Logger.Warn("not known which sagas were ended from outside", "error", err) })
}

// stuck tells of a saga that goes no further in this process.
func (d *developer) stuck(id, why string) {
	if d.format.json() { // standard output is for JSON
		d.console.note("%s is stuck: %s", id, progress.Reason("", why))
		return
	}
	d.tell(time.Now(), id, d.console.style().Red("stuck")+": "+progress.Reason("", why))
}

// tell writes one line about a saga.
func (d *developer) tell(at time.Time, id, text string) {
	d.console.say("%s  %s  %s", d.console.style().Dim(at.Local().Format(time.TimeOnly)), progress.Reason("", id), text)
}

// observe writes one line when a saga starts, turns, parks, is recovered or ends.
func (d *developer) observe(id string, r engine.Record) {
	if d.format.json() {
		return
	}
	style := d.console.style()
	text := ""
	switch {
	case r.Transition == engine.TransitionParked:
		text = style.Red("parked") + " at " + r.Path
		if r.Op == engine.OpCompensation {
			text += " (compensation)"
		}
		text += ": " + progress.Reason(r.Code, r.Message)
	case r.Path != "":
		return
	case r.Transition == engine.TransitionStarted:
		text = "started"
	case r.Transition == engine.TransitionOperator:
		text = "recovered by " + progress.Reason(r.Actor, r.Reason)
	case r.Transition == engine.TransitionCompensating:
		text = style.Yellow("compensating") + ": " + progress.Reason(r.Code, r.Message)
	case r.Transition == engine.TransitionClosed:
		text = style.Bold(r.Message)
	default:
		return
	}
	d.tell(r.At, id, text)
}
