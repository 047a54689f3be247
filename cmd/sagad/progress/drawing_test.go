package progress_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
)

const drawn = `saga: tour
version: "1"
key: ${{ input.id }}
steps:
  - {id: look, call: bank.look, effect: none}
  - id: book
    parallel:
      branches:
        air: [{id: flight, call: fly.book, compensate: {call: fly.cancel}}]
        land:
          - {id: rooms, saga: stay, with: {id: "${{ input.id }}"}}
  - id: seats
    foreach: {in: input.guests, as: guest, do: [{id: seat, call: fly.seat, compensate: {call: fly.free}}]}
  - id: which
    switch:
      - {when: input.id == "x", do: [{id: never, set: {a: 1}}]}
      - else: [{id: say, set: {a: 2}}]
  - {id: agree, await: {signal: yes, timeout: 1h}}
  - {id: pay, call: bank.pay, effect: pivot, retry: {ambiguous: true}}
  - {id: tell, call: post.tell, effect: retriable}
`

const drawnChild = `saga: stay
key: ${{ input.id }}
steps:
  - {id: room, call: stay.book, compensate: {call: stay.cancel}}
  - {id: key, call: stay.key, effect: none}
`

// instant is in the time zone of the machine.
var instant = regexp.MustCompile(`until [0-9: -]{19}`)

// The drawing of a saga at instants of its way, forward and back.
func TestDraw(t *testing.T) {
	plan, problems := dsl.Compile(dsl.Source{Name: "tour.yaml", Data: []byte(drawn)}, dsl.Options{Sagas: dsl.Definitions{"stay": {Data: []byte(drawnChild)}}})
	if plan == nil {
		t.Fatal(problems)
	}
	guests := func(n int) (list []any) {
		for i := range n {
			list = append(list, fmt.Sprintf("guest %d", i))
		}
		return list
	}
	yes := []local.Timed{{After: 10 * time.Second, Event: engine.Event{Kind: engine.EventSignal, Signal: &engine.Signal{ID: "m", Name: "yes"}}}}
	var all strings.Builder
	for _, c := range []struct {
		title  string
		guests int
		until  time.Duration
		class  map[string]engine.Class // of what does not end well
		at     []local.Timed
		keys   bool
		style  progress.Style
	}{
		{title: "its child and its branches run", guests: 2, until: 150 * time.Millisecond},
		{title: "it waits, with icons", guests: 2, until: 5 * time.Second, style: progress.Style{Icons: true}},
		{title: "it has passed the point of no return, with keys", guests: 1, at: yes, keys: true},
		{title: "its pivot was rejected, in colour", guests: 2, at: yes, class: map[string]engine.Class{"bank.pay": engine.Rejected}, style: progress.Style{Icons: true, Color: true}},
		{title: "a compensation is parked", guests: 2, at: yes, class: map[string]engine.Class{"bank.pay": engine.Rejected, "fly.cancel": engine.Rejected}},
		{title: "thirty items, the eleventh refused", guests: 30, at: yes, class: map[string]engine.Class{"fly.seat[10]": engine.Rejected}},
	} {
		start := &engine.Start{ID: "acme/tour/t-1", Key: "t-1", Tenant: "acme", Region: "eu", Input: map[string]any{"id": "t-1", "guests": guests(c.guests)}}
		r := local.Simulate(plan, start, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), local.Script{
			Until: c.until, Family: true, At: c.at,
			Answer: func(inv *engine.Invocation) (engine.Outcome, time.Duration) {
				class := c.class[inv.Activity]
				if strings.HasPrefix(inv.Path, "seat") {
					class = c.class["fly.seat"+strings.TrimPrefix(inv.Path, "seat")]
				}
				if class == 0 {
					return engine.Outcome{Class: engine.Applied}, 100 * time.Millisecond
				}
				return engine.Outcome{Class: class, Code: "NO"}, 100 * time.Millisecond
			},
		})
		fmt.Fprintf(&all, "%s: %s\n", c.title, r.Outcome)
		progress.Draw(&all, c.style, plan, r, c.keys)
		all.WriteString("\n")
	}
	golden(t, "drawing.txt", instant.ReplaceAllString(all.String(), "until LATER"))
}
