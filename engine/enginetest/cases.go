package enginetest

import (
	"slices"
	"time"

	"github.com/sagad/sagad/engine"
)

const ms = time.Millisecond

// quick makes attempts and waits short enough for a runtime that really waits.
const quick = `defaults:
  timeout: 400ms
  retry: {attempts: 2, backoff: 30ms..60ms}
  compensation: {retry: {backoff: 30ms..60ms, within: 5s}}
`

// Steps that many cases share: a and b can be compensated, p decides, r is
// retried after it.
const (
	stepA = "  - {id: a, call: t.a, with: {n: 1}, compensate: {call: t.undoA, with: {of: \"${{ self.key }}\"}}}\n"
	stepB = "  - {id: b, call: t.b, compensate: {call: t.undoB}}\n"
	stepP = "  - {id: p, call: t.p, effect: pivot, retry: {attempts: 2, backoff: 30ms..60ms, ambiguous: true}}\n"
	stepQ = "  - {id: p, call: t.p, effect: pivot, probe: {call: t.status, with: {of: \"${{ self.key }}\"}, every: 50ms, within: 30s}}\n"
	stepR = "  - {id: r, call: t.r, effect: retriable}\n"
)

// Cases are the scenarios of the suite.
var Cases = slices.Concat(attemptCases, probeCases, orderCases, scopeCases, blockCases, pivotCases, cancelCases, parkCases, dataCases, signalCases, childCases, adversarialCases, expressionCases)

var attemptCases = []Case{
	{
		Name: "S6 a plain saga completes", Head: quick, Steps: stepA + stepB + stepP + stepR + "output: {a: \"${{ steps.a.output }}\"}\n",
		Mocks: Mocks{"t.a": {OK(`{"id": 7}`)}},
		Trace: "a b p r", Output: `{"a": {"id": 7}}`, Calls: map[string]int{"t.undoA": 0},
	},
	{
		Name: "S6 a rejection compensates in reverse", Head: quick, Steps: stepA + stepB + stepP,
		Mocks:   Mocks{"t.p": {Reject("LIMIT")}},
		Outcome: engine.OutcomeCompensated, Cause: "p LIMIT", Trace: "a b p! ~b ~a",
		Calls: map[string]int{"t.p": 1, "t.undoA": 1, "t.undoB": 1},
	},
	{
		Name: "S1 a lost answer is compensated", Head: quick, Steps: stepA + stepB + stepP,
		Mocks:   Mocks{"t.b": {Lost(true)}},
		Outcome: engine.OutcomeCompensated, Cause: "b TIMEOUT", Trace: "a b? ~b ~a", Calls: map[string]int{"t.b": 2, "t.p": 0},
	},
	{
		Name: "S2 a rejection disarms", Head: quick, Steps: stepA + stepB,
		Mocks:   Mocks{"t.b": {Reject("NO")}},
		Outcome: engine.OutcomeCompensated, Cause: "b NO", Trace: "a b! ~a", Calls: map[string]int{"t.b": 1, "t.undoB": 0},
		States: map[string]engine.State{"b": engine.StateRejected, "a": engine.StateCompensated},
	},
	{
		Name: "S2 a time-out followed by a rejection is unknown", Head: quick, Steps: stepA + stepB,
		Mocks:   Mocks{"t.b": {Lost(true), Reject("NO")}},
		Outcome: engine.OutcomeCompensated, Cause: "b NO", Trace: "a b? ~b ~a",
	},
	{
		Name: "S2 what was not sent is retried and has no effect", Head: quick, Steps: stepA + stepB,
		Mocks:   Mocks{"t.b": {NotSent(engine.CodeUnavailable)}},
		Outcome: engine.OutcomeCompensated, Cause: "b UNAVAILABLE", Trace: "a b! ~a", Calls: map[string]int{"t.b": 2, "t.undoB": 0},
	},
	{
		Name: "S2 an attempt after a failure may succeed", Head: quick, Steps: stepA + stepB,
		Mocks: Mocks{"t.b": {FailApplied("LATE"), OK(`{}`)}},
		Trace: "a b", Calls: map[string]int{"t.b": 2},
	},
	{
		Name: "S2 permanent ends the retries", Head: quick, Steps: stepA + stepB,
		Mocks:   Mocks{"t.b": {Permanent("BROKEN")}},
		Outcome: engine.OutcomeCompensated, Cause: "b BROKEN", Trace: "a b? ~b ~a", Calls: map[string]int{"t.b": 1},
	},
	{
		Name: "S2 a code in never ends the retries", Head: quick,
		Steps:   "  - {id: b, call: t.b, compensate: {call: t.undoB}, retry: {attempts: 5, backoff: 30ms..60ms, never: [HOPELESS]}}\n",
		Mocks:   Mocks{"t.b": {Fail("TRY"), Fail("HOPELESS")}},
		Outcome: engine.OutcomeCompensated, Cause: "b HOPELESS", Trace: "b? ~b", Calls: map[string]int{"t.b": 2},
	},
	{
		Name: "S2 a step without effect is never unknown", Head: quick, Steps: stepA + "  - {id: look, call: t.look, effect: none}\n",
		Mocks:   Mocks{"t.look": {Lost(false)}},
		Outcome: engine.OutcomeCompensated, Cause: "look TIMEOUT", Trace: "a look! ~a",
		States: map[string]engine.State{"look": engine.StateFailed},
	},
	{
		Name: "S16 a compensation is retried by its own policy", Head: quick, Steps: stepA + stepP,
		Mocks:   Mocks{"t.p": {Reject("NO")}, "t.undoA": {Fail("X"), NotSent("UNAVAILABLE"), Lost(false), Fail("X"), OK(`{}`)}},
		Outcome: engine.OutcomeCompensated, Cause: "p NO", Trace: "a p! ~a", Calls: map[string]int{"t.undoA": 5},
	},
}

