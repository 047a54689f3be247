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
	mocks Mocks

	mu       sync.Mutex
	calls    map[string]int  // attempts by activity
	running  map[string]int  // attempts in flight by action key
	inputs   map[string]any  // first input by key
	attempts map[string]int  // number of the last attempt by key
	last     map[string]any  // input of the last attempt by activity
	effects  map[string]int  // by action key: 1 applied, 0 none or compensated
	null     map[string]bool // action keys that were compensated before they were applied
	problems []string
}

// NewWorld gives a world in which nothing has happened.
func NewWorld(mocks Mocks) *World {
	return &World{
		mocks: mocks, calls: map[string]int{}, running: map[string]int{},
		inputs: map[string]any{}, attempts: map[string]int{}, last: map[string]any{}, effects: map[string]int{}, null: map[string]bool{},
	}
}

// begin takes an attempt in and says what becomes of it.
func (w *World) begin(inv *engine.Invocation) Answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running[inv.ActionKey] > 0 {
		w.problem("S4: %s of %s starts while another operation of the step runs", inv.Op, inv.Path)
	}
	w.running[inv.ActionKey]++
	if first, seen := w.inputs[inv.Key]; !seen {
		w.inputs[inv.Key] = inv.Input
	} else if a, b := canonical(first), canonical(inv.Input); inv.Op != engine.OpProbe && a != b {
		w.problem("S5: the input of %s changed from %s to %s", inv.Key, a, b)
	}
	if inv.Op != engine.OpProbe && inv.Attempt <= w.attempts[inv.Key] {
		w.problem("S20: attempt %d of %s follows attempt %d", inv.Attempt, inv.Key, w.attempts[inv.Key])
	}
	w.attempts[inv.Key] = inv.Attempt
	w.last[inv.Activity] = inv.Input
	if (inv.Op == engine.OpAction) != (inv.Key == inv.ActionKey) {
		w.problem("S20: %s of %s has key %s and action key %s", inv.Op, inv.Path, inv.Key, inv.ActionKey)
	}
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
		return OK(fmt.Sprintf(`{"applied": %t, "output": {}}`, w.effects[inv.ActionKey] > 0))
	}
	return OK(`{}`)
}

// close notes that an attempt has ended.
func (w *World) close(inv *engine.Invocation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running[inv.ActionKey] > 0 { // an input that was too large never came here
		w.running[inv.ActionKey]--
	}
}

// effect applies what an attempt does.
func (w *World) effect(inv *engine.Invocation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch inv.Op {
	case engine.OpAction:
		if w.null[inv.ActionKey] {
			w.problem("S4: the action of %s has its effect after its compensation", inv.Path)
		}
		w.effects[inv.ActionKey] = 1 // a second time is the barrier's to absorb
	case engine.OpCompensation:
		if w.effects[inv.ActionKey] == 0 {
			w.null[inv.ActionKey] = true
		}
		w.effects[inv.ActionKey] = 0
	}
}

func (w *World) problem(format string, args ...any) {
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
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
	w.close(inv)
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
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.inputs))
}

// Effects gives the keys of the actions whose effect is there, sorted.
func (w *World) Effects() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(w.effects)) {
		if w.effects[key] > 0 {
			keys = append(keys, key)
		}
	}
	return keys
}
