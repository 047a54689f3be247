package enginetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/sagad/sagad/engine"
)

var yes, no = true, false

var cancelCases = []Case{
	{
		Name: "S13 a cancel ends waits and compensates", Head: quick, Steps: stepA + "  - {id: w, await: {signal: go}}\n" + stepP,
		Outside: Outside{Cancel(300 * ms)},
		Outcome: engine.OutcomeCompensated, Cause: "- CANCELLED", Trace: "a w! ~a", Replies: []string{""},
	},
	{
		Name: "S13 a running action may end in its grace", Head: "cancelGrace: 10s\n" + quick, Steps: stepA + stepB,
		Mocks:   Mocks{"t.b": {After(350*ms, OK(`{}`))}},
		Outside: Outside{Cancel(150 * ms)},
		Outcome: engine.OutcomeCompensated, Cause: "- CANCELLED", Trace: "a b ~b ~a", Replies: []string{""},
	},
	{
		Name: "S13 after its grace an action is cut and unknown", Cuts: true, Head: "cancelGrace: 200ms\ndefaults: {timeout: 20s}\n", Steps: stepA + stepB,
		Mocks:   Mocks{"t.b": {After(15*time.Second, OK(`{}`))}},
		Outside: Outside{Cancel(200 * ms)},
		Outcome: engine.OutcomeCompensated, Cause: "- CANCELLED", Trace: "a b? ~b ~a", Replies: []string{""},
	},
	{
		Name: "S13 a cancel cuts what a failure waits for, the first cause stays", Cuts: true, Head: "cancelGrace: 200ms\ndefaults: {timeout: 20s}\n",
		Steps: both + `      branches:
        one: [{id: x, call: t.x, effect: none}]
        two: [{id: y, call: t.y, compensate: {call: t.undoY}}]
`,
		Mocks:   Mocks{"t.x": {Reject("NO")}, "t.y": {After(15*time.Second, OK(`{}`))}},
		Outside: Outside{Cancel(300 * ms)},
		Outcome: engine.OutcomeCompensated, Cause: "x NO", Trace: "x! y? ~y", Replies: []string{""},
	},
	{
		Name: "S14 a deadline cuts what a failure waits for", Cuts: true, Head: "deadline: 300ms\ncancelGrace: 200ms\ndefaults: {timeout: 20s}\n",
		Steps: both + `      branches:
        one: [{id: x, call: t.x, effect: none}]
        two: [{id: y, call: t.y, compensate: {call: t.undoY}}]
`,
		Mocks:   Mocks{"t.x": {Reject("NO")}, "t.y": {After(15*time.Second, OK(`{}`))}},
		Outcome: engine.OutcomeCompensated, Cause: "x NO", Trace: "x! y? ~y",
	},
	{
		Name: "S13 a cancel during compensation changes nothing", Head: quick, Steps: stepA + stepB + stepP,
		Mocks:   Mocks{"t.p": {Reject("NO")}, "t.undoB": {After(350*ms, OK(`{}`))}},
		Outside: Outside{Cancel(180 * ms)},
		Outcome: engine.OutcomeCompensated, Cause: "p NO", Trace: "a b p! ~b ~a", Replies: []string{""},
	},
	{
		Name: "S13 a cancel waits for the pivot, whose success refuses it", Head: quick, Steps: stepA + stepP + stepR,
		Mocks:   Mocks{"t.p": {After(350*ms, OK(`{}`))}},
		Outside: Outside{Cancel(150 * ms)},
		Trace:   "a p r", Replies: []string{engine.RefusedCommitted},
	},
	{
		Name: "S13 a cancel waits for the pivot, whose rejection lets it win", Head: quick,
		Steps: stepA + `  - id: p
    call: t.p
    effect: pivot
    retry: {ambiguous: true}
    catch: [{on: ["*"], do: [{id: h, call: t.h, effect: none}]}]
`,
		Mocks:   Mocks{"t.p": {After(350*ms, Reject("NO"))}},
		Outside: Outside{Cancel(150 * ms)},
		Outcome: engine.OutcomeCompensated, Cause: "- CANCELLED", Trace: "a p! ~a", Replies: []string{""}, Calls: map[string]int{"t.h": 0},
	},
	{
		Name: "S13 a pivot that was never sent does not hold a cancel up", Head: "defaults: {timeout: 400ms}\n",
		Steps:   stepA + "  - {id: p, call: t.p, effect: pivot, retry: {attempts: 9, backoff: 1h..1h, ambiguous: true}}\n",
		Mocks:   Mocks{"t.p": {NotSent(engine.CodeUnavailable)}},
		Outside: Outside{Cancel(300 * ms)},
		Outcome: engine.OutcomeCompensated, Cause: "- CANCELLED", Trace: "a p! ~a", Replies: []string{""},
	},
	{
		Name: "S12 a cancel waits while a pivot is in doubt", Head: quick,
		Steps:   stepA + "  - {id: p, call: t.p, effect: pivot, probe: {call: t.status, every: 300ms, within: 1h}}\n",
		Mocks:   Mocks{"t.p": {Fail("ODD")}, "t.status": {OK(`{"applied": null}`), OK(`{"applied": true, "output": {}}`)}},
		Outside: Outside{Cancel(150 * ms)},
		Trace:   "a p", Replies: []string{engine.RefusedCommitted},
	},
	{
		Name: "S14 a deadline compensates with its own cause", Head: "deadline: 300ms\n" + quick, Steps: stepA + "  - {id: w, sleep: 1h}\n",
		Outcome: engine.OutcomeCompensated, Cause: "- DEADLINE", Trace: "a w! ~a",
	},
	{
		Name: "S14 a deadline does nothing after the pivot", Head: "deadline: 300ms\n" + quick, Steps: stepA + stepP + "  - {id: w, sleep: 600ms}\n",
		Trace: "a p w",
	},
	{
		Name: "S14 a deadline never cuts compensation short", Head: "deadline: 300ms\n" + quick, Steps: stepA + stepP,
		Mocks:   Mocks{"t.p": {Reject("NO")}, "t.undoA": {After(380*ms, OK(`{}`))}},
		Outcome: engine.OutcomeCompensated, Cause: "p NO", Trace: "a p! ~a",
	},
	{
		Name: "S14 a computed deadline", Head: "deadline: ${{ tenant.limit }}\n" + quick, Steps: "  - {id: w, sleep: 1h}\n",
		Outcome: engine.OutcomeCompensated, Cause: "- DEADLINE", Trace: "w!",
	},
}

