//go:build linux

package host

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/sony/gobreaker/v2"
	"go.uber.org/goleak"

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
func hold(t *testing.T, h *Host, ctx context.Context, activity string, timeout time.Duration) <-chan Outcome {
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
		want(t, <-hold(t, h, t.Context(), activity, 300*time.Millisecond), Outcome{Class: Ambiguous, Code: CodeTimeout})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond) // the caller's deadline is a time-out too
	defer cancel()
	want(t, <-hold(t, h, ctx, "hold", patience), Outcome{Class: Ambiguous, Code: CodeTimeout})

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
	ended := hold(t, h, ctx, "hold", patience)
	cancel()
	want(t, <-ended, Outcome{Class: Ambiguous, Code: CodeCancelled})
	want(t, h.Invoke(ctx, request("echo", nil)), Outcome{Class: NotSent, Code: CodeCancelled})
}

func TestKilledInMidCall(t *testing.T) {
	h, j := start(t)
	before := h.Processes()[0]
	one, two := hold(t, h, t.Context(), "hold", patience), hold(t, h, t.Context(), "hold", patience)
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	want(t, <-one, Outcome{Class: Ambiguous, Code: CodeUnavailable})
	want(t, <-two, Outcome{Class: Ambiguous, Code: CodeUnavailable})
	want(t, invoke(t, h, "echo", nil), Outcome{Class: Applied, Output: json.RawMessage(`{}`)})
	after := h.Processes()[0]
	if after.PID == before.PID || after.PID == 0 || after.Restarts != 1 {
		t.Errorf("processes %+v then %+v", before, after)
	}
	j.await(t, "plugin process ended", "signal: killed")
}

func TestCrashLoop(t *testing.T) {
	h, _ := start(t)
	var pauses []int
	s := h.slots[0]
	settings := breakerSettings("zoo", s.changed)
	settings.ReadyToTrip = func(gobreaker.Counts) bool { return false }
	s.breaker = gobreaker.NewTwoStepCircuitBreaker[Outcome](settings)
	s.pause = func(n int) time.Duration { // under the slot's lock
		pauses = append(pauses, n)
		return []time.Duration{0, 0, 0, time.Hour}[n]
	}
	for range 3 {
		want(t, invoke(t, h, "exit", nil), Outcome{Class: Ambiguous, Code: CodeUnavailable})
	}
	// The death of the third is seen by the next call at the latest.
	want(t, invoke(t, h, "echo", nil), Outcome{Class: NotSent, Code: CodeUnavailable, Message: "failed 3 times in a row"})
	s.mu.Lock()
	s.notUntil = time.Time{} // the pause is over
	s.mu.Unlock()
	want(t, invoke(t, h, "echo", nil), Outcome{Class: Applied, Output: json.RawMessage(`{}`)})
	want(t, invoke(t, h, "exit", nil), Outcome{Class: Ambiguous, Code: CodeUnavailable})
	want(t, invoke(t, h, "echo", nil), Outcome{Class: Applied, Output: json.RawMessage(`{}`)})
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff([]int{1, 2, 3, 1}, pauses); diff != "" {
		t.Errorf("failures in a row (-want +got):\n%s", diff)
	}
}

func TestPauses(t *testing.T) {
	var got []string
	for n := range 12 {
		got = append(got, pauseAfter(n).String())
	}
	if diff := cmp.Diff(strings.Fields("0s 0s 200ms 400ms 800ms 1.6s 3.2s 6.4s 12.8s 25.6s 30s 30s"), got); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
}

func TestBreaker(t *testing.T) {
	h, j := start(t)
	s := h.slots[0]
	settings := breakerSettings("zoo", s.changed)
	settings.Timeout = time.Hour
	s.breaker = gobreaker.NewTwoStepCircuitBreaker[Outcome](settings)
	for range 4 {
		want(t, invoke(t, h, "fail", note{Text: "reject NO"}), Outcome{Class: Rejected, Code: "NO", Final: true})
	}
	for range 4 { // 4 of 8 is not more than half
		want(t, invoke(t, h, "fail", note{Text: "retry UNAVAILABLE"}), Outcome{Class: Ambiguous, Code: CodeUnavailable})
	}
	want(t, invoke(t, h, "fail", note{Text: "retry UNAVAILABLE"}), Outcome{Class: Ambiguous, Code: CodeUnavailable})
	want(t, invoke(t, h, "echo", nil), Outcome{Class: NotSent, Code: CodeUnavailable, Message: "circuit breaker"})
	j.await(t, `"from":"closed","to":"open"`)
	if got := h.Processes()[0].Breaker; got != "open" {
		t.Errorf("breaker is %s", got)
	}
}

