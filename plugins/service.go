package plugins

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sagad/sagad/plugins/pluginpb"
)

// Service serves p on the wire. Serve does it for a process; Service is for
// harnesses and for programs that bring their own gRPC server. Lines logged
// outside of a call go to logs, one JSON object each; nil discards them. A
// service is configured once and serves one tenant and region.
func (p *Plugin) Service(logs io.Writer) pluginpb.PluginServer { return newService(p, logs) }

// service is a Plugin at work.
type service struct {
	pluginpb.UnimplementedPluginServer
	plugin *Plugin
	logs   io.Writer
	logger *slog.Logger

	mu         sync.Mutex
	configured bool
	draining   bool
	running    int
	idle       chan struct{} // closed when draining and nothing runs
	stopOnce   sync.Once
	stopErr    error
}

func newService(p *Plugin, logs io.Writer) *service {
	if logs == nil {
		logs = io.Discard
	}
	return &service{plugin: p, logs: logs, logger: newLogger(logs), idle: make(chan struct{})}
}

// Describe implements the wire contract.
func (s *service) Describe(context.Context, *pluginpb.DescribeRequest) (*pluginpb.Manifest, error) {
	if err := s.plugin.err; err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	return s.plugin.Manifest().proto(), nil
}

// Configure implements the wire contract.
func (s *service) Configure(ctx context.Context, r *pluginpb.ConfigureRequest) (*pluginpb.ConfigureResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.configured {
		return nil, status.Error(codes.FailedPrecondition, "the plugin is configured already")
	}
	env := Env{DataDir: r.GetDataDir(), Tenant: r.GetTenant(), Region: r.GetRegion(), Logger: s.logger}
	for _, start := range s.plugin.start {
		if err := s.protect(func() error { return start(ctx, env) }); err != nil {
			return nil, status.Error(codes.FailedPrecondition, truncate(err.Error()))
		}
	}
	s.configured = true
	return &pluginpb.ConfigureResponse{}, nil
}

// protect runs a function of the author and turns a panic into an error.
func (s *service) protect(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.logger.Error("plugin panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return fn()
}

// Invoke implements the wire contract.
func (s *service) Invoke(r *pluginpb.InvokeRequest, out grpc.ServerStreamingServer[pluginpb.InvokeEvent]) error {
	d, ok := s.plugin.byName[r.GetActivity()]
	if !ok {
		return status.Errorf(codes.Unimplemented, "plugin %s has no activity %s", s.plugin.name, r.GetActivity())
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()

	stream := &eventStream{out: out}
	call := callOf(r.GetCall(), newLogger(&callLog{stream: stream, fallback: s.logs}))
	if deadline, ok := out.Context().Deadline(); ok && call.Deadline.IsZero() {
		call.Deadline = deadline
	}
	ctx := context.WithValue(out.Context(), heartbeatKey{}, func(details []byte) {
		stream.send(&pluginpb.InvokeEvent{Event: &pluginpb.InvokeEvent_Heartbeat{
			Heartbeat: &pluginpb.Heartbeat{Details: details},
		}})
	})
	output, err := d.run(ctx, call, r.GetInput())
	if err != nil {
		return stream.finish(failure(ctx, d, call, err))
	}
	return stream.finish(&pluginpb.Result{Outcome: &pluginpb.Result_Output{Output: output}})
}

// enter counts a call in, unless the plugin does not take calls.
func (s *service) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.draining:
		return status.Error(codes.FailedPrecondition, "the plugin is draining")
	case !s.configured:
		return status.Error(codes.FailedPrecondition, "the plugin is not configured")
	}
	s.running++
	return nil
}

func (s *service) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	if s.draining && s.running == 0 {
		close(s.idle)
	}
}

// Drain implements the wire contract.
func (s *service) Drain(ctx context.Context, _ *pluginpb.DrainRequest) (*pluginpb.DrainResponse, error) {
	if err := s.drain(ctx); err != nil {
		return nil, status.Error(codes.DeadlineExceeded, err.Error())
	}
	return &pluginpb.DrainResponse{}, nil
}

// drain refuses new calls, waits for the running ones and then stops the
// plugin, once. Calls that outlast ctx keep their databases open.
func (s *service) drain(ctx context.Context) error {
	s.mu.Lock()
	if !s.draining {
		s.draining = true
		if s.running == 0 {
			close(s.idle)
		}
	}
	s.mu.Unlock()
	select {
	case <-s.idle:
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		return fmt.Errorf("%d calls are still running", s.running)
	}
	s.stopOnce.Do(func() {
		if !s.configured {
			return
		}
		for i := len(s.plugin.stop) - 1; i >= 0; i-- {
			stop := s.plugin.stop[i]
			s.stopErr = errors.Join(s.stopErr, s.protect(func() error { return stop(ctx) }))
		}
	})
	return s.stopErr
}

func failure(ctx context.Context, d Definition, call Call, err error) *pluginpb.Result {
	f := &pluginpb.Failure{Kind: pluginpb.Kind_KIND_RETRY}
	var output *outputError
	if errors.As(err, &output) {
		f.Kind, f.Code, f.Message = pluginpb.Kind_KIND_OUTPUT, output.code, output.message
	} else {
		e := asError(ctx, err)
		f.Code, f.Message = e.Code, e.Message
		switch e.Kind {
		case KindReject:
			f.Kind = pluginpb.Kind_KIND_REJECT
		case KindPermanent:
			f.Kind = pluginpb.Kind_KIND_PERMANENT
		}
		if !d.declares(e.Code) {
			call.Logger.Warn("error code is not declared: add it to plugins.Errors of the activity, so that lint knows it", "activity", d.name, "code", e.Code)
		}
	}
	f.Code, f.Message = strings.ToValidUTF8(truncate(f.Code), "?"), strings.ToValidUTF8(truncate(f.Message), "?")
	return &pluginpb.Result{Outcome: &pluginpb.Result_Failure{Failure: f}}
}

// truncate bounds a text for the wire, at a character's end.
func truncate(text string) string {
	const mark = "..."
	if len(text) <= pluginpb.MaxText {
		return text
	}
	cut := pluginpb.MaxText - len(mark)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + mark
}

var operations = map[pluginpb.Operation]Operation{
	pluginpb.Operation_OPERATION_ACTION:       OperationAction,
	pluginpb.Operation_OPERATION_COMPENSATION: OperationCompensation,
	pluginpb.Operation_OPERATION_PROBE:        OperationProbe,
}

func callOf(c *pluginpb.Call, logger *slog.Logger) Call {
	call := Call{
		Key: c.GetKey(), ActionKey: c.GetActionKey(),
		Tenant: c.GetTenant(), Region: c.GetRegion(), Saga: c.GetSaga(), Path: c.GetPath(),
		Operation: operations[c.GetOperation()],
		Attempt:   int(c.GetAttempt()), Generation: int(c.GetGeneration()),
		Deadline: asTime(c.GetDeadline()), StartedAt: asTime(c.GetStartedAt()),
		TraceParent: c.GetTraceParent(),
	}
	call.Logger = logger.With("saga", call.Saga, "path", call.Path, "operation", string(call.Operation), "attempt", call.Attempt)
	return call
}

// asTime is the zero time for an absent or invalid instant.
func asTime(t interface {
	IsValid() bool
	AsTime() time.Time
}) time.Time {
	if !t.IsValid() {
		return time.Time{}
	}
	return t.AsTime()
}