var parkCases = []Case{
	{
		Name: "S16 a compensation that is rejected parks at once", Head: quick, Steps: stepA + stepB + stepP,
		Mocks:   Mocks{"t.p": {Reject("NO")}, "t.undoB": {Reject("CANNOT")}},
		Outcome: engine.OutcomeParked, Cause: "p NO", Trace: "a b p! ~b!", Calls: map[string]int{"t.undoA": 0, "t.undoB": 1},
	},
	{
		Name: "S17 what the flow does not order with a parked entry goes on", Head: quick,
		Steps: stepA + `  - id: both
    parallel:
      branches:
        one: [{id: x, call: t.x, compensate: {call: t.undoX}}]
        two: [{id: y, call: t.y, compensate: {call: t.undoY}}]
` + stepP,
		Mocks:   Mocks{"t.x": {After(20*ms, OK(`{}`))}, "t.y": {After(200*ms, OK(`{}`))}, "t.p": {Reject("NO")}, "t.undoY": {Reject("CANNOT")}},
		Outcome: engine.OutcomeParked, Cause: "p NO", Trace: "a x y p! ~y! ~x", Calls: map[string]int{"t.undoA": 0},
	},
	{
		Name: "S17 what waits for a parked entry holds up nothing beside it", Head: quick,
		Steps: `  - id: both
    parallel:
      branches:
        one: [{id: x, call: t.x, compensate: {call: t.undoX}}]
        two: [{id: y1, call: t.y1, compensate: {call: t.undoY1}}, {id: y2, call: t.y2, compensate: {call: t.undoY2}}]
` + stepP,
		Mocks:   Mocks{"t.x": {After(20*ms, OK(`{}`))}, "t.y1": {After(200*ms, OK(`{}`))}, "t.p": {Reject("NO")}, "t.undoY2": {Reject("CANNOT")}},
		Outcome: engine.OutcomeParked, Cause: "p NO", Trace: "x y1 y2 p! ~y2! ~x", Calls: map[string]int{"t.undoY1": 0},
	},
	{
		Name: "S18 a retry that succeeds changes nothing else", Head: quick, Steps: stepA + stepP,
		Mocks:   Mocks{"t.p": {Reject("NO")}, "t.undoA": {Reject("CANNOT"), OK(`{}`)}},
		Outside: Outside{Operate(400*ms, engine.Operator{Command: engine.CommandRetry, Path: "a"})},
		Outcome: engine.OutcomeCompensated, Cause: "p NO", Trace: "a p! ~a", Replies: []string{""},
	},
	{
		Name: "S18 a skip leaves the effect and resolves the saga", Head: quick, Steps: stepA + stepB + stepP,
		Mocks:   Mocks{"t.p": {Reject("NO")}, "t.undoB": {Reject("CANNOT")}},
		Outside: Outside{Operate(400*ms, engine.Operator{Command: engine.CommandSkip, Path: "b"})},
		Outcome: engine.OutcomeResolved, Cause: "p NO", Trace: "a b p! ~b! ~a", Replies: []string{""},
		States: map[string]engine.State{"b": engine.StateSkipped, "a": engine.StateCompensated},
	},
	{
		Name: "S18 a pivot resolved as applied goes forward", Head: quick, Steps: stepA + "  - {id: p, call: t.p, effect: pivot}\n" + stepR + "output: ${{ steps.p.output.ref }}\n",
		Mocks:   Mocks{"t.p": {Fail("ODD")}},
		Outside: Outside{Operate(300*ms, engine.Operator{Command: engine.CommandResolve, Path: "p", Applied: &yes, Output: map[string]any{"ref": "x"}})},
		Outcome: engine.OutcomeResolved, Trace: "a p r", Output: `"x"`, Replies: []string{""},
	},
	{
		Name: "S18 a pivot resolved as not applied compensates", Head: quick, Steps: stepA + "  - {id: p, call: t.p, effect: pivot}\n",
		Mocks:   Mocks{"t.p": {Fail("ODD")}},
		Outside: Outside{Operate(300*ms, engine.Operator{Command: engine.CommandResolve, Path: "p", Applied: &no})},
		Outcome: engine.OutcomeResolved, Cause: "p ODD", Trace: "a p! ~a", Replies: []string{""},
	},
	{
		Name: "S13 a cancel waits while the pivot is parked", Head: quick, Steps: stepA + "  - {id: p, call: t.p, effect: pivot}\n",
		Mocks: Mocks{"t.p": {Fail("ODD")}},
		Outside: Outside{
			Cancel(300 * ms),
			Operate(600*ms, engine.Operator{Command: engine.CommandResolve, Path: "p", Applied: &no}),
		},
		Outcome: engine.OutcomeResolved, Cause: "- CANCELLED", Trace: "a p! ~a", Replies: []string{"", ""},
	},
	{
		Name: "S18 a parked retriable takes a corrected input as a new generation", Head: quick, Steps: stepP + stepR,
		Mocks:   Mocks{"t.r": {Reject("BAD_INPUT"), OK(`{}`)}},
		Outside: Outside{Operate(300*ms, engine.Operator{Command: engine.CommandRetry, Path: "r", Input: map[string]any{"fixed": true}})},
		Trace:   "p r", Replies: []string{""},
	},
	{
		Name: "S18 a corrected input is refused while the old one may have had its effect", Head: quick, Steps: stepA + "  - {id: p, call: t.p, effect: pivot}\n",
		Mocks: Mocks{"t.p": {Fail("ODD")}},
		Outside: Outside{
			Operate(300*ms, engine.Operator{Command: engine.CommandRetry, Path: "p", Input: map[string]any{"fixed": true}}),
			Operate(350*ms, engine.Operator{Command: engine.CommandSkip, Path: "p"}),
			Operate(400*ms, engine.Operator{Command: engine.CommandRetry, Path: "a"}),
		},
		Outcome: engine.OutcomeParked, Trace: "a p?", Replies: []string{engine.RefusedNotPossible, engine.RefusedNotPossible, engine.RefusedNotParked},
	},
}

