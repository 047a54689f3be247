package main

import (
	"errors"
	"time"

	"github.com/sagad/sagad/cmd/sagad/dryrun"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
	"github.com/sagad/sagad/engine/sagatest"
)

// dryRun shows which way an input takes through a definition and what every
// expression gives. Nothing is started and nothing is called.
func (r *runner) dryRun(file string) error {
	s, err := r.flags.resolve(r.console, file)
	if err != nil {
		return err
	}
	l := &launch{console: r.console, settings: s, file: file, local: true}
	if err := l.read(r.input, r.signals); err != nil {
		return err
	}
	if err := l.prepareMocked(r.mocks); err != nil {
		return err
	}
	options := dryrun.Options{Manifests: l.manifests}
	if l.mocked != nil {
		options.Answer = l.mocked.Answer
	}
	if r.signals != "" {
		options.At = timed(l.messages)
	}
	report := dryrun.Run(l.plan, l.start, l.search, time.Now().UTC(), options)
	if r.format.json() {
		err = printJSON(r.console.out, report)
	} else {
		dryrun.Print(r.console.out, r.console.style(), report)
	}
	if err != nil {
		return err
	}
	return verdict(report.Result)
}

// prepareMocked checks the definition and the input for a saga whose activities
// answer as a file says; without a file nothing is said of them.
func (l *launch) prepareMocked(file string) (err error) {
	if l.manifests, _, err = new(manifestFiles).near(l.file); err != nil {
		return err
	}
	plan, diagnostics := l.definition.compile(l.settings, l.manifests, false)
	l.console.diagnostics(diagnostics)
	if plan == nil {
		return errors.New("the definition has errors; nothing was started")
	}
	l.plan = plan
	if file != "" {
		text, err := readFile("mocks", file)
		if err != nil {
			return err
		}
		src := dsl.Source{Name: file, Data: text}
		mocks, diagnostics := dsl.ParseMocks(src)
		if mocks == nil {
			return diagnostics
		}
		diagnostics = mocks.Check(src, plan, l.manifests)
		l.console.diagnostics(diagnostics)
		if diagnostics.HasErrors() {
			return errors.New("nothing was started")
		}
		l.mocked = sagatest.NewParticipants(mocks, l.manifests)
	}
	l.start, l.search, err = engine.Prepare(plan, l.settings.target(), l.input)
	return l.refused(err)
}

// timed gives messages as events of a simulation. There is at least an empty list:
// nothing else is to be sent.
func timed(messages []dsl.Message) []local.Timed {
	events := []local.Timed{}
	for _, m := range messages {
		events = append(events, local.Timed{After: m.At, To: m.To, Event: engine.Event{
			Kind: engine.EventSignal, Signal: &engine.Signal{ID: m.ID, Name: m.Name, Data: m.Data},
		}})
	}
	return events
}
