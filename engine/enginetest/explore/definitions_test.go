package explore

import (
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
)

// definition is a small saga with all that may happen to it.
type definition struct {
	enginetest.Case
	bounds Bounds
}

// short keeps the number of attempts small: what a bound leaves out is more of
// the same.
const short = `defaults:
  timeout: 1s
  retry: {attempts: 2, backoff: 1s..2s}
  compensation: {retry: {backoff: 1s..2s, within: 5s}}
`

const (
	a = "  - {id: a, call: t.a, compensate: {call: t.undoA}}\n"
	b = "  - {id: b, call: t.b, compensate: {call: t.undoB, with: {of: \"${{ self.output?.id }}\"}}}\n"
	p = "  - {id: p, call: t.p, effect: pivot, retry: {attempts: 2, backoff: 1s..2s, ambiguous: true}}\n"
	r = "  - {id: r, call: t.r, effect: retriable, retry: {attempts: 2, backoff: 1s..2s}}\n"
)

// What comes from outside, at whatever time.
var (
	cancel  = enginetest.Cancel(0)
	message = enginetest.Message(0, "go", "m-1", `{"n": 1}`)
	other   = enginetest.Message(0, "go", "m-2", `{"n": 2}`)
)

// Child sagas: pair can be compensated, decide passes a point of no return.
var (
	pair   = map[string]string{"pair": short + "steps:\n  - {id: x, call: t.x, compensate: {call: t.undoX}}\n  - {id: y, call: t.y, compensate: {call: t.undoY}}\n"}
	single = map[string]string{"single": short + "steps:\n  - {id: x, call: t.x, compensate: {call: t.undoX}}\n"}
	decide = map[string]string{"decide": short + "steps:\n  - {id: x, call: t.x, compensate: {call: t.undoX}}\n" + p}
)

const (
	both  = "  - id: both\n    parallel:\n"
	x     = "[{id: x, call: t.x, compensate: {call: t.undoX}}]"
	y     = "[{id: y, call: t.y, compensate: {call: t.undoY}}]"
	items = `{"id": "k", "list": ["u", "v", "w"]}`
)

