//go:build linux

package host

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sony/gobreaker/v2"
	"go.uber.org/goleak"
)

func TestKilledInMidCall(t *testing.T) {
	h, j := start(t)
	before := h.Processes()[0]
	one, two := hold(t.Context(), t, h, "hold", patience), hold(t.Context(), t, h, "hold", patience)
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

// TestStopDrains: a running call ends by itself, a new one is not sent.
func TestStopDrains(t *testing.T) {
	h, _ := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	running := hold(ctx, t, h, "hold", patience)
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
		running = append(running, hold(t.Context(), t, h, "last", patience))
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