var dataCases = []Case{
	{
		Name: "S25 an expression that fails has no effect", Head: quick, Steps: stepA + "  - {id: b, call: t.b, with: {x: \"${{ input.list[0].y }}\"}, compensate: {call: t.undoB}}\n",
		Outcome: engine.OutcomeCompensated, Cause: "b EXPRESSION", Trace: "a b! ~a", Calls: map[string]int{"t.b": 0, "t.undoB": 0},
	},
	{
		Name: "S25 an unusable output of a compensatable step is compensated", Head: quick, Steps: stepA + stepB,
		Mocks:   Mocks{"t.b": {BadOutput()}},
		Outcome: engine.OutcomeCompensated, Cause: "b INVALID_OUTPUT", Trace: "a b! ~b ~a", Calls: map[string]int{"t.b": 1},
	},
	{
		Name: "S25 an unusable output of a pivot parks until it is resolved", Head: quick, Steps: stepA + stepP + "output: ${{ steps.p.output.n }}\n",
		Mocks: Mocks{"t.p": {BadOutput()}},
		Outside: Outside{
			Operate(300*ms, engine.Operator{Command: engine.CommandResolve, Path: "p", Applied: &no}),
			Operate(400*ms, engine.Operator{Command: engine.CommandResolve, Path: "p", Applied: &yes, Output: map[string]any{"n": 1}}),
		},
		Outcome: engine.OutcomeResolved, Trace: "a p", Output: `1`, Replies: []string{engine.RefusedNotPossible, ""},
	},
	{
		Name: "S25 an unusable output that a probe reports of a compensatable step", Head: quick,
		Steps:   stepA + "  - {id: b, call: t.strict, with: {n: 1}, compensate: {call: t.undoB}, probe: {call: t.status, every: 50ms, within: 30s}}\n",
		Mocks:   Mocks{"t.strict": {Lost(true)}, "t.status": {OK(`{"applied": true, "output": {"ref": 7}}`)}},
		Outcome: engine.OutcomeCompensated, Cause: "b INVALID_OUTPUT", Trace: "a b! ~b ~a", Calls: map[string]int{"t.strict": 1, "t.status": 1},
	},
	{
		Name: "S25 an unusable output that a probe reports of a pivot", Head: quick,
		Steps: stepA + "  - {id: p, call: t.strict, with: {n: 1}, effect: pivot, probe: {call: t.status, every: 50ms, within: 30s}}\n" +
			"  - {id: r, call: t.r, effect: retriable, with: {of: \"${{ steps.p.output.ref }}\"}}\n",
		Mocks: Mocks{"t.strict": {Lost(true)}, "t.status": {OK(`{"applied": true}`)}},
		Outside: Outside{
			Operate(600*ms, engine.Operator{Command: engine.CommandResolve, Path: "p", Applied: &yes}),
			Operate(650*ms, engine.Operator{Command: engine.CommandResolve, Path: "p", Applied: &yes, Output: map[string]any{"ref": 7}}),
			Operate(700*ms, engine.Operator{Command: engine.CommandResolve, Path: "p", Applied: &no}),
			Operate(750*ms, engine.Operator{Command: engine.CommandResolve, Path: "p", Applied: &yes, Output: map[string]any{"ref": "x"}}),
		},
		Outcome: engine.OutcomeResolved, Trace: "a p r", Inputs: map[string]string{"t.r": `{"of": "x"}`},
		Calls: map[string]int{"t.strict": 1, "t.status": 1}, Replies: []string{engine.RefusedSchema, engine.RefusedSchema, engine.RefusedNotPossible, ""},
	},
	{
		Name: "S25 a corrected input that breaks the schema", Head: quick,
		Steps: "  - {id: b, call: t.b, compensate: {call: t.undoStrict, with: {n: 0}}}\n" + stepP + "  - {id: r, call: t.strict, with: {n: 1}, effect: retriable}\n",
		Mocks: Mocks{"t.strict": {Reject("NO"), OK(`{"ref": "x"}`)}},
		Outside: Outside{
			Operate(300*ms, engine.Operator{Command: engine.CommandRetry, Path: "r", Input: map[string]any{"n": "two"}}),
			Operate(350*ms, engine.Operator{Command: engine.CommandRetry, Path: "r", Input: map[string]any{"n": 2}}),
		},
		Trace: "b p r", Inputs: map[string]string{"t.strict": `{"n": 2}`}, Calls: map[string]int{"t.strict": 2}, Replies: []string{engine.RefusedSchema, ""},
	},
	{
		Name: "S25 a corrected input that breaks the schema of a compensation", Head: quick,
		Steps: "  - {id: b, call: t.b, compensate: {call: t.undoStrict, with: {n: 0}}}\n" + stepP,
		Mocks: Mocks{"t.p": {Reject("NO")}, "t.undoStrict": {Reject("CANNOT"), OK(`{}`)}},
		Outside: Outside{
			Operate(300*ms, engine.Operator{Command: engine.CommandRetry, Path: "b", Input: map[string]any{"n": "two"}}),
			Operate(350*ms, engine.Operator{Command: engine.CommandRetry, Path: "b", Input: map[string]any{"n": 2}}),
		},
		Outcome: engine.OutcomeCompensated, Cause: "p NO", Trace: "b p! ~b", Inputs: map[string]string{"t.undoStrict": `{"n": 2}`},
		Calls: map[string]int{"t.undoStrict": 2}, Replies: []string{engine.RefusedSchema, ""},
	},
	{
		Name: "S18 an ID stands for one command", Head: quick, Steps: stepP + stepR + "  - {id: s, call: t.s, effect: retriable, retry: {attempts: 1}}\n",
		Mocks: Mocks{"t.r": {Reject("NO"), OK(`{}`)}, "t.s": {Reject("NO")}},
		Outside: Outside{
			verbatim(300*ms, engine.Operator{ID: "1", Actor: "x", Command: engine.CommandRetry, Path: "r"}),
			verbatim(600*ms, engine.Operator{ID: "1", Actor: "x", Command: engine.CommandRetry, Path: "r"}),
			verbatim(650*ms, engine.Operator{ID: "1", Actor: "x", Command: engine.CommandSkip, Path: "s", Reason: "seen"}),
			verbatim(700*ms, engine.Operator{ID: "2", Actor: "x", Command: engine.CommandSkip, Path: "s", Reason: "seen"}),
		},
		Outcome: engine.OutcomeResolved, Trace: "p r s!", Calls: map[string]int{"t.r": 2, "t.s": 1}, Replies: []string{"", "", engine.RefusedNotPossible, ""},
	},
	{
		Name: "S24 the values of one set are evaluated before a variable changes", Head: quick,
		Steps: "  - {id: one, set: {a: 1, b: 2}}\n  - {id: two, set: {a: \"${{ vars.b }}\", b: \"${{ vars.a }}\"}}\noutput: [\"${{ vars.a }}\", \"${{ vars.b }}\"]\n",
		Trace: "one two", Output: `[2, 1]`,
	},
	{
		Name: "S25 an output that cannot be computed takes nothing back", Head: quick, Steps: stepA + "output: ${{ input.list[0].x }}\n",
		Trace: "a", Output: `null`,
	},
}

