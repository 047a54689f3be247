//go:build linux

package host

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sagad/sagad/plugins"
)

// patience bounds what a test waits for; no test needs it all.
const patience = 30 * time.Second

// journal is a log that tests read.
type journal struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	change *sync.Cond
}

func newJournal() *journal {
	j := &journal{}
	j.change = sync.NewCond(&j.mu)
	return j
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.change.Broadcast()
	return j.buf.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

// await returns the log once it has every text.
func (j *journal) await(t *testing.T, texts ...string) string {
	t.Helper()
	late := false
	timer := time.AfterFunc(patience, func() { j.mu.Lock(); late = true; j.mu.Unlock(); j.change.Broadcast() })
	defer timer.Stop()
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, text := range texts {
		for !strings.Contains(j.buf.String(), text) {
			if late {
				t.Fatalf("the log lacks %q:\n%s", text, j.buf.String())
			}
			j.change.Wait()
		}
	}
	return j.buf.String()
}

// start runs a host with the zoo until the test ends.
func start(t *testing.T, change ...func(*Config)) (*Host, *journal) {
	t.Helper()
	h, j := prepare(t, change...)
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, h) })
	return h, j
}

func prepare(t *testing.T, change ...func(*Config)) (*Host, *journal) {
	t.Helper()
	j := newJournal()
	c := Config{
		Tenant: "demo", Region: "eu-west-1", DataDir: t.TempDir(),
		Plugins: []Binary{{Name: "zoo", Path: executable()}},
		Logger:  slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&c)
	}
	for i, b := range c.Plugins { // the race detector sleeps at exit
		c.Plugins[i].Env = maps.Clone(b.Env)
		if c.Plugins[i].Env == nil {
			c.Plugins[i].Env = map[string]string{}
		}
		c.Plugins[i].Env["GORACE"] = "atexit_sleep_ms=0"
	}
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if strings.Contains(j.String(), "DATA RACE") {
			t.Error(j)
		}
	})
	return h, j
}

func stop(t *testing.T, h *Host) {
	t.Helper()
	pids := []int{}
	for _, p := range h.Processes() {
		if p.PID != 0 {
			pids = append(pids, p.PID)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.Stop(ctx); err != nil {
		t.Errorf("Stop: %v", err)
	}
	for _, pid := range pids {
		if syscall.Kill(-pid, 0) != syscall.ESRCH {
			t.Errorf("process group %d is left", pid)
		}
	}
}

func request(activity string, input any) Request {
	encoded, err := json.Marshal(input)
	if err != nil {
		panic(err)
	}
	return Request{Activity: "zoo." + activity, Saga: "demo/order/1", Path: "take", Operation: plugins.OperationAction, Attempt: 1, Input: encoded, Timeout: patience}
}

func invoke(t *testing.T, h *Host, activity string, input any) Outcome {
	t.Helper()
	return h.Invoke(t.Context(), request(activity, input))
}

// want compares what matters of an outcome; messages must hold the text.
func want(t *testing.T, got, want Outcome) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Outcome{}, "Message", "Duration")); diff != "" {
		t.Fatalf("outcome (-want +got):\n%s\nmessage: %s", diff, got.Message)
	}
	if !strings.Contains(got.Message, want.Message) {
		t.Fatalf("message %q lacks %q", got.Message, want.Message)
	}
	if got.Duration <= 0 {
		t.Fatal("no duration")
	}
}

func TestInvoke(t *testing.T) {
	h, _ := start(t)
	want(t, invoke(t, h, "echo", note{Text: "hello"}), Outcome{Class: Applied, Output: json.RawMessage(`{"text":"hello"}`)})

	r := request("call", nil)
	r.Key, r.ActionKey, r.Operation = "k", "a", plugins.OperationCompensation
	r.Attempt, r.Generation, r.TraceParent = 3, 2, "00-trace"
	r.StartedAt = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	o := h.Invoke(t.Context(), r)
	var got map[string]any
	if err := json.Unmarshal(o.Output, &got); err != nil {
		t.Fatal(err, o)
	}
	if diff := cmp.Diff(map[string]any{
		"key": "k", "actionKey": "a", "tenant": "demo", "region": "eu-west-1", "saga": "demo/order/1", "path": "take",
		"operation": "compensation", "attempt": 3.0, "generation": 2.0, "startedAt": "2026-11-23T10:00:00Z", "trace": "00-trace",
		"deadlines": true,
	}, got); diff != "" {
		t.Errorf("call (-want +got):\n%s", diff)
	}
}

