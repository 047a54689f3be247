package sagatest

import (
	"fmt"
	"slices"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/invariant"
)

// answer is what a participant does with one attempt.
type answer struct {
	out    engine.Outcome
	effect bool // the effect is there afterwards
	silent bool // no answer ever comes
	final  bool // of what is silent: another attempt cannot do better
	delay  time.Duration
}

var timedOut = engine.Outcome{Class: engine.Ambiguous, Code: engine.CodeTimeout, Message: "no answer in time"}

// world stands in for all participants of one run.
type world struct {
	invariant.Recording
	offer    *offer
	mocks    dsl.Mocks
	fault    *Fault // nil: none
	lenient  bool   // what has no mock succeeds
	attempts map[string]int
	calls    map[string]int
	last     map[string]any
	applied  map[string]bool // action keys whose effect is there
	asked    map[string]int  // questions of probes, by path
	missing  []string        // what was called and has no mock, each once
	refused  []string        // inputs that break the schema of their activity, each once
}

func newWorld(o *offer, mocks dsl.Mocks) *world {
	return &world{
		offer: o, mocks: mocks, attempts: map[string]int{}, calls: map[string]int{},
		last: map[string]any{}, applied: map[string]bool{}, asked: map[string]int{},
	}
}

// take answers an attempt. The effect is there at once, the answer comes later.
func (w *world) take(inv *engine.Invocation) (engine.Outcome, time.Duration) {
	w.Began(inv)
	w.calls[inv.Activity]++
	w.last[inv.Activity] = inv.Input
	a := w.answer(inv)
	if a.silent {
		a.delay, a.out = inv.Timeout, timedOut
		if a.out.Final = a.final; a.final {
			a.delay-- // what runs into its timeout is never final
		}
	}
	if w.fault.slows(inv) {
		a.delay = max(a.delay, min(cutAfter, inv.Timeout-1))
	}
	if a.effect && inv.Op != engine.OpProbe {
		w.Effect(inv)
		w.applied[inv.ActionKey] = inv.Op == engine.OpAction
	}
	return a.out, a.delay
}

func (w *world) answer(inv *engine.Invocation) answer {
	n := inv.Attempt
	if inv.Op == engine.OpProbe {
		w.asked[inv.Path]++
		n = w.asked[inv.Path]
	}
	err := w.offer.CheckInput(inv.Activity, inv.Input)
	if err != nil {
		w.refuse(inv, err)
	}
	if a, hit := w.fault.answer(inv, n); hit {
		return a
	}
	if err != nil {
		return answer{out: engine.Outcome{Class: engine.Rejected, Code: engine.CodeInvalidInput, Message: err.Error()}}
	}
	key, list := w.mocks.For(inv.Activity, inv.Path)
	if key == "" || w.fault.turns(inv) {
		return w.byNature(inv)
	}
	n = w.attempts[key]
	w.attempts[key]++
	return mocked(inv, list[min(n, len(list)-1)])
}

// refuse notes an input that no plugin would take.
func (w *world) refuse(inv *engine.Invocation, err error) {
	text := fmt.Sprintf("the %s of %s gives %s an input that breaks its schema: %v", inv.Op, inv.Path, inv.Activity, err)
	if !slices.Contains(w.refused, text) {
		w.refused = append(w.refused, text)
	}
}

// mocked is the answer that a mock describes.
func mocked(inv *engine.Invocation, m dsl.Mock) answer {
	fail := func(class engine.Class, code string) answer {
		message := m.Message
		if message == "" {
			message = code + ", as the mock says"
		}
		return answer{out: engine.Outcome{Class: class, Code: code, Message: message, Final: m.Final}, effect: m.Applied, delay: m.Delay}
	}
	switch {
	case m.Kind == dsl.MockReject:
		return fail(engine.Rejected, m.Code)
	case m.Kind == dsl.MockFail && m.NotSent:
		return fail(engine.NotSent, m.Code)
	case m.Kind == dsl.MockFail:
		return fail(engine.Ambiguous, m.Code)
	case m.Kind == dsl.MockUnknown:
		return answer{silent: true, effect: m.Applied}
	case m.Invalid:
		a := fail(engine.Applied, engine.CodeInvalidOutput)
		a.effect = true
		return a
	}
	return answer{out: engine.Outcome{Class: engine.Applied, Output: m.Output}, effect: inv.Op != engine.OpProbe, delay: m.Delay}
}

// byNature is the answer of an activity without a mock: compensations succeed, and
// probes tell the truth. An action has to have one.
func (w *world) byNature(inv *engine.Invocation) answer {
	switch {
	case inv.Op == engine.OpProbe:
		found := map[string]any{"applied": w.applied[inv.ActionKey]}
		if w.applied[inv.ActionKey] {
			found["output"] = w.outputOf(inv.Asks, inv.Path)
		}
		return answer{out: engine.Outcome{Class: engine.Applied, Output: found}}
	case inv.Op == engine.OpCompensation || w.lenient:
		return answer{out: engine.Outcome{Class: engine.Applied, Output: w.outputOf(inv.Activity, inv.Path)}, effect: true}
	}
	text := fmt.Sprintf("%s is called by %s and has no mock; add it under mocks, for example %s: {output: %s}", inv.Activity, inv.Path, inv.Activity, w.offer.sample(inv.Activity))
	if !slices.Contains(w.missing, text) {
		w.missing = append(w.missing, text)
	}
	return answer{out: engine.Outcome{Class: engine.Rejected, Code: "NO_MOCK", Message: inv.Activity + " has no mock"}}
}

// outputOf is what an activity gives when it succeeds: what its mock says, else an
// example of its schema, else an empty object.
func (w *world) outputOf(activity, path string) any {
	_, list := w.mocks.For(activity, path)
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Kind == dsl.MockOutput && !list[i].Invalid {
			return list[i].Output
		}
	}
	return w.offer.example(activity)
}