var probeCases = []Case{
	{
		Name: "S3 a probe that says applied ends the step well", Head: quick, Steps: stepA + stepQ + "output: ${{ steps.p.output.ref }}\n",
		Mocks: Mocks{"t.p": {Lost(true)}, "t.status": {OK(`{"applied": true, "output": {"ref": "u-1"}}`)}},
		Trace: "a p", Output: `"u-1"`, Calls: map[string]int{"t.p": 1, "t.status": 1},
	},
	{
		Name: "S3 a probe that says not applied lets the action be retried", Head: quick, Steps: stepA + stepQ,
		Mocks: Mocks{"t.p": {Lost(false), OK(`{}`)}, "t.status": {OK(`{"applied": false}`)}},
		Trace: "a p", Calls: map[string]int{"t.p": 2, "t.status": 1},
	},
	{
		Name: "S3 not applied and no attempt left is a rejection", Head: quick, Steps: stepA + stepQ,
		Mocks:   Mocks{"t.p": {Lost(false)}, "t.status": {OK(`{"applied": false}`)}},
		Outcome: engine.OutcomeCompensated, Cause: "p TIMEOUT", Trace: "a p! ~a", Calls: map[string]int{"t.p": 2, "t.status": 2},
	},
	{
		Name: "S3 a participant that cannot tell is asked again", Head: quick, Steps: stepA + stepQ,
		Mocks: Mocks{"t.p": {Lost(true)}, "t.status": {OK(`{"applied": null}`), Fail("BUSY"), OK(`{"applied": true, "output": {}}`)}},
		Trace: "a p", Calls: map[string]int{"t.p": 1, "t.status": 3},
	},
	{
		Name: "S3 a pivot whose probe never tells parks", Head: quick,
		Steps:   stepA + "  - {id: p, call: t.p, effect: pivot, probe: {call: t.status, every: 50ms, within: 200ms}}\n",
		Mocks:   Mocks{"t.p": {Lost(true)}, "t.status": {OK(`{"applied": null}`)}},
		Outcome: engine.OutcomeParked, Trace: "a p?", Calls: map[string]int{"t.p": 1, "t.undoA": 0},
	},
	{
		Name: "S3 a compensatable step whose probe never tells is compensated", Head: quick,
		Steps:   stepA + "  - {id: b, call: t.b, compensate: {call: t.undoB}, probe: {call: t.status, every: 50ms, within: 120ms}}\n",
		Mocks:   Mocks{"t.b": {Lost(true)}, "t.status": {OK(`{"applied": null}`)}},
		Outcome: engine.OutcomeCompensated, Cause: "b TIMEOUT", Trace: "a b? ~b ~a",
	},
	{
		Name: "S3 a pivot without a probe parks at its first ambiguous attempt", Head: quick, Steps: stepA + "  - {id: p, call: t.p, effect: pivot}\n",
		Mocks:   Mocks{"t.p": {Fail("ODD")}},
		Outcome: engine.OutcomeParked, Trace: "a p?", Calls: map[string]int{"t.p": 1},
		States: map[string]engine.State{"p": engine.StateParked, "a": engine.StateSucceeded},
	},
	{
		Name: "S3 a pivot that is idempotent is retried", Head: quick, Steps: stepA + stepP,
		Mocks: Mocks{"t.p": {Lost(true), OK(`{}`)}},
		Trace: "a p", Calls: map[string]int{"t.p": 2},
	},
	{
		Name: "S3 in backward recovery nothing is probed", Head: quick,
		Steps: `  - id: both
    parallel:
      branches:
        one: [{id: x, call: t.x, compensate: {call: t.undoX}, probe: {call: t.status, every: 50ms, within: 1h}}]
        two: [{id: y, call: t.y, compensate: {call: t.undoY}}]
`,
		Mocks:   Mocks{"t.x": {Lost(true)}, "t.y": {After(100*ms, Reject("NO"))}},
		Outcome: engine.OutcomeCompensated, Cause: "y NO", Trace: "y! x? ~x", Calls: map[string]int{"t.status": 0, "t.x": 1},
	},
}

