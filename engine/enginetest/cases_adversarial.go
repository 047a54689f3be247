package enginetest

import (
	"fmt"
	"strings"

	"github.com/sagad/sagad/engine"
)

// adversarialCases are what other engines were seen to get wrong, beside the
// cases of each rule.
var adversarialCases = append([]Case{
	{
		Name: "a diamond of joins", Head: quick,
		Steps: `  - id: outer
    parallel:
      branches:
        left:
          - id: inner
            parallel:
              branches:
                one: [{id: x, call: t.x, compensate: {call: t.undoX}}]
                two: [{id: y, call: t.y, compensate: {call: t.undoY}}]
          - {id: z, call: t.z, with: {x: "${{ steps.x.output }}", y: "${{ steps.y.output }}"}, compensate: {call: t.undoZ}}
        right: [{id: r1, call: t.r1, compensate: {call: t.undoR1}}]
  - {id: join, call: t.join, with: {all: "${{ steps.outer.output }}"}, effect: none}
` + stepP,
		Mocks:   Mocks{"t.x": {After(60*ms, OK(`1`))}, "t.y": {After(300*ms, OK(`2`))}, "t.r1": {After(130*ms, OK(`4`))}, "t.z": {OK(`3`)}, "t.p": {Reject("NO")}},
		Outcome: engine.OutcomeCompensated, Cause: "p NO", Trace: "x r1 y z join p! ~z ~y ~r1 ~x",
		Inputs: map[string]string{"t.z": `{"x": 1, "y": 2}`, "t.join": `{"all": {"left": 3, "right": 4}}`},
	},
	{
		Name: "S16 a compensation is refused for ever", Head: quick, Steps: stepA + stepB + stepP,
		Mocks: Mocks{"t.p": {Reject("NO")}, "t.undoB": {Reject("CANNOT")}},
		Outside: Outside{
			Operate(600*ms, engine.Operator{Command: engine.CommandRetry, Path: "b"}),
			Operate(900*ms, engine.Operator{Command: engine.CommandResolve, Path: "b", Applied: &yes}),
		},
		Outcome: engine.OutcomeResolved, Cause: "p NO", Trace: "a b p! ~b ~a", Calls: map[string]int{"t.undoB": 2, "t.undoA": 1}, Replies: []string{"", ""},
	},
	{
		Name: "S25 an output of three megabytes", Head: quick, Steps: stepA + stepB,
		Mocks:   Mocks{"t.b": {OK(`"` + strings.Repeat("x", 3<<20) + `"`)}},
		Outcome: engine.OutcomeCompensated, Cause: "b TOO_LARGE", Trace: "a b! ~b ~a",
	},
	{
		Name: "S25 an input of three megabytes", Head: quick, Input: `{"id": "k", "text": "` + strings.Repeat("x", 500_000) + `"}`,
		Steps:   stepA + "  - {id: b, call: t.b, with: {all: [\"${{ input.text }}\", \"${{ input.text }}\", \"${{ input.text }}\"]}, compensate: {call: t.undoB}}\n",
		Outcome: engine.OutcomeCompensated, Cause: "b TOO_LARGE", Trace: "a b! ~a", Calls: map[string]int{"t.b": 0},
	},
}, expressionCases()...)