func TestClasses(t *testing.T) {
	h, _ := start(t, func(c *Config) {
		c.ValidateOutput = func(activity string, output json.RawMessage) error {
			if strings.Contains(string(output), "breaks the schema") {
				return fmt.Errorf("%s gave nonsense: %s", activity, output)
			}
			return nil
		}
	})
	fail := func(text string) Outcome {
		return invoke(t, h, "fail", note{Text: text, Secret: "DE89370400440532013000"})
	}
	for name, c := range map[string]struct {
		got  Outcome
		want Outcome
	}{
		"reject":        {fail("reject NO_MONEY"), Outcome{Class: Rejected, Code: "NO_MONEY", Message: "about [redacted]", Final: true}},
		"retry":         {fail("retry BUSY"), Outcome{Class: Ambiguous, Code: "BUSY", Message: "about [redacted]"}},
		"permanent":     {fail("permanent LOST"), Outcome{Class: Ambiguous, Code: "LOST", Message: "about [redacted]", Final: true}},
		"error":         {fail("plain"), Outcome{Class: Ambiguous, Code: "ERROR", Message: "about [redacted]"}},
		"panic":         {invoke(t, h, "panic", nil), Outcome{Class: Ambiguous, Code: "PANIC", Message: "a bug"}},
		"bad input":     {invoke(t, h, "echo", map[string]any{"txt": 1}), Outcome{Class: Rejected, Code: "INVALID_INPUT", Message: "txt is unknown", Final: true}},
		"no activity":   {invoke(t, h, "nothing", nil), Outcome{Class: NotSent, Code: CodeNotFound, Message: "zoo.nothing", Final: true}},
		"no plugin":     {h.Invoke(t.Context(), Request{Activity: "zoos.echo"}), Outcome{Class: NotSent, Code: CodeNotFound, Message: "no plugin zoos", Final: true}},
		"input size":    {invoke(t, h, "echo", note{Text: strings.Repeat("x", MaxPayload)}), Outcome{Class: NotSent, Code: CodeTooLarge, Final: true}},
		"output size":   {invoke(t, h, "large", note{Count: MaxPayload}), Outcome{Class: Applied, Code: CodeTooLarge, Final: true}},
		"output fits":   {Outcome{Class: invoke(t, h, "large", note{Count: MaxPayload - 2}).Class, Duration: 1}, Outcome{Class: Applied}},
		"not a number":  {invoke(t, h, "nan", nil), Outcome{Class: Applied, Code: CodeInvalidOutput, Final: true}},
		"output schema": {invoke(t, h, "echo", note{Text: "breaks the schema", Secret: "s3cr3t"}), Outcome{Class: Applied, Code: CodeInvalidOutput, Message: `zoo.echo gave nonsense: {"text":"breaks the schema","secret":"[redacted]"}`, Final: true}},
	} {
		t.Run(name, func(t *testing.T) { want(t, c.got, c.want) })
	}
}

// hold starts a call and returns once the plugin is at work on it.
func hold(ctx context.Context, t *testing.T, h *Host, activity string, timeout time.Duration) <-chan Outcome {
	t.Helper()
	working, ended := make(chan struct{}), make(chan Outcome, 1)
	r := request(activity, nil)
	r.Timeout = timeout
	r.Heartbeat = func(any) { close(working) }
	go func() { ended <- h.Invoke(ctx, r) }()
	select {
	case <-working:
	case o := <-ended:
		t.Fatalf("ended before it worked: %+v", o)
	}
	return ended
}

func TestTimeout(t *testing.T) {
	h, _ := start(t)
	for _, activity := range []string{"hold", "stubborn"} {
		want(t, <-hold(t.Context(), t, h, activity, 300*time.Millisecond), Outcome{Class: Ambiguous, Code: CodeTimeout})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond) // the caller's deadline is a time-out too
	defer cancel()
	want(t, <-hold(ctx, t, h, "hold", patience), Outcome{Class: Ambiguous, Code: CodeTimeout})

	// The one that does not notice its end does not hold up the end of the host
	// for longer than it is given.
	pid := h.Processes()[0].PID
	ctx, cancel = context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := h.Stop(ctx); err == nil || !strings.Contains(err.Error(), "zoo: killed before it was drained") {
		t.Errorf("Stop = %v", err)
	}
	if syscall.Kill(-pid, 0) != syscall.ESRCH {
		t.Error("the process is left")
	}
	want(t, invoke(t, h, "echo", nil), Outcome{Class: NotSent, Code: CodeUnavailable, Message: "not running"})
}

func TestCancel(t *testing.T) {
	h, _ := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := hold(ctx, t, h, "hold", patience)
	cancel()
	want(t, <-ended, Outcome{Class: Ambiguous, Code: CodeCancelled})
	want(t, h.Invoke(ctx, request("echo", nil)), Outcome{Class: NotSent, Code: CodeCancelled})
}