var orderCases = []Case{
	{
		Name: "S5 the compensation sees the output of its action", Head: quick,
		Steps:   "  - {id: a, call: t.a, compensate: {call: t.undoA, with: {id: \"${{ self.output?.id }}\"}}}\n  - {id: f, fail: {code: STOP}}\n",
		Mocks:   Mocks{"t.a": {OK(`{"id": 7}`)}},
		Outcome: engine.OutcomeCompensated, Cause: "f STOP", Trace: "a f! ~a", Inputs: map[string]string{"t.undoA": `{"id": 7}`},
	},
	{
		Name: "S5 nothing is scheduled when the compensation's input fails", Head: quick,
		Steps:   stepB + "  - {id: a, call: t.a, compensate: {call: t.undoA, with: {id: \"${{ input.list[3].x }}\"}}}\n",
		Outcome: engine.OutcomeCompensated, Cause: "a EXPRESSION", Trace: "b a! ~b", Calls: map[string]int{"t.a": 0, "t.undoA": 0},
	},
	{
		Name: "S5 a compensation's input that fails after success compensates with the first", Head: quick,
		Steps:   "  - {id: a, call: t.a, compensate: {call: t.undoA, with: {n: \"${{ (self.output?.n ?? 1) + 1 }}\"}}}\n",
		Mocks:   Mocks{"t.a": {OK(`{"n": "seven"}`)}},
		Outcome: engine.OutcomeCompensated, Cause: "a EXPRESSION", Trace: "a! ~a", Calls: map[string]int{"t.a": 1, "t.undoA": 1},
		Inputs: map[string]string{"t.undoA": `{"n": 2}`},
	},
	{
		Name: "S6 completion order across branches is compensated in reverse", Head: quick,
		Steps: `  - id: both
    parallel:
      branches:
        one: [{id: x, call: t.x, compensate: {call: t.undoX}}]
        two: [{id: y, call: t.y, compensate: {call: t.undoY}}]
        three: [{id: z, call: t.z, compensate: {call: t.undoZ}}]
` + stepP,
		Mocks:   Mocks{"t.x": {After(350*ms, OK(`{}`))}, "t.y": {After(20*ms, OK(`{}`))}, "t.z": {After(180*ms, OK(`{}`))}, "t.p": {Reject("NO")}},
		Outcome: engine.OutcomeCompensated, Cause: "p NO", Trace: "y z x p! ~x ~z ~y",
	},
	{
		Name: "S7 a failure awaits what runs and starts nothing more", Head: quick,
		Steps: `  - id: both
    parallel:
      branches:
        one: [{id: x, call: t.x, compensate: {call: t.undoX}}, {id: x2, call: t.x2, effect: none}]
        two: [{id: y, call: t.y, compensate: {call: t.undoY}}]
        three: [{id: w, sleep: 1h}]
        four: [{id: m, await: {signal: never}}]
`,
		Mocks:   Mocks{"t.x": {After(300*ms, OK(`{}`))}, "t.y": {After(100*ms, Reject("NO"))}},
		Outcome: engine.OutcomeCompensated, Cause: "y NO", Trace: "y! m! w! x ~x", Calls: map[string]int{"t.x2": 0},
	},
	{
		Name: "S7 a sibling gets no further attempt", Head: "defaults: {timeout: 400ms, retry: {attempts: 9, backoff: 250ms..250ms}}",
		Steps: `  - id: both
    parallel:
      branches:
        one: [{id: x, call: t.x, compensate: {call: t.undoX}}]
        two: [{id: y, call: t.y, effect: none, retry: {attempts: 1}}]
`,
		Mocks:   Mocks{"t.x": {Fail("AGAIN")}, "t.y": {After(120*ms, Reject("NO"))}},
		Outcome: engine.OutcomeCompensated, Cause: "y NO", Trace: "y! x? ~x", Calls: map[string]int{"t.x": 1},
	},
	{
		Name: "S7 onFailure cancel passes the cancellation on", Cuts: true, Head: "defaults: {timeout: 20s}",
		Steps: `  - id: both
    parallel:
      onFailure: cancel
      branches:
        one: [{id: x, call: t.x, compensate: {call: t.undoX}}]
        two: [{id: y, call: t.y, compensate: {call: t.undoY}}]
`,
		Mocks:   Mocks{"t.x": {After(15*time.Second, OK(`{}`))}, "t.y": {After(100*ms, Reject("NO"))}},
		Outcome: engine.OutcomeCompensated, Cause: "y NO", Trace: "y! x? ~x",
	},
	{
		Name: "S7 branches may compensate at the same time", Head: quick,
		Steps: stepA + `  - id: both
    parallel:
      compensation: parallel
      branches:
        one: [{id: x, call: t.x, compensate: {call: t.undoX}}]
        two: [{id: y, call: t.y, compensate: {call: t.undoY}}]
` + stepP,
		Mocks: Mocks{
			"t.x": {After(20*ms, OK(`{}`))}, "t.y": {After(180*ms, OK(`{}`))}, "t.p": {Reject("NO")},
			"t.undoY": {After(300*ms, OK(`{}`))}, "t.undoX": {After(20*ms, OK(`{}`))},
		},
		Outcome: engine.OutcomeCompensated, Cause: "p NO", Trace: "a x y p! ~x ~y ~a",
	},
}

