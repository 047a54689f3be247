package enginetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/invariant"
)

// Case is one scenario with what the rules make of it.
type Case struct {
	Name  string // begins with the rule it is about, such as "S3 probe says applied"
	Head  string // lines before `steps`, such as a deadline
	Steps string // YAML of the steps, and of `output` if there is one
	Input string // JSON; default {"id": "k"}
	Mocks Mocks
	Sagas map[string]string // YAML of child sagas, without name and key, by name
	Outside

	// Cuts says that a running attempt is cut. Temporal's test environment does
	// not wait for the end of such an attempt, so these need a real server.
	Cuts bool
	// ToChild says that a command goes to an open child, which the test
	// environment has no client for either.
	ToChild bool

	Outcome string // default completed
	Cause   string // "step CODE"; "- CODE" without a step; empty: null
	Trace   string // separated by spaces
	// AnyOrder says that the order of the trace is not given.
	AnyOrder bool
	Calls    map[string]int
	Inputs   map[string]string // JSON of an activity's last input
	Output   string            // JSON; empty: not checked
	Replies  []string          // codes of the replies to Outside, in order; "" accepted. Nil: not checked
	States   map[string]engine.State
}

// Outside is what comes from outside, in this order, at times after the start.
type Outside []Happening

// Happening is one request to the saga.
type Happening struct {
	After    time.Duration
	Signal   *engine.Signal
	Cancel   bool
	Operator *engine.Operator
}

// Message is a signal with JSON data.
func Message(after time.Duration, name, id, data string) Happening {
	return Happening{After: after, Signal: &engine.Signal{ID: id, Name: name, Data: mustJSON(data), Size: len(data)}}
}

// Cancel asks to cancel.
func Cancel(after time.Duration) Happening { return Happening{After: after, Cancel: true} }

// Operate gives an operator's command.
func Operate(after time.Duration, o engine.Operator) Happening {
	o.ID = fmt.Sprintf("op-%s-%s-%d", o.Command, o.Path, after)
	o.Actor = "ops@example.com"
	if o.Reason == "" {
		o.Reason = "seen in the participant's records"
	}
	return Happening{After: after, Operator: &o}
}

// Event gives the event of a happening; request names it.
func (h Happening) Event(request string) engine.Event {
	switch {
	case h.Cancel:
		return engine.Event{Kind: engine.EventCancel, Request: request}
	case h.Operator != nil:
		return engine.Event{Kind: engine.EventOperator, Operator: h.Operator, Request: request}
	default:
		return engine.Event{Kind: engine.EventSignal, Signal: h.Signal, Request: request}
	}
}

// Saga is a case that is ready to run.
type Saga struct {
	Plan    *dsl.Plan
	Start   *engine.Start
	World   *World
	Outside Outside
	// Stands are the states of the steps, by path, when what comes from outside
	// comes, each as virtual time has it. A runtime that really waits may be late.
	Stands []map[string]engine.State
}

// Observed is what came of a run. Replies are those to Outside, in its order.
type Observed struct {
	Result  engine.Result
	Replies []engine.Reply
}

// Runner runs a saga on a runtime, until it has closed or is parked with
// nothing more to come from outside.
type Runner func(t *testing.T, s *Saga) Observed

// Prepare compiles the case's definition. unique makes its instance ID unique
// on a server that many cases share; empty is fine elsewhere.
func (c *Case) Prepare(t *testing.T, unique string) *Saga {
	t.Helper()
	plan, err := compileFamily(c.Head, c.Steps, c.Sagas)
	if err != nil {
		t.Fatal(err)
	}
	input := c.Input
	if input == "" {
		input = `{"id": "k"}`
	}
	start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo", Region: "eu-west-1", Settings: map[string]any{"limit": "300ms"}}, mustJSON(input))
	if err != nil {
		t.Fatal(err)
	}
	start.ID += unique
	s := &Saga{Plan: plan, Start: start, World: NewWorld(c.Mocks), Outside: c.Outside}
	for i, h := range c.Outside {
		s.Stands = append(s.Stands, standing(simulateUntil(&Saga{Plan: plan, Start: start, World: NewWorld(c.Mocks), Outside: c.Outside[:i]}, h.After)))
	}
	return s
}

