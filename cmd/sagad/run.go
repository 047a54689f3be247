package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/sagatest"
	"github.com/sagad/sagad/engine/temporal"
)

func runCommand(c *console) *cobra.Command {
	var r runner
	cmd := &cobra.Command{
		Use:   "run FILE",
		Short: "Run one saga to its end and show how it goes",
		Long: `Run one saga to its end and show how it goes.

The command starts what it needs and stops it again. If a ` + "`sagad dev`" + ` uses the
same data directory it goes through that one. Starting a saga again with the
same key and input shows the same saga.

Ctrl-C cancels the saga and waits until what was done is compensated; a second
Ctrl-C leaves it as it is.

--mocks says what activities answer, as tests have it under mocks; nothing is
called then. --dry-run shows which way the input takes and what every expression
gives.

Messages are sent from --signals, a YAML list of
  - {at: 500ms, name: SIGNAL, id: m-1, data: {...}}
On a terminal the command also offers to send what the saga awaits.`,
		Example: `  sagad run payment.yaml --input testdata/settles.json
  sagad run payment.yaml --input testdata/settles.json --local -o json
  sagad run payment.yaml --input testdata/confirmed.json --signals testdata/confirmed.signals.yaml
  sagad run payment.yaml --input testdata/settles.json --local --mocks mocks.yaml
  sagad run payment.yaml --input testdata/settles.json --dry-run`,
		Args: needs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case r.dry && r.wait:
				return errors.New("--dry-run and --wait do not go together: a dry run waits for nothing")
			case r.mocks != "" && !r.local && !r.dry:
				return errors.New("--mocks needs --local or --dry-run: a saga that is kept calls real plugins")
			case r.dry:
				return r.dryRun(args[0])
			}
			return r.run(cmd.Context(), args[0])
		},
	}
	r.console, r.flags, r.format = c, sharedFlags(cmd), formatFlag(cmd)
	r.flags.makesData = true
	cmd.Flags().StringVar(&r.input, "input", "", "`FILE` of JSON, - for standard input (default {})")
	cmd.Flags().StringVar(&r.signals, "signals", "", "`FILE` of messages to send, each at its time")
	cmd.Flags().StringVar(&r.mocks, "mocks", "", "`FILE` of what activities answer, in place of the plugins; needs --local or --dry-run")
	cmd.Flags().BoolVar(&r.local, "local", false, "run in this process alone, without Temporal; nothing is remembered")
	cmd.Flags().BoolVar(&r.dry, "dry-run", false, "show which way the input takes and what every expression gives; nothing is called")
	cmd.Flags().BoolVar(&r.wait, "wait", false, "stay while the saga is parked")
	return cmd
}

// runner is one `sagad run`.
type runner struct {
	console *console
	flags   *flags
	format  *format

	input, signals string
	mocks          string
	local, wait    bool
	dry            bool
}

func (r *runner) run(ctx context.Context, file string) error {
	s, err := r.flags.resolve(r.console, file)
	if err != nil {
		return err
	}
	if r.local && r.mocks == "" {
		forget, err := s.passing()
		if err != nil {
			return err
		}
		defer forget()
	}
	l := &launch{console: r.console, settings: s, file: file, local: r.local}
	defer l.close()
	if err := l.read(r.input, r.signals); err != nil {
		return err
	}
	if r.mocks != "" {
		err = l.prepareMocked(r.mocks)
	} else {
		err = l.prepare(ctx)
	}
	if err != nil {
		return err
	}
	printer := r.console.printer(r.format.json())
	defer printer.Close()
	f := newFeed(printer)
	a := &attendance{console: r.console, printer: printer, stay: r.wait, messages: l.messages}
	if r.console.inTTY && r.console.outTTY && !r.format.json() && r.signals == "" {
		a.offers = newOffers(r.console, l.plan, l.start.Input)
		f.offer = a.offers.take
	}
	printer.Plan(l.plan)
	if a.saga, err = l.begin(ctx, f); err != nil {
		return err
	}
	result, err := a.attend(ctx)
	if errors.Is(err, errLeft) {
		printer.Close()
		return outcomeError{"left " + a.saga.id() + ": " + a.saga.left()}
	}
	if err != nil {
		return err
	}
	if r.local { // nobody can give it a command any more
		for i := range result.Parked {
			result.Parked[i].Commands = []string{}
		}
	}
	err = finish(r.console, r.format, printer, result, s.again)
	if result.Status == engine.StatusOpen && !r.format.json() {
		r.console.say("  %s", a.saga.left())
	}
	return err
}

// launch is a saga on its way from a file to its start. Everything that can be
// wrong with it is found before anything is started that others could see.
type launch struct {
	console  *console
	settings *settings
	file     string
	local    bool

	definition *definition
	manifests  []dsl.Manifest // near the file; without plugins
	input      any
	messages   []dsl.Message

	stack  *stack.Stack
	mocked *sagatest.Participants // nil: plugins are called
	router *router
	plan   *dsl.Plan
	start  *engine.Start
	search map[string]any
}

