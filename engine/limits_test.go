package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
	"github.com/sagad/sagad/engine/local"
)

var at = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// simulate runs steps whose calls all succeed with the output.
func simulate(t *testing.T, steps string, input map[string]any, output any, script local.Script) engine.Result {
	t.Helper()
	plan := enginetest.Compile(t, "", steps)
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo"}, input)
	if err != nil {
		t.Fatal(err)
	}
	if script.Answer == nil {
		script.Answer = func(*engine.Invocation) (engine.Outcome, time.Duration) {
			return engine.Outcome{Class: engine.Applied, Output: output}, 0
		}
	}
	return local.Simulate(plan, start, at, script)
}

func list(n int) []any {
	items := make([]any, n)
	for i := range items {
		items[i] = i
	}
	return items
}

const each = "  - id: each\n    foreach: {in: input.list, as: it, key: it, concurrency: 500, do: [{id: x, call: t.x, compensate: {call: t.undoX}}]}\n"

// Data over a limit is a typed error and has no effect (S25).
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name  string
		input map[string]any
		code  string
	}{
		{"too many items", map[string]any{"id": "k", "list": list(10_001)}, engine.CodeTooLarge},
		{"a long key", map[string]any{"id": "k", "list": []any{strings.Repeat("x", 201)}}, engine.CodeTooLarge},
		{"no list", map[string]any{"id": "k", "list": 1}, engine.CodeExpression},
	} {
		r := simulate(t, each, c.input, nil, local.Script{})
		if r.Outcome != engine.OutcomeCompensated || r.Cause.Code != c.code || len(r.Trace) != 0 {
			t.Errorf("%s: %s %+v %v", c.name, r.Outcome, r.Cause, r.Trace)
		}
	}
	r := simulate(t, "  - {id: a, call: t.a, effect: none}\noutput: [\"${{ steps.a.output }}\", \"${{ steps.a.output }}\"]\n", map[string]any{"id": "k"}, strings.Repeat("x", engine.MaxOutput*2/3), local.Script{})
	if r.Outcome != engine.OutcomeCompleted || r.Output != nil || r.OutputError == "" {
		t.Errorf("a large output: %s %q", r.Outcome, r.OutputError)
	}
	long := local.Script{Answer: func(*engine.Invocation) (engine.Outcome, time.Duration) {
		return engine.Outcome{Class: engine.Rejected, Code: strings.Repeat("C", 1000), Message: strings.Repeat("é", 5000)}, 0
	}}
	r = simulate(t, "  - {id: a, call: t.a, effect: none}\n", map[string]any{"id": "k"}, nil, long)
	if len(r.Cause.Code) > 200 || len(r.Cause.Message) > 4200 || !strings.HasSuffix(r.Cause.Message, "é…") {
		t.Errorf("a long error: %d bytes of code, %d of message", len(r.Cause.Code), len(r.Cause.Message))
	}
}

// What runs at the same time is bounded, forward and backward, also when
// foreach blocks stand inside each other.
func TestOpenBounds(t *testing.T) {
	nested := `  - id: outer
    foreach:
      in: input.list
      as: a
      key: a
      concurrency: 100
      compensation: parallel
      do:
        - id: inner
          foreach: {in: input.list, as: b, key: b, concurrency: 100, compensation: parallel, do: [{id: x, call: t.x, compensate: {call: t.undoX}}]}
  - {id: stop, fail: {code: STOP}}
`
	running, most := map[engine.Op]int{}, map[engine.Op]int{}
	flights := map[int]engine.Op{}
	script := local.Script{
		Answer: func(*engine.Invocation) (engine.Outcome, time.Duration) {
			return engine.Outcome{Class: engine.Applied}, time.Second
		},
		Observe: func(_ string, ev engine.Event, commands []engine.Command) {
			if op, ok := flights[ev.ID]; ok && ev.Kind == engine.EventClosed {
				running[op]--
			}
			for _, c := range commands {
				if c.Kind == engine.CommandInvoke {
					flights[c.ID] = c.Invoke.Op
					running[c.Invoke.Op]++
					most[c.Invoke.Op] = max(most[c.Invoke.Op], running[c.Invoke.Op])
				}
			}
		},
	}
	r := simulate(t, nested, map[string]any{"id": "k", "list": list(60)}, nil, script)
	if r.Outcome != engine.OutcomeCompensated || len(r.Trace) != 2*3600+1 {
		t.Fatalf("%s, %d items in the trace", r.Outcome, len(r.Trace))
	}
	if most[engine.OpAction] != 1000 || most[engine.OpCompensation] != 500 {
		t.Errorf("at most %d actions and %d compensations ran at once", most[engine.OpAction], most[engine.OpCompensation])
	}
}

// Messages that nobody awaits yet are bounded; one that is awaited is taken all
// the same (S27).
func TestInboxBound(t *testing.T) {
	var script local.Script
	refused := map[string]string{}
	script.Observe = func(_ string, _ engine.Event, commands []engine.Command) {
		for _, c := range commands {
			if c.Kind == engine.CommandReply && !c.Reply.Accepted {
				refused[c.Reply.Request] = c.Reply.Code
			}
		}
	}
	send := func(id string, n, size int) {
		script.At = append(script.At, local.Timed{After: time.Second, Event: engine.Event{
			Kind: engine.EventSignal, Request: id, Signal: &engine.Signal{ID: id, Name: "go", Data: map[string]any{"n": n}, Size: size},
		}})
	}
	for i := range engine.MaxSignals {
		send(fmt.Sprint("kept-", i), 0, 10)
	}
	send("one-too-many", 0, 10)
	send("too-large", 1, engine.MaxSignalSize+1)
	send("awaited", 1, 10)
	r := simulate(t, "  - {id: m, await: {signal: go, where: event.n == 1}}\n", map[string]any{"id": "k"}, nil, script)
	if r.Outcome != engine.OutcomeCompleted || len(refused) != 2 || refused["one-too-many"] != engine.RefusedLimit || refused["too-large"] != engine.RefusedTooLarge {
		t.Errorf("%s, refused %v", r.Outcome, refused)
	}
}

// Who gave a command, when and why is recorded, before what follows from it
// (S18).
func TestCommandsAreRecorded(t *testing.T) {
	var told []string
	script := local.Script{
		Answer: func(inv *engine.Invocation) (engine.Outcome, time.Duration) {
			if inv.Op == engine.OpCompensation {
				return engine.Outcome{Class: engine.Rejected, Code: "CANNOT"}, 0
			}
			return engine.Outcome{Class: engine.Applied}, 0
		},
		At: []local.Timed{{After: time.Minute, Event: engine.Event{Kind: engine.EventOperator, Operator: &engine.Operator{
			ID: "1", Command: engine.CommandSkip, Path: "a", Actor: "ada", Reason: "paid by hand",
		}}}},
		Observe: func(_ string, _ engine.Event, commands []engine.Command) {
			for _, c := range commands {
				if c.Kind == engine.CommandRecord && c.Record.At.After(at) {
					told = append(told, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", c.Record.Transition, c.Record.Path, c.Record.Actor, c.Record.Reason)))
				}
			}
		},
	}
	r := simulate(t, "  - {id: a, call: t.a, compensate: {call: t.undoA}}\n  - {id: f, fail: {code: STOP}}\n", map[string]any{"id": "k"}, nil, script)
	if got := strings.Join(told, ", "); r.Interventions != 1 || got != "operator a ada paid by hand, skipped a, closed" {
		t.Errorf("%d interventions; %s", r.Interventions, got)
	}
}