var definitions = []definition{
	{enginetest.Case{Name: "sequence with a pivot and a retriable tail", Head: short, Steps: a + b + p + r}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "cancel against every step of a sequence", Head: short, Steps: a + p + r, Outside: enginetest.Outside{cancel}}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "two cancels against a pivot", Head: short, Steps: a + p, Outside: enginetest.Outside{cancel, cancel}}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "pivot that is not idempotent", Head: short, Steps: a + "  - {id: p, call: t.p, effect: pivot}\n", Outside: enginetest.Outside{cancel}}, Bounds{Faults: 2, Commands: 2}},
	{enginetest.Case{Name: "pivot with a probe", Head: short, Steps: a + "  - {id: p, call: t.p, effect: pivot, probe: {call: t.status, every: 1s, within: 2s}}\n", Outside: enginetest.Outside{cancel}}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "compensatable step with a probe", Head: short, Steps: "  - {id: x, call: t.x, compensate: {call: t.undoX}, probe: {call: t.status, every: 1s, within: 2s}}\n" + p, Outside: enginetest.Outside{cancel}}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "retriable with a probe", Head: short, Steps: "  - {id: r, call: t.r, effect: retriable, retry: {attempts: 2, backoff: 1s..2s}, probe: {call: t.status, every: 1s, within: 2s}}\n"}, Bounds{Faults: 3, Commands: 2}},
	{enginetest.Case{Name: "deadline against every step", Head: "deadline: 3s\n" + short, Steps: a + p + r}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "deadline and cancel", Head: "deadline: 1s\ncancelGrace: 2s\n" + short, Steps: a + p, Outside: enginetest.Outside{cancel}}, Bounds{Faults: 1, Commands: 1}},
	{enginetest.Case{Name: "parallel that drains", Head: short, Steps: both + "      branches: {one: " + x + ", two: " + y + "}\n" + p}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "parallel that cancels", Head: short, Steps: both + "      onFailure: cancel\n      branches: {one: " + x + ", two: " + y + "}\n"}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "parallel that compensates in parallel", Head: short, Steps: a + both + "      compensation: parallel\n      branches: {one: " + x + ", two: " + y + "}\n" + p}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "parallel with a branch of two", Head: short, Steps: both + "      branches: {one: [{id: x, call: t.x, compensate: {call: t.undoX}}, {id: z, call: t.z, compensate: {call: t.undoZ}}], two: " + y + "}\n" + p}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "parallel of three with a step without effect", Head: short, Steps: both + "      branches: {one: " + x + ", two: " + y + ", three: [{id: l, call: t.l, effect: none, retry: {attempts: 1}}]}\n"}, Bounds{Faults: 2, Commands: 0}},
	{enginetest.Case{Name: "parallel with a cancel", Head: short, Steps: both + "      branches: {one: " + x + ", two: " + y + "}\n", Outside: enginetest.Outside{cancel}}, Bounds{Faults: 1, Commands: 1}},
	{enginetest.Case{Name: "parallel with waits that a failure ends", Head: short, Steps: both + "      branches: {one: [{id: w, sleep: 2s}, {id: x, call: t.x, compensate: {call: t.undoX}}], two: " + y + ", three: [{id: m, await: {signal: go}}]}\n", Outside: enginetest.Outside{message}}, Bounds{Faults: 1, Commands: 0}},
	{enginetest.Case{Name: "retriables in parallel after a pivot, caught", Head: short, Steps: p + both + `      branches:
        one: [{id: r1, call: t.r1, effect: retriable, retry: {attempts: 2, backoff: 1s..2s}}]
        two: [{id: r2, call: t.r2, effect: retriable, retry: {attempts: 2, backoff: 1s..2s}}]
    catch: [{on: [REJECTED], do: [{id: r3, call: t.r3, effect: retriable}]}]
`}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "foreach of three, two at a time", Head: short, Input: items, Steps: "  - {id: each, foreach: {in: input.list, as: it, key: it, concurrency: 2, do: " + x + "}}\n"}, Bounds{Faults: 2, Commands: 0}},
	{enginetest.Case{Name: "foreach that compensates in parallel", Head: short, Input: `{"id": "k", "list": ["u", "v"]}`, Steps: "  - {id: each, foreach: {in: input.list, as: it, key: it, concurrency: 2, compensation: parallel, onFailure: cancel, do: " + x + "}}\n" + p}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "await that times out", Head: short, Steps: a + "  - {id: m, await: {signal: go, where: event.n == 1, timeout: 2s}}\n" + p, Outside: enginetest.Outside{message, other, cancel}}, Bounds{Faults: 1, Commands: 1}},
	{enginetest.Case{Name: "two awaits for one name", Head: short, Steps: both + "      branches: {one: [{id: m, await: {signal: go}}], two: [{id: n, await: {signal: go, timeout: 1s}}]}\n", Outside: enginetest.Outside{message, message, other}}, Bounds{}},
	{enginetest.Case{Name: "message before it is awaited", Head: short, Steps: a + "  - {id: m, await: {signal: go}}\n" + r, Outside: enginetest.Outside{message, other, cancel}}, Bounds{Faults: 1}},
	{enginetest.Case{Name: "scope with a handler", Head: short, Steps: a + `  - id: s
    scope: {do: [{id: x, call: t.x, compensate: {call: t.undoX}}, {id: l, call: t.l, effect: none, retry: {attempts: 1}}]}
    catch: [{on: ["*"], do: [{id: h, call: t.h, compensate: {call: t.undoH}}]}]
`, Outside: enginetest.Outside{cancel}}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "scopes in parallel, each with a handler", Head: short, Steps: both + `      branches:
        one:
          - id: s1
            scope: {do: [{id: x, call: t.x, compensate: {call: t.undoX}}, {id: f1, fail: {code: STOP}}]}
            catch: [{on: [STOP], do: [{id: h1, set: {v: 1}}]}]
        two: [{id: y, call: t.y, compensate: {call: t.undoY}}, {id: l, call: t.l, effect: none, retry: {attempts: 1}}]
`}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "rail A rejects and rail B is tried", Head: short, Steps: a + `  - id: railA
    call: t.railA
    effect: pivot
    retry: {attempts: 1, ambiguous: true}
    catch: [{on: [REJECTED], do: [{id: fee, call: t.fee, compensate: {call: t.undoFee}}, {id: railB, call: t.railB, effect: pivot, retry: {attempts: 1, ambiguous: true}}]}]
`, Outside: enginetest.Outside{cancel}}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "operators on parked compensations", Head: short, Steps: a + b + "  - {id: f, fail: {code: STOP}}\n"}, Bounds{Faults: 2, Commands: 3}},
	{enginetest.Case{Name: "operators on a parked tail", Head: short, Steps: p + r + "  - {id: l, call: t.l, effect: none, retry: {attempts: 1}}\n"}, Bounds{Faults: 2, Commands: 3}},
	{enginetest.Case{Name: "operators past parked branches", Head: short, Steps: a + both + "      branches: {one: " + x + ", two: " + y + "}\n  - {id: f, fail: {code: STOP}}\n"}, Bounds{Faults: 2, Commands: 2}},
	{enginetest.Case{Name: "commands that do not fit", Head: short, Steps: a + p, Outside: enginetest.Outside{
		enginetest.Operate(0, engine.Operator{Command: engine.CommandRetry, Path: "a"}), enginetest.Operate(0, engine.Operator{Command: engine.CommandSkip, Path: "p"}),
	}}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "switch, set and complete", Head: short, Input: `{"id": "k", "n": 1}`, Steps: a + `  - id: pick
    switch: [{when: input.n == 1, do: [{id: v, set: {n: 2}}, {id: x, call: t.x, compensate: {call: t.undoX}}]}, {else: [{id: y, call: t.y, effect: none}]}]
  - {id: done, complete: {output: "${{ vars.n ?? 0 }}"}}
`, Outside: enginetest.Outside{cancel}}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "expressions that fail", Head: short, Steps: "  - {id: b, call: t.b, compensate: {call: t.undoB, with: {n: \"${{ div(1, self.output == nil ? 1 : 0) }}\"}}}\n  - {id: z, call: t.z, effect: none, with: {n: \"${{ div(1, 0) }}\"}}\n", Outside: enginetest.Outside{cancel}}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "child that can be compensated", Head: short, Sagas: pair, Steps: a + "  - {id: c, saga: pair, with: {id: z}}\n" + p}, Bounds{Faults: 1, Commands: 1}},
	{enginetest.Case{Name: "child against a cancel", Head: short, Sagas: pair, Steps: a + "  - {id: c, saga: pair, with: {id: z}}\n", Outside: enginetest.Outside{cancel}}, Bounds{Faults: 1, Commands: 1}},
	{enginetest.Case{Name: "child that decides, against a cancel", Head: short, Sagas: decide, Steps: a + "  - {id: c, saga: decide, with: {id: z}}\n" + r, Outside: enginetest.Outside{cancel}}, Bounds{Faults: 1, Commands: 1}},
	{enginetest.Case{Name: "child beside a branch that fails", Head: short, Sagas: pair, Steps: both + "      branches: {one: [{id: c, saga: pair, with: {id: z}}], two: " + y + "}\n"}, Bounds{Faults: 1, Commands: 1}},
	{enginetest.Case{Name: "child of a child", Head: short, Sagas: map[string]string{
		"pair": pair["pair"], "outer": short + "steps:\n  - {id: c, saga: pair, with: {id: z}}\n  - {id: l, call: t.l, effect: none, retry: {attempts: 1}}\n",
	}, Steps: a + "  - {id: o, saga: outer, with: {id: z}}\n  - {id: f, fail: {code: STOP}}\n"}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "two children beside each other", Head: short, Sagas: single, Steps: both + "      branches: {one: [{id: c, saga: single, with: {id: z}}], two: [{id: d, saga: single, with: {id: z}}]}\n"}, Bounds{Faults: 1}},
	{enginetest.Case{Name: "child that is caught", Head: short, Sagas: pair, Steps: a + "  - {id: c, saga: pair, with: {id: z}, catch: [{on: [REJECTED], do: [{id: h, call: t.h, compensate: {call: t.undoH}}]}]}\n" + p}, Bounds{Faults: 2}},
	{enginetest.Case{Name: "operators in a child", Head: short, Sagas: decide, Steps: "  - {id: c, saga: decide, with: {id: z}}\n" + r, Outside: enginetest.Outside{cancel}}, Bounds{Faults: 2, Commands: 2}},
	{enginetest.Case{Name: "handlers inside each other", Head: short, Steps: `  - id: outer
    scope:
      do:
        - id: inner
          scope: {do: [{id: x, call: t.x, compensate: {call: t.undoX}}, {id: f, fail: {code: STOP}}]}
          catch: [{on: [STOP], do: [{id: y, call: t.y, compensate: {call: t.undoY}}, {id: l, call: t.l, effect: none, retry: {attempts: 1}}]}]
    catch: [{on: ["*"], do: [{id: h, call: t.h, compensate: {call: t.undoH}}]}]
  - {id: g, fail: {code: END}}
`}, Bounds{Faults: 2, Commands: 1}},
	{enginetest.Case{Name: "parallel inside a scope", Head: short, Steps: `  - id: s
    scope:
      do:
        - id: both
          parallel: {compensation: parallel, branches: {one: ` + x + `, two: ` + y + `}}
        - {id: f, fail: {code: STOP}}
    catch: [{on: [STOP], do: [{id: h, set: {v: 1}}]}]
` + r, Outside: enginetest.Outside{cancel}}, Bounds{Faults: 1, Commands: 1}},
	{enginetest.Case{Name: "retriable items that park", Head: short, Input: `{"id": "k", "list": ["u", "v"]}`, Steps: p + "  - {id: each, foreach: {in: input.list, as: it, key: it, concurrency: 2, do: [{id: r, call: t.r, effect: retriable, retry: {attempts: 1}}]}}\n"}, Bounds{Faults: 2, Commands: 2}},
	{enginetest.Case{Name: "sleep and deadline at one instant", Head: "deadline: 2s\ncancelGrace: 1s\n" + short, Steps: a + both + "      branches: {one: [{id: w, sleep: 2s}], two: " + y + "}\n" + r}, Bounds{Faults: 1, Commands: 1}},
	{enginetest.Case{Name: "grace that runs out", Head: "cancelGrace: 1s\n" + short, Steps: both + "      branches: {one: " + x + ", two: " + y + "}\n" + p, Outside: enginetest.Outside{cancel}}, Bounds{Faults: 1, Commands: 1}},
	{enginetest.Case{Name: "window of retries", Head: short, Steps: "  - {id: x, call: t.x, retry: {within: 4s, backoff: 1s..2s, never: [UNAVAILABLE]}, compensate: {call: t.undoX, retry: {backoff: 1s..1s, within: 2s}}}\n  - {id: f, fail: {code: STOP}}\n", Outside: enginetest.Outside{cancel}}, Bounds{Faults: 4, Commands: 1}},
	{enginetest.Case{Name: "child with branches that park", Head: short, Sagas: map[string]string{
		"wide": short + "steps:\n" + both + "      branches: {one: " + x + ", two: " + y + "}\n",
	}, Steps: "  - {id: c, saga: wide, with: {id: z}}\n  - {id: f, fail: {code: STOP}}\n"}, Bounds{Faults: 2, Commands: 1}},
}
