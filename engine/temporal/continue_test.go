package temporal

import (
	"encoding/base64"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
)

// What was held back for a run that is to continue as new is sent when it cannot
// continue after all: here because a request starts a child meanwhile (S26).
func TestHeldBackIsReleased(t *testing.T) {
	c := enginetest.Case{
		Steps: `  - {id: p, call: t.p, effect: pivot}
  - id: par
    parallel:
      branches:
        x: [{id: x1, call: t.x1, effect: none}]
        y: [{id: y1, call: t.y1, effect: none}, {id: y2, call: t.y2, effect: none}]
        z: [{id: z1, saga: slow, with: {id: k}}]
`,
		Sagas: map[string]string{"slow": "steps:\n  - {id: e, call: t.e, effect: none}\n  - {id: w, sleep: 200h}\n"},
		Mocks: enginetest.Mocks{
			"t.e":  {enginetest.Reject("NO"), enginetest.OK(`{}`)},
			"t.x1": {enginetest.After(2*time.Second, enginetest.OK(`{}`))}, "t.y1": {enginetest.After(300*time.Millisecond, enginetest.OK(`{}`))},
		},
		Input: `{"id": "k"}`,
	}
	s := c.Prepare(t, "")
	env := environment()
	begin, sent := time.Now(), time.Duration(0)
	Register(env, WorkerOptions{Tenant: "demo", Region: "eu-west-1", Invoker: s.World, Observe: func(_ string, r engine.Record) {
		if r.Path == "z1" && r.Transition == engine.TransitionParked {
			env.SetContinueAsNewSuggested(true)
		}
		if r.Path == "y2" && r.Transition == engine.TransitionSucceeded {
			sent = r.At.Sub(begin)
		}
	}})
	var reply engine.Reply
	env.RegisterDelayedCallback(func() {
		wire, err := encodeOperator(&engine.Operator{ID: "o", Command: engine.CommandRetry, Path: "z1", Actor: "ops"})
		if err != nil {
			t.Error(err)
		}
		env.UpdateWorkflow(UpdateOperate, "1", &replyCallbacks{t: t, reply: &reply}, wire)
	}, time.Second)
	run(t, env, s)
	if !reply.Accepted {
		t.Errorf("retry: %+v", reply)
	}
	if sent == 0 || sent > time.Hour {
		t.Errorf("y2 was done after %v", sent)
	}
}

// suggesting gives a test environment that soon suggests to continue as new.
func suggesting() *testsuite.TestWorkflowEnvironment {
	env := environment()
	env.RegisterDelayedCallback(func() { env.SetContinueAsNewSuggested(true) }, 200*time.Millisecond)
	return env
}

func environment() *testsuite.TestWorkflowEnvironment {
	env := (&testsuite.WorkflowTestSuite{}).NewTestWorkflowEnvironment()
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "demo/t/k", TaskQueue: TaskQueue("demo", "eu-west-1")})
	env.SetTestTimeout(time.Minute)
	env.SetWorkflowRunTimeout(parkedAfter)
	return env
}

func run(t *testing.T, env *testsuite.TestWorkflowEnvironment, s *enginetest.Saga) {
	t.Helper()
	args, err := encodeStart(s.Plan, s.Start)
	if err != nil {
		t.Fatal(err)
	}
	env.ExecuteWorkflow(s.Plan.Saga, compressor.EncodeAll(s.Plan.Canonical, nil), args)
}

// A cut of what is held back is heard of before the saga continues as new: the
// next run would send it otherwise (S7, S26).
func TestCutOfWhatIsHeldBack(t *testing.T) {
	c := enginetest.Case{
		Steps: `  - id: par
    parallel:
      onFailure: cancel
      branches:
        x: [{id: x1, call: t.x1, effect: none}, {id: x2, call: t.x2, compensate: {call: t.undo}}]
        y: [{id: y1, call: t.y1, effect: none}]
`,
		Mocks: enginetest.Mocks{
			"t.x1": {enginetest.After(time.Second, enginetest.OK(`{}`))}, "t.y1": {enginetest.After(2*time.Second, enginetest.Reject("NO"))},
		},
	}
	s := c.Prepare(t, "")
	env := suggesting()
	Register(env, WorkerOptions{Tenant: "demo", Region: "eu-west-1", Invoker: s.World})
	run(t, env, s)
	value, err := env.QueryWorkflow(QueryView)
	if err != nil {
		t.Fatal(err)
	}
	var r engine.Result
	if err := value.Get(&r); err != nil {
		t.Fatal(err)
	}
	for _, step := range r.Steps {
		if step.Path == "x2" && step.State == engine.StateRunning {
			t.Errorf("x2 was cut before it was sent, and is %s: trace %v", step.State, r.Trace)
		}
	}
}

// A child whose start is held back, and which is to be cancelled before it was
// started, is cancelled when the saga cannot continue as new after all: here
// because its state is too large. It would wait for ever otherwise (S9, S26).
func TestCancelOfAChildThatIsHeldBack(t *testing.T) {
	c := enginetest.Case{
		Steps: `  - {id: one, call: t.one, effect: none}
  - {id: two, call: t.two, effect: none}
  - id: par
    parallel:
      branches:
        x: [{id: x1, call: t.x1, effect: none}, {id: c, saga: kid, with: {id: z}}]
        y: [{id: y1, call: t.y1, effect: none}]
`,
		Sagas: map[string]string{"kid": "steps:\n  - {id: k, call: t.k, compensate: {call: t.undoK}}\n  - {id: w, await: {signal: never}}\n"},
		Mocks: enginetest.Mocks{
			"t.one": {enginetest.OK(dense(1))}, "t.two": {enginetest.OK(dense(2))},
			"t.x1": {enginetest.After(400*time.Millisecond, enginetest.OK(`{}`))}, "t.y1": {enginetest.After(900*time.Millisecond, enginetest.Reject("NO"))},
		},
	}
	s := c.Prepare(t, "")
	env := suggesting()
	Register(env, WorkerOptions{Tenant: "demo", Region: "eu-west-1", Invoker: s.World})
	run(t, env, s)
	r, err := resultOf(s.Start.ID, env.GetWorkflowError())
	if err != nil {
		t.Fatal(err)
	}
	left := slices.ContainsFunc(s.World.Effects(), func(key string) bool { return strings.Contains(key, ":c/k:") })
	if r.Outcome != engine.OutcomeCompensated || r.Cause.Code != "NO" || left {
		t.Errorf("%s, trace %v, the child's effect is left: %t", r.Outcome, r.Trace, left)
	}
}

// dense gives most of the data that an output may have, as a JSON string that
// hardly gets smaller when it is compressed.
func dense(seed uint64) string {
	source := rand.New(rand.NewPCG(seed, 0))
	data := make([]byte, MaxPayload*5/8)
	for i := range data {
		data[i] = byte(source.Uint32())
	}
	return `"` + base64.StdEncoding.EncodeToString(data) + `"`
}
