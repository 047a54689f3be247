package temporal

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
)

// history is a frozen history that a test tampers with.
type history struct {
	t *testing.T
	*historypb.History
}

func frozen(t *testing.T, name string) *history {
	return &history{t, readFrozen(t, filepath.Join(corpus, name+".json.gz"))}
}

// nth gives the n-th event of a type, from 0.
func (h *history) nth(kind enumspb.EventType, n int) *historypb.HistoryEvent {
	h.t.Helper()
	for _, e := range h.Events {
		if e.GetEventType() != kind {
			continue
		}
		if n == 0 {
			return e
		}
		n--
	}
	h.t.Fatalf("there is no %s", kind)
	return nil
}

// edit replaces a text in the data of payloads.
func (h *history) edit(p *commonpb.Payloads, from, to string) {
	h.t.Helper()
	data := p.GetPayloads()[len(p.GetPayloads())-1]
	edited := bytes.Replace(data.GetData(), []byte(from), []byte(to), 1)
	if bytes.Equal(edited, data.GetData()) {
		h.t.Fatalf("there is no %q in %s", from, data.GetData())
	}
	data.Data = edited
}

// Short names of event types.
const (
	scheduled = enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
	completed = enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
	upserted  = enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
	answered  = enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED
	started   = enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
)

// TestReplayFindsTampering proves that a difference is found wherever it is,
// and named.
func TestReplayFindsTampering(t *testing.T) {
	for _, c := range []struct {
		name, history string
		tamper        func(h *history)
		want          string
	}{
		{"another activity", "sequence-completed", func(h *history) {
			h.nth(scheduled, 1).GetActivityTaskScheduledEventAttributes().GetActivityType().Name = "t.other"
		}, "event 11: the saga calls t.other as attempt 1 of demo:demo/t/k-38:b:action:20261125T225759Z:0, this version calls t.b as attempt 1"},
		{"another key", "sequence-completed", func(h *history) {
			h.edit(h.nth(scheduled, 2).GetActivityTaskScheduledEventAttributes().GetInput(), ":p:action", ":q:action")
		}, "this version calls t.p as attempt 1 of demo:demo/t/k-38:p:action:"},
		{"another input", "sequence-completed", func(h *history) {
			h.edit(h.nth(scheduled, 0).GetActivityTaskScheduledEventAttributes().GetInput(), `"n":1`, `"n":2`)
		}, "event 5: the saga calls t.a as attempt 1 of demo:demo/t/k-38:a:action:20261125T225759Z:0, this version with another input"},
		{"another time limit", "sequence-completed", func(h *history) {
			h.nth(scheduled, 0).GetActivityTaskScheduledEventAttributes().StartToCloseTimeout = durationpb.New(time.Hour)
		}, "with a time limit of 1h0m0s, this version with one of 10.4s"},
		{"another answer", "sequence-completed", func(h *history) {
			h.edit(h.nth(completed, 0).GetActivityTaskCompletedEventAttributes().GetResult(), "7", "8")
		}, "this version gives the saga another output"},
		{"answers swapped", "parallel-completion-order", func(h *history) {
			a, b := h.nth(completed, 0).GetActivityTaskCompletedEventAttributes(), h.nth(completed, 1).GetActivityTaskCompletedEventAttributes()
			a.ScheduledEventId, b.ScheduledEventId = b.ScheduledEventId, a.ScheduledEventId
		}, "the saga calls t.undoZ as"},
		{"commands swapped", "sequence-rejected", func(h *history) {
			a, b := h.nth(scheduled, 3).GetActivityTaskScheduledEventAttributes(), h.nth(scheduled, 4).GetActivityTaskScheduledEventAttributes()
			a.ActivityType, b.ActivityType, a.Input, b.Input = b.ActivityType, a.ActivityType, b.Input, a.Input
		}, "the saga calls t.undoA"},
		{"another pause", "attempt-retried", func(h *history) {
			h.nth(enumspb.EVENT_TYPE_TIMER_STARTED, 0).GetTimerStartedEventAttributes().StartToFireTimeout = durationpb.New(time.Hour)
		}, "the saga starts a timer of 1h0m0s, this version starts a timer of 30ms"},
		{"another state", "park-compensation", func(h *history) {
			h.nth(upserted, 0).GetUpsertWorkflowSearchAttributesEventAttributes().GetSearchAttributes().GetIndexedFields()[AttributeState].Data = []byte(`"parked"`)
		}, "the saga goes over to parked, this version goes over to compensating"},
		{"another reply", "cancel-retriable", func(h *history) {
			h.edit(h.nth(answered, 0).GetWorkflowExecutionUpdateCompletedEventAttributes().GetOutcome().GetSuccess(), "COMMITTED", "CLOSED")
		}, "the saga answered a request with CLOSED, this version with COMMITTED"},
		{"another instant", "sequence-completed", func(h *history) {
			h.nth(started, 0).EventTime = timestamppb.New(h.nth(started, 0).GetEventTime().AsTime().Add(-time.Hour))
		}, "this version calls t.a as attempt 1 of demo:demo/t/k-38:a:action:20261125T215759Z:0"},
		{"another trace", "sequence-completed", func(h *history) {
			h.edit(h.Events[len(h.Events)-1].GetWorkflowExecutionCompletedEventAttributes().GetResult(), `a\nb`, `b\na`)
		}, "the saga's trace is b a p r, this version's a b p r"},
		{"another cause", "sequence-rejected", func(h *history) {
			h.edit(h.Events[len(h.Events)-1].GetWorkflowExecutionFailedEventAttributes().GetFailure().GetApplicationFailureInfo().GetDetails(), "LIMIT", "OTHER")
		}, "the saga's cause is error OTHER p, this version's error LIMIT p"},
		{"another ending", "sequence-rejected", func(h *history) {
			h.Events[len(h.Events)-1].GetWorkflowExecutionFailedEventAttributes().GetFailure().GetApplicationFailureInfo().Type = ErrorResolved
		}, "the saga ends with SagaResolved, this version ends with SagaCompensated"},
		{"another step", "sequence-rejected", func(h *history) {
			h.edit(h.Events[len(h.Events)-1].GetWorkflowExecutionFailedEventAttributes().GetFailure().GetApplicationFailureInfo().GetDetails(), `["b","compensated",1`, `["b","compensated",2`)
		}, "the saga's step is b compensated after 2 attempts"},
		{"a command less", "sequence-rejected", func(h *history) {
			e := h.nth(scheduled, 4)
			e.EventType, e.Attributes = enumspb.EVENT_TYPE_MARKER_RECORDED, &historypb.HistoryEvent_MarkerRecordedEventAttributes{}
		}, ""},
		{"an end too early", "sequence-completed", func(h *history) {
			h.Events = append(h.Events[:8], h.Events[len(h.Events)-1])
			h.Events[8].EventId = 9
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := frozen(t, c.history)
			if _, err := Replay(h.History); err != nil {
				t.Fatalf("untouched: %v", err)
			}
			c.tamper(h)
			_, err := Replay(h.History)
			var diverged *DivergedError
			if !errors.As(err, &diverged) {
				t.Fatalf("not found: %v", err)
			}
			t.Log(err)
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("want %q", c.want)
			}
		})
	}
}

