package endtoend

import (
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
	"github.com/sagad/sagad/engine/temporal"
)

// caseHistories are the cases of the suite that were frozen. A case that
// changes keeps its file: it gets another line with another name.
var caseHistories = []struct{ file, scenario string }{
	{"sequence-completed", "S6 a plain saga completes"},
	{"sequence-rejected", "S6 a rejection compensates in reverse"},
	{"attempt-lost", "S1 a lost answer is compensated"},
	{"attempt-lost-then-rejected", "S2 a time-out followed by a rejection is unknown"},
	{"attempt-not-sent", "S2 what was not sent is retried and has no effect"},
	{"attempt-retried", "S2 an attempt after a failure may succeed"},
	{"attempt-permanent", "S2 permanent ends the retries"},
	{"attempt-never", "S2 a code in never ends the retries"},
	{"attempt-without-effect", "S2 a step without effect is never unknown"},
	{"compensation-retried", "S16 a compensation is retried by its own policy"},
	{"compensation-sees-output", "S5 the compensation sees the output of its action"},
	{"compensation-expression-before", "S5 nothing is scheduled when the compensation's input fails"},
	{"compensation-expression-after", "S5 a compensation's input that fails after success compensates with the first"},
	{"probe-applied", "S3 a probe that says applied ends the step well"},
	{"probe-not-applied", "S3 a probe that says not applied lets the action be retried"},
	{"probe-not-applied-rejected", "S3 not applied and no attempt left is a rejection"},
	{"probe-asked-again", "S3 a participant that cannot tell is asked again"},
	{"probe-parked", "S3 a pivot whose probe never tells parks"},
	{"probe-given-up", "S3 a compensatable step whose probe never tells is compensated"},
	{"pivot-parked", "S3 a pivot without a probe parks at its first ambiguous attempt"},
	{"pivot-idempotent", "S3 a pivot that is idempotent is retried"},
	{"pivot-retriable-parked", "S11 after the pivot a failure parks and nothing is compensated"},
	{"pivot-retriable-caught", "S10 after the pivot a rejection can be caught"},
	{"pivot-two-rails", "S10 rail A rejects and rail B is tried"},
	{"pivot-two-rails-rejected", "S10 rail B rejects too and all is compensated"},
	{"pivot-look-parked", "S12 a step without effect after the pivot parks too"},
	{"parallel-completion-order", "S6 completion order across branches is compensated in reverse"},
	{"parallel-drain", "S7 a failure awaits what runs and starts nothing more"},
	{"parallel-no-further-attempt", "S7 a sibling gets no further attempt"},
	{"parallel-cancel", "S7 onFailure cancel passes the cancellation on"},
	{"parallel-compensation", "S7 branches may compensate at the same time"},
	{"parallel-probe-backward", "S3 in backward recovery nothing is probed"},
	{"scope-catch", "S10 a savepoint compensates what is armed inside it, and no more"},
	{"scope-catch-first-clause", "S10 the first clause that matches wins"},
	{"scope-catch-unknown", "S10 the failing step's own entry is compensated if unknown"},
	{"scope-catch-handler-fails", "S10 a failure in a handler goes to the next catch outside"},
	{"scope-entries-outside", "S10 entries of a scope that succeeded belong to what encloses it"},
	{"scope-cancel", "S10 a cancel is never caught"},
	{"switch", "if, switch, set and outputs"},
	{"complete", "complete ends the saga and keeps what was done"},
	{"set", "S24 the values of one set are evaluated before a variable changes"},
	{"fail", "S27 where a rejected confirmation is an error of its own"},
	{"child-completed", "S9 a child completes"},
	{"child-completed-parent-fails", "S9 a child completed and its parent fails"},
	{"child-failed", "S9 a child that fails has compensated itself"},
	{"child-failed-caught", "S9 the failure of a child is caught"},
	{"child-cancelled", "S9 a cancel of the parent is one of the child"},
	{"child-cancelled-beside", "S9 a failure beside a child is a cancel of the child"},
	{"child-decides", "S9 a child with a pivot decides for its parent"},
	{"child-cancel-waits", "S13 a cancel waits for a child that decides"},
	{"child-in-child", "S9 a child inside a child"},
	{"child-input-refused", "S25 the input of a child breaks its schema"},
	{"foreach", "S8 foreach keeps order, keys and compensations per item"},
	{"foreach-duplicate-key", "S8 duplicate keys are found before any item starts"},
	{"foreach-empty", "S8 an empty collection gives an empty list"},
	{"await-signal-early", "S27 a message that comes early is kept"},
	{"await-signal-where", "S27 messages are matched by where, oldest first, and once"},
	{"await-signal-two", "S27 a message goes to the waiting step of the smallest path"},
	{"await-signal-refused", "S27 what no await could take is refused"},
	{"await-timeout", "S27 nobody confirms"},
	{"cancel-before", "S13 a cancel ends waits and compensates"},
	{"cancel-grace", "S13 a running action may end in its grace"},
	{"cancel-cut", "S13 after its grace an action is cut and unknown"},
	{"cancel-during-compensation", "S13 a cancel during compensation changes nothing"},
	{"cancel-pivot-succeeds", "S13 a cancel waits for the pivot, whose success refuses it"},
	{"cancel-pivot-rejected", "S13 a cancel waits for the pivot, whose rejection lets it win"},
	{"cancel-pivot-not-sent", "S13 a pivot that was never sent does not hold a cancel up"},
	{"cancel-pivot-in-doubt", "S12 a cancel waits while a pivot is in doubt"},
	{"cancel-pivot-parked", "S13 a cancel waits while the pivot is parked"},
	{"cancel-retriable", "S11 the first scheduling of a retriable is the point of no return"},
	{"deadline", "S14 a deadline compensates with its own cause"},
	{"deadline-after-pivot", "S14 a deadline does nothing after the pivot"},
	{"deadline-during-compensation", "S14 a deadline never cuts compensation short"},
	{"deadline-computed", "S14 a computed deadline"},
	{"park-compensation", "S16 a compensation that is rejected parks at once"},
	{"park-unordered", "S17 what the flow does not order with a parked entry goes on"},
	{"operator-retry", "S18 a retry that succeeds changes nothing else"},
	{"operator-retry-corrected", "S18 a parked retriable takes a corrected input as a new generation"},
	{"operator-skip", "S18 a skip leaves the effect and resolves the saga"},
	{"operator-resolve-applied", "S18 a pivot resolved as applied goes forward"},
	{"operator-resolve-not-applied", "S18 a pivot resolved as not applied compensates"},
	{"operator-refused", "S18 a corrected input is refused while the old one may have had its effect"},
	{"invalid-output", "S25 an unusable output of a compensatable step is compensated"},
	{"invalid-output-pivot", "S25 an unusable output of a pivot parks until it is resolved"},
	{"expression", "S25 an expression that fails has no effect"},
	{"expression-output", "S25 an output that cannot be computed takes nothing back"},
}

