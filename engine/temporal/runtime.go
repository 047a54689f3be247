package temporal

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// runtime is the engine.Runtime of one saga inside its workflow.
type runtime struct {
	ctx      workflow.Context // not reached by a cancellation of the workflow
	id       string
	args     *startArgs
	packed   []byte // the plan, compressed
	start    *engine.Start
	machine  *engine.Machine
	observe  func(id string, r engine.Record)
	payloads engine.Payloads // of the worker, which may know them or not: it decides what is taken in, and nothing that is replayed

	begun    bool
	state    string // last value of AttributeState
	events   workflow.Channel
	cancels  map[int]workflow.CancelFunc // invocations
	timers   map[int]workflow.CancelFunc
	requests int
	replies  map[string]workflow.Settable

	identity  engine.Identity
	flying    int // activities that have not closed
	children  int // that have not closed
	reading   int // children whose state is being read
	recovered int // how often the saga was recovered

	held      []engine.Command // what is not started before the saga has continued as new
	continued bool             // this run is not the first
	stays     int              // length of the history up to which its state is too large to continue as new

	task      int // length of the history when the current task began
	taskBytes int // inputs that the current task schedules
}

var _ engine.Runtime = (*runtime)(nil)

// listen takes in what comes from outside: updates, raw signals, a raw cancel
// request and queries. It costs no event of the history.
func (r *runtime) listen(plan *dsl.Plan) error {
	cancelled := r.ctx.Done()
	r.ctx, _ = workflow.NewDisconnectedContext(r.ctx)
	r.state = engine.OutcomeRunning
	r.events = workflow.NewChannel(r.ctx)
	r.cancels = make(map[int]workflow.CancelFunc)
	r.timers = make(map[int]workflow.CancelFunc)
	r.replies = make(map[string]workflow.Settable)
	if err := workflow.SetQueryHandler(r.ctx, QueryReport, r.reportNow); err != nil {
		return err
	}
	if err := workflow.SetQueryHandler(r.ctx, QueryInputs, r.inputsFrom); err != nil {
		return err
	}
	if err := workflow.SetQueryHandler(r.ctx, QueryView, func() (engine.Result, error) { return r.machine.Result(), nil }); err != nil {
		return err
	}
	workflow.Go(r.ctx, func(ctx workflow.Context) {
		cancelled.Receive(ctx, nil)
		r.events.Send(ctx, engine.Event{Kind: engine.EventCancel})
	})
	workflow.Go(r.ctx, func(ctx workflow.Context) {
		for recovered := workflow.GetSignalChannel(ctx, SignalRecover); ; {
			var by *wireRecover
			recovered.Receive(ctx, &by)
			r.recovered++
			if by != nil { // nil: a version that did not say who
				r.events.Send(ctx, engine.Event{Kind: engine.EventOperator, Operator: by.command()})
			}
		}
	})
	workflow.Go(r.ctx, func(ctx workflow.Context) {
		messages := workflow.GetSignalChannel(ctx, SignalMessage)
		for {
			var wire wireSignal
			messages.Receive(ctx, &wire)
			if signal, err := wire.decode(); err == nil {
				r.events.Send(ctx, engine.Event{Kind: engine.EventSignal, Signal: signal})
			}
		}
	})
	return r.listenUpdates(plan)
}

// alreadyReceived is the code of a message that is not taken in a second time.
// To who sent it it is no refusal.
const alreadyReceived = "RECEIVED"

