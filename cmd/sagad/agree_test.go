package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// shippedDefinitions are those that are played with all their inputs. What is
// replaced in them makes items run one after the other: at the same time it
// would be chance what has run when one of them fails.
var shippedDefinitions = []struct {
	file    string
	replace []string
}{
	{file: "cross-border-payment/payment.yaml"},
	{file: "account-opening/account.yaml"},
	{file: "card-dispute/dispute.yaml"},
	{file: "order-fulfilment/order.yaml"},
	{file: "refund/refund.yaml"},
	{file: "sepa-collection/file.yaml", replace: []string{"concurrency: 4", "concurrency: 1", "concurrency: 8", "concurrency: 1"}},
	{file: "settlement-batch/batch.yaml", replace: []string{"concurrency: 4", "concurrency: 1"}},
	{file: "payroll-run/payroll.yaml", replace: []string{"concurrency: 8", "concurrency: 1", "compensation: parallel", "compensation: reverse"}},
	{file: "subscription-renewal/renewal.yaml"},
	{file: "trip-booking/trip.yaml", replace: []string{"compensation: parallel", "compensation: reverse"}},
}

// TestRuntimesAgree runs every shipped input on embedded Temporal and within one
// process, with plugin processes: outcome, cause, output and trace agree, the
// trace in its order within each branch, and the books balance afterwards.
func TestRuntimesAgree(t *testing.T) {
	durable, local := newScene(t, false), newScene(t, true)
	root := filepath.Join(repository(t), "definitions", "examples")
	seen := 0
	t.Run("inputs", func(t *testing.T) {
		for _, definition := range shippedDefinitions {
			file := filepath.Join(root, filepath.FromSlash(definition.file))
			plan := durable.compile(t, file, definition.replace...)
			inputs, err := filepath.Glob(filepath.Join(filepath.Dir(file), "testdata", "*.json"))
			if err != nil {
				t.Fatal(err)
			}
			for _, input := range inputs {
				seen++
				t.Run(strings.TrimSuffix(filepath.Base(input), ".json"), func(t *testing.T) {
					t.Parallel()
					agree(t, plan, input, durable, local)
				})
			}
		}
	})
	if seen != len(endings) {
		t.Errorf("%d inputs, %d endings", seen, len(endings))
	}
	for _, s := range []*scene{durable, local} {
		verify(t, s.data)
		if got, want := submissions(t, s.data), 22; got != want {
			t.Errorf("the network has %d payments, want %d: each that completed, once", got, want)
		}
	}
}

func agree(t *testing.T, plan *dsl.Plan, input string, durable, local *scene) {
	results := make(chan engine.Result, 1)
	go func() { results <- local.play(t, plan, input) }()
	on := durable.play(t, plan, input)
	in := <-results
	if t.Failed() {
		return
	}
	ending := on.Outcome
	if on.Cause != nil {
		ending += " by " + on.Cause.Path + " " + on.Cause.Code
	}
	name := strings.TrimSuffix(filepath.Base(input), ".json")
	if want := endings[name]; ending != want {
		t.Errorf("ended %s, want %s", ending, want)
	}
	if slices.Contains(chancy, name) {
		on.Trace, in.Trace = nil, nil
	}
	if diff := cmp.Diff(comparable(t, on), comparable(t, in)); diff != "" {
		t.Errorf("Temporal (-) and local (+) differ:\n%s", diff)
	}
	branches := branchesOf(plan)
	if diff := cmp.Diff(branches.order(on.Trace), branches.order(in.Trace)); diff != "" {
		t.Errorf("order on Temporal (-) and local (+) differs:\n%s", diff)
	}
	for _, r := range []engine.Result{on, in} {
		if r.Interventions == 0 { // beside what is parked other branches go on (S17)
			checkReverse(t, r.Trace)
		}
	}
}

// play runs a saga to its end. What parks is tried again once.
func (s *scene) play(t *testing.T, plan *dsl.Plan, input string) engine.Result {
	start, search := prepare(t, plan, input)
	a := &attendance{printer: progress.New(t.Output(), progress.Options{}), saga: s.begin(t, plan, start, search)}
	if text, err := os.ReadFile(strings.TrimSuffix(input, ".json") + ".signals.yaml"); err == nil {
		var ds dsl.Diagnostics
		if a.messages, ds = dsl.ParseMessages(dsl.Source{Name: input, Data: text}); ds.HasErrors() {
			t.Error(ds)
		}
	}
	r, err := a.attend(t.Context())
	for _, p := range r.Parked {
		o := engine.Operator{ID: "op-1", Command: engine.CommandRetry, Path: p.Path, Actor: "test"}
		var reply engine.Reply
		if l, ok := a.saga.(*localSaga); ok {
			reply = l.Operate(o)
		} else if reply, err = s.stack.Client().Operate(t.Context(), start.ID, &o); err != nil {
			break
		}
		if !reply.Accepted {
			t.Errorf("retry %s: %s", p.Path, reply.Message)
		}
		a.stay, a.messages = true, nil
		r, err = a.attend(t.Context())
	}
	if err != nil {
		t.Error(err)
	}
	return r
}

// identifier is what plugins derive from idempotency keys, which hold the
// second of the start.
var identifier = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{20}`)

// comparable gives what has to be the same on both runtimes.
func comparable(t *testing.T, r engine.Result) map[string]any {
	output, err := json.Marshal(r.Output)
	if err != nil {
		t.Error(err)
	}
	trace := slices.Sorted(slices.Values(r.Trace))
	return map[string]any{
		"status": r.Status, "outcome": r.Outcome, "direction": r.Direction, "interventions": r.Interventions,
		"cause": r.Cause, "trace": trace, "output": identifier.ReplaceAllString(string(output), "ID"),
	}
}

// branches tells for each step in which branches of which parallel blocks it
// stands.
type branches map[string][]string

func branchesOf(plan *dsl.Plan) branches {
	b := branches{}
	var walk func(steps []*dsl.Step, in []string)
	walk = func(steps []*dsl.Step, in []string) {
		for _, step := range steps {
			b[step.ID] = in
			if step.Parallel != nil {
				for _, branch := range step.Parallel.Branches {
					walk(branch.Do, append(slices.Clip(in), step.ID+"."+branch.Name))
				}
				continue
			}
			for _, inner := range step.Blocks() {
				walk(inner, in)
			}
		}
	}
	walk(plan.Steps, nil)
	return b
}

// order lists the trace as each innermost branch sees it: its own steps and
// those outside of all branches.
func (b branches) order(trace []string) map[string][]string {
	seen := map[string][]string{}
	for _, in := range b {
		seen[strings.Join(in, "/")] = nil
	}
	for branch := range seen {
		for _, item := range trace {
			in := strings.Join(b[strings.Trim(item, "~!?")], "/")
			if in == "" || in == branch {
				seen[branch] = append(seen[branch], item)
			}
		}
	}
	return seen
}

// checkReverse wants compensations in the exact reverse of completion (S6).
func checkReverse(t *testing.T, trace []string) {
	var done, compensated []string
	for _, item := range trace {
		if step, ok := strings.CutPrefix(item, "~"); ok {
			compensated = append(compensated, step)
		} else if !strings.HasSuffix(item, "!") {
			done = append(done, strings.TrimSuffix(item, "?"))
		}
	}
	slices.Reverse(done)
	var want []string
	for _, step := range done {
		if slices.Contains(compensated, step) {
			want = append(want, step)
		}
	}
	if diff := cmp.Diff(want, compensated); diff != "" {
		t.Errorf("compensations are not in reverse completion order (-want +got):\n%s", diff)
	}
}
