package enginetest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
)

// A saga that is restored from its state at any point goes on as if nothing had
// happened: its state is the same, and so is every command that follows (S26).
func TestRestoreAtEveryCut(t *testing.T) {
	for _, c := range slices.Concat(Cases, EdgeCases) {
		t.Run(c.Name, func(t *testing.T) {
			s := c.Prepare(t, "")
			recorded := record(s)
			for id, r := range recorded {
				restoreAtEveryCut(t, id, r)
			}
		})
	}
}

// Items that the bound on open work holds back are not forgotten (S8, S26).
func TestRestoreItemsHeldBack(t *testing.T) {
	var branches strings.Builder
	for _, name := range []string{"x", "y", "z"} {
		fmt.Fprintf(&branches, "        %[1]s: [{id: each%[1]s, foreach: {in: input.list, as: it, concurrency: 400, do: [{id: s%[1]s, sleep: 1s}]}}]\n", name)
	}
	c := Case{Steps: both + "      branches:\n" + branches.String(), Input: `{"id": "k", "list": ` + numbers(400) + `}`}
	s := c.Prepare(t, "")
	for id, r := range record(s) {
		if most := slices.MaxFunc(r.commands, func(a, b []engine.Command) int { return len(a) - len(b) }); len(most) >= 2*3*400 {
			t.Errorf("%d commands at once: nothing was held back", len(most))
		}
		restoreAtEveryCut(t, id, r)
	}
}

// recording is what one saga of a family took and gave.
type recording struct {
	plan     *dsl.Plan
	start    *engine.Start
	events   []engine.Event
	commands [][]engine.Command
}

// record simulates a saga and records it and its children by instance ID.
func record(s *Saga) map[string]*recording {
	recorded := map[string]*recording{s.Start.ID: {plan: s.Plan}}
	script := local.Script{Answer: s.World.answer, Observe: func(id string, ev engine.Event, commands []engine.Command) {
		r := recorded[id]
		if ev.Kind == engine.EventStarted {
			r.start = ev.Start
		}
		r.events = append(r.events, ev)
		r.commands = append(r.commands, slices.Clone(commands))
		for _, c := range commands {
			if c.Kind == engine.CommandStartChild {
				recorded[c.Child.Start.ID] = &recording{plan: c.Child.Plan}
			}
		}
	}}
	for _, h := range s.Outside {
		script.At = append(script.At, local.Timed{After: h.After, Event: h.Event("r")})
	}
	local.Simulate(s.Plan, s.Start, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), script)
	return recorded
}

func restoreAtEveryCut(t *testing.T, id string, r *recording) {
	t.Helper()
	whole, restored := engine.New(r.plan), engine.New(r.plan)
	stride := max(1, len(r.events)/100) // a state of a thousand items is large
	for i, ev := range r.events {
		whole.Step(ev)
		if diff := cmp.Diff(r.commands[i], slices.Clone(restored.Step(ev)), samePlan); diff != "" {
			t.Fatalf("%s: commands of event %d (-whole +restored):\n%s", id, i, diff)
		}
		if i%stride != 0 {
			continue
		}
		state := snapshot(t, whole)
		if other := snapshot(t, restored); !bytes.Equal(state, other) {
			t.Fatalf("%s: state after event %d (-whole +restored):\n%s", id, i, cmp.Diff(string(state), string(other)))
		}
		var err error
		if restored, err = engine.Restore(r.plan, r.start, state); err != nil {
			t.Fatalf("%s: after event %d: %v\n%s", id, i, err, state)
		}
		if again := snapshot(t, restored); !bytes.Equal(state, again) {
			t.Fatalf("%s: state restored after event %d (-whole +restored):\n%s", id, i, cmp.Diff(string(state), string(again)))
		}
		if diff := cmp.Diff(whole.Result(), restored.Result()); diff != "" {
			t.Fatalf("%s: result after event %d (-whole +restored):\n%s", id, i, diff)
		}
	}
}

func snapshot(t *testing.T, m *engine.Machine) []byte {
	t.Helper()
	state, err := m.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return state
}
