package progress_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/dsl/graph"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
)

const nested = `saga: tour
version: "1"
key: ${{ input.id }}
steps:
  - id: days
    foreach:
      in: input.guests
      as: day
      do:
        - id: guests
          foreach:
            in: input.guests
            as: guest
            do:
              - {id: seat, call: fly.seat, compensate: {call: fly.free}}
              - {id: bed, saga: stay, with: {id: "${{ day }} ${{ guest }}"}}
  - id: look
    call: bank.look
    effect: none
    if: input.id == "y"
    catch: [{on: ["*"], do: [{id: shrug, set: {a: 1}}]}]
  - {id: pay, call: bank.pay, effect: pivot, retry: {ambiguous: true}}
  - {id: tell, call: post.tell, effect: retriable}
`

// How sagas stand, as it is laid over the graph of their plan.
func TestOverlay(t *testing.T) {
	sagas := dsl.Definitions{"stay": {Data: []byte(drawnChild)}}
	var all strings.Builder
	for _, c := range []struct {
		title, definition string
		guests            int
		until             time.Duration
		class             map[string]engine.Class // by activity, or by path
	}{
		{title: "its child and its branches run", definition: drawn, guests: 2, until: 150 * time.Millisecond},
		{title: "a compensation is parked", definition: drawn, guests: 2, class: map[string]engine.Class{"bank.pay": engine.Rejected, "fly.cancel": engine.Rejected}},
		{title: "thirty items, the eleventh refused", definition: drawn, guests: 30, class: map[string]engine.Class{"seat[10]": engine.Rejected}},
		{title: "items of items", definition: nested, guests: 3},
		{title: "items of items, all of them back", definition: nested, guests: 2, class: map[string]engine.Class{"bank.pay": engine.Rejected}},
	} {
		plan, problems := dsl.Compile(dsl.Source{Name: "tour.yaml", Data: []byte(c.definition)}, dsl.Options{Sagas: sagas})
		if plan == nil {
			t.Fatal(problems)
		}
		var guests []any
		for i := range c.guests {
			guests = append(guests, fmt.Sprintf("guest %d", i))
		}
		start := &engine.Start{ID: "acme/tour/t-1", Key: "t-1", Tenant: "acme", Region: "eu", Input: map[string]any{"id": "t-1", "guests": guests}}
		r := local.Simulate(plan, start, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), local.Script{
			Until: c.until, Family: true,
			At: []local.Timed{{After: 10 * time.Second, Event: engine.Event{Kind: engine.EventSignal, Signal: &engine.Signal{ID: "m", Name: "yes"}}}},
			Answer: func(inv *engine.Invocation) (engine.Outcome, time.Duration) {
				class := max(c.class[inv.Activity], c.class[inv.Path])
				if class == 0 {
					return engine.Outcome{Class: engine.Applied}, 100 * time.Millisecond
				}
				return engine.Outcome{Class: class, Code: "NO"}, 100 * time.Millisecond
			},
		})
		run := progress.Overlay(plan, r)
		fmt.Fprintf(&all, "%s: %s\n  %s\n", c.title, run.Outcome, strings.Join(run.Facts, "; "))
		for _, children := range []bool{false, true} {
			fmt.Fprintf(&all, "  children: %v\n", children)
			for line := range strings.Lines(graph.Of(plan, graph.Options{Run: run, Children: children}).Mermaid()) {
				if line = strings.TrimSpace(line); strings.HasPrefix(line, "step_") && !strings.Contains(line, "-->") && !strings.Contains(line, "-.-") || strings.HasPrefix(line, "back_") && !strings.Contains(line, "-.->") {
					all.WriteString("    " + line + "\n")
				}
			}
		}
	}
	golden(t, "overlay.txt", all.String())
}
