package plugins_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/pluginpb"
	"github.com/sagad/sagad/plugins/plugintest"
)

type order struct {
	Mode string `json:"mode"`
}

func activity[Out any](fn func(ctx context.Context, call plugins.Call, mode string) (Out, error)) plugins.Definition {
	return plugins.Activity("do", func(ctx context.Context, call plugins.Call, in order) (Out, error) {
		return fn(ctx, call, in.Mode)
	}, plugins.Errors("NO_MONEY", "BUSY", "LOST"))
}

func TestErrors(t *testing.T) {
	cause := errors.New("disk on fire")
	h := plugintest.New(t, plugins.New("p", "1", activity(func(_ context.Context, _ plugins.Call, mode string) (float64, error) {
		switch mode {
		case "reject":
			return 0, plugins.Reject("NO_MONEY", "%d is too much", 7)
		case "retry":
			return 0, plugins.Retry("BUSY", "because: %w", cause)
		case "permanent":
			return 0, plugins.Permanent("LOST", "gone")
		case "wrapped":
			return 0, fmt.Errorf("holding: %w", plugins.Reject("NO_MONEY", "empty"))
		case "plain":
			return 0, cause
		case "no code":
			return 0, plugins.Retry("", "x")
		case "long":
			return 0, plugins.Retry("BUSY", "%s", strings.Repeat("é", pluginpb.MaxText))
		case "not UTF-8":
			return 0, plugins.Retry("BUSY", "\xff\xfe")
		case "panic":
			panic("a bug")
		case "nan":
			return math.NaN(), nil
		case "huge integer":
			return 1 << 60, nil
		}
		return 1.5, nil
	})))
	for mode, want := range map[string]plugins.Error{
		"reject":       {Kind: plugins.KindReject, Code: "NO_MONEY", Message: "7 is too much"},
		"retry":        {Kind: plugins.KindRetry, Code: "BUSY", Message: "because: disk on fire"},
		"permanent":    {Kind: plugins.KindPermanent, Code: "LOST", Message: "gone"},
		"wrapped":      {Kind: plugins.KindReject, Code: "NO_MONEY", Message: "holding: NO_MONEY: empty"},
		"plain":        {Kind: plugins.KindRetry, Code: "ERROR", Message: "disk on fire"},
		"no code":      {Kind: plugins.KindRetry, Code: "ERROR", Message: "x"},
		"long":         {Kind: plugins.KindRetry, Code: "BUSY", Message: strings.Repeat("é", pluginpb.MaxText/2-2) + "..."},
		"not UTF-8":    {Kind: plugins.KindRetry, Code: "BUSY", Message: "?"},
		"panic":        {Kind: plugins.KindRetry, Code: "PANIC", Message: "the activity panicked: a bug; the plugin's log has the stack"},
		"nan":          {Kind: plugins.KindPermanent, Code: "INVALID_OUTPUT", Message: "json: unsupported value: NaN"},
		"huge integer": {Kind: plugins.KindPermanent, Code: "INVALID_OUTPUT", Message: "the value must be at most 2^53-1 in size"},
	} {
		r := h.Invoke("p.do", order{mode})
		if diff := cmp.Diff(&want, r.Err, cmpopts.IgnoreUnexported(plugins.Error{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", mode, diff)
		}
		if r.Undeliverable != (want.Code == "INVALID_OUTPUT") {
			t.Errorf("%s: undeliverable = %v", mode, r.Undeliverable)
		}
		if mode == "panic" && !strings.Contains(fmt.Sprintf("%s", r.Log), "service_test.go") {
			t.Errorf("the log lacks the stack: %s", r.Log)
		}
	}
	var out float64
	if err := h.Invoke("p.do", order{"fine"}).Decode(&out); err != nil || out != 1.5 {
		t.Errorf("Decode = %v, %v", out, err)
	}
	r := h.Invoke("p.do", map[string]any{"mode": "fine", "more": 1})
	if diff := cmp.Diff(&plugins.Error{Kind: plugins.KindReject, Code: "INVALID_INPUT", Message: "more is unknown; known are mode"}, r.Err, cmpopts.IgnoreUnexported(plugins.Error{})); diff != "" {
		t.Errorf("bad input (-want +got):\n%s", diff)
	}
	if r := h.Invoke("p.undo", nil); r.Err == nil || r.Err.Code != "NOT_FOUND" {
		t.Errorf("unknown activity: %+v", r)
	}
}

func TestErrorsAs(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("outer: %w", plugins.Retry("BUSY", "inner: %w", cause))
	var typed *plugins.Error
	if !errors.As(err, &typed) || typed.Code != "BUSY" || !errors.Is(err, cause) {
		t.Errorf("typed = %v", typed)
	}
	if got := plugins.Reject("X", "").Error(); got != "X" {
		t.Errorf("Error() = %q", got)
	}
}

func TestUndeclaredCodeIsLogged(t *testing.T) {
	h := plugintest.New(t, plugins.New("p", "1", activity(func(context.Context, plugins.Call, string) (int, error) {
		return 0, plugins.Reject("SURPRISE", "")
	})))
	r := h.Invoke("p.do", order{})
	if len(r.Log) != 1 || !strings.Contains(string(r.Log[0]), "SURPRISE") || !strings.Contains(string(r.Log[0]), "not declared") {
		t.Errorf("log = %s", r.Log)
	}
}

func TestHeartbeatsAndLogsComeBeforeTheResult(t *testing.T) {
	h := plugintest.New(t, plugins.New("p", "1", activity(func(ctx context.Context, call plugins.Call, _ string) (int, error) {
		plugins.Heartbeat(ctx, 1)
		call.Logger.Info("half", "n", 2)
		plugins.Heartbeat(ctx, math.Inf(1))
		plugins.Heartbeat(ctx, strings.Repeat("x", pluginpb.MaxDetails))
		plugins.Heartbeat(context.Background(), "outside")
		return 3, nil
	})))
	r := h.Invoke("p.do", order{}, func(c *plugins.Call) { c.Path, c.Attempt = "take[c]", 4 })
	if diff := cmp.Diff([]string{"1", "null", "null"}, texts(r.Heartbeats)); diff != "" {
		t.Errorf("heartbeats (-want +got):\n%s", diff)
	}
	var line map[string]any
	if len(r.Log) != 1 || json.Unmarshal(r.Log[0], &line) != nil {
		t.Fatalf("log = %s", r.Log)
	}
	delete(line, "time")
	if diff := cmp.Diff(map[string]any{
		"level": "INFO", "msg": "half", "n": 2.0, "saga": "demo/test/1", "path": "take[c]", "operation": "action", "attempt": 4.0,
	}, line); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}

func texts(raw []json.RawMessage) []string {
	var out []string
	for _, r := range raw {
		out = append(out, string(r))
	}
	return out
}

func TestCall(t *testing.T) {
	var got plugins.Call
	h := plugintest.New(t, plugins.New("p", "1", activity(func(_ context.Context, call plugins.Call, _ string) (int, error) {
		got = call
		return 0, nil
	})))
	want := plugins.Call{
		Key: "k", ActionKey: "a", Tenant: "demo", Region: "test", Saga: "demo/test/1", Path: "x[1]/y", Operation: plugins.OperationProbe,
		Attempt: 3, Generation: 2, Deadline: time.Now().Add(time.Minute).UTC(), StartedAt: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
		TraceParent: "00-1",
	}
	h.Invoke("p.do", order{}, func(c *plugins.Call) { *c = want })
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(plugins.Call{}, "Logger")); diff != "" {
		t.Errorf("call (-want +got):\n%s", diff)
	}
}

func TestCancellationReachesTheActivity(t *testing.T) {
	working, ended := make(chan struct{}), make(chan error, 1)
	h := plugintest.New(t, plugins.New("p", "1", activity(func(ctx context.Context, call plugins.Call, _ string) (int, error) {
		close(working)
		<-ctx.Done()
		ended <- ctx.Err()
		call.Logger.Info("after the end") // goes to the log of the process
		return 0, ctx.Err()
	})))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-working; cancel() }()
	r := h.InvokeContext(ctx, "p.do", order{})
	if r.Err == nil || r.Err.Code != "NO_ANSWER" {
		t.Errorf("result = %+v", r)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the activity's context ended with %v", err)
	}
}

