package progress_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
)

var update = flag.Bool("update", false, "write the golden files")

const definition = `
saga: trip
version: 1.0.0
key: ${{ input.id }}
input: {type: object, required: [id, card], properties: {id: {type: string}, card: {type: string}}}
sensitive: [input.card]
steps:
  - id: ask
    await: {signal: answer, timeout: 1m}
  - id: extra
    if: input.id == "other"
    set: {x: 1}
  - id: both
    parallel:
      branches:
        left:
          - {id: flight, call: fly.book, with: {card: "${{ input.card }}"}, compensate: {call: fly.cancel}}
        right:
          - {id: hotel, call: stay.book, compensate: {call: stay.cancel, retry: {backoff: 1s..10s, within: 1h}}}
  - id: pay
    call: bank.pay
    effect: pivot
    probe: {call: bank.status, every: 10s, within: 1m}
output: {card: "${{ input.card }}"}
`

func plan(t *testing.T) *dsl.Plan {
	t.Helper()
	p, ds := dsl.Compile(dsl.Source{Name: "trip.yaml", Data: []byte(definition)}, dsl.Options{})
	if p == nil {
		t.Fatal(ds)
	}
	return p
}

// story is a saga in which everything happens that a printer can show, with the
// states in between.
func story(t *testing.T) (records []engine.Record, states []engine.Result) {
	t.Helper()
	attempts := map[string]int{}
	outcomes := map[string][]engine.Outcome{
		"fly.book":    {{Class: engine.Ambiguous, Code: "TIMEOUT", Message: "no answer for 4000-1234-5678\x1b[31m"}, {Class: engine.Applied}},
		"bank.pay":    {{Class: engine.Ambiguous, Code: "LOST", Message: "line\nbroke"}},
		"bank.status": {{Class: engine.Applied, Output: map[string]any{"applied": nil}}, {Class: engine.Applied, Output: map[string]any{"applied": false}}},
		"stay.cancel": {{Class: engine.Ambiguous, Code: "BUSY", Message: "try later"}, {Class: engine.Rejected, Code: "GONE", Message: "no such room"}, {Class: engine.Applied}},
	}
	yes := engine.Event{Kind: engine.EventSignal, Signal: &engine.Signal{ID: "m-1", Name: "answer", Data: "yes"}}
	retry := engine.Event{Kind: engine.EventOperator, Operator: &engine.Operator{ID: "op-1", Command: engine.CommandRetry, Path: "hotel", Actor: "ada"}}
	cancel := engine.Event{Kind: engine.EventCancel}
	p := plan(t)
	mirror := engine.New(p)
	result := local.Simulate(p, &engine.Start{ID: "acme/trip/t-1", Key: "t-1", Tenant: "acme", Region: "eu", Input: map[string]any{"id": "t-1", "card": "4000-1234-5678"}},
		time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), local.Script{
			Answer: func(inv *engine.Invocation) (engine.Outcome, time.Duration) {
				list := outcomes[inv.Activity]
				n := attempts[inv.Activity]
				attempts[inv.Activity]++
				took := 120*time.Millisecond + time.Duration(len(inv.Path))*time.Millisecond
				if len(list) == 0 {
					return engine.Outcome{Class: engine.Applied}, took
				}
				return list[min(n, len(list)-1)], took
			},
			At: []local.Timed{{After: 2 * time.Second, Event: yes}, {After: 15 * time.Second, Event: cancel}, {After: 5 * time.Minute, Event: retry}},
			Observe: func(_ string, ev engine.Event, commands []engine.Command) {
				for _, c := range commands {
					if c.Kind == engine.CommandRecord {
						records = append(records, c.Record)
					}
				}
				mirror.Step(ev)
				states = append(states, mirror.Result())
			},
		})
	if result.Status != engine.StatusClosed {
		t.Fatalf("the story does not end: %+v", result)
	}
	return records, states
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), write it with -update:\n%s", file, diff)
	}
}

