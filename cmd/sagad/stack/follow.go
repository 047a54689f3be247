package stack

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/sagad/sagad/engine"
)

// Follow shows a saga whose transitions happen elsewhere: it calls see with the
// state now and after every step of the saga, until the saga has closed or see
// says stop. It waits for the saga's history to grow instead of asking again
// and again. The result is the last one that was seen.
func (s *Stack) Follow(ctx context.Context, id string, see func(engine.Result) (stop bool)) (engine.Result, error) {
	c := s.Client()
	result, err := c.Result(ctx, id)
	if err != nil {
		return result, err
	}
	if see(result) || result.Status == engine.StatusClosed {
		return result, nil
	}
	history := s.sdk.GetWorkflowHistory(ctx, id, "", true, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		if err != nil {
			return result, fmt.Errorf("follow %s: %w", id, err)
		}
		if event.GetEventType() != enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			continue // only then has the machine taken a step
		}
		if result, err = c.Result(ctx, id); err != nil {
			return result, err
		}
		if see(result) || result.Status == engine.StatusClosed {
			return result, nil
		}
	}
	result, err = c.Result(ctx, id)
	if err == nil {
		see(result)
	}
	return result, err
}
