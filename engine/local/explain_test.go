package local_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
)

// A simulation tells of every expression with the items around it, and sends what
// an await is said to get.
func TestSimulationExplains(t *testing.T) {
	plan, ds := dsl.Compile(dsl.Source{Name: "t.yaml", Data: []byte(`saga: t
key: ${{ input.id }}
steps:
  - {id: go, await: {signal: go, where: event.id == input.id}}
  - id: each
    foreach:
      in: input.items
      as: n
      do: [{id: x, if: n > 1, call: t.x, effect: none, with: {n: "${{ n + 1 }}", text: "a ${{ n }} b ${{ input.id }}"}}]
output: {n: "${{ len(steps.each.output) }}"}
`)}, dsl.Options{})
	if plan == nil {
		t.Fatal(ds)
	}
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo", Region: "r"}, map[string]any{"id": "k", "items": []any{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	keys := map[*dsl.Expr]string{}
	for _, p := range plan.Places() {
		id := ""
		if p.Step != nil {
			id = p.Step.ID
		}
		keys[p.Expr] = id + ":" + p.Key
	}
	var got []string
	result := local.Simulate(plan, start, time.Unix(0, 0), local.Script{
		Answer: func(*engine.Invocation) (engine.Outcome, time.Duration) {
			return engine.Outcome{Class: engine.Applied, Output: map[string]any{}}, 0
		},
		Message: func(_, _ string, a *dsl.Await, env dsl.Env) (any, bool) { return a.Example(env) },
		Explain: func(_ string, e engine.Evaluation) {
			if e.Entered != "" {
				got = append(got, e.Entered)
				return
			}
			got = append(got, fmt.Sprintf("%s%s %s = %v", keys[e.Expr], e.Keys, e.Expr.Source(), e.Value))
		},
	})
	if result.Outcome != engine.OutcomeCompleted {
		t.Fatalf("%+v", result)
	}
	want := []string{
		"go",
		"go:where event.id == input.id = true",
		"each",
		"each:in input.items = [1 2]",
		"x[0]",
		"x:if[0] n > 1 = false",
		"x[1]",
		"x:if[1] n > 1 = true",
		"x:with.n[1] n + 1 = 3",
		"x:with.text[1] n = 2",
		"x:with.text[1] input.id = k",
		":output.n len(steps.each.output) = 2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// An event from outside can be for a child, which has to run then.
func TestSimulationSendsToChildren(t *testing.T) {
	files := map[string]string{
		"inner": "saga: inner\nkey: ${{ input.id }}\nsteps:\n  - {id: go, await: {signal: go, timeout: 1h}}\noutput: ${{ steps.go.output }}\n",
		"t": `saga: t
key: k
steps:
  - {id: first, sleep: 1m}
  - id: each
    foreach: {in: "[1, 2]", as: n, concurrency: 2, do: [{id: c, saga: inner, with: {id: "${{ n }}"}, catch: [{on: [TIMEOUT], do: [{id: late, set: {x: 1}}]}]}]}
output: ${{ steps.each.output }}
`}
	plan, ds := dsl.Compile(dsl.Source{Name: "t.yaml", Data: []byte(files["t"])}, dsl.Options{Sagas: sagas(files)})
	if plan == nil {
		t.Fatal(ds)
	}
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo", Region: "r"}, map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	send := func(after time.Duration, to string, data any) local.Timed {
		return local.Timed{After: after, To: to, Event: engine.Event{Kind: engine.EventSignal, Signal: &engine.Signal{ID: fmt.Sprint(data), Name: "go", Data: data}}}
	}
	result := local.Simulate(plan, start, time.Unix(0, 0), local.Script{
		Answer: func(*engine.Invocation) (engine.Outcome, time.Duration) { return engine.Outcome{}, 0 },
		At:     []local.Timed{send(time.Second, "c[0]", "early"), send(2*time.Minute, "c[1]", "one")},
	})
	if diff := cmp.Diff([]any{nil, "one"}, result.Output); diff != "" {
		t.Error(diff)
	}
}

type sagas map[string]string

func (s sagas) Find(name, _ string) (dsl.Definition, error) {
	return dsl.Definition{Source: dsl.Source{Name: name + ".yaml", Data: []byte(s[name])}}, nil
}