var scopeCases = []Case{
	{
		Name: "S10 a catch handles and the saga goes on", Head: quick,
		Steps: stepA + `  - id: look
    call: t.look
    effect: none
    catch: [{on: [GONE], do: [{id: other, call: t.other, effect: none}]}]
output: ${{ steps.look?.output?.from }}
`,
		Mocks: Mocks{"t.look": {Reject("GONE")}, "t.other": {OK(`{"from": "other"}`)}},
		Trace: "a look! other", Output: `"other"`,
	},
	{
		Name: "S10 the first clause that matches wins", Head: quick,
		Steps: `  - id: look
    call: t.look
    effect: none
    catch:
      - {on: [OTHER], do: [{id: c1, set: {x: 1}}]}
      - {on: [GONE], do: [{id: c2, set: {x: 2}}]}
      - {on: ["*"], do: [{id: c3, set: {x: 3}}]}
output: ${{ vars.x ?? 0 }}
`,
		Mocks: Mocks{"t.look": {Reject("GONE")}},
		Trace: "look! c2",
	},
	{
		Name: "S10 a savepoint compensates what is armed inside it, and no more", Head: quick,
		Steps: stepA + `  - id: s
    scope: {do: [{id: x, call: t.x, compensate: {call: t.undoX}}, {id: y, call: t.y, compensate: {call: t.undoY}}, {id: f, fail: {code: STOP, message: "why ${{ input.id }}"}}]}
    catch: [{on: [STOP], do: [{id: note, call: t.note, effect: none, with: {m: "${{ error.message }}", s: "${{ error.step }}"}}]}]
` + stepP,
		Trace: "a x y f! ~y ~x note p", Calls: map[string]int{"t.undoA": 0},
	},
	{
		Name: "S10 the failing step's own entry is compensated if unknown", Head: quick,
		Steps: `  - id: x
    call: t.x
    compensate: {call: t.undoX}
    catch: [{on: ["*"], do: [{id: other, set: {v: 1}}]}]
` + stepP,
		Mocks: Mocks{"t.x": {Lost(true)}},
		Trace: "x? ~x other p",
	},
	{
		Name: "S10 a failure in a handler goes to the next catch outside", Head: quick,
		Steps: `  - id: outer
    scope:
      do:
        - id: x
          call: t.x
          compensate: {call: t.undoX}
          catch: [{on: ["*"], do: [{id: h, fail: {code: WORSE}}]}]
    catch: [{on: [WORSE], do: [{id: ok, set: {v: 1}}]}]
`,
		Mocks: Mocks{"t.x": {Reject("NO")}},
		Trace: "x! h! ok",
	},
	{
		Name: "S10 entries of a scope that succeeded belong to what encloses it", Head: quick,
		Steps: `  - id: s
    scope: {do: [{id: x, call: t.x, compensate: {call: t.undoX}}]}
    catch: [{on: ["*"], do: [{id: h, set: {v: 1}}]}]
` + stepP,
		Mocks:   Mocks{"t.p": {Reject("NO")}},
		Outcome: engine.OutcomeCompensated, Cause: "p NO", Trace: "x p! ~x",
	},
	{
		Name: "S10 a cancel is never caught", Head: quick,
		Steps: `  - id: s
    scope: {do: [{id: x, call: t.x, compensate: {call: t.undoX}}, {id: w, sleep: 1h}]}
    catch: [{on: ["*"], do: [{id: h, set: {v: 1}}]}]
`,
		Outside: Outside{Cancel(300 * ms)},
		Outcome: engine.OutcomeCompensated, Cause: "- CANCELLED", Trace: "x w! ~x", Replies: []string{""},
	},
	{
		Name: "S10 rail A rejects and rail B is tried", Head: quick,
		Steps: stepA + `  - id: railA
    call: t.railA
    effect: pivot
    retry: {ambiguous: true}
    catch:
      - on: [CLOSED]
        do:
          - {id: fee, call: t.fee, compensate: {call: t.undoFee}}
          - {id: railB, call: t.railB, effect: pivot, retry: {ambiguous: true}}
` + stepR,
		Mocks: Mocks{"t.railA": {Reject("CLOSED")}},
		Trace: "a railA! fee railB r",
	},
	{
		Name: "S10 rail B rejects too and all is compensated", Head: quick,
		Steps: stepA + `  - id: railA
    call: t.railA
    effect: pivot
    retry: {ambiguous: true}
    catch:
      - on: [CLOSED]
        do:
          - {id: fee, call: t.fee, compensate: {call: t.undoFee}}
          - {id: railB, call: t.railB, effect: pivot, retry: {ambiguous: true}}
`,
		Mocks:   Mocks{"t.railA": {Reject("CLOSED")}, "t.railB": {Reject("CLOSED")}},
		Outcome: engine.OutcomeCompensated, Cause: "railB CLOSED", Trace: "a railA! fee railB! ~fee ~a",
	},
}

