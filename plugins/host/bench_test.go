package host

import (
	"context"
	"encoding/json"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/pluginpb"
)

// BenchmarkCall measures a call that does nothing, through a process. The ratio
// is against the same call inside this process, over gRPC in memory.
func BenchmarkCall(b *testing.B) {
	h := benchHost(b)
	r := Request{Activity: "noop.do", Saga: "demo/order/1", Path: "take", Operation: plugins.OperationAction, Attempt: 1, Input: json.RawMessage(`{}`)}
	inProcess := benchInProcess(b)
	took, base := make([]time.Duration, 0, b.N), make([]time.Duration, 0, b.N)
	for b.Loop() {
		o := h.Invoke(b.Context(), r)
		if o.Class != Applied {
			b.Fatalf("%+v", o)
		}
		took = append(took, o.Duration)
		base = append(base, inProcess())
	}
	report(b, "call", took)
	report(b, "in-memory", base)
	b.ReportMetric(float64(median(took))/float64(median(base)), "ratio")
}

// BenchmarkStart measures the start of a process until it is configured. The
// ratio is against running the same binary to print its manifest.
func BenchmarkStart(b *testing.B) {
	path := buildNoop(b)
	var took, base []time.Duration
	for b.Loop() {
		h, err := New(Config{Tenant: "demo", Region: "eu", DataDir: b.TempDir(), Plugins: []Binary{{Name: "noop", Path: path}}})
		if err != nil {
			b.Fatal(err)
		}
		if err := h.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		took = append(took, h.Processes()[0].Startup)
		if err := h.Stop(b.Context()); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		if err := exec.Command(path, "--manifest").Run(); err != nil {
			b.Fatal(err)
		}
		base = append(base, time.Since(began))
	}
	report(b, "start", took)
	report(b, "exec", base)
	b.ReportMetric(float64(median(took))/float64(median(base)), "ratio")
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func report(b *testing.B, name string, d []time.Duration) {
	b.ReportMetric(float64(median(d).Microseconds()), name+"-p50-us")
	b.ReportMetric(float64(d[len(d)*99/100].Microseconds()), name+"-p99-us")
}

func buildNoop(b testing.TB) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "noop")
	if out, err := exec.Command("go", "build", "-o", path, "./testdata/noop").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return path
}

func benchHost(b *testing.B) *Host {
	b.Helper()
	h, err := New(Config{Tenant: "demo", Region: "eu", DataDir: b.TempDir(), Plugins: []Binary{{Name: "noop", Path: buildNoop(b)}}})
	if err != nil {
		b.Fatal(err)
	}
	if err := h.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := h.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return h
}

// benchInProcess makes one call over gRPC in memory and says how long it took.
func benchInProcess(b *testing.B) func() time.Duration {
	b.Helper()
	p := plugins.New("noop", "1", plugins.Activity("do", func(context.Context, plugins.Call, struct{}) (struct{}, error) { return struct{}{}, nil }))
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	pluginpb.RegisterPluginServer(server, p.Service(nil))
	go func() { _ = server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///noop", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close(); server.Stop() })
	client := pluginpb.NewPluginClient(conn)
	if _, err := client.Configure(b.Context(), &pluginpb.ConfigureRequest{}); err != nil {
		b.Fatal(err)
	}
	return func() time.Duration {
		began := time.Now()
		stream, err := client.Invoke(b.Context(), &pluginpb.InvokeRequest{Activity: "noop.do", Input: []byte(`{}`)})
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = stream.Recv()
		}
		return time.Since(began)
	}
}
