package temporal

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/sagad/sagad/engine"
)

// compare gives the first event in which the history and its replay differ, and
// how; what is empty if they do not. failed is what the SDK found.
func (t *transcript) compare(events []*historypb.HistoryEvent, failed error) (event int64, what string) {
	if event, what = t.compareDeeds(events); what != "" {
		return event, what
	}
	if event, what = t.compareReplies(events); what != "" {
		return event, what
	}
	if event, what = t.compareEndings(events); what != "" || failed == nil {
		return event, what
	}
	// Something that is not compared above, such as a request to cancel.
	return 0, "the SDK says: " + shorten(failed.Error())
}

// compareDeeds goes through the commands in order.
func (t *transcript) compareDeeds(events []*historypb.HistoryEvent) (event int64, what string) {
	rest := t.deeds
	for _, e := range events {
		want, ok := deedOf(e)
		if !ok {
			continue
		}
		for len(rest) > 0 && rest[0].withdrawn() && !same(&want, &rest[0]) {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return e.GetEventId(), "the saga " + want.what + ", and this version does nothing there"
		}
		if !same(&want, &rest[0]) {
			return e.GetEventId(), differ(&want, &rest[0])
		}
		rest = rest[1:]
	}
	if underway(events) {
		return 0, "" // what this version does next
	}
	for i := range rest {
		if !rest[i].withdrawn() {
			return 0, "this version " + rest[i].what + ", and the saga did not"
		}
	}
	return 0, ""
}

func same(a, b *deed) bool {
	return a.what == b.what && a.limit == b.limit && bytes.Equal(a.input, b.input)
}

func differ(want, got *deed) string {
	switch {
	case want.what != got.what:
		return fmt.Sprintf("the saga %s, this version %s", want.what, got.what)
	case want.limit != got.limit:
		return fmt.Sprintf("the saga %s with a time limit of %s, this version with one of %s", want.what, want.limit, got.limit)
	}
	return fmt.Sprintf("the saga %s, this version with another input", want.what)
}

// underway says that a history ends with a task that no worker has answered:
// what a replay does beyond it is still to come.
func underway(events []*historypb.HistoryEvent) bool {
	for i := len(events) - 1; i >= 0; i-- {
		switch events[i].GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
			return true
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			return false
		}
	}
	return true
}

// compareReplies goes through the requests that were answered.
func (t *transcript) compareReplies(events []*historypb.HistoryEvent) (event int64, what string) {
	for _, e := range events {
		a := e.GetWorkflowExecutionUpdateCompletedEventAttributes()
		if a.GetOutcome().GetSuccess() == nil {
			continue
		}
		var want engine.Reply
		if err := converter.GetDefaultDataConverter().FromPayloads(a.GetOutcome().GetSuccess(), &want); err != nil {
			return e.GetEventId(), "the answer to a request cannot be read: " + err.Error()
		}
		if got := t.replies[a.GetMeta().GetUpdateId()]; got.Accepted != want.Accepted || got.Code != want.Code {
			return e.GetEventId(), fmt.Sprintf("the saga answered a request with %s, this version with %s", nameReply(want), nameReply(got))
		}
	}
	return 0, ""
}

func nameReply(r engine.Reply) string {
	switch {
	case r.Accepted:
		return "yes"
	case r.Code == "":
		return "nothing"
	}
	return r.Code
}

// ending is how a run of a workflow ended.
type ending struct {
	how    string // for people
	result *engine.Result
}

// compareEndings looks at the last event.
func (t *transcript) compareEndings(events []*historypb.HistoryEvent) (event int64, what string) {
	last := events[len(events)-1]
	want, closed, err := recordedEnding(events)
	switch {
	case err != nil:
		return last.GetEventId(), "the saga's result cannot be read: " + err.Error()
	case !closed && t.ended && !underway(events):
		return 0, "the saga is open, this version " + t.ending.how
	case !closed:
		return 0, ""
	case !t.ended:
		return last.GetEventId(), "the saga " + want.how + ", this version stays open"
	case want.how != t.ending.how:
		return last.GetEventId(), fmt.Sprintf("the saga %s, this version %s", want.how, t.ending.how)
	case want.result == nil || t.ending.result == nil:
		return 0, ""
	}
	if what := differentResults(want.result, t.ending.result); what != "" {
		return last.GetEventId(), what
	}
	return 0, ""
}