// expressionCases fail an expression in every place that one can stand: the
// step fails, or the saga, and what was done before is compensated (S25).
func expressionCases() (cases []Case) {
	const bad = "input.list[7].x" // there is no such element
	for _, c := range []struct{ place, steps, trace string }{
		{"if", "  - {id: f, if: \"" + bad + " == 1\", call: t.f, compensate: {call: t.undoF}}\n", "a f! ~a"},
		{"with", "  - {id: f, call: t.f, with: {x: \"${{ " + bad + " }}\"}, compensate: {call: t.undoF}}\n", "a f! ~a"},
		{"with of compensate", "  - {id: f, call: t.f, compensate: {call: t.undoF, with: {x: \"${{ " + bad + " }}\"}}}\n", "a f! ~a"},
		{"with of compensate after the action", "  - {id: f, call: t.f, compensate: {call: t.undoF, with: {x: \"${{ self.output == nil ? 1 : " + bad + " }}\"}}}\n", "a f! ~f ~a"},
		{"with of probe", "  - {id: f, call: t.f, compensate: {call: t.undoF}, probe: {call: t.status, with: {x: \"${{ " + bad + " }}\"}}}\n", "a f! ~a"},
		{"foreach in", "  - id: f\n    foreach: {in: \"" + bad + "\", as: it, do: [{id: g, call: t.g, effect: none}]}\n", "a ~a"},
		{"foreach key", "  - id: f\n    foreach: {in: input.items, as: it, key: \"" + bad + "\", do: [{id: g, call: t.g, effect: none}]}\n", "a ~a"},
		{"when", "  - id: f\n    switch: [{when: \"" + bad + " == 1\", do: [{id: g, call: t.g, effect: none}]}]\n", "a ~a"},
		{"await timeout", "  - {id: f, await: {signal: go, timeout: \"${{ " + bad + " }}\"}}\n", "a f! ~a"},
		{"sleep", "  - {id: f, sleep: \"${{ " + bad + " }}\"}\n", "a f! ~a"},
		{"sleep until", "  - {id: f, sleep: {until: \"" + bad + "\"}}\n", "a f! ~a"},
		{"set", "  - {id: f, set: {x: \"${{ " + bad + " }}\"}}\n", "a f! ~a"},
		{"fail message", "  - {id: f, fail: {code: STOP, message: \"${{ " + bad + " }}\"}}\n", "a f! ~a"},
		{"with of saga", "  - {id: f, saga: pair, with: {id: \"${{ " + bad + " }}\"}}\n", "a f! ~a"},
	} {
		cases = append(cases, Case{
			Name: "S25 an expression fails in " + c.place, Head: quick, Sagas: pair, Input: `{"id": "k", "list": [], "items": [1, 2]}`, Steps: stepA + c.steps,
			Outcome: engine.OutcomeCompensated, Cause: "f EXPRESSION", Trace: c.trace, Calls: map[string]int{"t.g": 0},
		})
	}
	return append(cases,
		Case{Name: "S25 an expression fails in deadline", Head: "deadline: ${{ " + bad + " }}\n", Steps: stepA, Input: `{"id": "k", "list": []}`,
			Outcome: engine.OutcomeCompensated, Cause: "- EXPRESSION", Calls: map[string]int{"t.a": 0}},
		Case{Name: "S25 an expression fails in output", Head: quick, Steps: stepA + "output: ${{ " + bad + " }}\n", Input: `{"id": "k", "list": []}`, Trace: "a", Output: `null`},
		Case{Name: "S25 an expression fails in the output of complete", Head: quick, Steps: stepA + "  - {id: f, complete: {output: \"${{ " + bad + " }}\"}}\n", Input: `{"id": "k", "list": []}`, Trace: "a f", Output: `null`},
		Case{Name: "S27 an expression fails in where", Head: quick, Steps: "  - {id: w, await: {signal: go, where: \"event.list[7].x == 1\", timeout: 400ms}}\n",
			Outside: Outside{Message(50*ms, "go", "m", `{"list": []}`)}, Outcome: engine.OutcomeCompensated, Cause: "w TIMEOUT", Trace: "w!", Replies: []string{""}},
	)
}

// HeavyCases keep a machine busy. They run alone.
var HeavyCases = []Case{
	{
		Name: "S8 of a thousand items the five hundredth fails", Head: quick, Input: `{"id": "k", "list": ` + numbers(1000) + `}`,
		Steps: `  - id: each
    foreach:
      in: input.list
      as: it
      key: it
      compensation: parallel
      do: [{id: full, if: it == 500, fail: {code: FULL}}, {id: x, call: t.x, compensate: {call: t.undoX}}]
`,
		Outcome: engine.OutcomeCompensated, Cause: "full FULL", AnyOrder: true,
		Trace: words("x[%d]", 500) + " full[500]! " + words("~x[%d]", 500), Calls: map[string]int{"t.x": 500, "t.undoX": 500},
	},
}

// LongCases take days. They run where time can be skipped.
var LongCases = []Case{
	{
		Name:  "S3 a pivot in doubt whose probe is down for a day",
		Steps: stepA + "  - {id: p, call: t.p, effect: pivot, probe: {call: t.status, every: 30m, within: 48h}}\n",
		Mocks: Mocks{"t.p": {Fail("ODD")}, "t.status": append(repeat(NotSent(engine.CodeUnavailable), 48), OK(`{"applied": true, "output": {}}`))},
		Trace: "a p", Calls: map[string]int{"t.p": 1, "t.status": 49, "t.undoA": 0},
	},
	{
		Name: "S16 a compensation is tried for a day and parks", Head: "defaults: {timeout: 1s}\n", Steps: stepA + stepP,
		Mocks: Mocks{"t.p": {Reject("NO")}, "t.undoA": {Fail("DOWN")}}, Outcome: engine.OutcomeParked, Cause: "p NO", Trace: "a p! ~a!",
	},
}

func repeat(a Answer, n int) []Answer {
	list := make([]Answer, n)
	for i := range list {
		list[i] = a
	}
	return list
}

// numbers gives the JSON list of the numbers from 0.
func numbers(n int) string { return "[" + strings.ReplaceAll(words("%d", n), " ", ",") + "]" }

// words gives n words made of the numbers from 0.
func words(format string, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(list, " ")
}