// listenUpdates serves the requests that are answered. Messages that no await
// of the definition could take, that are known or that there is no room for are
// refused before they become history, and so are commands that bring along what
// breaks a schema.
func (r *runtime) listenUpdates(plan *dsl.Plan) error {
	err := workflow.SetUpdateHandlerWithOptions(r.ctx, UpdateSignal, func(ctx workflow.Context, wire wireSignal) (engine.Reply, error) {
		signal, err := wire.decode()
		if err != nil {
			return engine.Reply{}, err
		}
		return r.request(ctx, engine.Event{Kind: engine.EventSignal, Signal: signal})
	}, workflow.UpdateHandlerOptions{Validator: func(wire wireSignal) error {
		signal, err := wire.decode()
		if err != nil {
			return sdk.NewNonRetryableApplicationError(err.Error(), engine.RefusedNotPossible, nil)
		}
		code, err := engine.CheckSignal(plan, signal)
		if err == nil && r.machine.Received(signal.ID) {
			code, err = alreadyReceived, errors.New("a message with this ID was received before")
		}
		if err == nil {
			code, err = r.machine.CheckRoom(signal)
		}
		if err != nil {
			return sdk.NewNonRetryableApplicationError(err.Error(), code, nil)
		}
		return nil
	}})
	if err != nil {
		return err
	}
	err = workflow.SetUpdateHandlerWithOptions(r.ctx, UpdateCancel, func(ctx workflow.Context) (engine.Reply, error) {
		return r.request(ctx, engine.Event{Kind: engine.EventCancel})
	}, workflow.UpdateHandlerOptions{})
	if err != nil {
		return err
	}
	return workflow.SetUpdateHandlerWithOptions(r.ctx, UpdateOperate, func(ctx workflow.Context, wire wireOperator) (engine.Reply, error) {
		command, err := wire.decode()
		if err != nil {
			return engine.Reply{}, err
		}
		return r.request(ctx, engine.Event{Kind: engine.EventOperator, Operator: command})
	}, workflow.UpdateHandlerOptions{Validator: func(wire wireOperator) error {
		command, err := wire.decode()
		if err != nil {
			return err
		}
		code, err := r.machine.CheckOperator(command, r.payloads)
		if err != nil {
			return sdk.NewNonRetryableApplicationError(err.Error(), code, nil)
		}
		return nil
	}})
}

// request hands an event to the machine and waits for its answer.
func (r *runtime) request(ctx workflow.Context, ev engine.Event) (engine.Reply, error) {
	r.requests++
	ev.Request = strconv.Itoa(r.requests)
	answer, settable := workflow.NewFuture(ctx)
	r.replies[ev.Request] = settable
	workflow.Go(r.ctx, func(ctx workflow.Context) { r.events.Send(ctx, ev) })
	var reply engine.Reply
	err := answer.Get(ctx, &reply)
	return reply, err
}

// reportNow answers QueryReport.
func (r *runtime) reportNow() (*closing, error) {
	report := r.machine.Report()
	kept, err := packReport(&report, r.start)
	if err == nil {
		kept.Open = !r.machine.Closed()
	}
	return kept, err
}

// inputsFrom answers QueryInputs.
func (r *runtime) inputsFrom(from int) ([]json.RawMessage, error) {
	report := r.machine.Report()
	return packInputs(report.Entries, from)
}

// Next waits for the next event.
func (r *runtime) Next() (engine.Event, error) { return r.next(r.ctx) }

// next is Next as workflowcheck sees it: it looks at what takes a context, and
// not through interfaces.
func (r *runtime) next(workflow.Context) (engine.Event, error) {
	if !r.begun {
		r.begun = true
		if !r.continued {
			// The instant of the first event, not of the first task: it is in every
			// idempotency key and does not change with a reset (S20).
			startedAt := workflow.GetInfo(r.ctx).WorkflowStartTime.UTC()
			r.identity = r.start.Identity(startedAt)
			return engine.Event{Kind: engine.EventStarted, At: startedAt, Start: r.start}, nil
		}
		r.identity = r.start.Identity(r.machine.StartedAt())
		r.state = r.machine.Outcome() // the attribute came along
		for _, c := range slices.Clone(r.machine.Resume()) {
			r.Do(c)
		}
	}
	r.showState()
	if !r.leaving() && len(r.held) > 0 {
		r.release()
	}
	if r.leaving() {
		leave := func() bool { return r.leaving() && r.quiet() }
		if err := workflow.Await(r.ctx, func() bool { return r.events.Len() > 0 || leave() }); err != nil {
			return engine.Event{}, err
		}
		if leave() {
			if err := r.continueAsNew(); err != nil {
				return engine.Event{}, err
			}
		}
	}
	var ev engine.Event
	r.events.Receive(r.ctx, &ev)
	ev.At = workflow.Now(r.ctx).UTC()
	return ev, nil
}

