package temporal

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/sagad/sagad/engine"
)

// Errors of Replay besides a *DivergedError.
var (
	// ErrNotSaga says that a history is of a workflow that is no saga.
	ErrNotSaga = errors.New("not a history of a saga")
	// ErrNewerSemantics says that a saga follows rules that this version does
	// not know yet.
	ErrNewerSemantics = errors.New("newer semantics")
)

// Replayed is what a history says of its saga.
type Replayed struct {
	ID        string
	RunID     string
	Saga      string // name of the definition
	Semantics int    // version of the rules the saga follows
	Events    int
	Outcome   string // as the saga stands at the end of the history
}

// DivergedError says that this version of the interpreter does not do what a
// history says the saga did: it must not run that saga.
type DivergedError struct {
	ID    string
	RunID string
	Event int64 // ID of the first event that differs; 0: at the end
	What  string
	Err   error // what the SDK found, or nil
}

// Error names the saga, the event, the difference and what to do.
func (e *DivergedError) Error() string { return e.ID + ": " + e.Difference() + "; " + e.Mend() }

// Difference names the event and what differs.
func (e *DivergedError) Difference() string {
	if e.Event == 0 {
		return e.What
	}
	return fmt.Sprintf("event %d: %s", e.Event, e.What)
}

// Mend says what to do.
func (e *DivergedError) Mend() string {
	return "do not run sagas like this one with this version of sagad, leave them to the one that started them"
}

// Unwrap gives what the SDK found.
func (e *DivergedError) Unwrap() error { return e.Err }

// Replay runs one run of a saga again, by this version of the interpreter and
// without any effect: from its history come the answers of activities, timers
// and messages. It compares every command (attempts with their keys, inputs and
// time limits, timers, children), the answer to every request, and how the run
// ended (outcome, cause, trace, output, steps), more than the SDK does, which
// looks at the names of activities alone and not at all at a workflow that has
// closed. What differs is a *DivergedError. Texts for people may differ.
//
// A history that is none of a saga is ErrNotSaga, one of a later version
// ErrNewerSemantics. Histories are replayed one at a time or at once.
func Replay(history *historypb.History) (*Replayed, error) {
	replayed, _, err := replay(history)
	return replayed, err
}

func replay(history *historypb.History) (*Replayed, *witness, error) {
	replayed, err := identify(history.GetEvents())
	if err != nil {
		return nil, nil, err
	}
	replayed.Events = len(history.GetEvents())
	seen := &witness{}
	if replayed.Events < 3 { // no task has begun
		replayed.Outcome = engine.OutcomeRunning
		return replayed, seen, nil
	}
	t := &transcript{replies: map[string]engine.Reply{}}
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
		Interceptors:             []interceptor.WorkerInterceptor{t},
		DisableDeadlockDetection: true, // all tasks of the saga are one here
	})
	if err != nil {
		return nil, nil, fmt.Errorf("replay %s: %w", replayed.ID, err)
	}
	i := &interpreter{witness: seen}
	replayer.RegisterDynamicWorkflow(i.run, workflow.DynamicRegisterOptions{})
	err = replayer.ReplayWorkflowHistoryWithOptions(silent, history, worker.ReplayWorkflowHistoryOptions{
		OriginalExecution: workflow.Execution{ID: replayed.ID, RunID: replayed.RunID},
	})
	if seen.machine != nil {
		replayed.Outcome = seen.machine.Outcome()
	}
	if last := history.GetEvents()[replayed.Events-1].GetEventType(); last == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED || last == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT {
		replayed.Outcome = engine.OutcomeOrphaned
	}
	if event, what := t.compare(history.GetEvents(), err); what != "" {
		return replayed, seen, &DivergedError{ID: replayed.ID, RunID: replayed.RunID, Event: event, What: what, Err: err}
	}
	return replayed, seen, nil
}

// silent keeps the SDK's own account of a difference out of the logs.
var silent = sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))

// identify checks that events are a whole history, and reads the first one.
func identify(events []*historypb.HistoryEvent) (*Replayed, error) {
	if len(events) == 0 || events[0].GetWorkflowExecutionStartedEventAttributes() == nil {
		return nil, noHistory("it does not begin with the start of a workflow")
	}
	for i, e := range events {
		if e.GetEventId() != int64(i)+1 {
			return nil, noHistory(fmt.Sprintf("event %d stands where event %d belongs", e.GetEventId(), i+1))
		}
		if e.GetAttributes() == nil {
			return nil, noHistory(fmt.Sprintf("event %d says nothing but its type, %s", e.GetEventId(), e.GetEventType()))
		}
	}
	started := events[0].GetWorkflowExecutionStartedEventAttributes()
	name := started.GetWorkflowType().GetName()
	var packed []byte
	var start startArgs
	err := converter.GetDefaultDataConverter().FromPayloads(started.GetInput(), &packed, &start)
	if err != nil || len(packed) == 0 || start.Digest == "" {
		return nil, fmt.Errorf("%w: sagad did not start this workflow, a %s on the task queue %s", ErrNotSaga, name, started.GetTaskQueue().GetName())
	}
	id := started.GetWorkflowId()
	if id == "" { // of an old server
		id = engine.InstanceID(start.Tenant, name, start.Key)
	}
	if start.Semantics > engine.SemanticsVersion {
		return nil, fmt.Errorf("%w: %s follows semantics %d, this version of sagad knows %d; replay it with a newer one", ErrNewerSemantics, id, start.Semantics, engine.SemanticsVersion)
	}
	return &Replayed{ID: id, RunID: started.GetOriginalExecutionRunId(), Saga: name, Semantics: start.Semantics}, nil
}

// witness is an engine.Runtime that notes what passes between a machine and
// the runtime behind it.
type witness struct {
	engine.Runtime
	machine     *engine.Machine
	events      []engine.EventKind
	commands    []engine.CommandKind
	transitions []engine.Transition
}

// watched gives the runtime of a saga, with the interpreter's witness, if it has
// one, in between.
func (i *interpreter) watched(r *runtime) engine.Runtime {
	if i.witness == nil {
		return r
	}
	i.witness.Runtime, i.witness.machine = r, r.machine
	return i.witness
}

// Next notes the event.
func (w *witness) Next() (engine.Event, error) {
	ev, err := w.Runtime.Next()
	if err == nil && !slices.Contains(w.events, ev.Kind) {
		w.events = append(w.events, ev.Kind)
	}
	return ev, err
}

// Do notes the command.
func (w *witness) Do(c engine.Command) {
	if !slices.Contains(w.commands, c.Kind) {
		w.commands = append(w.commands, c.Kind)
	}
	if c.Kind == engine.CommandRecord && !slices.Contains(w.transitions, c.Record.Transition) {
		w.transitions = append(w.transitions, c.Record.Transition)
	}
	w.Runtime.Do(c)
}
