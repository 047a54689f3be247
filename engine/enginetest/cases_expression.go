package enginetest

import (
	"slices"

	"github.com/sagad/sagad/engine"
)

const (
	bad = "input.list[7].x" // there is no such element
	odd = "input.odd"       // a map, which fits nowhere
)

// expressionInput is the input of the cases below.
const expressionInput = `{"id": "k", "list": [], "items": [1, 2], "odd": {"x": 1}}`

// expressionCases fail an expression in every place that one can stand, or give
// it a value that does not fit there (S25).
var expressionCases = append(slices.Concat(failingExpressions(), oddValues(), committedExpressions()),
	Case{
		Name: "S25 an expression fails in deadline", Head: "deadline: ${{ " + bad + " }}\n", Steps: stepA, Input: expressionInput,
		Outcome: engine.OutcomeCompensated, Cause: "- EXPRESSION", Calls: map[string]int{"t.a": 0},
	},
	Case{
		Name: "S25 an expression fails in output", Head: quick, Steps: stepA + "output: ${{ " + bad + " }}\n", Input: expressionInput,
		Trace: "a", Output: `null`,
	},
	Case{
		Name: "S25 an expression fails in the output of complete", Head: quick, Steps: stepA + "  - {id: f, complete: {output: \"${{ " + bad + " }}\"}}\n", Input: expressionInput,
		Trace: "a f", Output: `null`,
	},
	Case{
		Name: "S27 an expression fails in where", Head: quick, Steps: "  - {id: w, await: {signal: go, where: \"event.list[7].x == 1\", timeout: 400ms}}\n",
		Outside: Outside{Message(50*ms, "go", "m", `{"list": []}`)},
		Outcome: engine.OutcomeCompensated, Cause: "w TIMEOUT", Trace: "w!", Replies: []string{""},
	},
	Case{
		Name: "S25 an expression fails in a handler", Head: quick, Input: expressionInput,
		Steps:   stepA + "  - id: f\n    call: t.f\n    effect: none\n    catch: [{on: [GONE], do: [{id: h, call: t.h, with: {x: \"${{ " + bad + " }}\"}, effect: none}]}]\n",
		Mocks:   Mocks{"t.f": {Reject("GONE")}},
		Outcome: engine.OutcomeCompensated, Cause: "h EXPRESSION", Trace: "a f! h! ~a", Calls: map[string]int{"t.h": 0},
	},
	Case{
		Name: "S25 the deadline of a child fails", Head: quick, Input: expressionInput, Steps: stepA + stepOfChild,
		Sagas:   map[string]string{"child": "deadline: ${{ " + bad + " }}\nsteps:\n" + stepB},
		Outcome: engine.OutcomeCompensated, Cause: "f EXPRESSION", Trace: "a f! ~a", Calls: map[string]int{"t.b": 0},
	},
	Case{
		Name: "S25 the search value of a child fails", Head: quick, Input: expressionInput, Steps: stepA + stepOfChild,
		Sagas:   map[string]string{"child": "search: {country_code: \"${{ " + bad + " }}\"}\nsteps:\n" + stepB},
		Outcome: engine.OutcomeCompensated, Cause: "f EXPRESSION", Trace: "a f! ~a", Calls: map[string]int{"t.b": 0},
	},
	Case{
		Name: "S25 the output of a child that cannot be computed takes nothing back", Head: quick, Input: expressionInput, Steps: stepA + stepOfChild + "output: [\"${{ steps.f.output }}\"]\n",
		Sagas: map[string]string{"child": "steps:\n" + stepB + "output: ${{ " + bad + " }}\n"},
		Trace: "a f/b f", Output: `[null]`, Calls: map[string]int{"t.undoB": 0},
	},
)

const stepOfChild = "  - {id: f, saga: child, with: {id: z, list: []}}\n"

// failingExpressions end their step before anything was sent, and what was done
// before it is compensated.
func failingExpressions() (cases []Case) {
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
		calls := map[string]int{"t.g": 0, "t.f": 0}
		if c.place == "with of compensate after the action" {
			calls["t.f"], calls["t.undoF"] = 1, 1
		}
		cases = append(cases, fails("an expression fails in "+c.place, c.steps, c.trace, calls))
	}
	return cases
}

// oddValues are computed without an error and do not fit where they stand.
func oddValues() (cases []Case) {
	for _, c := range []struct{ place, steps, trace string }{
		{"if", "  - {id: f, if: " + odd + ", call: t.f, compensate: {call: t.undoF}}\n", "a f! ~a"},
		{"when", "  - id: f\n    switch: [{when: " + odd + ", do: [{id: g, call: t.g, effect: none}]}]\n", "a ~a"},
		{"foreach in", "  - id: f\n    foreach: {in: " + odd + ", as: it, do: [{id: g, call: t.g, effect: none}]}\n", "a ~a"},
		{"foreach key", "  - id: f\n    foreach: {in: input.items, as: it, key: " + odd + ", do: [{id: g, call: t.g, effect: none}]}\n", "a ~a"},
		{"await timeout", "  - {id: f, await: {signal: go, timeout: \"${{ " + odd + " }}\"}}\n", "a f! ~a"},
		{"sleep", "  - {id: f, sleep: \"${{ " + odd + " }}\"}\n", "a f! ~a"},
		{"sleep until", "  - {id: f, sleep: {until: " + odd + "}}\n", "a f! ~a"},
		{"fail message", "  - {id: f, fail: {code: STOP, message: \"about ${{ " + odd + " }}\"}}\n", "a f! ~a"},
		{"the key of a child", "  - {id: f, saga: pair, with: {id: \"${{ " + odd + " }}\"}}\n", "a f! ~a"},
	} {
		cases = append(cases, fails("a value that does not fit in "+c.place, c.steps, c.trace, map[string]int{"t.g": 0, "t.f": 0}))
	}
	return cases
}

func fails(what, steps, trace string, calls map[string]int) Case {
	return Case{
		Name: "S25 " + what, Head: quick, Sagas: pair, Input: expressionInput, Steps: stepA + steps,
		Outcome: engine.OutcomeCompensated, Cause: "f EXPRESSION", Trace: trace, Calls: calls,
	}
}

// committedExpressions fail after the point of no return: the saga parks, and a
// retry does not help, because the data is what it was.
func committedExpressions() (cases []Case) {
	forward := map[string]string{"forward": "steps:\n" + stepR}
	for _, c := range []struct{ place, steps, trace string }{
		{"with", "  - {id: f, call: t.f, with: {x: \"${{ " + bad + " }}\"}, effect: retriable}\n", "a p f!"},
		{"foreach in", "  - id: f\n    foreach: {in: \"" + bad + "\", as: it, do: [{id: g, call: t.g, effect: retriable}]}\n", "a p"},
		{"with of saga", "  - {id: f, saga: forward, with: {id: \"${{ " + bad + " }}\"}}\n", "a p f!"},
	} {
		cases = append(cases, Case{
			Name: "S25 after the pivot an expression fails in " + c.place, Head: quick, Sagas: forward, Input: expressionInput, Steps: stepA + stepP + c.steps,
			Outside: Outside{
				Operate(300*ms, engine.Operator{Command: engine.CommandRetry, Path: "f"}),
				Operate(600*ms, engine.Operator{Command: engine.CommandSkip, Path: "f"}),
			},
			Outcome: engine.OutcomeResolved, Trace: c.trace, Calls: map[string]int{"t.f": 0, "t.g": 0, "t.r": 0, "t.undoA": 0}, Replies: []string{"", ""},
		})
	}
	return cases
}
