package main

import (
	"context"
	"testing"
	"time"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
)

// benchMachine measures the machine and the local runtime against a plain loop
// over the same five functions.
func benchMachine(r *report) error {
	plan, err := compile()
	if err != nil {
		return err
	}
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo", Region: "local"}, map[string]any{"id": "k", "n": 1})
	if err != nil {
		return err
	}
	output := any(map[string]any{"ok": true})
	invoker := engine.InvokerFunc(func(context.Context, *engine.Identity, *engine.Invocation) engine.Outcome {
		return engine.Outcome{Class: engine.Applied, Output: output}
	})
	ctx := context.Background()
	loop := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			for id := range 5 {
				if out := invoker(ctx, nil, &engine.Invocation{ID: id, Input: output}); out.Class != engine.Applied {
					b.Fatal(out)
				}
			}
		}
	})
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	machine := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			m := engine.New(plan)
			m.Step(engine.Event{Kind: engine.EventStarted, At: now, Start: start})
			for id := 1; !m.Closed(); id++ {
				m.Step(engine.Event{Kind: engine.EventClosed, At: now, ID: id, Outcome: engine.Outcome{Class: engine.Applied, Output: output}})
			}
		}
	})
	inProcess := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if _, err := local.Run(ctx, plan, start, local.Options{Invoker: invoker}); err != nil {
				b.Fatal(err)
			}
		}
	})
	micro := func(b testing.BenchmarkResult) float64 {
		return float64(b.T.Nanoseconds()) / float64(b.N) / 1000
	}
	r.figure("plain Go loop", "five calls", micro(loop), "us", true)
	r.figure("machine", "one step", micro(machine)/5, "us", true)
	r.figure("local runtime", "five calls", micro(inProcess), "us", false)
	return nil
}
