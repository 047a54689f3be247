package temporal

import (
	"context"
	"errors"
	"testing"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"

	"github.com/sagad/sagad/engine"
)

type deaf struct{ client.Client }

func (deaf) ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	return nil, errors.New("visibility is down")
}

// While nobody can say what was called before a reset, nothing is called; the
// step may have had its effect all the same, and keeps its compensation (S2).
func TestPastCannotBeRead(t *testing.T) {
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	r := resets{client: NewClient(deaf{})}
	var out *engine.Outcome
	env.RegisterActivityWithOptions(func(ctx context.Context) error {
		_, out = r.check(ctx, &callArgs{ResetRun: "run"}, engine.OpAction)
		return nil
	}, activity.RegisterOptions{Name: "look"})
	if _, err := env.ExecuteActivity("look"); err != nil {
		t.Fatal(err)
	}
	if out == nil || out.Class != engine.Ambiguous {
		t.Errorf("the attempt ends with %+v", out)
	}
}
