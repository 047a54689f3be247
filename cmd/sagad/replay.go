package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
	historypb "go.temporal.io/api/history/v1"

	"github.com/sagad/sagad/engine/temporal"
)

// What a replay says of a history.
const (
	verdictOK      = "ok"
	verdictDiffers = "differs"
	verdictError   = "error" // it says nothing about this version
)

// replayed is one line of a replay.
type replayed struct {
	History    string `json:"history"` // as it was named
	Verdict    string `json:"verdict"`
	ID         string `json:"id,omitempty"`
	Run        string `json:"run,omitempty"`
	Saga       string `json:"saga,omitempty"`
	Semantics  int    `json:"semantics,omitempty"`
	Events     int    `json:"events,omitempty"`
	Outcome    string `json:"outcome,omitempty"`
	Event      int64  `json:"event,omitempty"`      // first one that differs
	Difference string `json:"difference,omitempty"` // differs
	Error      string `json:"error,omitempty"`      // error
	File       string `json:"file,omitempty"`       // where it was exported to

	ofSaga bool // History names the saga
}

func replayCommand(c *console) *cobra.Command {
	r := replayer{console: c}
	cmd := &cobra.Command{
		Use:   "replay HISTORY...",
		Short: "Check that this version does what sagas did that another one ran",
		Long: `Run the histories of sagas through this version of sagad, without any effect, and
compare everything the sagas did: every attempt with its key and input, timers,
answers, the outcome, the trace. Do it before a new version takes over.

HISTORY is the ID of a saga, whose history comes from Temporal; a file, exported by
--export, by ` + "`temporal workflow show --output json`" + ` or from Temporal's web UI, plain
or .gz; a folder of such files; or - for standard input.

Exit codes: 0 all are as they were; 1 one differs; 2 one cannot be replayed.`,
		Example: `  sagad replay demo/cross-border-payment/p-1
  sagad replay --export histories demo/cross-border-payment/p-1
  sagad replay histories -o json
  temporal workflow show --workflow-id demo/cross-border-payment/p-1 --output json | sagad replay -`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("HISTORY is missing; see `%s --help`", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), args) },
	}
	r.flags, r.format = sharedFlags(cmd), formatFlag(cmd)
	cmd.Flags().StringVar(&r.export, "export", "", "write the histories of IDs into this `DIR`ectory, too")
	return cmd
}

// replayer is one `sagad replay`.
type replayer struct {
	console *console
	flags   *flags
	format  *format
	export  string

	archive  archive
	many     bool
	verdicts []replayed
}

func (r *replayer) run(ctx context.Context, args []string) error {
	sources, err := sourcesOf(args)
	if err != nil {
		return err
	}
	r.verdicts, r.many = make([]replayed, 0, len(sources)), len(sources) > 1
	r.archive = archive{flags: r.flags, console: r.console, stdin: r.console.in}
	defer r.archive.close()
	for i, s := range sources {
		if s.id == "" && r.export != "" {
			return fmt.Errorf("--export writes the histories of sagas that Temporal has, and %s is a file", s.name)
		}
		if r.format.json() && r.console.errTTY {
			_, _ = fmt.Fprintf(r.console.err, "\rreplaying %d of %d", i+1, len(sources)) // who reads it may have gone
		}
		if err := r.source(ctx, s); err != nil {
			return err
		}
	}
	if r.format.json() && r.console.errTTY {
		r.console.note("")
	}
	return r.report()
}

// source replays all histories of one source.
func (r *replayer) source(ctx context.Context, s source) error {
	histories, err := r.archive.histories(ctx, s)
	var unusable *unusableError
	if errors.As(err, &unusable) {
		r.add(replayed{History: s.name, Verdict: verdictError, Error: unusable.Error()})
		return nil
	}
	if err != nil { // nothing else can be read either
		return err
	}
	for i, history := range histories {
		v := judge(s, history)
		if i > 0 {
			v.History = fmt.Sprintf("%s run %d", s.name, i+1)
		}
		if r.export != "" {
			file := filepath.Join(r.export, exportName(s.id, i))
			if err := exportHistory(file, history); err != nil {
				return err
			}
			v.File = file
		}
		r.add(v)
	}
	return nil
}

// judge replays one history.
func judge(s source, history *historypb.History) replayed {
	v := replayed{History: s.name, Verdict: verdictOK, ofSaga: s.id != ""}
	r, err := temporal.Replay(history)
	if r != nil {
		v.ID, v.Run, v.Saga = r.ID, r.RunID, r.Saga
		v.Semantics, v.Events, v.Outcome = r.Semantics, r.Events, r.Outcome
	}
	var diverged *temporal.DivergedError
	switch {
	case errors.As(err, &diverged):
		v.Verdict, v.Event, v.Difference = verdictDiffers, diverged.Event, diverged.What
	case err != nil:
		v.Verdict, v.Error = verdictError, err.Error()
	}
	return v
}

// add takes a verdict in, and shows it to people at once.
func (r *replayer) add(v replayed) {
	r.verdicts = append(r.verdicts, v)
	if r.format.json() {
		return
	}
	style := r.console.style()
	about := v.Outcome
	if !v.ofSaga { // otherwise it is named by its ID
		about = v.ID + " " + v.Outcome
	}
	if v.File != "" {
		about += ", written to " + v.File
	}
	switch v.Verdict {
	case verdictOK:
		r.console.say("%s %6d events  %s  %s", style.Green("ok     "), v.Events, v.History, about)
	case verdictDiffers:
		what := v.Difference
		if v.Event > 0 {
			what = fmt.Sprintf("event %d: %s", v.Event, what)
		}
		r.console.say("%s %6d events  %s  %s: %s", style.Red("differs"), v.Events, v.History, about, what)
	case verdictError:
		if r.many { // otherwise the command ends with it
			r.console.note("%s %s: %s", r.console.errStyle().Red("sagad:"), v.History, v.Error)
		}
	}
}

// report ends the command.
func (r *replayer) report() error {
	count := map[string]int{}
	for _, v := range r.verdicts {
		count[v.Verdict]++
	}
	if r.format.json() {
		if err := printJSON(r.console.out, r.verdicts); err != nil {
			return err
		}
	} else if r.many {
		r.console.say("%d histories: %d as they were, %d differ, %d cannot be replayed", len(r.verdicts), count[verdictOK], count[verdictDiffers], count[verdictError])
	}
	switch {
	case count[verdictError] > 0 && !r.many:
		return fmt.Errorf("%s: %s", r.verdicts[0].History, r.verdicts[0].Error)
	case count[verdictError] > 0:
		return fmt.Errorf("%d of %d histories cannot be replayed", count[verdictError], len(r.verdicts))
	case count[verdictDiffers] > 0:
		return outcomeError{(&temporal.DivergedError{}).Mend()}
	}
	return nil
}
