package enginetest

import "github.com/sagad/sagad/engine"

// Sagas that many cases run as children: pair does two things that can be taken
// back, decide passes a point of no return.
const (
	sagaPair   = quick + "steps:\n  - {id: x, call: t.x, with: {n: \"${{ input.n ?? 0 }}\"}, compensate: {call: t.undoX, with: {of: \"${{ self.key }}\"}}}\n  - {id: y, call: t.y, compensate: {call: t.undoY}}\noutput: {sum: 7}\n"
	sagaDecide = quick + "steps:\n" + "  - {id: x, call: t.x, compensate: {call: t.undoX}}\n" + stepP + stepR + "output: {ref: \"${{ steps.p.output }}\"}\n"
	sagaWait   = quick + "steps:\n  - {id: x, call: t.x, compensate: {call: t.undoX}}\n  - {id: m, await: {signal: never}}\n"
	stepPair   = "  - {id: c, saga: pair, with: {id: z}}\n"
	stepDecide = "  - {id: c, saga: decide, with: {id: z}}\n"
)

var (
	pair   = map[string]string{"pair": sagaPair}
	decide = map[string]string{"decide": sagaDecide}
	waits  = map[string]string{"wait": sagaWait}
)

var childCases = []Case{
	{
		Name: "S9 a child completes", Head: quick, Sagas: pair, Steps: stepA + stepPair + stepP + "output: ${{ steps.c.output.sum + 1 }}\n",
		Trace: "a c/x c/y c p", Output: "8", Inputs: map[string]string{"t.x": `{"n": 0}`},
	},
	{
		Name: "S9 a child completed and its parent fails", Head: quick, Sagas: pair, Steps: stepA + stepPair + stepB + stepP,
		Mocks:   Mocks{"t.p": {Reject("NO")}},
		Outcome: engine.OutcomeCompensated, Cause: "p NO", Trace: "a c/x c/y c b p! ~b ~c/y ~c/x ~a",
		Calls: map[string]int{"t.undoX": 1, "t.undoY": 1}, States: map[string]engine.State{"c/x": engine.StateCompensated, "c": engine.StateSucceeded},
	},
	{
		Name: "S9 a child that fails has compensated itself", Head: quick, Sagas: pair, Steps: stepA + stepPair + stepP,
		Mocks:   Mocks{"t.y": {Reject("POOR")}},
		Outcome: engine.OutcomeCompensated, Cause: "c POOR", Trace: "a c/x c/y! ~c/x c! ~a",
		States: map[string]engine.State{"c": engine.StateRejected},
	},
	{
		Name: "S9 the failure of a child is caught", Head: quick, Sagas: pair,
		Steps: stepA + "  - {id: c, saga: pair, with: {id: z}, catch: [{on: [POOR], do: [{id: h, set: {v: \"${{ error.step + error.path + error.code }}\"}}]}]}\n" + stepP + "output: ${{ vars.v ?? nil }}\n",
		Mocks: Mocks{"t.y": {Reject("POOR")}},
		Trace: "a c/x c/y! ~c/x c! h p", Output: `"ccPOOR"`,
	},
	{
		Name: "S9 the key of a child is not ASCII", Head: quick, Sagas: pair,
		Steps: `  - id: all
    foreach: {in: "input.list", as: it, key: it, do: [{id: c, saga: pair, with: {id: z}}]}
`, Input: `{"id": "k-ü", "list": ["Köln"]}`,
		Trace: "c[Köln]/x c[Köln]/y c[Köln]",
	},
	{
		Name: "S9 one child of many fails", Head: quick, Sagas: pair,
		Steps: `  - id: all
    foreach: {in: "input.list", as: it, key: it, concurrency: 1, do: [{id: c, saga: pair, with: {id: "${{ it }}", n: "${{ it }}"}}]}
`, Input: `{"id": "k", "list": [1, 2]}`,
		Mocks:   Mocks{"t.y": {OK(`{}`), Reject("POOR")}},
		Outcome: engine.OutcomeCompensated, Cause: "c POOR", Trace: "c[1]/x c[1]/y c[1] c[2]/x c[2]/y! ~c[2]/x c[2]! ~c[1]/y ~c[1]/x",
	},
	{
		Name: "S9 a failure beside a child is a cancel of the child", Head: quick, Sagas: waits,
		Steps:   both + "      branches:\n        one: [{id: c, saga: wait, with: {id: z}}]\n        two: [{id: y, call: t.y, timeout: 5s, compensate: {call: t.undoY}}]\n" + stepP,
		Mocks:   Mocks{"t.y": {After(1200*ms, Reject("NO"))}},
		Outcome: engine.OutcomeCompensated, Cause: "y NO", Trace: "y! c/x c/m! ~c/x c!",
	},
	{
		Name: "S9 a cancel of the parent is one of the child", Head: quick, Sagas: waits, Steps: stepA + "  - {id: c, saga: wait, with: {id: z}}\n" + stepP,
		Outside: Outside{Cancel(400 * ms)},
		Outcome: engine.OutcomeCompensated, Cause: "- CANCELLED", Trace: "a c/x c/m! ~c/x c! ~a", Replies: []string{""},
	},
	{
		Name: "S9 the deadline of the parent is a cancel of the child", Head: "deadline: 500ms\n" + quick, Sagas: waits, Steps: stepA + "  - {id: c, saga: wait, with: {id: z}}\n" + stepP,
		Outcome: engine.OutcomeCompensated, Cause: "- DEADLINE", Trace: "a c/x c/m! ~c/x c! ~a",
	},
	{
		Name: "S9 a child with a pivot decides for its parent", Head: quick, Sagas: decide, Steps: stepA + stepDecide + "  - {id: r2, call: t.r2, effect: retriable}\n",
		Mocks: Mocks{"t.r2": {Fail("X"), OK(`{}`)}, "t.p": {OK(`"u-1"`)}},
		Trace: "a c/x c/p c/r c r2", States: map[string]engine.State{"a": engine.StateSucceeded},
	},
	{
		Name: "S9 after a child has decided nothing is compensated", Head: quick, Sagas: decide,
		Steps: stepA + stepDecide + "  - {id: r2, call: t.r2, effect: retriable}\n",
		Mocks: Mocks{"t.r2": {Reject("NEVER")}}, Outcome: engine.OutcomeParked, Trace: "a c/x c/p c/r c r2?", Calls: map[string]int{"t.undoA": 0, "t.undoX": 0},
	},
	{
		Name: "S9 a child whose pivot is rejected fails its parent", Head: quick, Sagas: decide, Steps: stepA + stepDecide,
		Mocks:   Mocks{"t.p": {Reject("NO")}},
		Outcome: engine.OutcomeCompensated, Cause: "c NO", Trace: "a c/x c/p! ~c/x c! ~a",
	},
	{
		Name: "S13 a cancel waits for a child that decides", Head: quick, Sagas: decide, Steps: stepA + stepDecide,
		Mocks:   Mocks{"t.p": {After(380*ms, OK(`{}`))}},
		Outside: Outside{Cancel(250 * ms)}, Trace: "a c/x c/p c/r c", Replies: []string{engine.RefusedCommitted},
	},
	{
		Name: "S13 a cancel wins over a child that does not decide", Head: quick, Sagas: decide, Steps: stepA + stepDecide,
		Mocks:   Mocks{"t.p": {After(380*ms, Reject("NO"))}},
		Outside: Outside{Cancel(250 * ms)}, Outcome: engine.OutcomeCompensated, Cause: "- CANCELLED", Trace: "a c/x c/p! ~c/x c! ~a", Replies: []string{""},
	},
	{
		Name: "S9 a child inside a child", Head: quick,
		Sagas: map[string]string{"outer": quick + "steps:\n" + stepB + "  - {id: in, saga: pair, with: {id: z}}\n", "pair": sagaPair},
		Steps: "  - {id: o, saga: outer, with: {id: z}}\n" + stepP, Mocks: Mocks{"t.p": {Reject("NO")}},
		Outcome: engine.OutcomeCompensated, Cause: "p NO", Trace: "o/b o/in/x o/in/y o/in o p! ~o/in/y ~o/in/x ~o/b",
	},
	{
		Name: "S25 the input of a child breaks its schema", Head: quick,
		Sagas: map[string]string{"strict": "input: {type: object, required: [id], properties: {id: {type: string}, n: {type: integer}}}\nsteps:\n" + stepB},
		Steps: stepA + "  - {id: c, saga: strict, with: {id: z, n: \"${{ input.n }}\"}}\n", Input: `{"id": "k", "n": "seven"}`,
		Outcome: engine.OutcomeCompensated, Cause: "c INVALID_INPUT", Trace: "a c! ~a", Calls: map[string]int{"t.b": 0},
	},
	{
		Name: "S25 the key of a child fails", Head: quick, Sagas: pair,
		Steps:   stepA + "  - {id: c, saga: pair, with: {id: \"${{ input.none }}\"}}\n",
		Outcome: engine.OutcomeCompensated, Cause: "c EXPRESSION", Trace: "a c! ~a", Calls: map[string]int{"t.x": 0},
	},
	{
		Name: "S10 what a child hands up belongs to the scope of its step", Head: quick, Sagas: pair,
		Steps: stepA + `  - id: s
    scope: {do: [{id: c, saga: pair, with: {id: z}}, {id: f, fail: {code: STOP}}]}
    catch: [{on: [STOP], do: [{id: h, call: t.h, effect: none}]}]
` + stepP,
		Trace: "a c/x c/y c f! ~c/y ~c/x h p", States: map[string]engine.State{"a": engine.StateSucceeded},
	},
	{
		Name: "S17 a compensation that a child handed up parks", Head: quick, Sagas: pair, Steps: stepA + stepPair + stepP,
		Mocks:   Mocks{"t.p": {Reject("NO")}, "t.undoX": {Reject("CANNOT")}},
		Outside: Outside{Operate(1500*ms, engine.Operator{Command: engine.CommandSkip, Path: "c/x"})},
		Outcome: engine.OutcomeResolved, Cause: "p NO", Trace: "a c/x c/y c p! ~c/y ~c/x! ~a", Replies: []string{""},
	},
	{
		Name: "S18 a command reaches what is parked in a child", ToChild: true, Head: quick, Sagas: decide, Steps: stepA + stepDecide,
		Mocks:   Mocks{"t.r": {Reject("NEVER"), OK(`{}`)}},
		Outside: Outside{Operate(1200*ms, engine.Operator{Command: engine.CommandRetry, Path: "c/r"})},
		Trace:   "a c/x c/p c/r c", Calls: map[string]int{"t.r": 2}, Replies: []string{""},
	},
}
