// Package plugintest tests a plugin without a process: over real gRPC, in
// memory, the way a host calls it.
//
//	func TestHold(t *testing.T) {
//		h := plugintest.New(t, newLedger())
//		r := h.Invoke("ledger.hold", HoldIn{Account: "a", Minor: 100})
//		if r.Err != nil { ... }
//	}
package plugintest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/pluginpb"
)

// Tenant and Region are those the harness configures a plugin with.
const (
	Tenant = "demo"
	Region = "test"
)

// callTime bounds a call whose context has no deadline.
const callTime = 30 * time.Second

// drainTime bounds the drain at the end of a test.
const drainTime = 10 * time.Second

// Harness is a plugin at work. Its methods may be called from many goroutines.
type Harness struct {
	t       testing.TB
	client  pluginpb.PluginClient
	plugin  *plugins.Plugin
	dataDir string
	log     *syncBuffer
}

// New serves and configures p, with an empty data directory, until the test
// ends; then it drains p and ends the test with an error if that fails.
func New(t testing.TB, p *plugins.Plugin) *Harness {
	t.Helper()
	if err := p.Err(); err != nil {
		t.Fatalf("plugin: %v", err)
	}
	h := &Harness{t: t, plugin: p, dataDir: t.TempDir(), log: &syncBuffer{}}
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(grpc.MaxRecvMsgSize(pluginpb.MaxMessage))
	pluginpb.RegisterPluginServer(server, p.Service(h.log))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///plugin",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(pluginpb.MaxMessage)),
	)
	if err != nil {
		t.Fatalf("plugin: %v", err)
	}
	h.client = pluginpb.NewPluginClient(conn)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		if _, err := h.client.Drain(ctx, &pluginpb.DrainRequest{}); err != nil {
			t.Errorf("draining the plugin: %s", status.Convert(err).Message())
		}
		_ = conn.Close()
		server.Stop()
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Errorf("serving the plugin: %v", err)
		}
	})
	_, err = h.client.Configure(t.Context(), &pluginpb.ConfigureRequest{Tenant: Tenant, Region: Region, DataDir: h.dataDir})
	if err != nil {
		t.Fatalf("configuring the plugin: %s", status.Convert(err).Message())
	}
	return h
}

// Manifest is what the plugin offers.
func (h *Harness) Manifest() plugins.Manifest { return h.plugin.Manifest() }

// DataDir is the plugin's data directory.
func (h *Harness) DataDir() string { return h.dataDir }

// Log is what the plugin has logged outside of calls, one JSON object a line.
func (h *Harness) Log() string { return h.log.String() }

// Result is how a call ended.
type Result struct {
	// Output is JSON, if Err is nil.
	Output json.RawMessage
	// Err is how the activity failed, or nil. A call that was not answered, for
	// example because ctx ended, fails with KindRetry and the code NO_ANSWER.
	Err *plugins.Error
	// Undeliverable: the activity was applied and Err says why its output could
	// not be delivered.
	Undeliverable bool
	// Heartbeats are the details of each heartbeat, as JSON.
	Heartbeats []json.RawMessage
	// Log is what the call logged, one JSON object each.
	Log []json.RawMessage
}

// Decode reads the output into out, or returns how the call failed.
func (r Result) Decode(out any) error {
	if r.Err != nil {
		return r.Err
	}
	if err := json.Unmarshal(r.Output, out); err != nil {
		return fmt.Errorf("decoding the output: %w", err)
	}
	return nil
}

// Invoke calls an activity by its full name, "ledger.hold", with anything that
// encodes as JSON. It is the first attempt of an action at the path "step" of
// the saga demo/test/1, unless changes say otherwise. The keys follow from the
// rest unless changes set them.
func (h *Harness) Invoke(activity string, in any, changes ...func(*plugins.Call)) Result {
	h.t.Helper()
	return h.InvokeContext(h.t.Context(), activity, in, changes...)
}

