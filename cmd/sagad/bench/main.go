// Command bench measures what the engine costs and prints ratios of things
// measured in the same run: the saga from YAML against the same saga written by
// hand on the Temporal SDK, on one embedded server; the machine and the local
// runtime against a plain loop.
//
// Rounds alternate between the sides, and the medians are compared, so that a
// noisy machine is noisy for both.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

// size says how much is measured.
type size struct {
	rounds     int           // alternations of each side
	sagas      int           // per round of the closed loop
	concurrent int           // in the closed loop
	single     int           // per round, one after the other
	open       time.Duration // of the open loop, per side
	rate       int           // sagas a second in the open loop
	steps      []int         // of the sagas that grow
}

func main() {
	only := flag.Bool("growth", false, "only what a step costs as sagas grow")
	plugins := flag.String("plugins", "", "folder of the no-op plugin's executable; empty: leave the plugin processes out")
	quick := flag.Bool("quick", false, "a few seconds instead of a few minutes; the figures are rough")
	flag.Parse()
	s := size{rounds: 7, sagas: 150, concurrent: 8, single: 40, open: 30 * time.Second, rate: 15, steps: []int{10, 100, 1000, 10_000}}
	if *quick {
		s = size{rounds: 3, sagas: 40, concurrent: 8, single: 10, open: 4 * time.Second, rate: 15, steps: []int{10, 100, 1000}}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, s, *plugins, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s size, plugins string, only bool) error {
	dir, err := os.MkdirTemp("", "sagad-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r := &report{}
	if !only {
		r.title("Machine and local runtime")
		if err := benchMachine(r); err != nil {
			return err
		}
	}
	rig, err := newRig(ctx, filepath.Join(dir, "temporal"), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer rig.close()
	if !only {
		if err := rig.compareSides(ctx, r, s, plugins, dir); err != nil {
			return err
		}
	}
	r.title("What a step costs as sagas grow")
	g, err := newGrower()
	if err != nil {
		return err
	}
	if err := g.local(ctx, []int{10, 100, 1000, 10_000}); err != nil {
		return err
	}
	return g.temporal(ctx, rig, s.steps)
}

// compareSides measures sagas from YAML beside the same one written by hand.
func (r *rig) compareSides(ctx context.Context, out *report, s size, plugins, dir string) error {
	sides := []*side{r.byHand(), r.fromYAML()}
	if plugins != "" {
		processes, err := r.withProcesses(ctx, plugins, filepath.Join(dir, "data"))
		if err != nil {
			return err
		}
		sides = append(sides, processes)
	}
	return r.compare(ctx, out, s, sides)
}