// TestReplayRefuses is about histories that say nothing of this version.
func TestReplayRefuses(t *testing.T) {
	newer := frozen(t, "sequence-completed")
	newer.edit(newer.nth(started, 0).GetWorkflowExecutionStartedEventAttributes().GetInput(), `"semantics":1`, `"semantics":99`)
	foreign := frozen(t, "sequence-completed")
	foreign.nth(started, 0).GetWorkflowExecutionStartedEventAttributes().Input = nil
	headless := frozen(t, "sequence-completed")
	headless.Events = headless.Events[3:]
	gap := frozen(t, "sequence-completed")
	gap.Events = append(gap.Events[:6], gap.Events[7:]...)
	hollow := frozen(t, "sequence-completed")
	hollow.Events[3].Attributes = nil
	for _, c := range []struct {
		history *history
		want    error
		text    string
	}{
		{newer, ErrNewerSemantics, "demo/t/k-38 follows semantics 99, this version of sagad knows 1; replay it with a newer one"},
		{foreign, ErrNotSaga, "sagad did not start this workflow, a t on the task queue sagad:demo:eu-west-1"},
		{headless, ErrNoHistory, "it does not begin with the start of a workflow"},
		{gap, ErrNoHistory, "event 8 stands where event 7 belongs"},
		{hollow, ErrNoHistory, "event 4 says nothing but its type, WorkflowTaskCompleted"},
		{&history{t, &historypb.History{}}, ErrNoHistory, "it does not begin with the start of a workflow"},
	} {
		_, err := Replay(c.history.History)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("got %v, want %v: %s", err, c.want, c.text)
		}
	}
}

// A history that was cut off anywhere is one of a saga that is under way.
func TestReplayOpen(t *testing.T) {
	for _, name := range []string{"sequence-rejected", "nested-blocks", "operator-skip", "parallel-drain"} {
		h := frozen(t, name)
		all := h.Events
		for n := len(all) - 1; n > 0; n-- {
			if isCommand(all[n-1]) { // the events of one task come together
				continue
			}
			h.Events = all[:n]
			r, err := Replay(h.History)
			if err != nil {
				t.Errorf("%s until event %d, %s: %v", name, n, all[n-1].GetEventType(), err)
			} else if r.Events != n || r.ID == "" || r.Outcome == engine.OutcomeOrphaned {
				t.Errorf("%s until event %d: %+v", name, n, r)
			}
		}
	}
}

func isCommand(e *historypb.HistoryEvent) bool {
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, scheduled, upserted, answered,
		enumspb.EVENT_TYPE_TIMER_STARTED, enumspb.EVENT_TYPE_TIMER_CANCELED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
		enumspb.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
		return true
	}
	return false
}

// A worker leaves sagas of a newer version alone: the task fails, not the saga.
func TestNewerSemantics(t *testing.T) {
	plan := enginetest.Compile(t, "", "  - {id: s, set: {x: 1}}\n")
	args, err := encodeStart(plan, &engine.Start{ID: "demo/t/k", Key: "k", Tenant: "demo", Region: "eu-west-1", Input: map[string]any{"id": "k"}})
	if err != nil {
		t.Fatal(err)
	}
	if args.Semantics != engine.SemanticsVersion {
		t.Errorf("a saga starts with semantics %d", args.Semantics)
	}
	args.Semantics++
	env := (&testsuite.WorkflowTestSuite{}).NewTestWorkflowEnvironment()
	Register(env, WorkerOptions{Tenant: "demo", Region: "eu-west-1"})
	env.ExecuteWorkflow(plan.Saga, packed(plan), args)
	var panicked *sdk.PanicError
	if err := env.GetWorkflowError(); !errors.As(err, &panicked) || !strings.Contains(err.Error(), "update the worker") {
		t.Errorf("got %v", err)
	}
}