func TestLogs(t *testing.T) {
	const iban = "DE89370400440532013000"
	h, j := start(t)
	var beats []any
	r := request("log", note{Secret: iban}) // the manifest marks it
	r.Heartbeat = func(details any) { beats = append(beats, details) }
	want(t, h.Invoke(t.Context(), r), Outcome{Class: Applied, Output: json.RawMessage(`{}`)})
	log := j.await(t, "in the call", "outside the call", "standard error [redacted]", "standard output [redacted]")
	if strings.Contains(log, iban) {
		t.Errorf("the log has the account:\n%s", log)
	}
	if diff := cmp.Diff([]any{map[string]any{"at": "[redacted]"}}, beats); diff != "" {
		t.Errorf("heartbeats (-want +got):\n%s", diff)
	}
	for line := range strings.SplitSeq(log, "\n") {
		var got map[string]any
		if !strings.Contains(line, "in the call") || json.Unmarshal([]byte(line), &got) != nil {
			continue
		}
		delete(got, "time")
		if diff := cmp.Diff(map[string]any{
			"level": "INFO", "msg": "in the call: [redacted]", "plugin": "zoo", "tenant": "demo", "region": "eu-west-1",
			"saga": "demo/order/1", "path": "take", "operation": "action", "attempt": 1.0,
			"secret": "[redacted]", "nested": map[string]any{"s": "[redacted]"},
		}, got); diff != "" {
			t.Errorf("line (-want +got):\n%s", diff)
		}
	}
	r = request("fail", note{Text: "retry X"}) // the caller names it
	r.Input = json.RawMessage(`{"text":"retry X","secret":"abcdef"}`)
	r.Sensitive = []string{"out ab"}
	if o := h.Invoke(t.Context(), r); strings.Contains(o.Message, "out ab") {
		t.Errorf("message %q", o.Message)
	}
}

func TestFlood(t *testing.T) {
	h, j := start(t)
	want(t, invoke(t, h, "flood", note{Count: 5000}), Outcome{Class: Applied, Output: json.RawMessage(`{}`)})
	stop(t, h)
	log := j.await(t, "lines were dropped")
	if n := strings.Count(log, `"msg":"flood"`); n < lineBurst/2 || n > 4500 {
		t.Errorf("%d lines of the flood were kept", n)
	}
}

func TestPanicIsLoggedWithItsStack(t *testing.T) {
	h, j := start(t)
	invoke(t, h, "panic", nil)
	j.await(t, "activity panicked", "a bug", "main_test.go")
	if h.Processes()[0].Restarts != 0 {
		t.Error("the panic ended the process")
	}
}

func TestConfig(t *testing.T) {
	_, err := New(Config{Tenant: "../x", Plugins: []Binary{{Name: "a"}, {Name: "a"}, {Name: "a/b"}}})
	for _, want := range []string{`Tenant "../x"`, `Region ""`, "DataDir is empty", "plugin a is configured twice", `"a/b"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New = %v, want %q", err, want)
		}
	}
}

func TestManifests(t *testing.T) {
	h, _ := start(t)
	all := h.Manifests()
	if len(all) != 1 {
		t.Fatalf("%d manifests", len(all))
	}
	if diff := cmp.Diff(zoo().Manifest(), all[0]); diff != "" {
		t.Errorf("manifest (-want +got):\n%s", diff)
	}
}

func TestDescribe(t *testing.T) {
	path := buildNoop(t)
	got, err := Describe(t.Context(), Binary{Name: "noop", Path: path})
	if err != nil {
		t.Fatal(err)
	}
	h, _ := prepare(t, func(c *Config) { c.Plugins = []Binary{{Name: "noop", Path: path}} })
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, h)
	if diff := cmp.Diff(h.Manifests()[0], got); diff != "" {
		t.Errorf("manifest (-served +described):\n%s", diff)
	}
	for name, c := range map[string]struct {
		b    Binary
		want string
	}{
		"other name": {Binary{Name: "zoo", Path: path}, `plugin zoo: the file is of a plugin that calls itself "noop"`},
		"missing":    {Binary{Name: "noop", Path: path + "x"}, "there is no file"},
		"no plugin":  {Binary{Name: "noop", Path: "/bin/echo"}, "does not print a manifest"},
		"fails":      {Binary{Name: "noop", Path: "/bin/false"}, "exit status 1"},
	} {
		if _, err := Describe(t.Context(), c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestMiddleware(t *testing.T) {
	var order []string
	mark := func(name string) Middleware {
		return func(next Invoker) Invoker {
			return func(ctx context.Context, r Request) Outcome {
				order = append(order, name+" "+r.Activity)
				o := next(ctx, r)
				order = append(order, name+" "+o.Class.String())
				return o
			}
		}
	}
	h, _ := prepare(t, func(c *Config) { c.Middleware = []Middleware{mark("outer"), mark("inner")} })
	h.Invoke(t.Context(), Request{Activity: "x.y"})
	if diff := cmp.Diff([]string{"outer x.y", "inner x.y", "inner not sent", "outer not sent"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	h, _ := start(t)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			text := fmt.Sprint(i)
			o := invoke(t, h, "echo", note{Text: text})
			if string(o.Output) != `{"text":"`+text+`"}` {
				t.Errorf("call %d: %+v", i, o)
			}
		})
	}
	wg.Wait()
}