var blockCases = []Case{
	{
		Name: "if, switch, set and outputs", Head: quick, Input: `{"id": "k", "n": 2}`,
		Steps: `  - {id: skipped, if: input.n > 5, call: t.never, effect: none}
  - {id: v, set: {twice: "${{ input.n * 2 }}", text: "n is ${{ input.n }}"}}
  - id: pick
    switch:
      - {when: vars.twice == 3, do: [{id: p1, call: t.never, effect: none}]}
      - {when: vars.twice == 4, do: [{id: p2, call: t.p2, effect: none}]}
      - else: [{id: p3, call: t.never, effect: none}]
  - id: both
    parallel: {branches: {left: [{id: l, call: t.l, effect: none}], right: [{id: rr, set: {z: 1}}]}}
output: {pick: "${{ steps.pick.output }}", both: "${{ steps.both.output }}", skipped: "${{ steps.skipped?.output ?? nil }}", text: "${{ vars.text }}"}
`,
		Mocks:  Mocks{"t.p2": {OK(`{"ok": true}`)}, "t.l": {After(200*ms, OK(`[1]`))}},
		Trace:  "v p2 rr l",
		Output: `{"pick": {"ok": true}, "both": {"left": [1], "right": null}, "skipped": null, "text": "n is 2"}`,
	},
	{
		Name: "complete ends the saga and keeps what was done", Head: quick,
		Steps: stepA + `  - {id: done, if: input.id == "k", complete: {output: {early: true}}}
` + stepP,
		Trace: "a done", Output: `{"early": true}`, Calls: map[string]int{"t.p": 0, "t.undoA": 0},
	},
	{
		Name: "S8 foreach keeps order, keys and compensations per item", Head: quick, Input: `{"id": "k", "list": ["c", "a", "b"]}`,
		Steps: `  - id: each
    foreach:
      in: input.list
      as: it
      key: it
      do: [{id: take, call: t.take, with: {it: "${{ it }}"}, compensate: {call: t.giveBack, with: {it: "${{ it }}"}}}]
` + stepP,
		Mocks:   Mocks{"t.p": {Reject("NO")}},
		Outcome: engine.OutcomeCompensated, Cause: "p NO", Trace: "take[c] take[a] take[b] p! ~take[b] ~take[a] ~take[c]",
	},
	{
		Name: "S8 duplicate keys are found before any item starts", Head: quick, Input: `{"id": "k", "list": ["x", "y", "x"]}`,
		Steps: stepA + `  - id: each
    foreach: {in: input.list, as: it, key: it, do: [{id: take, call: t.take, effect: none}]}
`,
		Outcome: engine.OutcomeCompensated, Cause: "each DUPLICATE_KEY", Trace: "a ~a", Calls: map[string]int{"t.take": 0},
	},
	{
		Name: "S8 an empty collection gives an empty list", Head: quick, Input: `{"id": "k", "list": []}`,
		Steps: `  - id: each
    foreach: {in: input.list, as: it, do: [{id: take, call: t.take, effect: none}]}
output: ${{ steps.each.output }}
`,
		Output: `[]`,
	},
}

