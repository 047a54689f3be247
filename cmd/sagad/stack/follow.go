package stack

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/sagad/sagad/engine"
)

// childrenEvery is how often the open children of a followed saga are looked at.
const childrenEvery = time.Second

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
	for result.Status == engine.StatusOpen { // it may continue in another run
		var stopped bool
		if result, stopped, err = s.followRun(ctx, id, result, see); stopped || err != nil {
			return result, err
		}
	}
	return result, nil
}

// followRun looks at a saga after every step that it takes in its current run
// and, while children of it run, every childrenEvery: their steps are not in its
// history.
func (s *Stack) followRun(ctx context.Context, id string, result engine.Result, see func(engine.Result) (stop bool)) (_ engine.Result, stopped bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	steps := make(chan error)
	go func() {
		defer close(steps)
		s.steps(ctx, id, steps)
	}()
	tick := time.NewTicker(childrenEvery)
	defer tick.Stop()
	for more := true; more; {
		select {
		case err, more = <-steps:
			if err != nil {
				return result, false, fmt.Errorf("follow %s: %w", id, err)
			}
		case <-tick.C:
			if len(result.OpenChildren()) == 0 {
				continue
			}
		}
		if result, err = s.Client().Result(ctx, id); err != nil {
			return result, false, err
		}
		if see(result) || result.Status == engine.StatusClosed {
			return result, true, nil
		}
	}
	return result, false, nil
}

// steps sends nil for every task that the current run of a saga completes, or
// the error that kept it from seeing them. It returns at the end of the run.
func (s *Stack) steps(ctx context.Context, id string, steps chan<- error) {
	history := s.sdk.GetWorkflowHistory(ctx, id, "", true, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		if err == nil && event.GetEventType() != enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			continue // only then has the machine taken a step
		}
		select {
		case steps <- err:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}