// showState keeps the search attribute in step with the machine. A saga that
// goes straight to its end never changes it.
func (r *runtime) showState() {
	state := r.machine.Outcome()
	if state == r.state {
		return
	}
	r.state = state
	key := sdk.NewSearchAttributeKeyKeyword(AttributeState)
	if err := workflow.UpsertTypedSearchAttributes(r.ctx, key.ValueSet(state)); err != nil {
		workflow.GetLogger(r.ctx).Error("search attribute not set", "attribute", AttributeState, "error", err)
	}
}

// Do carries out a command.
func (r *runtime) Do(c engine.Command) {
	switch c.Kind {
	case engine.CommandInvoke, engine.CommandStartChild:
		switch {
		case r.leaving():
			r.held = append(r.held, c)
		case c.Kind == engine.CommandInvoke:
			r.invoke(c.Invoke)
		default:
			r.startChild(c)
		}
	case engine.CommandCut, engine.CommandCancelChild:
		if c.Kind == engine.CommandCut && r.dropHeld(c.ID) {
			return
		}
		if slices.ContainsFunc(r.held, func(h engine.Command) bool { return h.ID == c.ID }) {
			r.held = append(r.held, c) // a child's start comes first
			return
		}
		if cancel := r.cancels[c.ID]; cancel != nil {
			cancel()
		}
	case engine.CommandStartTimer:
		r.startTimer(c)
	case engine.CommandCancelTimer:
		if cancel := r.timers[c.ID]; cancel != nil { // nil: it has fired in this very task
			cancel()
			delete(r.timers, c.ID)
		}
	case engine.CommandRecord:
		if told, ok := c.Record.ForRoot(r.start); ok && r.observe != nil && !workflow.IsReplaying(r.ctx) {
			r.observe(r.identity.ID, told)
		}
	case engine.CommandReply:
		if answer := r.replies[c.Reply.Request]; answer != nil {
			answer.SetValue(c.Reply)
			delete(r.replies, c.Reply.Request)
		}
	}
}

// invoke runs one attempt as an activity with exactly one try.
func (r *runtime) invoke(inv *engine.Invocation) {
	args, err := encodeCall(inv, r.identity)
	if reset := r.resetRun(); err == nil && reset != "" {
		args.ResetRun, args.Guarded = reset, !r.machine.Committed() && !r.machine.Confirmed()
	}
	if err == nil && len(args.Input) > MaxPayload {
		err = errors.New("the input has " + strconv.Itoa(len(args.Input)) + " bytes, at most " + strconv.Itoa(MaxPayload) + " are allowed; pass a reference instead")
	}
	if err != nil {
		out := engine.Outcome{Class: engine.NotSent, Code: engine.CodeTooLarge, Message: err.Error(), Final: true}
		workflow.Go(r.ctx, func(ctx workflow.Context) {
			r.events.Send(ctx, engine.Event{Kind: engine.EventClosed, ID: inv.ID, Outcome: out})
		})
		return
	}
	ctx, cancel := workflow.WithCancel(workflow.WithActivityOptions(r.ctx, workflow.ActivityOptions{
		StartToCloseTimeout: inv.Timeout + timeoutMargin,
		WaitForCancellation: true,
		RetryPolicy:         &sdk.RetryPolicy{MaximumAttempts: 1},
	}))
	r.cancels[inv.ID] = cancel
	r.flying++
	var answer workflow.Future
	if r.room(len(args.Input)) {
		answer = workflow.ExecuteActivity(ctx, inv.Activity, args)
	}
	workflow.Go(r.ctx, func(own workflow.Context) {
		for answer == nil {
			if err := workflow.NewTimer(ctx, time.Millisecond).Get(own, nil); err != nil { // ctx may be cut, own is who waits
				out := engine.Outcome{Class: engine.NotSent, Code: engine.CodeCancelled, Message: "cut before it was sent", Final: true}
				r.flying--
				r.events.Send(own, engine.Event{Kind: engine.EventClosed, ID: inv.ID, Outcome: out})
				return
			}
			if r.room(len(args.Input)) {
				answer = workflow.ExecuteActivity(ctx, inv.Activity, args)
			}
		}
		out := outcomeOf(own, answer)
		r.flying--
		delete(r.cancels, inv.ID)
		r.events.Send(own, engine.Event{Kind: engine.EventClosed, ID: inv.ID, Outcome: out})
	})
}