// read reads the files and checks the definition as far as it can be checked
// alone.
func (l *launch) read(input, signals string) (err error) {
	if l.definition, err = readDefinition(l.file); err != nil {
		return err
	}
	plan, diagnostics := l.definition.compile(l.settings, nil, false)
	if plan == nil {
		return diagnostics
	}
	l.plan, l.input = plan, map[string]any{}
	if input != "" {
		if l.input, err = readJSON(l.console, "input", input); err != nil {
			return err
		}
	}
	if signals == "" {
		return nil
	}
	text, err := readFile("signals", signals)
	if err != nil {
		return err
	}
	if l.messages, diagnostics = dsl.ParseMessages(dsl.Source{Name: signals, Data: text}); diagnostics.HasErrors() {
		return diagnostics
	}
	for _, m := range l.messages {
		receiver := plan
		if m.To != "" {
			step := plan.StepAt(m.To)
			if step == nil || step.Child == nil {
				return fmt.Errorf("%s: message %s: no step %s runs a child saga; `to` is the path of one, with the keys of the items around it, for example pay[p-1]", signals, m.ID, m.To)
			}
			receiver = step.Child.Plan
		}
		if _, err := engine.CheckSignal(receiver, &engine.Signal{ID: m.ID, Name: m.Name, Data: m.Data}); err != nil {
			return fmt.Errorf("%s: message %s: %w", signals, m.ID, err)
		}
	}
	return nil
}

// prepare checks the definition against what the plugins offer, and the input.
// Only the plugins are running after it.
func (l *launch) prepare(ctx context.Context) (err error) {
	l.router = &router{}
	l.settings.Observe = l.router.take
	if l.stack, err = l.settings.open(ctx); err != nil {
		return err
	}
	// The input is checked before anything is started.
	if l.start, l.search, err = engine.Prepare(l.plan, l.settings.target(), l.input); err != nil {
		return l.refused(err)
	}
	if l.local || !l.stack.Served() {
		if err := l.stack.StartPlugins(ctx, l.pluginsNeeded()...); err != nil {
			return err
		}
	}
	plan, diagnostics := l.definition.compile(l.settings, manifestsFor(l.stack.Manifests()), true)
	l.console.diagnostics(diagnostics)
	if plan == nil {
		return l.withoutPlugins(diagnostics)
	}
	l.plan = plan
	l.start, l.search, err = engine.Prepare(plan, l.settings.target(), l.input)
	return l.refused(err)
}

// pluginsNeeded names the plugins to start: a local saga needs those it calls,
// a worker all, because it takes up every open saga. If one that is called is
// not there, all are started, so that the message can say what there is.
func (l *launch) pluginsNeeded() []string {
	if !l.local {
		return nil
	}
	found, err := stack.FindPlugins(l.settings.Plugins)
	if err != nil {
		return nil
	}
	names := make([]string, len(found))
	for i, b := range found {
		names[i] = b.Name
	}
	needed := pluginsOf(l.plan)
	for _, name := range needed {
		if !slices.Contains(names, name) {
			return nil
		}
	}
	return needed
}

// withoutPlugins says where plugins were looked for when that may be the reason
// for problems, which have been written already.
func (l *launch) withoutPlugins(ds dsl.Diagnostics) error {
	if !slices.ContainsFunc(ds, func(d dsl.Diagnostic) bool { return d.Code == dsl.CodeUnknownActivity }) {
		return errors.New("the definition has errors; nothing was started")
	}
	var names []string
	for _, m := range l.stack.Manifests() {
		names = append(names, m.Plugin)
	}
	if l.stack.Served() && !l.local {
		return fmt.Errorf("nothing was started; the running `sagad dev` (pid %d) has the plugins %v", l.stack.Peer().PID, names)
	}
	if len(names) == 0 {
		return fmt.Errorf("nothing was started; there are no plugins in %s: build them into it, or name another folder with --plugins", l.settings.Plugins)
	}
	return fmt.Errorf("nothing was started; the plugins in %s are %v", l.settings.Plugins, names)
}

// refused says which file is to be corrected.
func (l *launch) refused(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s cannot be started: %w; nothing was started", l.plan.Saga, err)
}

// begin starts the saga.
func (l *launch) begin(ctx context.Context, f *feed) (saga, error) {
	if l.mocked != nil {
		return startLocal(ctx, l.plan, l.start, l.mocked, f), nil
	}
	if l.local {
		return startLocal(ctx, l.plan, l.start, l.stack.Invoker(), f), nil
	}
	if err := l.stack.StartWorker(ctx); err != nil {
		return nil, err
	}
	if err := l.stack.Connect(ctx); err != nil {
		return nil, err
	}
	sg := &durableSaga{stack: l.stack, name: l.start.ID, feed: f, watch: l.settings.hint("watch", l.start.ID), observed: l.stack.Working()}
	if sg.observed {
		l.router.add(l.start.ID, f)
	}
	started, err := l.stack.Client().Start(ctx, l.plan, l.start, l.search)
	if errors.Is(err, temporal.ErrOtherInput) {
		return nil, fmt.Errorf("%w; what became of it shows `%s`", err, l.settings.hint("show", l.start.ID))
	}
	if err != nil {
		return nil, err
	}
	if !started {
		f.printer.Say("%s was started before, with the same input; this is what became of it", l.start.ID)
		l.router.remove(l.start.ID)
		sg.observed = false
	}
	return sg, nil
}

// close stops what was started.
func (l *launch) close() {
	if l.stack == nil {
		return
	}
	if err := l.stack.Close(); err != nil {
		l.settings.Logger.Warn("not everything stopped in order", "error", err)
	}
}
