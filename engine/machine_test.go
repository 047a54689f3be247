package engine_test

import (
	"testing"
	"time"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
)

// started gives a saga that has taken its first event.
func started(t *testing.T, steps string) *engine.Machine {
	t.Helper()
	plan := enginetest.Compile(t, "", steps)
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo"}, map[string]any{"id": "k"})
	if err != nil {
		t.Fatal(err)
	}
	m := engine.New(plan)
	m.Step(engine.Event{Kind: engine.EventStarted, At: at, Start: start})
	return m
}

// Once an operator has let a saga go on after a reset, it is guarded no longer:
// it would stop at each of its calls otherwise (S15). Any command about the step
// is such a word, and a step that was parked for another reason is none.
func TestConfirmedAfterAReset(t *testing.T) {
	const steps = "  - {id: a, call: t.a, compensate: {call: t.undoA}}\n  - {id: p, call: t.p, effect: pivot}\n"
	applied := true
	for _, o := range []engine.Operator{
		{ID: "1", Command: engine.CommandRetry, Path: "a"},
		{ID: "1", Command: engine.CommandResolve, Path: "a", Applied: &applied, Reason: "statement"},
	} {
		m := started(t, steps)
		m.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: 1, Outcome: engine.Outcome{Class: engine.NotSent, Code: engine.CodeReset, Final: true}})
		if m.Outcome() != engine.OutcomeParked || m.Confirmed() {
			t.Fatalf("after the reset the saga is %s, confirmed %t", m.Outcome(), m.Confirmed())
		}
		if reply, _ := operate(t, m, o); !reply.Accepted || !m.Confirmed() {
			t.Errorf("%s: %+v, confirmed %t", o.Command, reply, m.Confirmed())
		}
	}
	m := started(t, "  - {id: p, call: t.p, effect: pivot}\n")
	m.Step(engine.Event{Kind: engine.EventClosed, At: at, ID: 1, Outcome: engine.Outcome{Class: engine.Ambiguous, Code: "ODD"}})
	if reply, _ := operate(t, m, engine.Operator{ID: "1", Command: engine.CommandRetry, Path: "p"}); !reply.Accepted || m.Confirmed() {
		t.Errorf("a retry without a reset: %+v, confirmed %t", reply, m.Confirmed())
	}
}

// A clock that goes back does not take the saga back: what follows from an event
// that says it is earlier than the last one happens at the time of that (S24).
func TestTimeDoesNotGoBack(t *testing.T) {
	m := started(t, "  - {id: a, call: t.a, effect: none}\n  - {id: w, sleep: 1m}\n")
	var until time.Time
	for _, c := range m.Step(engine.Event{Kind: engine.EventClosed, At: at.Add(-time.Hour), ID: 1, Outcome: engine.Outcome{Class: engine.Applied}}) {
		switch c.Kind {
		case engine.CommandStartTimer:
			until = c.At
		case engine.CommandRecord:
			if c.Record.At.Before(at) {
				t.Errorf("%s is recorded at %s", c.Record.Transition, c.Record.At)
			}
		}
	}
	if !until.Equal(at.Add(time.Minute)) {
		t.Errorf("it sleeps until %s, want a minute after %s", until, at)
	}
	if a := m.Result().Steps[0]; a.ClosedAt.Before(a.ScheduledAt) {
		t.Errorf("a was closed at %s, before it was scheduled at %s", a.ClosedAt, a.ScheduledAt)
	}
}
