package engine_test

import (
	"testing"
	"time"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
)

const fiveSteps = `  - {id: s1, call: t.one, with: {n: "${{ input.n }}"}, compensate: {call: t.undoOne, with: {of: "${{ self.key }}"}}}
  - {id: s2, call: t.two, with: {n: "${{ steps.s1.output }}"}, compensate: {call: t.undoTwo}}
  - {id: s3, call: t.three, effect: none}
  - {id: s4, call: t.four, effect: pivot, retry: {ambiguous: true}}
  - {id: s5, call: t.five, effect: retriable}
`

// One step of a saga: the event of one closed action and what follows from it.
func BenchmarkStep(b *testing.B) {
	plan := enginetest.Compile(b, "", fiveSteps)
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo", Region: "eu-west-1"}, map[string]any{"id": "k", "n": 1})
	if err != nil {
		b.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	var output any = map[string]any{"ok": true}
	b.ReportAllocs()
	steps := 0
	for b.Loop() {
		m := engine.New(plan)
		m.Step(engine.Event{Kind: engine.EventStarted, At: now, Start: start})
		for id := 1; !m.Closed(); id++ {
			m.Step(engine.Event{Kind: engine.EventClosed, At: now, ID: id, Outcome: engine.Outcome{Class: engine.Applied, Output: output}})
			steps++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(steps), "ns/step")
}
