package local_test

import (
	"context"
	"testing"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
	"github.com/sagad/sagad/engine/local"
)

const fiveSteps = `  - {id: s1, call: t.one, with: {n: "${{ input.n }}"}, compensate: {call: t.undoOne, with: {of: "${{ self.key }}"}}}
  - {id: s2, call: t.two, with: {n: "${{ steps.s1.output }}"}, compensate: {call: t.undoTwo}}
  - {id: s3, call: t.three, effect: none}
  - {id: s4, call: t.four, effect: pivot, retry: {ambiguous: true}}
  - {id: s5, call: t.five, effect: retriable}
`

// A saga of five steps whose activities do nothing.
func BenchmarkFiveSteps(b *testing.B) {
	plan := enginetest.Compile(b, "", fiveSteps)
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo", Region: "eu-west-1"}, map[string]any{"id": "k", "n": 1})
	if err != nil {
		b.Fatal(err)
	}
	var output any = map[string]any{"ok": true}
	noop := engine.InvokerFunc(func(context.Context, *engine.Identity, *engine.Invocation) engine.Outcome {
		return engine.Outcome{Class: engine.Applied, Output: output}
	})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := local.Run(b.Context(), plan, start, local.Options{Invoker: noop}); err != nil {
			b.Fatal(err)
		}
	}
}