var pivotCases = []Case{
	{
		Name: "S11 after the pivot a failure parks and nothing is compensated", Head: quick, Steps: stepA + stepP + stepR,
		Mocks:   Mocks{"t.r": {Reject("BROKEN")}},
		Outcome: engine.OutcomeParked, Trace: "a p r?", Calls: map[string]int{"t.undoA": 0},
	},
	{
		Name: "S11 the first scheduling of a retriable is the point of no return", Head: quick, Steps: stepA + stepR,
		Mocks:   Mocks{"t.r": {After(350*ms, OK(`{}`))}},
		Outside: Outside{Cancel(150 * ms)},
		Trace:   "a r", Replies: []string{engine.RefusedCommitted},
	},
	{
		Name: "S12 a step without effect after the pivot parks too", Head: quick, Steps: stepP + "  - {id: look, call: t.look, effect: none}\n",
		Mocks:   Mocks{"t.look": {Reject("BROKEN")}},
		Outcome: engine.OutcomeParked, Trace: "p look?",
	},
	{
		Name: "S10 after the pivot a rejection can be caught", Head: quick,
		Steps: stepP + `  - id: r
    call: t.r
    effect: retriable
    catch: [{on: [BROKEN], do: [{id: r2, call: t.r2, effect: retriable}]}]
`,
		Mocks: Mocks{"t.r": {Reject("BROKEN")}},
		Trace: "p r! r2",
	},
	{
		Name: "S10 after the pivot unknown parks, whatever the catch", Head: quick,
		Steps: stepP + `  - id: r
    call: t.r
    effect: retriable
    catch: [{on: ["*"], do: [{id: r2, call: t.r2, effect: retriable}]}]
`,
		Mocks:   Mocks{"t.r": {Permanent("BROKEN")}},
		Outcome: engine.OutcomeParked, Trace: "p r?", Calls: map[string]int{"t.r2": 0},
	},
}
