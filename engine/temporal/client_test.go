package temporal

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/sagad/sagad/engine"
)

// asked is a server with one open saga, whose answers to the question how it
// stands are given one by one; the last one repeats.
type asked struct {
	client.Client
	answers []func(ctx context.Context) (engine.Result, error)
	n       int
}

func (a *asked) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
	}}, nil
}

func (a *asked) QueryWorkflow(ctx context.Context, _, _, _ string, _ ...any) (converter.EncodedValue, error) {
	answer := a.answers[min(a.n, len(a.answers)-1)]
	a.n++
	result, err := answer(ctx)
	if err != nil {
		return nil, err
	}
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(result)
	return client.NewValue(payloads), err
}

// The ways in which a question may be answered.
var (
	stands = func(context.Context) (engine.Result, error) {
		return engine.Result{ID: "demo/t/k", Status: engine.StatusOpen, Outcome: engine.OutcomeParked}, nil
	}
	lost = func(ctx context.Context) (engine.Result, error) {
		<-ctx.Done() // it went to a worker that has gone
		return engine.Result{}, serviceerror.NewDeadlineExceeded("context deadline exceeded")
	}
	refusal = func(message string) func(context.Context) (engine.Result, error) {
		return func(context.Context) (engine.Result, error) {
			return engine.Result{}, serviceerror.NewQueryFailed(message)
		}
	}
	moved = refusal("[TMPRL1100] nondeterministic workflow: history has moved on")
)

// A question that gets lost, or that a saga has no time for because it moves on,
// is asked again. One that cannot be answered is not, and there is an end to it.
func TestAskedAgain(t *testing.T) {
	type answers = []func(context.Context) (engine.Result, error)
	for _, c := range []struct {
		name    string
		answers answers
		asked   int
		late    bool // nobody answered in time
		fails   bool
	}{
		{name: "answered", answers: answers{stands}, asked: 1},
		{name: "lost once", answers: answers{lost, stands}, asked: 2},
		{name: "moved on twice", answers: answers{moved, moved, stands}, asked: 3},
		{name: "lost and moved on", answers: answers{lost, moved, lost, moved, stands}, asked: askAgain},
		{name: "nobody is there", answers: answers{lost}, asked: askAgain, late: true, fails: true},
		{name: "refused", answers: answers{refusal("unknown query"), stands}, asked: 1, fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &asked{answers: c.answers}
				r, err := NewClient(server).Result(t.Context(), "demo/t/k")
				if server.n != c.asked {
					t.Errorf("asked %d times, want %d", server.n, c.asked)
				}
				if (err != nil) != c.fails || errors.Is(err, context.DeadlineExceeded) != c.late {
					t.Errorf("error %v", err)
				}
				if err == nil && r.Outcome != engine.OutcomeParked {
					t.Errorf("result %+v", r)
				}
			})
		})
	}
}

// Who has no time to wait any more is not made to.
func TestNotAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), askTime/2)
		defer cancel()
		server := &asked{answers: []func(context.Context) (engine.Result, error){lost, stands}}
		if _, err := NewClient(server).Result(ctx, "demo/t/k"); !errors.Is(err, context.DeadlineExceeded) || server.n != 1 {
			t.Errorf("asked %d times: %v", server.n, err)
		}
	})
}
