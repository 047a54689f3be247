package temporal

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
)

// The suite on the SDK's test environment, which skips the time in which
// nothing runs. The real server has its turn in the end-to-end tests.
func TestConformance(t *testing.T) {
	enginetest.RunAll(t, slices.Concat(enginetest.Cases, enginetest.EdgeCases, enginetest.LongCases), nil, func(c *enginetest.Case) bool { return c.Cuts || c.ToChild }, runInEnvironment)
}

// parkedAfter is when a saga that has not ended is taken to be parked for good.
const parkedAfter = 30 * 24 * time.Hour

func runInEnvironment(t *testing.T, s *enginetest.Saga) (got enginetest.Observed) {
	env := (&testsuite.WorkflowTestSuite{}).NewTestWorkflowEnvironment()
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: s.Start.ID, TaskQueue: TaskQueue("demo", "eu-west-1")})
	env.SetTestTimeout(time.Minute)
	env.SetWorkflowRunTimeout(parkedAfter)
	Register(env, WorkerOptions{Tenant: "demo", Region: "eu-west-1", Invoker: s.World, Observe: func(_ string, r engine.Record) { s.World.Recorded(r) }})
	got.Replies = make([]engine.Reply, len(s.Outside))
	for i, h := range s.Outside {
		env.RegisterDelayedCallback(func() {
			name, args := updateOf(t, h)
			env.UpdateWorkflow(name, strconv.Itoa(i), &replyCallbacks{t: t, reply: &got.Replies[i]}, args...)
		}, h.After)
	}
	args, err := encodeStart(s.Plan, s.Start)
	if err != nil {
		t.Fatal(err)
	}
	env.ExecuteWorkflow(s.Plan.Saga, compressor.EncodeAll(s.Plan.Canonical, nil), args)
	if !env.IsWorkflowCompleted() {
		t.Fatal("the workflow did not end")
	}
	if err = env.GetWorkflowError(); err == nil {
		var kept closing
		err = env.GetWorkflowResult(&kept)
		got.Result = kept.unpack(s.Start.ID)
	} else {
		got.Result, err = resultOf(s.Start.ID, err)
	}
	if err == nil {
		return got
	}
	view, queryErr := env.QueryWorkflow(QueryView)
	if queryErr != nil {
		t.Fatalf("%v; then %v", err, queryErr)
	}
	if err := view.Get(&got.Result); err != nil {
		t.Fatal(err)
	}
	if got.Result.Outcome != engine.OutcomeParked {
		t.Fatalf("the workflow ended with %v", err)
	}
	return got
}

// updateOf gives a request from outside as a client sends it.
func updateOf(t *testing.T, h enginetest.Happening) (name string, args []any) {
	t.Helper()
	switch {
	case h.Cancel:
		return UpdateCancel, nil
	case h.Operator != nil:
		wire, err := encodeOperator(h.Operator)
		if err != nil {
			t.Error(err)
		}
		return UpdateOperate, []any{wire}
	default:
		data, err := dsl.MarshalCanonical(h.Signal.Data)
		if err != nil {
			t.Error(err)
		}
		return UpdateSignal, []any{wireSignal{ID: h.Signal.ID, Name: h.Signal.Name, Data: data}}
	}
}

// replyCallbacks takes the answer to an update.
type replyCallbacks struct {
	t     *testing.T
	reply *engine.Reply
}

func (c *replyCallbacks) Accept() {}

func (c *replyCallbacks) Reject(err error) { *c.reply = refusalOf(err) }

func (c *replyCallbacks) Complete(result any, err error) {
	if err != nil {
		c.t.Error(err)
		return
	}
	*c.reply = result.(engine.Reply)
}
