package enginetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/invariant"
)

// Answer is what a participant does with one attempt.
type Answer struct {
	Outcome engine.Outcome
	Effect  bool // the effect is there afterwards
	Silent  bool // no answer ever comes: the attempt runs into its timeout
	Delay   time.Duration
}

// OK applies the effect and answers with JSON.
func OK(output string) Answer {
	return Answer{Outcome: engine.Outcome{Class: engine.Applied, Output: mustJSON(output)}, Effect: true}
}

// Reject refuses: no effect.
func Reject(code string) Answer { return fault(engine.Rejected, code, false, false) }

// Fail is a plugin's Retry without an effect: ambiguous to the engine.
func Fail(code string) Answer { return fault(engine.Ambiguous, code, false, false) }

// FailApplied is a plugin's Retry after the effect was applied.
func FailApplied(code string) Answer { return fault(engine.Ambiguous, code, true, false) }

// Permanent is a plugin's Permanent: ambiguous, and no attempt can do better.
func Permanent(code string) Answer { return fault(engine.Ambiguous, code, false, true) }

// NotSent never leaves the host.
func NotSent(code string) Answer { return fault(engine.NotSent, code, false, false) }

// BadOutput applies the effect and answers with something unusable (S25).
func BadOutput() Answer { return fault(engine.Applied, engine.CodeInvalidOutput, true, false) }

// Lost gives no answer: the attempt runs into its timeout, with or without effect.
func Lost(effect bool) Answer { return Answer{Silent: true, Effect: effect} }

// After delays an answer.
func After(d time.Duration, a Answer) Answer {
	a.Delay = d
	return a
}

func fault(class engine.Class, code string, effect, final bool) Answer {
	return Answer{Outcome: engine.Outcome{Class: class, Code: code, Message: code + " as scripted", Final: final}, Effect: effect}
}

func mustJSON(text string) any {
	if text == "" {
		return nil
	}
	v, err := dsl.ParseJSON([]byte(text))
	if err != nil {
		panic(fmt.Sprintf("enginetest: %s: %v", text, err))
	}
	return v
}

// Mocks says what activities answer, one Answer per attempt; the last one
// repeats.
type Mocks map[string][]Answer

// World answers attempts by a script and keeps account of what happened. It is
// safe for concurrent use.
type World struct {
	invariant.Recording // of what happens in it
	Strict
	mocks Mocks

	mu      sync.Mutex
	calls   map[string]int  // attempts by activity
	last    map[string]any  // input of the last attempt by activity
	applied map[string]bool // action keys whose effect is there
}

// NewWorld gives a world in which nothing has happened.
func NewWorld(mocks Mocks) *World {
	return &World{mocks: mocks, calls: map[string]int{}, last: map[string]any{}, applied: map[string]bool{}}
}

// begin takes an attempt in and says what becomes of it.
func (w *World) begin(inv *engine.Invocation) Answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Began(inv)
	w.last[inv.Activity] = inv.Input
	list := w.mocks[inv.Activity]
	n := w.calls[inv.Activity]
	w.calls[inv.Activity]++
	if len(list) == 0 {
		return w.byNature(inv)
	}
	return list[min(n, len(list)-1)]
}

// byNature is the answer of an activity that the script says nothing about:
// actions and compensations succeed, probes tell the truth.
func (w *World) byNature(inv *engine.Invocation) Answer {
	if inv.Op == engine.OpProbe {
		return OK(fmt.Sprintf(`{"applied": %t, "output": {}}`, w.applied[inv.ActionKey]))
	}
	return OK(`{}`)
}

// effect applies what an attempt does. A second time is the barrier's to absorb.
func (w *World) effect(inv *engine.Invocation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if inv.Op == engine.OpProbe {
		return
	}
	w.Effect(inv)
	w.applied[inv.ActionKey] = inv.Op == engine.OpAction
}

// Invoke answers an attempt in real time: World is an engine.Invoker.
func (w *World) Invoke(ctx context.Context, _ *engine.Identity, inv *engine.Invocation) engine.Outcome {
	a := w.begin(inv)
	took := a.Delay
	if a.Silent || took > inv.Timeout {
		took = inv.Timeout
		a.Outcome = timedOut()
	}
	if took > 0 {
		timer := time.NewTimer(took)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			a.Outcome = engine.Outcome{Class: engine.Ambiguous, Code: engine.CodeCancelled, Message: "cut"}
		}
	}
	if a.Effect {
		w.effect(inv)
	}
	w.Ended(inv, a.Outcome)
	return a.Outcome
}

// answer is Invoke for a simulation: the effect is there at once, the answer
// comes later.
func (w *World) answer(inv *engine.Invocation) (engine.Outcome, time.Duration) {
	a := w.begin(inv)
	took := a.Delay
	if a.Silent || took > inv.Timeout {
		took, a.Outcome = inv.Timeout, timedOut()
	}
	if a.Effect {
		w.effect(inv)
	}
	return a.Outcome, took
}

func timedOut() engine.Outcome {
	return engine.Outcome{Class: engine.Ambiguous, Code: engine.CodeTimeout, Message: "no answer in time"}
}

func canonical(v any) string {
	data, err := dsl.MarshalCanonical(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// Calls is the number of attempts at an activity.
func (w *World) Calls(activity string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[activity]
}

// Keys gives the idempotency keys that were called with, sorted.
func (w *World) Keys() []string {
	keys := map[string]bool{}
	for _, m := range w.Moments() {
		if m.Kind == invariant.MomentBegan {
			keys[m.Invoke.Key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// Effects gives the keys of the actions whose effect is there, sorted.
func (w *World) Effects() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(w.applied)) {
		if w.applied[key] {
			keys = append(keys, key)
		}
	}
	return keys
}
