package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// compare measures the sides against the first and prints the ratios.
func (r *rig) compare(ctx context.Context, out *report, s size, sides []*side) error {
	for _, side := range sides { // caches fill, connections open
		if _, err := r.closedLoop(ctx, side, s.concurrent*2, s.concurrent); err != nil {
			return fmt.Errorf("%s: %w", side.name, err)
		}
	}
	out.title("History of one five-step saga")
	for i, side := range sides {
		id, _, err := r.one(ctx, side)
		if err != nil {
			return err
		}
		events, bytes, plan, err := r.history(ctx, id)
		if err != nil {
			return err
		}
		out.figure(side.name, "events", float64(events), "", i == 0)
		out.figure(side.name, "bytes besides the plan", float64(bytes), "B", i == 0)
		if plan > 0 {
			out.figure(side.name, "compressed plan", float64(plan), "B", true)
		}
	}
	out.title(fmt.Sprintf("Throughput, %d at a time", s.concurrent))
	if err := out.rounds(s.rounds, sides, "sagas/s", "", func(side *side) (float64, error) {
		took, err := r.closedLoop(ctx, side, s.sagas, s.concurrent)
		return float64(s.sagas) / took.Seconds(), err
	}); err != nil {
		return err
	}
	out.title("Latency, one at a time")
	if err := out.rounds(s.rounds, sides, "p50", "ms", func(side *side) (float64, error) {
		var all []time.Duration
		for range s.single {
			_, took, err := r.one(ctx, side)
			if err != nil {
				return 0, err
			}
			all = append(all, took)
		}
		return milliseconds(quantile(all, 0.5)), nil
	}); err != nil {
		return err
	}
	out.title(fmt.Sprintf("Open loop, %d sagas a second", s.rate))
	rounds := max(s.rounds/2, 1)
	return out.rounds(rounds, sides, "p99", "ms", func(side *side) (float64, error) {
		all, err := r.openLoop(ctx, side, s.open/time.Duration(rounds), s.rate)
		return milliseconds(quantile(all, 0.99)), err
	})
}

// closedLoop runs n sagas, so many at a time, and gives how long all took.
func (r *rig) closedLoop(ctx context.Context, s *side, n, concurrent int) (time.Duration, error) {
	ids := make(chan string, n)
	for range n {
		r.n++
		ids <- s.id(r.n)
	}
	close(ids)
	errs := make([]error, concurrent)
	var wg sync.WaitGroup
	began := time.Now()
	for i := range concurrent {
		wg.Go(func() {
			for id := range ids {
				if err := s.run(ctx, id); err != nil {
					errs[i] = err
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(began), errors.Join(errs...)
}

// openLoop starts sagas at a steady rate, whether or not those before have
// ended, and gives how long each took from the moment it was due.
func (r *rig) openLoop(ctx context.Context, s *side, during time.Duration, rate int) ([]time.Duration, error) {
	n := int(during.Seconds() * float64(rate))
	took, errs := make([]time.Duration, n), make([]error, n)
	var wg sync.WaitGroup
	began := time.Now()
	for i := range n {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		r.n++
		id := s.id(r.n)
		wg.Go(func() {
			errs[i] = s.run(ctx, id)
			took[i] = time.Since(due)
		})
	}
	wg.Wait()
	return took, errors.Join(errs...)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// quantile gives the value below which the share q of all lies.
func quantile(all []time.Duration, q float64) time.Duration {
	slices.Sort(all)
	return all[min(int(q*float64(len(all))), len(all)-1)]
}
