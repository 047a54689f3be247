package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/pluginpb"
)

// Invoke makes one attempt and says how it ended. It returns at the request's
// timeout, or when ctx ends, at the latest; middleware may add to that. It is
// safe for concurrent use.
func (h *Host) Invoke(ctx context.Context, r Request) Outcome {
	began := time.Now()
	o := h.invoke(ctx, r)
	o.Duration = time.Since(began)
	return o
}

// dispatch is the innermost Invoker: it refuses what cannot be sent, and sends
// the rest.
func (h *Host) dispatch(ctx context.Context, r Request) Outcome {
	name, _, _ := strings.Cut(r.Activity, ".")
	s, ok := h.byName[name]
	if !ok {
		return final(notSent(CodeNotFound, fmt.Sprintf("no plugin %s is configured for tenant %s in region %s, so there is no activity %s", name, h.config.Tenant, h.config.Region, r.Activity)))
	}
	if len(r.Input) > MaxPayload {
		return final(notSent(CodeTooLarge, fmt.Sprintf("the input is %d bytes of JSON, the limit is %d: pass a reference to the data instead", len(r.Input), MaxPayload)))
	}
	if ctx.Err() != nil {
		return notSent(CodeCancelled, "cancelled before the call was sent")
	}
	if r.Timeout <= 0 {
		r.Timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.Timeout, errTimeout)
	defer cancel()
	return s.invoke(ctx, r)
}

// errTimeout tells the attempt's own timeout from its caller's end.
var errTimeout = errors.New("timeout")

// invoke sends r to the plugin, unless the breaker or the process forbids it.
func (s *slot) invoke(ctx context.Context, r Request) (o Outcome) {
	activity, known, described := s.activity(r.Activity)
	if described && !known {
		return final(notSent(CodeNotFound, fmt.Sprintf("plugin %s has no activity %s", s.binary.Name, r.Activity)))
	}
	report, err := s.breaker.Allow()
	if err != nil {
		return notSent(CodeUnavailable, fmt.Sprintf("the circuit breaker of plugin %s is open: most of its last calls timed out or broke off", s.binary.Name))
	}
	o = ambiguous(CodeUnavailable, "") // what the breaker hears if something panics
	defer func() { report(verdict(o)) }()

	secret := s.host.redact.hold(append(valuesAt(r.Input, activity.Sensitive), r.Sensitive...))
	defer secret.release()
	o = s.attempt(ctx, r)
	o.Code = bound(s.host.redact.text(o.Code), maxCode)
	o.Message = bound(s.host.redact.text(o.Message), pluginpb.MaxText)
	return o
}

// attempt makes the call. If it finds that the process is gone before anything
// is sent, it makes it with a new process.
func (s *slot) attempt(ctx context.Context, r Request) Outcome {
	for try := 1; ; try++ {
		p, err := s.acquire(ctx)
		if err != nil {
			return unsent(ctx, fmt.Sprintf("plugin %s does not run: %v", s.binary.Name, err))
		}
		stream, err := p.conn.NewStream(ctx, &pluginpb.Plugin_ServiceDesc.Streams[0], pluginpb.Plugin_Invoke_FullMethodName)
		if err == nil {
			defer p.calls.Done()
			o := s.exchange(ctx, stream, r)
			if o.Class == Applied || o.Class == Rejected {
				s.answered(p)
			}
			return o
		}
		p.calls.Done()
		if ctx.Err() == nil {
			s.discard(p, err) // with its connection every call to it is lost
		}
		if ctx.Err() != nil || try == 2 {
			return unsent(ctx, fmt.Sprintf("plugin %s cannot be reached: %s", s.binary.Name, status.Convert(err).Message()))
		}
	}
}

// exchange sends the request and reads how it ends. Until SendMsg nothing of
// the request has left the host; from then on nobody knows, unless the plugin
// says so.
func (s *slot) exchange(ctx context.Context, stream grpc.ClientStream, r Request) Outcome {
	err := stream.SendMsg(wireRequest(ctx, s.host.config, r))
	if err != nil && !errors.Is(err, io.EOF) { // io.EOF: RecvMsg has the reason
		return s.broken(ctx, err)
	}
	if err := stream.CloseSend(); err != nil {
		return s.broken(ctx, err)
	}
	for events := 0; ; events++ {
		var event pluginpb.InvokeEvent
		if err := stream.RecvMsg(&event); err != nil {
			if o, ok := s.declined(err, events); ok {
				return o
			}
			return s.broken(ctx, err)
		}
		switch e := event.GetEvent().(type) {
		case *pluginpb.InvokeEvent_Heartbeat:
			s.heartbeat(r, e.Heartbeat.GetDetails())
		case *pluginpb.InvokeEvent_Log:
			s.out.callLine(e.Log.GetJson(), r)
		case *pluginpb.InvokeEvent_Result:
			_ = stream.RecvMsg(&event) // the end; whatever it is, the result stands
			return s.outcome(r, e.Result)
		}
	}
}

// unsent is why a call did not leave the host.
func unsent(ctx context.Context, message string) Outcome {
	if cause := context.Cause(ctx); cause != nil && !timedOut(cause) {
		return notSent(CodeCancelled, "cancelled before the call was sent")
	}
	return notSent(CodeUnavailable, message)
}

func timedOut(cause error) bool {
	return errors.Is(cause, errTimeout) || errors.Is(cause, context.DeadlineExceeded)
}