// many gives messages of the same data, one after the other.
func many(n int, data string) (list Outside) {
	for i := range n {
		list = append(list, Message(time.Duration(100+50*i)*ms, "go", fmt.Sprint(i), data))
	}
	return list
}

var signalCases = []Case{
	{
		Name: "S27 a message that comes early is kept", Head: quick, Steps: "  - {id: w, sleep: 400ms}\n  - {id: m, await: {signal: go, timeout: 10s}}\noutput: ${{ steps.m.output.n }}\n",
		Outside: Outside{Message(100*ms, "go", "1", `{"n": 1}`)},
		Trace:   "w m", Output: `1`, Replies: []string{""},
	},
	{
		Name: "S27 messages are matched by where, oldest first, and once", Head: quick,
		Steps: `  - {id: w, sleep: 500ms}
  - {id: m1, await: {signal: go, where: event.n > 1}}
  - {id: m2, await: {signal: go, where: event.n > 1}}
output: ["${{ steps.m1.output.n }}", "${{ steps.m2.output.n }}"]
`,
		Outside: Outside{
			Message(50*ms, "go", "1", `{"n": 1}`), Message(120*ms, "go", "2", `{"n": 2}`), Message(190*ms, "go", "2", `{"n": 2}`),
			Message(260*ms, "go", "3", `{"odd": true}`), Message(330*ms, "go", "4", `{"n": 4}`),
		},
		Trace: "w m1 m2", Output: `[2, 4]`, Replies: []string{"", "", "", "", ""},
	},
	{
		Name: "S27 a message goes to the waiting step of the smallest path", Head: quick,
		Steps: `  - id: both
    parallel:
      branches:
        two: [{id: m2, await: {signal: go}}]
        one: [{id: m1, await: {signal: go}}]
output: ["${{ steps.m1.output }}", "${{ steps.m2.output }}"]
`,
		Outside: Outside{Message(150*ms, "go", "1", `1`), Message(300*ms, "go", "2", `2`)},
		Trace:   "m1 m2", Output: `[1, 2]`, Replies: []string{"", ""},
	},
	{
		Name: "S27 the bytes of all messages that wait are bounded", Head: quick,
		Steps:   "  - {id: m, await: {signal: go, where: \"event.n == 1\", timeout: 10s}}\n",
		Outside: append(many(17, `{"n": 0, "x": "`+strings.Repeat("x", 250_000)+`"}`), Message(1500*ms, "go", "0", `{"n": 1}`), Message(1600*ms, "go", "kept", `{"n": 0}`), Message(1700*ms, "go", "last", `{"n": 1}`)),
		Trace:   "m", Replies: append(make([]string, 16), engine.RefusedLimit, "", "", ""),
	},
	{
		Name: "S27 nobody confirms", Head: quick, Steps: stepA + "  - {id: m, await: {signal: go, timeout: \"${{ tenant.limit }}\"}}\n",
		Outcome: engine.OutcomeCompensated, Cause: "m TIMEOUT", Trace: "a m! ~a",
	},
	{
		Name: "S27 what no await could take is refused", Head: quick,
		Steps: "  - {id: m, await: {signal: go, schema: {type: object, required: [n], properties: {n: {type: integer}}}, timeout: 800ms}}\n",
		Outside: Outside{
			Message(100*ms, "other", "1", `1`), Message(200*ms, "go", "2", `{"n": "x"}`), Message(300*ms, "go", "3", `{"n": 3}`),
		},
		Trace: "m", Replies: []string{engine.RefusedNotAwaited, engine.RefusedSchema, ""},
	},
	{
		Name: "S27 where a rejected confirmation is an error of its own", Head: quick,
		Steps: stepA + `  - {id: m, await: {signal: answer}}
  - {id: no, if: "!steps.m.output.yes", fail: {code: DECLINED, message: "by ${{ steps.m.output.who }}"}}
`,
		Outside: Outside{Message(200*ms, "answer", "1", `{"yes": false, "who": "Ada"}`)},
		Outcome: engine.OutcomeCompensated, Cause: "no DECLINED", Trace: "a m no! ~a",
	},
}