func TestBreakerLetsOneThrough(t *testing.T) {
	h, _ := start(t)
	s := h.slots[0]
	settings := breakerSettings("zoo", s.changed)
	settings.Timeout = time.Nanosecond
	s.breaker = gobreaker.NewTwoStepCircuitBreaker[Outcome](settings)
	for range 5 {
		want(t, invoke(t, h, "fail", note{Text: "retry TIMEOUT"}), Outcome{Class: Ambiguous, Code: CodeTimeout})
	}
	ctx, cancel := context.WithCancel(t.Context())
	probe := hold(t, h, ctx, "hold", patience)
	want(t, invoke(t, h, "echo", nil), Outcome{Class: NotSent, Code: CodeUnavailable, Message: "circuit breaker"})
	cancel() // says nothing of the plugin
	<-probe
	want(t, invoke(t, h, "echo", nil), Outcome{Class: Applied, Output: json.RawMessage(`{}`)})
	if got := h.Processes()[0].Breaker; got != "closed" {
		t.Errorf("breaker is %s", got)
	}
}

// TestStoppedProcess: a process that does not answer at all is replaced.
func TestStoppedProcess(t *testing.T) {
	h, j := start(t)
	s := h.slots[0]
	settings := breakerSettings("zoo", s.changed)
	settings.Timeout = time.Nanosecond
	s.breaker = gobreaker.NewTwoStepCircuitBreaker[Outcome](settings)
	stopProcess(t, h.Processes()[0].PID)
	for range 5 {
		r := request("echo", nil)
		r.Timeout = 20 * time.Millisecond
		want(t, h.Invoke(t.Context(), r), Outcome{Class: Ambiguous, Code: CodeTimeout})
	}
	j.await(t, "does not answer: killing it", "plugin process ended")
	want(t, invoke(t, h, "echo", nil), Outcome{Class: Applied, Output: json.RawMessage(`{}`)})
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		o    Outcome
		want error
	}{
		{Outcome{Class: Applied}, nil},
		{Outcome{Class: Applied, Code: CodeTooLarge}, nil},
		{Outcome{Class: Rejected, Code: "UNAVAILABLE"}, nil},
		{ambiguous("PANIC", ""), nil},
		{ambiguous(CodeTimeout, ""), errInfrastructure},
		{ambiguous(CodeUnavailable, ""), errInfrastructure},
		{ambiguous(CodeCancelled, ""), errNoVerdict},
		{notSent(CodeUnavailable, ""), errNoVerdict},
	} {
		if got := verdict(c.o); got != c.want {
			t.Errorf("verdict(%+v) = %v, want %v", c.o, got, c.want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("DATABASE_PASSWORD", "hunter2")
	h, _ := start(t, func(c *Config) { c.Plugins[0].Env = map[string]string{"RAIL_URL": "https://rail.example"} })
	o := invoke(t, h, "environment", nil)
	var got []string
	if err := json.Unmarshal(o.Output, &got); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range got {
		name, _, _ := strings.Cut(v, "=")
		names = append(names, name)
	}
	if diff := cmp.Diff([]string{
		"SAGAD_PLUGIN", "PLUGIN_MIN_PORT", "PLUGIN_MAX_PORT", "PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_CLIENT_CERT", "PLUGIN_UNIX_SOCKET_DIR",
		"SAGAD_PLUGIN_STDIN", "GORACE", "RAIL_URL",
	}, names); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
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

func TestStartFailures(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "source.go")
	if err := os.WriteFile(text, []byte("package main"), 0o600); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("not a program"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path, behaviour string
		want            string
	}{
		"missing":    {path: filepath.Join(dir, "nothing"), want: "there is no file"},
		"source":     {path: text, want: "is not executable"},
		"directory":  {path: dir, want: "is not a file"},
		"no program": {path: script, want: "exec format error"},
		"exits":      {behaviour: "exits", want: "ended before it was ready (exit status 7); it wrote: no licence found"},
		"babbles":    {behaviour: "babbles", want: `wrote "Welcome to my plugin!" where its handshake should be`},
		"mute":       {behaviour: "mute", want: "not ready within 500ms: it did not say where it listens"},
		"elsewhere":  {behaviour: "elsewhere", want: "instead of a socket in the directory it was given"},
		"tcp":        {behaviour: "tcp", want: "instead of a socket in the directory it was given"},
		"future":     {behaviour: "future", want: `speaks version "2" of the plugin protocol`},
		"refuses":    {behaviour: "refuses", want: "it refused to start: the ledger file is corrupt"},
		"other":      {behaviour: "other", want: `calls itself "other"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := prepare(t, func(c2 *Config) {
				if c.path == "" {
					c.path = executable()
				}
				c2.Plugins = []Binary{{Name: "zoo", Path: c.path, Env: map[string]string{"BEHAVIOUR": c.behaviour}}}
				if name == "mute" {
					c2.StartTimeout = 500 * time.Millisecond
				}
			})
			err := h.Start(t.Context())
			if err == nil || !strings.Contains(err.Error(), "plugin zoo: ") || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("Start = %v, want %q", err, c.want)
			}
			want(t, invoke(t, h, "echo", nil), Outcome{Class: NotSent, Code: CodeUnavailable})
			if _, err := os.Stat(h.sockets.path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the directory of the sockets is left: %v", err)
			}
		})
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

// TestStopDuringStart: whoever comes first, no process is left and nothing
// hangs.
func TestStopDuringStart(t *testing.T) {
	for range 5 {
		h, _ := prepare(t)
		began, started := make(chan struct{}), make(chan error, 1)
		go func() {
			close(began)
			started <- h.Start(t.Context())
		}()
		<-began
		stop(t, h)
		if err := <-started; err == nil {
			want(t, invoke(t, h, "echo", nil), Outcome{Class: NotSent, Code: CodeUnavailable})
		}
	}
	h, _ := prepare(t)
	want(t, invoke(t, h, "echo", nil), Outcome{Class: NotSent, Code: CodeUnavailable, Message: "not running"})
	stop(t, h)
	if err := h.Start(t.Context()); !errors.Is(err, errStopped) {
		t.Errorf("Start after Stop = %v", err)
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

// TestStopDrains: a running call ends by itself, a new one is not sent.
func TestStopDrains(t *testing.T) {
	h, _ := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	running := hold(t, h, ctx, "hold", patience)
	stopped := make(chan struct{})
	go func() { stop(t, h); close(stopped) }()
	for invoke(t, h, "echo", nil).Class == Applied { // until the plugin drains
	}
	select {
	case <-stopped:
		t.Error("Stop did not wait for the call")
	default:
	}
	cancel()
	<-running
	<-stopped
}

// TestStopLosesNoResult: what the last calls answered arrives, however large.
func TestStopLosesNoResult(t *testing.T) {
	h, _ := start(t)
	pid := h.Processes()[0].PID
	var running []<-chan Outcome
	for range 8 {
		running = append(running, hold(t, h, t.Context(), "last", patience))
	}
	stopped := make(chan struct{})
	go func() { stop(t, h); close(stopped) }()
	for invoke(t, h, "echo", nil).Class == Applied { // until the plugin drains
	}
	if err := syscall.Kill(pid, syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	for _, r := range running {
		if o := <-r; o.Class != Applied || len(o.Output) != MaxPayload {
			t.Errorf("%s %s %s", o.Class, o.Code, o.Message)
		}
	}
	<-stopped
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	h, _ := start(t, func(c *Config) { c.Plugins[0].Env = map[string]string{"BEHAVIOUR": "undrainable"} })
	pid := h.Processes()[0].PID
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := h.Stop(ctx); err == nil || !strings.Contains(err.Error(), "plugin zoo: killed") {
		t.Errorf("Stop = %v", err)
	}
	if syscall.Kill(pid, 0) != syscall.ESRCH {
		t.Error("the process is left")
	}
}

// TestGroupDies: what a plugin has started goes with it.
func TestGroupDies(t *testing.T) {
	h, j := start(t)
	o := invoke(t, h, "child", nil)
	child, err := strconv.Atoi(string(o.Output))
	if err != nil {
		t.Fatal(err, o)
	}
	gone := watchProcess(t, child)
	if err := syscall.Kill(h.Processes()[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	gone()
	j.await(t, "plugin process ended")
}

// TestPluginDiesWithItsHost kills a host that has no time to tell anyone.
func TestPluginDiesWithItsHost(t *testing.T) {
	cmd := exec.Command(executable())
	tmp, err := os.MkdirTemp("", "d")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	cmd.Env = append(os.Environ(), "SAGAD_TEST_HOST="+t.TempDir(), "TMPDIR="+tmp)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	gone := watchProcess(t, pid)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	gone()

	left := func() int {
		found, err := filepath.Glob(filepath.Join(tmp, socketDirPattern))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	if left() != 1 {
		t.Errorf("%d directories of sockets after the kill", left())
	}
	t.Setenv("TMPDIR", tmp)
	h, _ := start(t)
	if left() != 1 { // this host's own
		t.Errorf("%d directories of sockets after the next start", left())
	}
	stop(t, h)
	if left() != 0 {
		t.Errorf("%d directories of sockets after the stop", left())
	}
}

func TestNoGoroutineIsLeft(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	h, _ := prepare(t)
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, invoke(t, h, "exit", nil), Outcome{Class: Ambiguous, Code: CodeUnavailable})
	want(t, invoke(t, h, "echo", nil), Outcome{Class: Applied, Output: json.RawMessage(`{}`)})
	stop(t, h)
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