func TestLifecycle(t *testing.T) {
	var events []string
	p := plugins.New("p", "1", activity(func(context.Context, plugins.Call, string) (int, error) {
		events = append(events, "call")
		return 0, nil
	}))
	p.OnStart(func(_ context.Context, env plugins.Env) error {
		env.Logger.Info("starting", "tenant", env.Tenant)
		events = append(events, "start "+env.Tenant+" "+env.Region)
		return os.WriteFile(filepath.Join(env.DataDir, "f"), nil, 0o600)
	}).OnStart(func(context.Context, plugins.Env) error { events = append(events, "start 2"); return nil })
	p.OnStop(func(context.Context) error { events = append(events, "stop 1"); return nil })
	p.OnStop(func(context.Context) error { events = append(events, "stop 2"); return nil })
	t.Run("serving", func(t *testing.T) {
		h := plugintest.New(t, p)
		h.Invoke("p.do", order{})
		if _, err := os.Stat(filepath.Join(h.DataDir(), "f")); err != nil {
			t.Error(err)
		}
		if !strings.Contains(h.Log(), `"msg":"starting","tenant":"demo"`) {
			t.Errorf("log = %s", h.Log())
		}
	})
	if diff := cmp.Diff([]string{"start demo test", "start 2", "call", "stop 2", "stop 1"}, events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestServiceStates calls a service out of order.
func TestServiceStates(t *testing.T) {
	stopped := 0
	p := plugins.New("p", "1", activity(func(context.Context, plugins.Call, string) (int, error) { return 0, nil })).
		OnStart(func(context.Context, plugins.Env) error { panic("bad start") }).
		OnStop(func(context.Context) error { stopped++; return nil })
	s := p.Service(nil)
	if err := s.Invoke(&pluginpb.InvokeRequest{Activity: "p.do"}, nil); err == nil || !strings.Contains(err.Error(), "not configured") {
		t.Errorf("Invoke before Configure = %v", err)
	}
	if _, err := s.Configure(t.Context(), &pluginpb.ConfigureRequest{}); err == nil || !strings.Contains(err.Error(), "panic: bad start") {
		t.Errorf("Configure = %v", err)
	}
	for range 2 {
		if _, err := s.Drain(t.Context(), &pluginpb.DrainRequest{}); err != nil {
			t.Errorf("Drain = %v", err)
		}
	}
	if stopped != 0 {
		t.Error("what was not started was stopped")
	}
	if err := s.Invoke(&pluginpb.InvokeRequest{Activity: "p.do"}, nil); err == nil || !strings.Contains(err.Error(), "draining") {
		t.Errorf("Invoke after Drain = %v", err)
	}
}
