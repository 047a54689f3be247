package main

import (
	"errors"
	"time"

	"github.com/sagad/sagad/cmd/sagad/dryrun"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
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
	manifests, _, err := new(manifestFiles).near(file)
	if err != nil {
		return err
	}
	plan, diagnostics := l.definition.compile(s, manifests, false)
	r.console.diagnostics(diagnostics)
	if plan == nil {
		return errors.New("the definition has errors")
	}
	start, search, err := engine.Prepare(plan, s.target(), l.input)
	if err != nil {
		return l.refused(err)
	}
	options := dryrun.Options{Manifests: manifests}
	if r.signals != "" {
		options.At = timed(l.messages)
	}
	report := dryrun.Run(plan, start, search, time.Now().UTC(), options)
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