func TestStory(t *testing.T) {
	records, states := story(t)
	last := states[len(states)-1]
	for name, style := range map[string]progress.Style{"plain.txt": {}, "icons.txt": {Icons: true}, "color.txt": {Icons: true, Color: true}} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			p := progress.New(&out, progress.Options{Style: style})
			p.Plan(plan(t))
			for _, r := range records {
				p.Record(r)
			}
			p.Close()
			progress.Result(&out, style, last, "")
			progress.Steps(&out, style, last)
			golden(t, name, out.String())
			if strings.Contains(out.String(), "4000-1234-5678") {
				t.Error("a sensitive value is shown")
			}
			if strings.Contains(out.String(), "5678\x1b[31m") || strings.Contains(out.String(), "line\nbroke") {
				t.Error("a message of a participant can move the cursor")
			}
		})
	}
}

// The states of a saga, one after the other, tell the same story as far as they
// go.
func TestChanges(t *testing.T) {
	_, states := story(t)
	var out bytes.Buffer
	p := progress.New(&out, progress.Options{})
	p.Plan(plan(t))
	var before engine.Result
	for _, now := range states {
		for _, r := range progress.Changes(before, now) {
			p.Record(r)
		}
		before = now
	}
	golden(t, "changes.txt", out.String())
	if again := progress.Changes(before, before); len(again) != 0 {
		t.Errorf("the same state twice tells %v", again)
	}

	out.Reset()
	p = progress.New(&out, progress.Options{})
	for _, r := range progress.Changes(engine.Result{}, before) {
		p.Record(r)
	}
	golden(t, "changes_at_once.txt", out.String())
}

func TestParkedResult(t *testing.T) {
	_, states := story(t)
	for _, r := range states {
		if r.Outcome == engine.OutcomeParked {
			var out bytes.Buffer
			progress.Result(&out, progress.Style{}, r, " --data x")
			for _, want := range []string{
				"parked for", "parked hotel (compensation) since", "GONE: no such room",
				"sagad retry acme/trip/t-1 hotel --data x", "sagad resolve acme/trip/t-1 hotel --applied|--not-applied --evidence WHAT --data x",
			} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is missing in:\n%s", want, out.String())
				}
			}
			return
		}
	}
	t.Fatal("the story never parks")
}

// The live line is rewritten in place, makes way for lines and questions, and
// is gone at the end.
func TestLive(t *testing.T) {
	var out bytes.Buffer
	p := progress.New(&out, progress.Options{Live: true, Width: func() int { return 40 }})
	p.Plan(plan(t))
	at := time.Now()
	p.Record(engine.Record{At: at, Transition: engine.TransitionStarted})
	p.Record(engine.Record{At: at, Transition: engine.TransitionScheduled, Path: "flight", Op: engine.OpAction, Activity: "fly.book", Attempt: 1})
	answered := p.Ask("send it? ")
	p.Say("a line below the question")
	answered()
	p.Record(engine.Record{At: at.Add(time.Second), Transition: engine.TransitionSucceeded, Path: "flight", Attempt: 1})
	p.Close()
	text := out.String()
	for _, want := range []string{"\r\x1b[K⠋ flight fly.book", "\r\x1b[Ksend it? \na line below the question\n", "succeeded    flight        fly.book             1.0s\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %q", want, text)
		}
	}
	if !strings.HasSuffix(text, "\n") && !strings.HasSuffix(text, "\r\x1b[K") {
		t.Errorf("the live line is left in %q", text)
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"demo/trip/p-1": "demo/trip/p-1", "take[c]": "'take[c]'", "it's": `'it'\''s'`, "": "''", "a\x1b[31mb": "'a[31mb'",
	} {
		if got := progress.Quote(in); got != want {
			t.Errorf("Quote(%q) = %q, want %q", in, got, want)
		}
	}
}
