package enginetest

import (
	"time"

	"github.com/sagad/sagad/engine"
)

const both = "  - id: both\n    parallel:\n"

// patient lets attempts take as long as a busy machine needs to keep them apart.
const patient = "defaults: {timeout: 20s}\n"

// verbatim gives an operator's command as it stands: its ID, actor and reason
// are what the case is about.
func verbatim(at time.Duration, o engine.Operator) Happening {
	return Happening{After: at, Operator: &o}
}

// EdgeCases are scenarios of what comes seldom: between two attempts, while a
// block stops, with an odd name. They run wherever Cases do.
var EdgeCases = []Case{
	{Name: "S3 permanent, probed not applied, is not retried", Head: quick, Steps: stepA + stepQ,
		Mocks: Mocks{"t.p": {Permanent("X"), OK(`{}`)}, "t.status": {OK(`{"applied": false}`)}}, Outcome: engine.OutcomeCompensated, Cause: "p X", Trace: "a p! ~a", Calls: map[string]int{"t.p": 1}},
	{Name: "S3 within ends the retries", Head: quick, Steps: stepP + "  - {id: r, call: t.r, effect: retriable, retry: {backoff: 2s..2s, within: 3900ms}}\n",
		Mocks: Mocks{"t.r": {Fail("X")}}, Outcome: engine.OutcomeParked, Trace: "p r?", Calls: map[string]int{"t.r": 2}},
	{Name: "S13 a cancel wins over a pivot that was not sent", Head: quick, Steps: stepA + "  - {id: p, call: t.p, effect: pivot, retry: {attempts: 3, backoff: 1s..1s, ambiguous: true}}\n",
		Mocks: Mocks{"t.p": {After(300*ms, NotSent("UNAVAILABLE")), OK(`{}`)}}, Outside: Outside{Cancel(150 * ms)}, Outcome: engine.OutcomeCompensated, Cause: "- CANCELLED", Trace: "a p! ~a", Replies: []string{""}, Calls: map[string]int{"t.p": 1}},
	{Name: "S2 never ends retries of what was not sent", Head: quick, Steps: "  - {id: b, call: t.b, compensate: {call: t.undoB}, retry: {attempts: 5, backoff: 30ms..60ms, never: [HOPELESS]}}\n",
		Mocks: Mocks{"t.b": {NotSent("HOPELESS")}}, Outcome: engine.OutcomeCompensated, Cause: "b HOPELESS", Trace: "b!", Calls: map[string]int{"t.b": 1}},
	{Name: "S3 a retriable in doubt is probed although its block stops", Head: quick, Steps: stepP + both + `      branches:
        one: [{id: r1, call: t.r1, effect: retriable, probe: {call: t.status, every: 50ms, within: 1h}}]
        two: [{id: r2, call: t.r2, effect: retriable}]
    catch: [{on: [NO], do: [{id: h, set: {v: 1}}]}]
`, Mocks: Mocks{"t.r1": {Lost(true)}, "t.r2": {After(100*ms, Reject("NO"))}}, Trace: "p r2! r1 h", Calls: map[string]int{"t.status": 1}},
	{Name: "S3 a probe on its way is the last when its block stops", Head: quick, Steps: both + `      branches:
        one: [{id: x, call: t.x, compensate: {call: t.undoX}, probe: {call: t.status, every: 50ms, within: 1h}}]
        two: [{id: y, call: t.y, effect: none}]
`, Mocks: Mocks{"t.x": {Fail("ODD")}, "t.status": {After(300*ms, OK(`{"applied": null}`))}, "t.y": {After(100*ms, Reject("NO"))}},
		Outcome: engine.OutcomeCompensated, Cause: "y NO", Trace: "y! x? ~x", Calls: map[string]int{"t.status": 1}},
	{Name: "S12 a rejection in a block that stops does not park", Head: patient, Steps: stepP + both + `      branches:
        one: [{id: r1, call: t.r1, effect: retriable}]
        two: [{id: r2, call: t.r2, effect: retriable}]
    catch: [{on: [NO], do: [{id: h, set: {v: 1}}]}]
`, Mocks: Mocks{"t.r1": {After(1500*ms, Reject("OTHER"))}, "t.r2": {After(100*ms, Reject("NO"))}}, Trace: "p r2! r1! h"},
	{Name: "S7 onFailure cancel spares what is decisive", Head: patient, Steps: stepP + both + `      onFailure: cancel
      branches:
        one: [{id: r1, call: t.r1, effect: retriable}]
        two: [{id: r2, call: t.r2, effect: retriable}]
    catch: [{on: [NO], do: [{id: h, set: {v: 1}}]}]
`, Mocks: Mocks{"t.r1": {After(1500*ms, OK(`{}`))}, "t.r2": {After(100*ms, Reject("NO"))}}, Trace: "p r2! r1 h"},
	{Name: "S3 a retriable between two probes is probed on when its block stops", Head: quick, Steps: stepP + both + `      branches:
        one: [{id: r1, call: t.r1, effect: retriable, probe: {call: t.status, every: 300ms, within: 1h}}]
        two: [{id: r2, call: t.r2, effect: retriable}]
    catch: [{on: [NO], do: [{id: h, set: {v: 1}}]}]
`, Mocks: Mocks{"t.r1": {Fail("ODD")}, "t.status": {OK(`{"applied": null}`), OK(`{"applied": true}`)}, "t.r2": {After(150*ms, Reject("NO"))}}, Trace: "p r2! r1 h"},
	{Name: "S7 a retriable in doubt that waits for another attempt gets none when its block stops", Head: quick, Steps: stepP + both + `      branches:
        one: [{id: r1, call: t.r1, effect: retriable, retry: {attempts: 3, backoff: 1h..1h}, probe: {call: t.status, every: 50ms, within: 100ms}}]
        two: [{id: m, await: {signal: go}}, {id: r2, call: t.r2, effect: retriable}]
    catch: [{on: [NO], do: [{id: h, set: {v: 1}}]}]
`, Mocks: Mocks{"t.r1": {Fail("ODD"), NotSent("UNAVAILABLE")}, "t.status": {OK(`{"applied": null}`)}, "t.r2": {Reject("NO")}},
		Outside: Outside{Operate(300*ms, engine.Operator{Command: engine.CommandRetry, Path: "r1"}), Message(500*ms, "go", "1", `1`)},
		Outcome: engine.OutcomeParked, Trace: "p m r2! r1?", Calls: map[string]int{"t.r1": 2}, Replies: []string{"", ""}},
	{Name: "S10 an outer failure takes an inner recovery over", Head: patient, Steps: both + `      branches:
        one:
          - id: s
            scope: {do: [{id: x, call: t.x, compensate: {call: t.undoX}}, {id: f, fail: {code: STOP}}]}
            catch: [{on: [STOP], do: [{id: h, call: t.h, effect: none}]}]
        two: [{id: y, call: t.y, compensate: {call: t.undoY}}, {id: z, call: t.z, effect: none}]
`, Mocks: Mocks{"t.undoX": {After(2*time.Second, OK(`{}`))}, "t.y": {After(300*ms, OK(`{}`))}, "t.z": {After(60*ms, Reject("NO"))}},
		Outcome: engine.OutcomeCompensated, Cause: "z NO", Trace: "x f! y z! ~x ~y", Calls: map[string]int{"t.h": 0}},
	{Name: "S18 no corrected input for a compensation in doubt", Head: quick, Steps: stepA + stepP,
		Mocks:   Mocks{"t.p": {Reject("NO")}, "t.undoA": {Fail("ODD"), Reject("CANNOT"), OK(`{}`)}},
		Outside: Outside{Operate(400*ms, engine.Operator{Command: "retry", Path: "a", Input: map[string]any{"x": 1}}), Operate(500*ms, engine.Operator{Command: "resolve", Path: "a", Applied: &no}), Operate(600*ms, engine.Operator{Command: "retry", Path: "a", Input: map[string]any{"x": 1}})},
		Outcome: engine.OutcomeResolved, Cause: "p NO", Trace: "a p! ~a", Replies: []string{engine.RefusedNotPossible, "", ""}},
	{Name: "S16 a compensation parks when its window closes", Head: "defaults: {timeout: 400ms, compensation: {retry: {backoff: 50ms..50ms, within: 120ms}}}\n", Steps: stepA + stepP,
		Mocks: Mocks{"t.p": {Reject("NO")}, "t.undoA": {Fail("X")}}, Outcome: engine.OutcomeParked, Cause: "p NO", Trace: "a p! ~a!"},
	{Name: "S16 a permanent failure of a compensation parks at once", Head: quick, Steps: stepA + stepP,
		Mocks: Mocks{"t.p": {Reject("NO")}, "t.undoA": {Permanent("X"), OK(`{}`)}}, Outcome: engine.OutcomeParked, Cause: "p NO", Trace: "a p! ~a!"},
	{Name: "S13 the grace spares a compensation that runs", Cuts: true, Head: "cancelGrace: 100ms\ndefaults: {timeout: 20s}\n", Steps: both + `      branches:
        one:
          - id: s
            scope: {do: [{id: x, call: t.x, compensate: {call: t.undoX}}, {id: f, fail: {code: STOP}}]}
            catch: [{on: [STOP], do: [{id: h, call: t.h, effect: none}]}]
        two: [{id: y, call: t.y, effect: none}]
`, Mocks: Mocks{"t.undoX": {After(5*time.Second, OK(`{}`))}, "t.y": {After(15*time.Second, OK(`{}`))}}, Outside: Outside{Cancel(200 * ms)},
		Outcome: engine.OutcomeCompensated, Cause: "- CANCELLED", Trace: "x f! y! ~x", Calls: map[string]int{"t.undoX": 1, "t.h": 0}},
	{Name: "S13 all cancels are answered, the first cause stays", Head: "deadline: 300ms\n" + patient, Steps: stepA + stepP, // a server's timer may be a second late
		Mocks: Mocks{"t.p": {After(4500*ms, Reject("NO"))}}, Outside: Outside{Cancel(3 * time.Second), Cancel(3100 * ms)}, Outcome: engine.OutcomeCompensated, Cause: "- DEADLINE", Trace: "a p! ~a", Replies: []string{"", ""}},
	{Name: "S18 commands are checked and taken once", Head: quick, Steps: stepA + stepP,
		Mocks: Mocks{"t.p": {Reject("NO")}, "t.undoA": {Reject("CANNOT")}},
		Outside: Outside{verbatim(300*ms, engine.Operator{Command: "retry", Path: "a", Actor: "x"}), verbatim(320*ms, engine.Operator{Command: "retry", Path: "a", ID: "1"}),
			verbatim(340*ms, engine.Operator{Command: "skip", Path: "a", ID: "2", Actor: "x"}), verbatim(360*ms, engine.Operator{Command: "retry", Path: "a", ID: "3", Actor: "x"}), verbatim(420*ms, engine.Operator{Command: "retry", Path: "a", ID: "3", Actor: "x"})},
		Outcome: engine.OutcomeParked, Cause: "p NO", Trace: "a p! ~a!", Calls: map[string]int{"t.undoA": 2}, Replies: []string{engine.RefusedNotPossible, engine.RefusedNotPossible, engine.RefusedNotPossible, "", ""}},
	{Name: "S18 an ID stands for all that a command brings along", Head: quick, Steps: stepA + stepP,
		Mocks: Mocks{"t.p": {Reject("NO")}, "t.undoA": {Reject("CANNOT")}},
		Outside: Outside{verbatim(400*ms, engine.Operator{Command: "retry", Path: "a", Input: map[string]any{"x": 1}, ID: "1", Actor: "x"}),
			verbatim(800*ms, engine.Operator{Command: "retry", Path: "a", Input: map[string]any{"x": 2}, ID: "1", Actor: "x"}),
			verbatim(1200*ms, engine.Operator{Command: "retry", Path: "a", Input: map[string]any{"x": 1}, ID: "1", Actor: "x"})},
		Outcome: engine.OutcomeParked, Cause: "p NO", Trace: "a p! ~a!", Calls: map[string]int{"t.undoA": 2}, Replies: []string{"", engine.RefusedNotPossible, ""}},
	{Name: "S18 a corrected compensation has a key of its own", Head: quick, Steps: stepA + stepP,
		Mocks: Mocks{"t.p": {Reject("NO")}, "t.undoA": {Reject("CANNOT"), OK(`{}`)}}, Outside: Outside{Operate(300*ms, engine.Operator{Command: "retry", Path: "a", Input: map[string]any{"x": 1}})},
		Outcome: engine.OutcomeCompensated, Cause: "p NO", Trace: "a p! ~a", Replies: []string{""}},
	{Name: "S18 a retry begins with all attempts", Head: quick, Steps: stepP + "  - {id: r, call: t.r, effect: retriable, retry: {attempts: 2, backoff: 30ms..60ms}}\n",
		Mocks: Mocks{"t.r": {Fail("X"), Fail("X"), Fail("X"), OK(`{}`)}}, Outside: Outside{Operate(300*ms, engine.Operator{Command: "retry", Path: "r"})}, Trace: "p r", Calls: map[string]int{"t.r": 4}},
	{Name: "S18 resolved as not applied may be corrected", Head: quick, Steps: stepP + "  - {id: r, call: t.r, effect: retriable, retry: {attempts: 1}}\n",
		Mocks: Mocks{"t.r": {Fail("X"), OK(`{}`)}}, Outside: Outside{Operate(300*ms, engine.Operator{Command: "resolve", Path: "r", Applied: &no}), Operate(400*ms, engine.Operator{Command: "retry", Path: "r", Input: map[string]any{"x": 1}})},
		Outcome: engine.OutcomeResolved, Trace: "p r", Replies: []string{"", ""}},
	{Name: "S8 odd keys", Head: quick, Input: `{"id": "k", "list": ["a]b", "c/d:e", "%"]}`, Steps: "  - {id: each, foreach: {in: input.list, as: it, key: it, do: [{id: l, call: t.l, effect: none}]}}\n",
		Trace: "l[a%5Db] l[c%2Fd%3Ae] l[%25]"},
	{Name: "S8 an item that fails at once stops the others", Head: quick, Input: `{"id": "k", "list": [1, 0, 2]}`,
		Steps: "  - {id: each, foreach: {in: input.list, as: it, concurrency: 3, do: [{id: f, if: it == 0, fail: {code: ZERO}}, {id: l, call: t.l, compensate: {call: t.u}}]}}\n",
		Mocks: Mocks{"t.l": {After(50*ms, OK(`{}`))}}, Outcome: engine.OutcomeCompensated, Cause: "f ZERO", Trace: "f[1]! l[0] ~l[0]", Calls: map[string]int{"t.l": 1}},
	{Name: "S7 a branch that fails at once starts no other", Head: quick, Steps: both + `      branches:
        one: [{id: f, fail: {code: STOP}}]
        two: [{id: y, call: t.y, compensate: {call: t.undoY}}]
    catch: [{on: [STOP], do: [{id: h, set: {v: 1}}]}]
`, Trace: "f! h", Calls: map[string]int{"t.y": 0}},
	{Name: "S8 what an item sets and gives stays in it", Head: quick, Input: `{"id": "k", "list": [1, 2]}`, Steps: "  - {id: each, foreach: {in: input.list, as: it, concurrency: 2, do: [{id: v, set: {n: \"${{ it }}\"}}, {id: g, scope: {do: [{id: l, sleep: 50ms}]}}, {id: f, if: vars.n != it, fail: {code: MIXED}}]}}\n",
		Trace: "v[0] v[1] l[0] l[1]"},
	{Name: "S3 an unusable answer of a probe is no answer", Head: quick, Steps: stepA + stepQ,
		Mocks: Mocks{"t.p": {Lost(true)}, "t.status": {{Outcome: engine.Outcome{Class: engine.Applied, Code: engine.CodeInvalidOutput, Output: map[string]any{"applied": false}}}, OK(`{"applied": true}`)}}, Trace: "a p", Calls: map[string]int{"t.status": 2, "t.p": 1}},
	{Name: "sleep until the past", Head: quick, Steps: "  - {id: w, sleep: {until: \"\\\"2020-01-01T00:00:00Z\\\"\"}}\n", Trace: "w"},
	{
		Name: "S12 nothing is compensated past the point of no return, in a caught scope either", Head: quick,
		Steps: `  - id: s
    scope:
      do:
        - {id: a, call: t.a, compensate: {call: t.undoA}}
        - {id: p, call: t.p, effect: pivot, retry: {ambiguous: true}}
        - {id: r, call: t.r, effect: retriable}
    catch: [{on: [BROKEN], do: [{id: r2, call: t.r2, effect: retriable}]}]
`,
		Mocks: Mocks{"t.r": {Reject("BROKEN")}},
		Trace: "a p r! r2", Calls: map[string]int{"t.undoA": 0},
		States: map[string]engine.State{"r": engine.StateRejected, "a": engine.StateSucceeded},
	},
	{
		Name: "S18 a probe asks about the corrected input's key", Head: quick,
		Steps:   stepP + "  - {id: r, call: t.r, effect: retriable, retry: {attempts: 1}, probe: {call: t.status, with: {of: \"${{ self.key }}\"}, every: 50ms, within: 1s}}\n",
		Mocks:   Mocks{"t.r": {Reject("BAD"), Lost(true)}},
		Outside: Outside{Operate(300*ms, engine.Operator{Command: engine.CommandRetry, Path: "r", Input: map[string]any{"fixed": true}})},
		Trace:   "p r", Replies: []string{""}, Calls: map[string]int{"t.r": 2, "t.status": 1},
	},
	{
		Name: "S18 a skipped step has no output and keeps its failure in the trace", Head: quick,
		Steps:   stepP + "  - {id: look, call: t.look, effect: none}\noutput: ${{ steps.look.output }}\n",
		Mocks:   Mocks{"t.look": {Reject("BROKEN")}},
		Outside: Outside{Operate(300*ms, engine.Operator{Command: engine.CommandSkip, Path: "look"})},
		Outcome: engine.OutcomeResolved, Trace: "p look!", Output: `null`, Replies: []string{""},
		States: map[string]engine.State{"look": engine.StateSkipped},
	},
	{
		Name: "S18 what is not a command is refused", Head: quick, Steps: stepA + stepP,
		Mocks:   Mocks{"t.p": {Reject("NO")}, "t.undoA": {Reject("CANNOT"), OK(`{}`)}},
		Outside: Outside{Operate(300*ms, engine.Operator{Command: "explode", Path: "a"}), Operate(400*ms, engine.Operator{Command: engine.CommandRetry, Path: "a"})},
		Outcome: engine.OutcomeCompensated, Cause: "p NO", Trace: "a p! ~a", Replies: []string{engine.RefusedNotPossible, ""},
	},
	{
		Name: "S27 a message without an ID is refused", Head: quick, Steps: "  - {id: m, await: {signal: go}}\n",
		Outside: Outside{Message(100*ms, "go", "", `1`), Message(200*ms, "go", "1", `1`)},
		Trace:   "m", Replies: []string{engine.RefusedNotPossible, ""},
	},
}
