package model

import (
	"fmt"
	"slices"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// script draws what happens to a saga from outside.
func (g *generator) script() *Script {
	sc := &Script{Answers: map[string][]Answer{}, Input: map[string]any{
		"id": "k", "n": 1 + g.IntN(2), "s": "text", "d": "30ms", "at": "2026-11-23T10:00:00.05Z", "boom": nil,
		"yes": g.chance(80), "no": g.chance(20),
		"two": []any{"a", "b"}, "three": []any{"x/y", 7, "z"}, "twice": []any{"a", "b", "a"}, "none": []any{},
	}}
	trouble := one(g, 5, 15, 25, 50)
	for _, c := range g.calls {
		if g.chance(trouble) {
			sc.Answers[c.name] = g.answers(c)
		}
		if len(c.paths) > 1 && g.chance(trouble) {
			sc.Answers[one(g, c.paths...)] = g.answers(c)
		}
	}
	if g.signals {
		for range one(g, 0, 1, 3, 6, 9) {
			sc.Outside = append(sc.Outside, g.message())
		}
	}
	for range one(g, 0, 0, 0, 0, 1, 2) {
		sc.Outside = append(sc.Outside, Happening{After: g.moment(), Cancel: true})
	}
	for range one(g, 0, 0, 0, 1, 3) {
		if len(g.calls) == 0 {
			break
		}
		c := one(g, g.calls...)
		sc.Outside = append(sc.Outside, g.command(g.moment(), c.paths[g.IntN(len(c.paths))]))
	}
	sc.sort()
	return sc
}

// moment draws a time. Many things happen at the same one.
func (g *generator) moment() time.Duration {
	return time.Duration(g.IntN(one(g, 5, 10, 40))) * 10 * time.Millisecond
}

func (g *generator) took() time.Duration {
	return one[time.Duration](g, 0, 0, 0, 10, 20, 30, 50, 80, 120, 200, 300) * time.Millisecond
}

func (g *generator) output() any {
	return one[any](g, map[string]any{}, map[string]any{"n": 1}, map[string]any{"n": 2}, map[string]any{"n": "text"}, nil, []any{"a"})
}

func (g *generator) answers(c called) []Answer {
	var list []Answer
	for range 1 + g.IntN(3) {
		out := engine.Outcome{Class: engine.Applied, Output: g.output()}
		if c.probe {
			out.Output = one[any](g, map[string]any{"applied": true, "output": map[string]any{"n": 3}}, map[string]any{"applied": false}, map[string]any{"applied": nil}, nil)
		}
		switch g.IntN(12) {
		case 0, 1:
			out = engine.Outcome{Class: engine.Rejected, Code: one(g, "R1", "R2")}
		case 2, 3:
			out = engine.Outcome{Class: engine.Ambiguous, Code: one(g, "F1", "F2")}
		case 4:
			out = engine.Outcome{Class: engine.Ambiguous, Code: "P", Final: true}
		case 5, 6:
			out = engine.Outcome{Class: engine.NotSent, Code: one(g, engine.CodeUnavailable, "F1"), Final: g.chance(20)}
		case 7:
			out = engine.Outcome{Class: engine.Applied, Code: one(g, engine.CodeInvalidOutput, engine.CodeTooLarge), Probed: c.probe && g.chance(50)}
		}
		list = append(list, Answer{out, g.took()})
	}
	return list
}

// aim draws more that happens to a saga, at instants at which it matters:
// commands soon after something parked, cancels while something runs, messages
// when a saga waits for ever.
func (g *generator) aim(plan *dsl.Plan, start *engine.Start, sc *Script) {
	for range one(g, 0, 1, 2, 3, 5, 8) {
		var parks []engine.Record
		o, _ := watched(plan, start, startedAt, sc, func(_ string, _ engine.Event, commands []engine.Command) {
			for _, c := range commands {
				if c.Kind == engine.CommandRecord && c.Record.Transition == engine.TransitionParked {
					parks = append(parks, c.Record)
				}
			}
		})
		var more []Happening
		soon := one[time.Duration](g, 0, 0, 10, 20, 30) * time.Millisecond
		switch {
		case len(parks) > 0 && g.chance(80):
			park := one(g, parks...)
			for range one(g, 1, 1, 1, 2) {
				more = append(more, g.command(park.At.Sub(startedAt)+soon, park.Path))
			}
		case len(o.Invocations) > 0 && g.chance(10):
			more = []Happening{{After: one(g, o.Invocations...).At.Sub(startedAt) + soon, Cancel: true}}
		case o.Outcome == engine.OutcomeRunning:
			more = []Happening{g.message()}
			more[0].After = o.Elapsed + soon
		}
		sc.Outside = append(sc.Outside, more...)
		sc.sort()
		if len(more) > 0 && len(o.Invocations) > 0 && g.chance(40) {
			g.coincide(sc, o.Invocations, more[0].After+one[time.Duration](g, 0, 10, 20)*time.Millisecond)
		}
	}
}

// coincide lets an attempt that runs at an instant end then.
func (g *generator) coincide(sc *Script, all []Invoked, after time.Duration) {
	i := g.IntN(len(all))
	inv, took := all[i].Invoke, after-all[i].At.Sub(startedAt)
	if took < 0 || took >= inv.Timeout {
		return
	}
	prefix := map[engine.Op]string{engine.OpCompensation: "~", engine.OpProbe: "?"}[inv.Op]
	n := 0 // attempts before this one
	for _, other := range all[:i] {
		if other.Invoke.Op == inv.Op && other.Invoke.Path == inv.Path {
			n++
		}
	}
	list, ok := sc.Answers[prefix+inv.Path]
	if !ok {
		list = sc.Answers[prefix+stepOf(inv.Path)]
	}
	if len(list) == 0 {
		list = []Answer{{Outcome: engine.Outcome{Class: engine.Applied}}}
	}
	list = slices.Clone(list)
	for len(list) <= n {
		list = append(list, list[len(list)-1])
	}
	list[n] = g.answers(called{probe: inv.Op == engine.OpProbe})[0]
	list[n].Took = took
	sc.Answers[prefix+inv.Path] = list[:n+1]
}

// sort puts what happens into the order of time.
func (sc *Script) sort() {
	slices.SortStableFunc(sc.Outside, func(a, b Happening) int { return int(a.After - b.After) })
}

func (g *generator) message() Happening {
	data := one[any](g, map[string]any{"n": 1}, map[string]any{"n": 2}, map[string]any{"k": "a"}, map[string]any{"k": 7}, "text", nil)
	return Happening{After: g.moment(), Signal: &engine.Signal{
		ID: one(g, "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", ""), Name: one(g, "go", "go", "go", "go", "go", "stop", "stop", "other"), Data: data,
	}}
}

// command draws an operator's command for a path.
func (g *generator) command(at time.Duration, path string) Happening {
	if path[0] == '~' || path[0] == '?' {
		path = path[1:]
	}
	o := &engine.Operator{
		ID: fmt.Sprintf("c%d", g.IntN(60)), Command: one(g, engine.CommandRetry, engine.CommandRetry, engine.CommandSkip, engine.CommandResolve, engine.CommandResolve),
		Path: path, Actor: "ops", Reason: "seen",
	}
	if o.Command == engine.CommandResolve {
		applied := g.chance(60)
		o.Applied = &applied
		if applied {
			o.Output = g.output()
		}
	}
	if o.Command == engine.CommandRetry && g.chance(40) {
		o.Input = map[string]any{"corrected": g.IntN(3)}
	}
	switch g.IntN(40) {
	case 0:
		o.ID = ""
	case 1:
		o.Actor = ""
	case 2:
		o.Reason = " "
	case 3:
		o.Command = "explode"
	case 4:
		o.Applied = nil
	}
	return Happening{After: at, Operator: o}
}
