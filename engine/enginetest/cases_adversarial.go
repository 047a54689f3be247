package enginetest

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/sagad/sagad/engine"
)

// adversarialCases are what other engines were seen to get wrong, beside the
// cases of each rule.
var adversarialCases = []Case{
	{
		Name: "S1 a request that never arrived is compensated like any other", Head: quick, Steps: stepA + stepB + stepP,
		Mocks:   Mocks{"t.b": {Lost(false)}},
		Outcome: engine.OutcomeCompensated, Cause: "b TIMEOUT", Trace: "a b? ~b ~a", Calls: map[string]int{"t.b": 2, "t.undoB": 1, "t.p": 0},
	},
	{
		Name: "S13 a cancel after the pivot is refused", Head: quick, Steps: stepA + stepP + "  - {id: w, sleep: 600ms}\n" + stepR,
		Outside: Outside{Cancel(300 * ms)},
		Trace:   "a p w r", Calls: map[string]int{"t.undoA": 0}, Replies: []string{engine.RefusedCommitted},
	},
	{
		Name: "S18 a double click is one command", Head: quick, Steps: stepA + "  - {id: p, call: t.p, effect: pivot}\n",
		Mocks: Mocks{"t.p": {Fail("ODD"), Fail("ODD"), OK(`{}`)}},
		Outside: Outside{
			verbatim(200*ms, engine.Operator{ID: "click", Actor: "ops@example.com", Command: engine.CommandRetry, Path: "p"}),
			verbatim(500*ms, engine.Operator{ID: "click", Actor: "ops@example.com", Command: engine.CommandRetry, Path: "p"}),
		},
		Outcome: engine.OutcomeParked, Trace: "a p?", Calls: map[string]int{"t.p": 2}, Replies: []string{"", ""},
	},
	{
		Name: "S18 of two commands that contradict each other the first is taken", Head: quick, Steps: stepA + "  - {id: p, call: t.p, effect: pivot}\n",
		Mocks: Mocks{"t.p": {Fail("ODD"), OK(`{}`)}, "t.undoA": {After(380*ms, OK(`{}`))}},
		Outside: Outside{
			Operate(200*ms, engine.Operator{Command: engine.CommandResolve, Path: "p", Applied: &no}),
			Operate(350*ms, engine.Operator{Command: engine.CommandRetry, Path: "p"}),
		},
		Outcome: engine.OutcomeResolved, Cause: "p ODD", Trace: "a p! ~a", Calls: map[string]int{"t.p": 1}, Replies: []string{"", engine.RefusedNotParked},
	},
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
		Name: "S15 what is called after a reset may have had its effect", Head: quick, Steps: stepA + stepP,
		Mocks: Mocks{"t.a": {NotSent(engine.CodeReset)}},
		Outside: Outside{
			Operate(200*ms, engine.Operator{Command: engine.CommandRetry, Path: "a", Input: map[string]any{"x": 1}}),
			Operate(350*ms, engine.Operator{Command: engine.CommandSkip, Path: "a"}),
			Operate(500*ms, engine.Operator{Command: engine.CommandResolve, Path: "a", Applied: &yes}),
		},
		Outcome: engine.OutcomeResolved, Trace: "a p", Calls: map[string]int{"t.a": 1},
		Replies: []string{engine.RefusedNotPossible, engine.RefusedNotPossible, ""},
	},
	{
		Name: "S15 so may a compensation", Head: quick, Steps: stepA + stepP,
		Mocks: Mocks{"t.p": {Reject("NO")}, "t.undoA": {NotSent(engine.CodeReset), OK(`{}`)}},
		Outside: Outside{
			Operate(400*ms, engine.Operator{Command: engine.CommandRetry, Path: "a", Input: map[string]any{"x": 1}}),
			Operate(600*ms, engine.Operator{Command: engine.CommandRetry, Path: "a"}),
		},
		Outcome: engine.OutcomeCompensated, Cause: "p NO", Trace: "a p! ~a", Calls: map[string]int{"t.undoA": 2},
		Replies: []string{engine.RefusedNotPossible, ""},
	},
	{
		Name: "S25 an output of three megabytes", Head: quick, Steps: stepA + stepB,
		Mocks:   Mocks{"t.b": {OK(`"` + strings.Repeat("x", 3<<20) + `"`)}},
		Outcome: engine.OutcomeCompensated, Cause: "b TOO_LARGE", Trace: "a b! ~b ~a",
	},
	{
		Name: "S25 an output of three megabytes that a probe reports", Head: quick,
		Steps:   stepA + "  - {id: b, call: t.b, compensate: {call: t.undoB}, probe: {call: t.status, every: 50ms, within: 30s}}\n",
		Mocks:   Mocks{"t.b": {Lost(true)}, "t.status": {OK(`{"applied": true, "output": "` + strings.Repeat("x", 3<<20) + `"}`)}},
		Outcome: engine.OutcomeCompensated, Cause: "b TOO_LARGE", Trace: "a b! ~b ~a", Calls: map[string]int{"t.b": 1, "t.status": 1},
	},
	{
		Name: "S25 an input of three megabytes", Head: quick, Input: `{"id": "k", "text": "` + strings.Repeat("x", 500_000) + `"}`,
		Steps:   stepA + "  - {id: b, call: t.b, with: {all: [\"${{ input.text }}\", \"${{ input.text }}\", \"${{ input.text }}\"]}, compensate: {call: t.undoB}}\n",
		Outcome: engine.OutcomeCompensated, Cause: "b TOO_LARGE", Trace: "a b! ~a", Calls: map[string]int{"t.b": 0},
	},
	{
		Name: "S25 an input of three megabytes for a compensation", Head: quick, Input: `{"id": "k", "text": "` + strings.Repeat("x", 500_000) + `"}`,
		Steps:   stepA + "  - {id: b, call: t.b, compensate: {call: t.undoB, with: {all: [\"${{ input.text }}\", \"${{ input.text }}\", \"${{ input.text }}\"]}}}\n",
		Outcome: engine.OutcomeCompensated, Cause: "b TOO_LARGE", Trace: "a b! ~a", Calls: map[string]int{"t.b": 0},
	},
	{
		Name: "S25 an input of three megabytes for a compensation after the action", Head: quick,
		Steps:   stepA + "  - {id: b, call: t.b, compensate: {call: t.undoB, with: {all: [\"${{ self.output?.text }}\", \"${{ self.output?.text }}\", \"${{ self.output?.text }}\"]}}}\n",
		Mocks:   Mocks{"t.b": {OK(`{"text": "` + strings.Repeat("x", 500_000) + `"}`)}},
		Outcome: engine.OutcomeCompensated, Cause: "b TOO_LARGE", Trace: "a b! ~b ~a", Inputs: map[string]string{"t.undoB": `{"all": [null, null, null]}`},
	},
	{
		Name: "S25 a child's input of three megabytes", Head: quick, Sagas: pair,
		Input:   `{"id": "k", "text": "` + strings.Repeat("x", 500_000) + `"}`,
		Steps:   stepA + "  - {id: c, saga: pair, with: {id: z, all: [\"${{ input.text }}\", \"${{ input.text }}\", \"${{ input.text }}\"]}}\n",
		Outcome: engine.OutcomeCompensated, Cause: "c TOO_LARGE", Trace: "a c! ~a",
	},
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
	{
		Name: "S9 a child hands up megabytes", Head: "defaults: {timeout: 20s}\n", ToChild: true, // its parent has to read it
		Steps: stepA + "  - {id: c, saga: large, with: {id: z}}\n  - {id: f, fail: {code: STOP}}\n",
		Sagas: map[string]string{"large": `steps:
  - {id: x, call: t.x, compensate: {call: t.undoX, with: {of: "${{ self.output?.of }}"}}}
  - {id: y, call: t.y, compensate: {call: t.undoY, with: {of: "${{ self.output?.of }}"}}}
  - {id: z, call: t.z, compensate: {call: t.undoZ, with: {of: "${{ self.output?.of }}"}}}
`},
		Mocks: Mocks{
			"t.x": {OK(`{"of": "` + random("x", 900_000) + `"}`)}, "t.y": {OK(`{"of": "` + random("y", 900_000) + `"}`)},
			"t.z": {OK(`{"of": "` + random("z", 900_000) + `"}`)},
		},
		Outcome: engine.OutcomeCompensated, Cause: "f STOP", Trace: "a c/x c/y c/z c f! ~c/z ~c/y ~c/x ~a",
		Inputs: map[string]string{
			"t.undoX": `{"of": "` + random("x", 900_000) + `"}`, "t.undoY": `{"of": "` + random("y", 900_000) + `"}`,
			"t.undoZ": `{"of": "` + random("z", 900_000) + `"}`,
		},
	},
}

// random gives text that no compression makes much smaller.
func random(seed string, bytes int) string {
	var b strings.Builder
	for sum := sha256.Sum256([]byte(seed)); b.Len() < bytes; sum = sha256.Sum256(sum[:]) {
		b.WriteString(base64.RawStdEncoding.EncodeToString(sum[:]))
	}
	return b.String()[:bytes]
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
