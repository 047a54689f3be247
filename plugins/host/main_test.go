//go:build linux

package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/pluginpb"
)

// TestMain makes the test binary the plugin that the tests start, and the host
// that one of them kills.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv("SAGAD_TEST_HOST") != "":
		hostProcess()
	case os.Getenv(pluginpb.CookieKey) != "":
		pluginProcess()
	default:
		os.Exit(m.Run())
	}
}

// pluginProcess behaves as the variable BEHAVIOUR says.
func pluginProcess() {
	switch os.Getenv("BEHAVIOUR") {
	case "exits":
		fmt.Fprintln(os.Stderr, "no licence found")
		os.Exit(7)
	case "babbles":
		fmt.Println("Welcome to my plugin!")
		select {}
	case "mute":
		select {}
	case "elsewhere":
		fmt.Printf("1|1|unix|/var/run/docker.sock|grpc|%s\n", strings.Repeat("A", 400))
		select {}
	case "tcp":
		fmt.Printf("1|1|tcp|10.0.0.1:80|grpc|%s\n", strings.Repeat("A", 400))
		select {}
	case "future":
		fmt.Printf("1|2|unix|/x|grpc|%s\n", strings.Repeat("A", 400))
		select {}
	case "refuses":
		plugins.Serve(zoo().OnStart(func(context.Context, plugins.Env) error { return errors.New("the ledger file is corrupt") }))
	case "other":
		plugins.Serve(plugins.New("other", "1", plugins.Activity("echo", echo)))
	case "undrainable":
		plugins.Serve(zoo().OnStop(func(context.Context) error { select {} }))
	default:
		plugins.Serve(zoo())
	}
}

type note struct {
	Text   string `json:"text,omitempty"`
	Secret string `json:"secret,omitempty" sensitive:"true"`
	Count  int    `json:"count,omitempty"`
}

func echo(_ context.Context, _ plugins.Call, in note) (note, error) { return in, nil }

// zoo has every kind of activity a host may meet.
func zoo() *plugins.Plugin {
	p := plugins.New("zoo", "1.2.3",
		plugins.Activity("echo", echo, plugins.Regions("eu-west-1")),
		plugins.Activity("call", func(ctx context.Context, call plugins.Call, _ struct{}) (map[string]any, error) {
			deadline, _ := ctx.Deadline()
			return map[string]any{
				"key": call.Key, "actionKey": call.ActionKey, "tenant": call.Tenant, "region": call.Region, "saga": call.Saga,
				"path": call.Path, "operation": call.Operation, "attempt": call.Attempt, "generation": call.Generation,
				"startedAt": call.StartedAt, "trace": call.TraceParent,
				"deadlines": call.Deadline.Sub(deadline).Abs() < time.Second,
			}, nil
		}),
		plugins.Activity("environment", func(context.Context, plugins.Call, struct{}) ([]string, error) {
			return os.Environ(), nil
		}),
		// hold says that it is at work, and waits until it is cut off.
		plugins.Activity("hold", func(ctx context.Context, _ plugins.Call, _ struct{}) (struct{}, error) {
			plugins.Heartbeat(ctx, map[string]any{"pid": os.Getpid()})
			<-ctx.Done()
			return struct{}{}, ctx.Err()
		}),
		// stubborn does not notice that it is cut off.
		plugins.Activity("stubborn", func(ctx context.Context, _ plugins.Call, _ struct{}) (struct{}, error) {
			plugins.Heartbeat(ctx, nil)
			select {}
		}),
		plugins.Activity("exit", func(context.Context, plugins.Call, struct{}) (struct{}, error) {
			os.Exit(3)
			return struct{}{}, nil
		}),
		plugins.Activity("panic", func(context.Context, plugins.Call, struct{}) (struct{}, error) {
			panic("a bug")
		}),
		plugins.Activity("fail", func(_ context.Context, _ plugins.Call, in note) (struct{}, error) {
			kind, code, _ := strings.Cut(in.Text, " ")
			message := "about " + in.Secret
			switch kind {
			case "reject":
				return struct{}{}, plugins.Reject(code, "%s", message)
			case "retry":
				return struct{}{}, plugins.Retry(code, "%s", message)
			case "permanent":
				return struct{}{}, plugins.Permanent(code, "%s", message)
			}
			return struct{}{}, errors.New(message)
		}),
		plugins.Activity("large", func(_ context.Context, _ plugins.Call, in note) (string, error) {
			return strings.Repeat("x", in.Count), nil
		}),
		// last has a large output, and ends on a signal.
		plugins.Activity("last", func(ctx context.Context, _ plugins.Call, _ struct{}) (string, error) {
			told := make(chan os.Signal, 1)
			signal.Notify(told, syscall.SIGUSR1)
			plugins.Heartbeat(ctx, nil)
			<-told
			return strings.Repeat("x", MaxPayload-2), nil
		}),
		plugins.Activity("nan", func(context.Context, plugins.Call, struct{}) (float64, error) { return math.NaN(), nil }),
		plugins.Activity("log", func(ctx context.Context, call plugins.Call, in note) (struct{}, error) {
			call.Logger.Info("in the call: "+in.Secret, "secret", in.Secret, "nested", map[string]any{"s": in.Secret})
			slog.Warn("outside the call", "secret", in.Secret)
			fmt.Fprintln(os.Stderr, "standard error", in.Secret)
			fmt.Println("standard output", in.Secret)
			plugins.Heartbeat(ctx, map[string]any{"at": in.Secret})
			return struct{}{}, nil
		}),
		plugins.Activity("flood", func(_ context.Context, call plugins.Call, in note) (struct{}, error) {
			for i := range in.Count {
				call.Logger.Info("flood", "i", i, "text", strings.Repeat("y", 100))
			}
			return struct{}{}, nil
		}),
		// child starts a process that outlives a plugin that does not mind it.
		plugins.Activity("child", func(context.Context, plugins.Call, struct{}) (int, error) {
			cmd := exec.Command("/bin/sleep", "1000")
			cmd.Stdout, cmd.Stderr = os.NewFile(1, "stdout"), os.NewFile(2, "stderr")
			if err := cmd.Start(); err != nil {
				return 0, err
			}
			return cmd.Process.Pid, nil
		}),
	)
	return p
}

// hostProcess runs a host until it is killed, and tells its plugin's number.
func hostProcess() {
	h, err := New(Config{Tenant: "demo", Region: "eu", DataDir: os.Getenv("SAGAD_TEST_HOST"), Plugins: []Binary{{
		Name: "zoo", Path: executable(), Env: map[string]string{pluginpb.StdinVariable: "0"}, // only the kernel tells it
	}}})
	if err == nil {
		err = h.Start(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(h.Processes()[0].PID)
	select {}
}

func executable() string {
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return path
}
