package main

import (
	"bufio"
	"context"
	"strings"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// offers asks on the terminal whether an awaited message shall be sent.
type offers struct {
	console *console
	plan    *dsl.Plan
	input   any
	waits   chan engine.Record // await that began
	over    chan string        // path of a step that closed
	lines   chan string        // what was typed; made at the first question
}

// offerBuffer is room for the awaits that may begin and end while a person
// types; more are not offered.
const offerBuffer = 64

func newOffers(c *console, plan *dsl.Plan, input any) *offers {
	return &offers{console: c, plan: plan, input: input, waits: make(chan engine.Record, offerBuffer), over: make(chan string, offerBuffer)}
}

// take is told of every transition. It never waits.
func (o *offers) take(r engine.Record) {
	if r.Transition == engine.TransitionWaiting && r.Signal == "" { // read off a state, which does not name it
		if await := findAwait(o.plan, r.Path); await != nil {
			r.Signal = await.Signal
		}
	}
	switch {
	case r.Transition == engine.TransitionWaiting && r.Signal != "":
		select {
		case o.waits <- r:
		default:
		}
	case r.Path != "" && (r.Transition == engine.TransitionSucceeded || r.Transition == engine.TransitionFailed):
		select {
		case o.over <- r.Path:
		default:
		}
	}
}

// serve asks until ctx ends.
func (o *offers) serve(ctx context.Context, a *attendance) {
	for {
		select {
		case r := <-o.waits:
			o.ask(ctx, a, r)
		case <-o.over:
		case <-ctx.Done():
			return
		}
	}
}

// ask offers one message: Enter sends what is suggested, JSON sends that, and
// anything else leaves it.
func (o *offers) ask(ctx context.Context, a *attendance, r engine.Record) {
	suggestion := o.suggest(r)
	question := "  send " + r.Signal + "? Type its data as JSON, or n. "
	if suggestion != "" {
		question = "  send " + r.Signal + " " + suggestion + "? Enter sends it; type other JSON, or n. "
	}
	answered := a.printer.Ask(question)
	line, ok := o.read(ctx, r.Path)
	answered()
	if !ok {
		return
	}
	if line = strings.TrimSpace(line); line == "" {
		line = suggestion
	}
	if line == "" || strings.EqualFold(line, "n") || strings.EqualFold(line, "no") {
		return
	}
	data, err := dsl.ParseJSON([]byte(line))
	if err != nil {
		a.printer.Say("not sent: %v", err)
		return
	}
	a.send(ctx, childOf(r.Path), engine.Signal{ID: newID("m"), Name: r.Signal, Data: data})
}

// read gives the next line, unless the wait ends first.
func (o *offers) read(ctx context.Context, path string) (string, bool) {
	if o.lines == nil {
		o.lines = make(chan string)
		go func() { // it ends with the process: a read of a terminal cannot be taken back
			scanner := bufio.NewScanner(o.console.in)
			for scanner.Scan() {
				o.lines <- scanner.Text()
			}
		}()
	}
	for {
		select {
		case line := <-o.lines:
			return line, true
		case closed := <-o.over:
			if closed == path {
				return "", false
			}
		case <-ctx.Done():
			return "", false
		}
	}
}

// suggest gives the data of a message that the await takes, unless that is
// sensitive or depends on more than the input.
func (o *offers) suggest(r engine.Record) string {
	await := findAwait(o.plan, r.Path)
	if await == nil || childOf(r.Path) != "" { // a child has an input of its own
		return ""
	}
	data, ok := await.Example(dsl.Env{"input": o.input})
	if !ok || data == nil {
		return ""
	}
	text, err := dsl.MarshalCanonical(data)
	if err != nil || engine.Redact(string(text), o.plan.SensitiveValues(o.input)) != string(text) {
		return ""
	}
	return string(text)
}

func findAwait(plan *dsl.Plan, path string) *dsl.Await {
	if step := plan.StepAt(path); step != nil {
		return step.Await
	}
	return nil
}

// childOf gives the path of the step in whose child saga a step stands; empty for
// a step of the saga itself.
func childOf(path string) string {
	return path[:max(0, strings.LastIndex(path, "/"))]
}
