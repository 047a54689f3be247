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
			got = append(got, fmt.Sprintf("%s%s %s = %v", keys[e.Expr], e.Keys, e.Expr.Source(), e.Value))
		},
	})
	if result.Outcome != engine.OutcomeCompleted {
		t.Fatalf("%+v", result)
	}
	want := []string{
		"go:where event.id == input.id = true",
		"each:in input.items = [1 2]",
		"x:if[0] n > 1 = false",
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
