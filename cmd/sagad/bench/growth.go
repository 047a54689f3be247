package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
	"github.com/sagad/sagad/engine/temporal"
)

// A saga of as many steps as there are items, forward and, if it is told to,
// back again: every step leaves a compensation behind.
const manySteps = `saga: growth
version: "1"
key: ${{ input.id }}
steps:
  - id: each
    foreach:
      in: input.items
      as: it
      do: [{id: s, call: noop.one, with: {n: "${{ it }}"}, compensate: {call: noop.undoOne, with: {n: "${{ it }}"}}}]
  - {id: stop, if: input.back, fail: {code: STOP}}
`

// baseSteps is the number of steps that larger sagas are compared with.
const baseSteps = 100

// grower measures what a step costs in sagas of more and more steps.
type grower struct {
	plan    *dsl.Plan
	invoker engine.Invoker
	n       int
}

func newGrower() (*grower, error) {
	plan, diagnostics := dsl.Compile(dsl.Source{Name: "growth.yaml", Data: []byte(manySteps)}, dsl.Options{})
	if plan == nil {
		return nil, diagnostics
	}
	output := any(map[string]any{"ok": true})
	return &grower{plan: plan, invoker: engine.InvokerFunc(func(context.Context, *engine.Identity, *engine.Invocation) engine.Outcome {
		return engine.Outcome{Class: engine.Applied, Output: output}
	})}, nil
}

// start prepares a saga of so many steps.
func (g *grower) start(region string, steps int, back bool) (*engine.Start, error) {
	items := make([]any, steps)
	for i := range items {
		items[i] = i
	}
	g.n++
	input := map[string]any{"id": fmt.Sprintf("%s-%d", region, g.n), "items": items, "back": back}
	start, _, err := engine.Prepare(g.plan, engine.Target{Tenant: "demo", Region: region}, input)
	return start, err
}

// local measures the machine in this process.
func (g *grower) local(ctx context.Context, sizes []int) error {
	return g.grow("local", sizes, func(steps int, back bool) ([]float64, error) {
		runs := max(1, 20_000/steps) // small ones are too short for a clock
		began := time.Now()
		for range runs {
			start, err := g.start("local", steps, back)
			if err != nil {
				return nil, err
			}
			if _, err := local.Run(ctx, g.plan, start, local.Options{Invoker: g.invoker}); err != nil {
				return nil, err
			}
		}
		return []float64{float64(time.Since(began).Microseconds()) / float64(runs)}, nil
	}, "us")
}

// temporal measures sagas on the server, over all runs that they continued in.
func (g *grower) temporal(ctx context.Context, r *rig, sizes []int) error {
	r.serve(temporal.NewWorker(r.client, temporal.WorkerOptions{Tenant: "demo", Region: "growth", Invoker: g.invoker}))
	c := temporal.NewClient(r.client)
	return g.grow("Temporal", sizes, func(steps int, back bool) ([]float64, error) {
		start, err := g.start("growth", steps, back)
		if err != nil {
			return nil, err
		}
		began := time.Now()
		if _, err := c.Start(ctx, g.plan, start, nil); err != nil {
			return nil, err
		}
		if _, err := c.Wait(ctx, start.ID); err != nil {
			return nil, err
		}
		took := time.Since(began)
		histories, err := c.Histories(ctx, start.ID)
		if err != nil {
			return nil, err
		}
		events, bytes := 0, 0
		for _, h := range histories {
			events += len(h.GetEvents())
			bytes += proto.Size(h)
		}
		return []float64{milliseconds(took), float64(events), float64(bytes), float64(len(histories))}, nil
	}, "ms", "events", "B", "runs")
}

// grow measures sagas of each size, there and back, and prints what a step
// costs, beside what it costs in a saga of a hundred steps.
func (g *grower) grow(where string, sizes []int, measure func(steps int, back bool) ([]float64, error), units ...string) error {
	for _, back := range []bool{false, true} {
		way := "forward"
		if back {
			way = "there and back"
		}
		base := map[string]float64{}
		for _, steps := range sizes {
			values, err := measure(steps, back)
			if err != nil {
				return fmt.Errorf("%d steps: %w", steps, err)
			}
			fmt.Printf("  %-10s %-16s %6d steps", where, way, steps)
			for i, unit := range units {
				if unit == "runs" {
					fmt.Printf("  %3.0f runs", values[i])
					continue
				}
				each := values[i] / float64(steps)
				if steps == baseSteps {
					base[unit] = each
				}
				fmt.Printf("  %9.2f %s a step", each, unit)
				if base[unit] > 0 && steps > baseSteps {
					fmt.Printf(" (ratio %.3f)", each/base[unit])
				}
			}
			fmt.Println()
		}
	}
	return nil
}