const ms = time.Millisecond

// continuedHistories are cases of the suite that continued as new every few
// events. What is frozen is every run of them.
var continuedHistories = []struct{ file, scenario string }{
	{"continued-sequence", "S6 a plain saga completes"},
	{"continued-compensation", "S6 completion order across branches is compensated in reverse"},
	{"continued-child", "S9 a child completed and its parent fails"},
	{"continued-foreach", "S8 foreach keeps order, keys and compensations per item"},
	{"continued-scope", "S10 a savepoint compensates what is armed inside it, and no more"},
}

// ownHistories are scenarios that no case of the suite is: what comes past
// sagad's client, what only a real server limits, and several constructs in one.

var ownHistories = []frozen{
	{
		name:     "cancel-raw",
		scenario: &enginetest.Case{Steps: stepA + stepW, Outcome: engine.OutcomeCompensated, Cause: "- CANCELLED", Trace: "a w! ~a"},
		raw: func(t *testing.T, c client.Client, id string) {
			untilWaits(t, c, id)
			if err := c.CancelWorkflow(t.Context(), id, ""); err != nil {
				t.Error(err)
			}
		},
	},
	{
		name:     "await-signal-raw",
		scenario: &enginetest.Case{Steps: stepA + stepW + "output: ${{ steps.w.output }}\n", Trace: "a w", Output: `1`},
		raw: func(t *testing.T, c client.Client, id string) {
			untilWaits(t, c, id)
			if err := c.SignalWorkflow(t.Context(), id, "", temporal.SignalMessage, map[string]any{"id": "m", "name": "go", "data": 1}); err != nil {
				t.Error(err)
			}
		},
	},
	{
		name:     "recovered", // as it is told
		scenario: &enginetest.Case{Steps: stepA + stepW, Trace: "a w"},
		raw: func(t *testing.T, c client.Client, id string) {
			untilWaits(t, c, id)
			if err := c.SignalWorkflow(t.Context(), id, "", temporal.SignalRecover, map[string]string{"id": "r", "actor": "ops", "reason": "by mistake"}); err != nil {
				t.Error(err)
			}
			if err := c.SignalWorkflow(t.Context(), id, "", temporal.SignalMessage, map[string]any{"id": "m", "name": "go", "data": 1}); err != nil {
				t.Error(err)
			}
		},
	},
	{
		name: "too-large-output",
		scenario: &enginetest.Case{
			Steps: stepA, Mocks: enginetest.Mocks{"t.a": {enginetest.OK(`"` + strings.Repeat("x", temporal.MaxPayload) + `"`)}},
			Outcome: engine.OutcomeCompensated, Cause: "a TOO_LARGE", Trace: "a! ~a",
		},
	},
	{
		name: "too-large-input",
		scenario: &enginetest.Case{
			Steps:   "  - {id: v, set: {x: \"" + strings.Repeat("x", temporal.MaxPayload/2) + "\"}}\n  - {id: b, call: t.b, with: {x: \"${{ vars.x }}\", y: \"${{ vars.x }}\"}, compensate: {call: t.undoB}}\n",
			Outcome: engine.OutcomeCompensated, Cause: "b TOO_LARGE", Trace: "v b!",
		},
	},
	{
		name: "too-large-task",
		scenario: &enginetest.Case{
			Input: `{"id": "k", "text": "` + strings.Repeat("x", temporal.MaxPayload*3/4) + `"}`,
			Steps: `  - id: each
    foreach: {in: "[1, 2, 3, 4, 5]", as: it, concurrency: 5, do: [{id: l, call: t.l, effect: none, with: {text: "${{ input.text }}", n: "${{ it }}"}}]}
`,
			Mocks: enginetest.Mocks{"t.l": {enginetest.After(200*ms, enginetest.OK(`{}`))}}, Trace: "l[0] l[1] l[2] l[3] l[4]",
		},
	},
	{
		name: "sleep",
		scenario: &enginetest.Case{
			Input: `{"id": "k", "past": "2020-01-01T00:00:00Z"}`,
			Steps: stepA + "  - {id: s, sleep: 200ms}\n  - {id: u, sleep: {until: input.past}}\n" + stepP, Trace: "a s u p",
		},
	},
	{
		name: "foreach-concurrent-fails",
		scenario: &enginetest.Case{
			Input: `{"id": "k", "list": ["6s", "4s", "2s", "6s"]}`,
			Steps: `  - id: each
    foreach:
      in: input.list
      as: it
      concurrency: 3
      do:
        - {id: rest, sleep: "${{ it }}"}
        - {id: take, call: t.take, with: {it: "${{ it }}"}, compensate: {call: t.give, with: {it: "${{ it }}", of: "${{ self.key }}"}}}
        - {id: seen, set: {last: "${{ it }}"}}
  - {id: stop, fail: {code: STOP, message: "after ${{ len(steps.each.output) }}"}}
`,
			Outcome: engine.OutcomeCompensated, Cause: "stop STOP",
			Trace: "rest[2] take[2] seen[2] rest[1] take[1] seen[1] rest[0] take[0] seen[0] rest[3] take[3] seen[3] stop! ~take[3] ~take[0] ~take[1] ~take[2]",
		},
	},
	{
		name: "nested-blocks",
		scenario: &enginetest.Case{
			Head:  "defaults: {timeout: 400ms, retry: {attempts: 2, backoff: 30ms..60ms}}\n",
			Input: `{"id": "k", "list": ["x", "y"]}`,
			Steps: stepA + `  - id: outer
    scope:
      do:
        - id: both
          parallel:
            branches:
              one:
                - id: each
                  foreach: {in: input.list, as: it, key: it, do: [{id: take, call: t.take, compensate: {call: t.give}}, {id: n, sleep: 60ms}]}
              two:
                - id: pick
                  switch:
                    - {when: input.id == "k", do: [{id: m, await: {signal: go, timeout: 20s}}]}
                    - else: [{id: never, fail: {code: NEVER}}]
        - {id: b, call: t.b, compensate: {call: t.undoB}}
    catch: [{on: [NO], do: [{id: note, call: t.note, effect: none, with: {path: "${{ error.path }}"}}]}]
` + stepP,
			Mocks:   enginetest.Mocks{"t.b": {enginetest.Reject("NO")}, "t.give": {enginetest.Fail("BUSY"), enginetest.OK(`{}`)}},
			Outside: enginetest.Outside{enginetest.Message(3*time.Second, "go", "1", `{"n": 1}`)},
			Trace:   "a take[x] n[x] take[y] n[y] m b! ~take[y] ~take[x] note p", Inputs: map[string]string{"t.note": `{"path": "b"}`},
		},
	},
}

// untilWaits returns when a saga waits for its message.
func untilWaits(t *testing.T, c client.Client, id string) {
	for t.Context().Err() == nil {
		r, err := temporal.NewClient(c).Result(t.Context(), id)
		if err == nil && len(r.Steps) > 0 && r.Steps[len(r.Steps)-1].Signal != "" {
			return
		}
	}
}