// InvokeContext is Invoke with a context, whose end cuts the call off.
func (h *Harness) InvokeContext(ctx context.Context, activity string, in any, changes ...func(*plugins.Call)) Result {
	h.t.Helper()
	input, err := json.Marshal(in)
	if err != nil {
		h.t.Fatalf("encoding the input of %s: %v", activity, err)
	}
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTime)
		defer cancel()
	}
	deadline, _ := ctx.Deadline()
	call := plugins.Call{
		Tenant: Tenant, Region: Region, Saga: Tenant + "/test/1", Path: "step",
		Operation: plugins.OperationAction, Attempt: 1, Deadline: deadline, StartedAt: time.Now().UTC().Truncate(time.Second),
	}
	for _, change := range changes {
		change(&call)
	}
	stream, err := h.client.Invoke(ctx, &pluginpb.InvokeRequest{Activity: activity, Input: input, Call: wire(call)})
	if err != nil {
		return unanswered(err)
	}
	return read(stream)
}

func read(stream grpc.ServerStreamingClient[pluginpb.InvokeEvent]) Result {
	var r Result
	for {
		event, err := stream.Recv()
		if err != nil {
			u := unanswered(err)
			u.Heartbeats, u.Log = r.Heartbeats, r.Log
			return u
		}
		switch e := event.GetEvent().(type) {
		case *pluginpb.InvokeEvent_Heartbeat:
			r.Heartbeats = append(r.Heartbeats, e.Heartbeat.GetDetails())
		case *pluginpb.InvokeEvent_Log:
			r.Log = append(r.Log, e.Log.GetJson())
		case *pluginpb.InvokeEvent_Result:
			if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
				return unanswered(fmt.Errorf("the stream goes on after the result: %w", err))
			}
			if f := e.Result.GetFailure(); f != nil {
				r.Err = &plugins.Error{Kind: kinds[f.GetKind()], Code: f.GetCode(), Message: f.GetMessage()}
				r.Undeliverable = f.GetKind() == pluginpb.Kind_KIND_OUTPUT
				return r
			}
			r.Output = e.Result.GetOutput()
			return r
		}
	}
}

var kinds = map[pluginpb.Kind]plugins.Kind{
	pluginpb.Kind_KIND_REJECT:    plugins.KindReject,
	pluginpb.Kind_KIND_RETRY:     plugins.KindRetry,
	pluginpb.Kind_KIND_PERMANENT: plugins.KindPermanent,
	pluginpb.Kind_KIND_OUTPUT:    plugins.KindPermanent,
}

func unanswered(err error) Result {
	code := "NO_ANSWER"
	if status.Code(err) == codes.Unimplemented {
		code = "NOT_FOUND"
	}
	return Result{Err: &plugins.Error{Kind: plugins.KindRetry, Code: code, Message: status.Convert(err).Message()}}
}

var operations = map[plugins.Operation]pluginpb.Operation{
	plugins.OperationAction:       pluginpb.Operation_OPERATION_ACTION,
	plugins.OperationCompensation: pluginpb.Operation_OPERATION_COMPENSATION,
	plugins.OperationProbe:        pluginpb.Operation_OPERATION_PROBE,
}

func wire(c plugins.Call) *pluginpb.Call {
	key := func(op plugins.Operation) string {
		return fmt.Sprintf("%s:%s:%s:%s:%s:%d", c.Tenant, c.Saga, c.Path, op, c.StartedAt.UTC().Format("20060102T150405Z"), c.Generation)
	}
	if c.Key == "" {
		c.Key = key(c.Operation)
	}
	if c.ActionKey == "" {
		c.ActionKey = key(plugins.OperationAction)
	}
	return &pluginpb.Call{
		Key: c.Key, ActionKey: c.ActionKey, Tenant: c.Tenant, Region: c.Region, Saga: c.Saga, Path: c.Path,
		Operation: operations[c.Operation], Attempt: int32(c.Attempt), Generation: int32(c.Generation),
		Deadline: timestamppb.New(c.Deadline), StartedAt: timestamppb.New(c.StartedAt), TraceParent: c.TraceParent,
	}
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