// declined tells the two statuses in which the plugin promises that it did not
// start the activity.
func (s *slot) declined(err error, events int) (Outcome, bool) {
	st := status.Convert(err)
	switch {
	case events > 0:
		return Outcome{}, false
	case st.Code() == codes.Unimplemented:
		return final(notSent(CodeNotFound, st.Message())), true
	case st.Code() == codes.FailedPrecondition:
		return notSent(CodeUnavailable, st.Message()), true
	}
	return Outcome{}, false
}

// broken is how an attempt ended that has no result. The context is asked
// first: what gRPC says after it ended depends on who noticed first.
func (s *slot) broken(ctx context.Context, err error) Outcome {
	st := status.Convert(err)
	switch cause := context.Cause(ctx); {
	case timedOut(cause):
		return ambiguous(CodeTimeout, fmt.Sprintf("plugin %s did not answer in time", s.binary.Name))
	case cause != nil:
		return ambiguous(CodeCancelled, "cancelled while the plugin was at work")
	case errors.Is(err, io.EOF):
		return ambiguous(CodeUnavailable, fmt.Sprintf("plugin %s ended the call without a result", s.binary.Name))
	case st.Code() == codes.DeadlineExceeded: // the plugin's clock was first
		return ambiguous(CodeTimeout, fmt.Sprintf("plugin %s did not answer in time", s.binary.Name))
	case st.Code() == codes.ResourceExhausted && strings.Contains(st.Message(), "received message larger than max"):
		// Only an output is as large as that.
		return final(Outcome{Class: Applied, Code: CodeTooLarge, Message: "the output is over the limit: return a reference to the data instead"})
	}
	return ambiguous(CodeUnavailable, fmt.Sprintf("the connection to plugin %s broke while it was at work: %s", s.binary.Name, st.Message()))
}

// outcome reads a result.
func (s *slot) outcome(r Request, result *pluginpb.Result) Outcome {
	switch o := result.GetOutcome().(type) {
	case *pluginpb.Result_Output:
		return s.accept(r, o.Output)
	case *pluginpb.Result_Failure:
		f := Outcome{Code: o.Failure.GetCode(), Message: o.Failure.GetMessage()}
		if f.Code == "" {
			f.Code = plugins.CodeError
		}
		switch o.Failure.GetKind() {
		case pluginpb.Kind_KIND_REJECT:
			f.Class, f.Final = Rejected, true
		case pluginpb.Kind_KIND_PERMANENT:
			f.Class, f.Final = Ambiguous, true
		case pluginpb.Kind_KIND_OUTPUT:
			f.Class, f.Final = Applied, true
		default:
			f.Class = Ambiguous
		}
		return f
	}
	return ambiguous(CodeUnavailable, fmt.Sprintf("plugin %s sent an empty result", s.binary.Name))
}

// accept checks an output. Whatever is wrong with it, the activity was applied
// (S25).
func (s *slot) accept(r Request, output []byte) Outcome {
	bad := func(code, message string) Outcome {
		return final(Outcome{Class: Applied, Code: code, Message: message})
	}
	if len(output) > MaxPayload {
		return bad(CodeTooLarge, fmt.Sprintf("the output is %d bytes of JSON, the limit is %d: return a reference to the data instead", len(output), MaxPayload))
	}
	if !json.Valid(output) {
		return bad(CodeInvalidOutput, "the output is not JSON")
	}
	if hasLargeInteger(output) {
		return bad(CodeInvalidOutput, "the output has an integer over 2^53-1 in size: send it as a string")
	}
	// What follows may quote the output, and so may lines still to be read.
	if activity, _, _ := s.activity(r.Activity); len(activity.SensitiveOutput) > 0 {
		s.host.redact.hold(valuesAt(output, activity.SensitiveOutput)).release()
	}
	if check := s.host.config.ValidateOutput; check != nil {
		if err := check(r.Activity, output); err != nil {
			return bad(CodeInvalidOutput, err.Error())
		}
	}
	return Outcome{Class: Applied, Output: output}
}

func (s *slot) heartbeat(r Request, details []byte) {
	if r.Heartbeat == nil || len(details) > pluginpb.MaxDetails {
		return
	}
	tree, err := decode(details)
	if err != nil {
		return
	}
	r.Heartbeat(s.host.redact.tree(tree))
}

var wireOperations = map[plugins.Operation]pluginpb.Operation{
	plugins.OperationAction:       pluginpb.Operation_OPERATION_ACTION,
	plugins.OperationCompensation: pluginpb.Operation_OPERATION_COMPENSATION,
	plugins.OperationProbe:        pluginpb.Operation_OPERATION_PROBE,
}

func wireRequest(ctx context.Context, c Config, r Request) *pluginpb.InvokeRequest {
	call := &pluginpb.Call{
		Key: r.Key, ActionKey: r.ActionKey, Tenant: c.Tenant, Region: c.Region, Saga: r.Saga, Path: r.Path,
		Operation: wireOperations[r.Operation], Attempt: int32(r.Attempt), Generation: int32(r.Generation),
		TraceParent: r.TraceParent,
	}
	if !r.StartedAt.IsZero() {
		call.StartedAt = timestamppb.New(r.StartedAt)
	}
	if deadline, ok := ctx.Deadline(); ok {
		call.Deadline = timestamppb.New(deadline)
	}
	return &pluginpb.InvokeRequest{Activity: r.Activity, Input: r.Input, Call: call}
}
