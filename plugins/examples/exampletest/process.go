// Package exampletest runs an example plugin inside a test, through its wire
// contract but without a process, and puts its activities through what engines
// and networks do to them: repetition, loss, lateness, crashes.
package exampletest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/testcards"
	"github.com/sagad/sagad/plugins/pluginpb"
)

// ErrCrashed is the answer of a call in which a test card ended the process.
// The plugin must be restarted before the next call.
var ErrCrashed = errors.New("the process crashed")

// New makes a plugin, as the New of every example does.
type New func(opts ...testcards.Option) *plugins.Plugin

// Process is a plugin at work on a data directory. Invoke is safe for
// concurrent use, Stop and Restart are not.
type Process struct {
	DataDir string
	// Wait replaces the clock of test cards; it returns at once unless a test
	// sets it before the call that waits.
	Wait func(ctx context.Context) error

	t      testing.TB
	make   New
	server pluginpb.PluginServer
	logs   *logs
}

// Start starts a plugin on dir and stops it when the test ends. The test fails
// if the plugin answers with an error code that its manifest lacks.
func Start(t testing.TB, plugin New, dir string) *Process {
	t.Helper()
	p := &Process{
		DataDir: dir, t: t, make: plugin, logs: &logs{},
		Wait: func(ctx context.Context) error { return ctx.Err() },
	}
	p.start()
	t.Cleanup(func() {
		p.Stop()
		if strings.Contains(p.Logs(), "is not declared") {
			t.Errorf("an error code is missing from the manifest:\n%s", p.Logs())
		}
	})
	return p
}

func (p *Process) start() {
	p.t.Helper()
	plugin := p.make(
		testcards.OnCrash(runtime.Goexit),
		testcards.OnWait(func(ctx context.Context, _ time.Duration) error { return p.Wait(ctx) }),
		testcards.OnSilence(func(ctx context.Context) { ctx.Value(cutKey{}).(context.CancelFunc)() }),
	)
	if err := plugin.Err(); err != nil {
		p.t.Fatal(err)
	}
	p.server = plugin.Service(p.logs)
	if _, err := p.server.Configure(context.Background(), &pluginpb.ConfigureRequest{
		Tenant: "demo", Region: "eu-west-1", DataDir: p.DataDir,
	}); err != nil {
		p.t.Fatal(err)
	}
}

// Stop drains the plugin: late requests that are at work have ended when it
// returns.
func (p *Process) Stop() {
	p.t.Helper()
	if p.server == nil {
		return
	}
	if _, err := p.server.Drain(context.Background(), &pluginpb.DrainRequest{}); err != nil {
		p.t.Errorf("stop: %v", err)
	}
	p.server = nil
}

// Restart stops the plugin and starts it again on the same data.
func (p *Process) Restart() {
	p.t.Helper()
	p.Stop()
	p.start()
}

// Logs is everything the plugin has logged.
func (p *Process) Logs() string { return p.logs.String() }

type cutKey struct{}

// Invoke runs one attempt and returns its output in JSON. A failure is a
// *plugins.Error or ErrCrashed.
func (p *Process) Invoke(activity string, call plugins.Call, input any) (json.RawMessage, error) {
	encoded, err := json.Marshal(input)
	if err != nil {
		return nil, fmt.Errorf("encode the input of %s: %w", activity, err)
	}
	ctx, cut := context.WithCancel(context.Background())
	defer cut()
	stream := &stream{ctx: context.WithValue(ctx, cutKey{}, cut), logs: p.logs}
	done := make(chan error, 1)
	go func() {
		answer := ErrCrashed // stands when a card ends the goroutine
		defer func() { done <- answer }()
		answer = p.server.Invoke(&pluginpb.InvokeRequest{Activity: activity, Input: encoded, Call: wire(call)}, stream)
	}()
	if err := <-done; err != nil {
		return nil, err
	}
	return stream.outcome()
}

func wire(call plugins.Call) *pluginpb.Call {
	operation := map[plugins.Operation]pluginpb.Operation{
		plugins.OperationAction:       pluginpb.Operation_OPERATION_ACTION,
		plugins.OperationCompensation: pluginpb.Operation_OPERATION_COMPENSATION,
		plugins.OperationProbe:        pluginpb.Operation_OPERATION_PROBE,
	}
	return &pluginpb.Call{
		Key: call.Key, ActionKey: call.ActionKey, Tenant: call.Tenant, Region: call.Region, Saga: call.Saga, Path: call.Path,
		Operation: operation[call.Operation], Attempt: int32(call.Attempt), Generation: int32(call.Generation),
		StartedAt: timestamppb.New(call.StartedAt),
	}
}

// stream collects what a call answers.
type stream struct {
	grpc.ServerStream
	ctx  context.Context
	logs *logs

	mu     sync.Mutex
	result *pluginpb.Result
}

func (s *stream) Context() context.Context { return s.ctx }

func (s *stream) Send(event *pluginpb.InvokeEvent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := event.GetEvent().(type) {
	case *pluginpb.InvokeEvent_Log:
		_, _ = s.logs.Write(append(e.Log.GetJson(), '\n')) // a buffer takes everything
	case *pluginpb.InvokeEvent_Result:
		s.result = e.Result
	}
	return nil
}

func (s *stream) outcome() (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch o := s.result.GetOutcome().(type) {
	case *pluginpb.Result_Output:
		return o.Output, nil
	case *pluginpb.Result_Failure:
		switch f := o.Failure; f.GetKind() {
		case pluginpb.Kind_KIND_REJECT:
			return nil, plugins.Reject(f.GetCode(), "%s", f.GetMessage())
		case pluginpb.Kind_KIND_PERMANENT:
			return nil, plugins.Permanent(f.GetCode(), "%s", f.GetMessage())
		case pluginpb.Kind_KIND_RETRY:
			return nil, plugins.Retry(f.GetCode(), "%s", f.GetMessage())
		default:
			return nil, fmt.Errorf("the output cannot be delivered: %s: %s", f.GetCode(), f.GetMessage())
		}
	}
	return nil, errors.New("the call ended without a result")
}

// logs is a buffer for several goroutines.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(line)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