// Compile compiles steps into a plan and fails the test on any error. head
// holds the lines before the steps.
func Compile(t testing.TB, head, steps string) *dsl.Plan {
	t.Helper()
	plan, err := compile(head, steps)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func compile(head, steps string) (*dsl.Plan, error) { return compileFamily(head, steps, nil) }

// compileFamily compiles steps that run sagas.
func compileFamily(head, steps string, sagas map[string]string) (*dsl.Plan, error) {
	library := dsl.Definitions{}
	for name, text := range sagas {
		library[name] = dsl.Source{Name: name + ".yaml", Data: []byte("saga: " + name + "\nkey: ${{ input.id }}\n" + text)}
	}
	if head != "" && !strings.HasSuffix(head, "\n") {
		head += "\n"
	}
	source := "saga: t\nversion: \"1\"\nkey: ${{ input.id }}\n" + head + "steps:\n" + steps
	plan, diagnostics := dsl.Compile(dsl.Source{Name: "case.yaml", Data: []byte(source)}, dsl.Options{Sagas: library})
	if plan == nil {
		return nil, fmt.Errorf("%w\n%s", diagnostics, source)
	}
	return plan, nil
}

// Check compares what came of a run with the case, and the run with the
// invariants.
func (c *Case) Check(t *testing.T, s *Saga, got Observed) {
	t.Helper()
	want := *c
	if want.Outcome == "" {
		want.Outcome = engine.OutcomeCompleted
	}
	if got.Result.Outcome != want.Outcome {
		t.Errorf("outcome %s, want %s", got.Result.Outcome, want.Outcome)
	}
	if cause := describeCause(got.Result.Cause); cause != want.Cause {
		t.Errorf("cause %q, want %q", cause, want.Cause)
	}
	expected, trace := strings.Fields(want.Trace), got.Result.Trace
	if want.AnyOrder {
		slices.Sort(expected)
		trace = slices.Sorted(slices.Values(trace))
	}
	if diff := cmp.Diff(expected, trace); diff != "" {
		t.Errorf("trace (-want +got):\n%s", diff)
	}
	for activity, n := range want.Calls {
		if s.World.calls[activity] != n {
			t.Errorf("%s was called %d times, want %d", activity, s.World.calls[activity], n)
		}
	}
	for activity, input := range want.Inputs {
		if diff := cmp.Diff(canonical(mustJSON(input)), canonical(s.World.last[activity])); diff != "" {
			t.Errorf("input of %s (-want +got):\n%s", activity, diff)
		}
	}
	if want.Output != "" {
		if diff := cmp.Diff(canonical(mustJSON(want.Output)), canonical(got.Result.Output)); diff != "" {
			t.Errorf("output (-want +got):\n%s", diff)
		}
	}
	for path, state := range want.States {
		i := slices.IndexFunc(got.Result.Steps, func(r engine.StepResult) bool { return r.Path == path })
		if i < 0 || got.Result.Steps[i].State != state {
			t.Errorf("step %s is not %s: %+v", path, state, got.Result.Steps)
		}
	}
	if want.Replies != nil {
		codes := []string{}
		for _, r := range got.Replies {
			if !r.Accepted && r.Code == "" {
				r.Code = "no answer"
			}
			codes = append(codes, r.Code)
		}
		if diff := cmp.Diff(want.Replies, codes); diff != "" {
			t.Errorf("replies (-want +got):\n%s", diff)
		}
	}
	for _, problem := range Violations(s, got.Result) {
		t.Error(problem)
	}
	if t.Failed() {
		t.Logf("trace %v\nsteps %+v\nparked %+v\nreplies %+v", got.Result.Trace, got.Result.Steps, got.Result.Parked, got.Replies)
	}
}

func describeCause(f *engine.Failure) string {
	switch {
	case f == nil:
		return ""
	case f.Step == nil:
		return "- " + f.Code
	default:
		return *f.Step + " " + f.Code
	}
}

// Violations checks a run against the invariants that hold whatever happens.
func Violations(s *Saga, r engine.Result) []string {
	run := invariant.Run{Plan: s.Plan, Start: s.Start, Moments: s.World.Moments(), Result: r}
	return run.Violations()
}
