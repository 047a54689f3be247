package plugins_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/pluginpb"
)

// TestMain makes the test binary the plugin that the tests of Serve start.
func TestMain(m *testing.M) {
	switch os.Getenv("SERVE") {
	case "":
		os.Exit(m.Run())
	case "bad":
		plugins.Serve(plugins.New("Bad name", "1"))
	default:
		plugins.Serve(served())
		slog.Info("Serve returned")
	}
}

// served has an activity that ends when the test closes a pipe.
func served() *plugins.Plugin {
	pipe := os.NewFile(3, "pipe")
	p := plugins.New("served", "1.0.0", plugins.Activity("wait", func(ctx context.Context, _ plugins.Call, _ struct{}) (string, error) {
		plugins.Heartbeat(ctx, nil)
		_, err := io.Copy(io.Discard, pipe)
		return "finished", err
	}))
	p.OnStop(func(context.Context) error { slog.Info("OnStop ran"); return nil })
	return p
}

func plugin(t *testing.T, how string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = []string{"SERVE=" + how, "GORACE=atexit_sleep_ms=0", "TMPDIR=" + os.TempDir()}
	return cmd
}

func TestServeByHand(t *testing.T) {
	for name, c := range map[string]struct {
		cmd  *exec.Cmd
		want string
	}{
		"no host":    {plugin(t, "well"), "This is the sagad plugin served 1.0.0. A host starts it"},
		"badly made": {plugin(t, "bad", "--manifest"), `plugin name "Bad name"`},
	} {
		out, err := c.cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %v, %s", name, err, out)
		}
	}
	out, err := plugin(t, "well", "--manifest").Output()
	if err != nil {
		t.Fatal(err)
	}
	var got plugins.Manifest
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	want := served().Manifest()
	for _, m := range []*plugins.Manifest{&want, &got} {
		for i := range m.Activities {
			m.Activities[i].Input, m.Activities[i].Output = nil, nil // the white space differs
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("manifest (-want +got):\n%s", diff)
	}
}

// TestServeDrains: when the process is told to end, or its host is gone, the
// running call ends in peace, a new one is refused, and OnStop runs.
func TestServeDrains(t *testing.T) {
	for name, end := range map[string]func(*exec.Cmd, io.Closer) error{
		"SIGTERM":               func(cmd *exec.Cmd, _ io.Closer) error { return cmd.Process.Signal(syscall.SIGTERM) },
		"end of standard input": func(_ *exec.Cmd, stdin io.Closer) error { return stdin.Close() },
	} {
		t.Run(name, func(t *testing.T) { serveAndEnd(t, end) })
	}
}

func serveAndEnd(t *testing.T, end func(*exec.Cmd, io.Closer) error) {
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	held, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := plugin(t, "well")
	cmd.Env = append(cmd.Env, pluginpb.CookieKey+"="+pluginpb.CookieValue, pluginpb.StdinVariable+"=1", "PLUGIN_UNIX_SOCKET_DIR="+dir, "PLUGIN_PROTOCOL_VERSIONS=1")
	cmd.ExtraFiles = []*os.File{held}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // ended long ago, if all went well
	_ = held.Close()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(line, "|")
	if len(parts) < 5 || filepath.Dir(parts[3]) != dir {
		t.Fatalf("handshake %q", line)
	}
	conn, err := grpc.NewClient("unix:"+parts[3], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	client := pluginpb.NewPluginClient(conn)
	if _, err := client.Configure(ctx, &pluginpb.ConfigureRequest{DataDir: dir}); err != nil {
		t.Fatal(err)
	}
	running, err := client.Invoke(ctx, &pluginpb.InvokeRequest{Activity: "served.wait"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := running.Recv(); err != nil { // the heartbeat: it is at work
		t.Fatal(err)
	}
	if err := end(cmd, stdin); err != nil {
		t.Fatal(err)
	}
	awaitDraining(ctx, t, client)
	_ = hold.Close()
	event, err := running.Recv()
	if err != nil || string(event.GetResult().GetOutput()) != `"finished"` {
		t.Errorf("result = %v, %v", event, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
	if _, got, ok := strings.Cut(stderr.String(), "OnStop ran"); !ok || !strings.Contains(got, "Serve returned") {
		t.Errorf("standard error: %s", stderr.String())
	}
}

// awaitDraining calls until the plugin refuses because it drains. A call that is
// let in waits, and is cut off at once.
func awaitDraining(ctx context.Context, t *testing.T, client pluginpb.PluginClient) {
	t.Helper()
	for {
		once, cancel := context.WithCancel(ctx)
		stream, err := client.Invoke(once, &pluginpb.InvokeRequest{Activity: "served.wait"})
		if err == nil {
			_, err = stream.Recv()
		}
		cancel()
		if status.Code(err) == codes.FailedPrecondition {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