// endingOf gives the ending of a workflow function. A run that goes on in a
// new one is not compared with it: the new one says itself what it began with.
func endingOf(id string, result any, err error) ending {
	var goesOn *workflow.ContinueAsNewError
	var failed *sdk.ApplicationError
	var cancelled *sdk.CanceledError
	var kept closing
	e := ending{}
	switch {
	case err == nil:
		e.how = "ends as completed"
		if c, ok := result.(*closing); ok {
			kept = *c
		}
	case errors.As(err, &goesOn):
		return ending{how: "goes on in a new run"}
	case errors.As(err, &cancelled):
		e.how = "ends as cancelled"
		err = cancelled.Details(&kept)
	case errors.As(err, &failed):
		e.how = "ends with " + failed.Type()
		err = failed.Details(&kept)
	default:
		e.how = "fails"
	}
	if err == nil {
		r := kept.unpack(id)
		e.result = &r
	}
	return e
}

// recordedEnding reads the ending out of the last event; closed is false if no
// worker closed the run.
func recordedEnding(events []*historypb.HistoryEvent) (e ending, closed bool, err error) {
	id := events[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowId()
	last := events[len(events)-1]
	var kept *commonpb.Payloads
	switch last.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		e.how, kept = "ends as completed", last.GetWorkflowExecutionCompletedEventAttributes().GetResult()
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		e.how, kept = "ends as cancelled", last.GetWorkflowExecutionCanceledEventAttributes().GetDetails()
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		failure := last.GetWorkflowExecutionFailedEventAttributes().GetFailure()
		e.how, kept = "ends with "+failure.GetApplicationFailureInfo().GetType(), detailsOf(failure)
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		return ending{how: "goes on in a new run"}, true, nil
	default:
		return e, false, nil
	}
	var c closing
	if kept == nil {
		return e, true, nil // refused: there is no result
	}
	if err := converter.GetDefaultDataConverter().FromPayloads(kept, &c); err != nil {
		return e, true, err
	}
	r := c.unpack(id)
	e.result = &r
	return e, true, nil
}

func detailsOf(f *failurepb.Failure) *commonpb.Payloads {
	return f.GetApplicationFailureInfo().GetDetails()
}

// differentResults names the first difference of two results, without values of
// the saga.
func differentResults(want, got *engine.Result) string {
	for _, f := range []struct{ name, want, got string }{
		{"outcome", want.Outcome, got.Outcome},
		{"cause", describe(want.Cause), describe(got.Cause)},
		{"trace", strings.Join(want.Trace, " "), strings.Join(got.Trace, " ")},
		{"direction", want.Direction, got.Direction},
		{"interventions", fmt.Sprint(want.Interventions), fmt.Sprint(got.Interventions)},
		{"startedAt", want.StartedAt.String(), got.StartedAt.String()},
		{"elapsed", text(want.Elapsed), text(got.Elapsed)},
	} {
		if f.want != f.got {
			return fmt.Sprintf("the saga's %s is %s, this version's %s", f.name, orNone(f.want), orNone(f.got))
		}
	}
	if !bytes.Equal(plain(encoded([]any{want.Output})), plain(encoded([]any{got.Output}))) {
		return "this version gives the saga another output"
	}
	if (want.OutputError == "") != (got.OutputError == "") {
		return "only one of the saga and this version has an output"
	}
	for i := range max(len(want.Steps), len(got.Steps)) {
		if i >= len(want.Steps) || i >= len(got.Steps) {
			return fmt.Sprintf("the saga reached %d steps, this version %d", len(want.Steps), len(got.Steps))
		}
		if a, b := describeStep(&want.Steps[i]), describeStep(&got.Steps[i]); a != b {
			return fmt.Sprintf("the saga's step is %s, this version's %s", a, b)
		}
	}
	return ""
}

func describe(f *engine.Failure) string {
	if f == nil {
		return ""
	}
	return fmt.Sprintf("%s %s %s", f.Kind, f.Code, f.Path)
}

func describeStep(s *engine.StepResult) string {
	return fmt.Sprintf("%s %s after %d attempts %s (%s, compensation %d %s) from %s to %s",
		s.Path, s.State, s.Attempts, s.Code, s.Key, s.Compensation.Attempts, s.Compensation.Key,
		s.ScheduledAt.UTC().Format("15:04:05.000"), s.ClosedAt.UTC().Format("15:04:05.000"))
}

func text(e engine.Elapsed) string {
	t, _ := e.MarshalText() // which cannot fail
	return string(t)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// maxShown bounds what is shown of an error of the SDK's, which may hold a
// whole event.
const maxShown = 400

func shorten(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "…"
}