// resetRun gives the run of this saga that was made by a reset: this one or one
// that has continued as this one. Empty: none was.
func (r *runtime) resetRun() string {
	info := workflow.GetInfo(r.ctx)
	if info.OriginalRunID != info.WorkflowExecution.RunID {
		return info.WorkflowExecution.RunID
	}
	return r.args.ResetRun
}

// room says whether the current task may schedule so many bytes more, and
// counts them.
func (r *runtime) room(bytes int) bool {
	if task := workflow.GetInfo(r.ctx).GetCurrentHistoryLength(); task != r.task {
		r.task, r.taskBytes = task, 0
	}
	if r.taskBytes > 0 && r.taskBytes+bytes > maxTaskBytes {
		return false
	}
	r.taskBytes += bytes
	return true
}

func (r *runtime) startTimer(c engine.Command) {
	ctx, cancel := workflow.WithCancel(r.ctx)
	r.timers[c.ID] = cancel
	fired := workflow.NewTimer(ctx, c.At.Sub(workflow.Now(r.ctx)))
	workflow.Go(r.ctx, func(ctx workflow.Context) {
		if fired.Get(ctx, nil) == nil {
			delete(r.timers, c.ID)
			r.events.Send(ctx, engine.Event{Kind: engine.EventTimer, ID: c.ID})
		}
	})
}

// outcomeOf waits for an attempt and says how it ended. What the worker did not
// say itself is ambiguous (S2).
func outcomeOf(ctx workflow.Context, answer workflow.Future) engine.Outcome {
	var raw rawOutput
	err := answer.Get(ctx, &raw)
	var failed *sdk.ApplicationError
	var timeout *sdk.TimeoutError
	var cancelled *sdk.CanceledError
	switch {
	case err == nil && raw.err != nil:
		return engine.Outcome{Class: engine.Applied, Code: engine.CodeInvalidOutput, Message: raw.err.Error()}
	case err == nil:
		return engine.Outcome{Class: engine.Applied, Output: raw.value}
	case errors.As(err, &timeout):
		if timeout.TimeoutType() == enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START {
			return engine.Outcome{Class: engine.NotSent, Code: engine.CodeUnavailable, Message: "no worker took the attempt"}
		}
		return engine.Outcome{Class: engine.Ambiguous, Code: engine.CodeTimeout, Message: "the worker was lost or did not answer in time"}
	case errors.As(err, &cancelled):
		return engine.Outcome{Class: engine.Ambiguous, Code: engine.CodeCancelled, Message: "cut while it ran"}
	case errors.As(err, &failed):
		out := engine.Outcome{Class: engine.Ambiguous, Code: failed.Type(), Message: failed.Message()}
		var details failureDetails
		if failed.HasDetails() && failed.Details(&details) == nil {
			out.Class, out.Final, out.Probed = details.Class, details.Final, details.Probed
		}
		return out
	}
	return engine.Outcome{Class: engine.Ambiguous, Code: "ERROR", Message: err.Error()}
}
