package main

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/engine"
)

// silent is an input with which the settlement network accepts the payment and
// then keeps still until the attempt is cut off: the middle of a call.
func silent(t *testing.T) (definition, input string) {
	folder := filepath.Join(repository(t), "definitions", "examples", "cross-border-payment")
	return filepath.Join(folder, "payment.yaml"), filepath.Join(folder, "testdata", "no-answer.json")
}

// endedOnce checks a payment that completed although something was killed in
// the middle of its submission.
func endedOnce(t *testing.T, data string, r engine.Result) {
	t.Helper()
	if r.Outcome != engine.OutcomeCompleted {
		t.Errorf("the saga ended %s: %+v", r.Outcome, r.Cause)
	}
	trace := slices.Clone(r.Trace)
	slices.Sort(trace)
	if want := []string{"hold", "quote", "screen", "settle", "submit"}; !slices.Equal(trace, want) {
		t.Errorf("trace %v", r.Trace)
	}
	if n := submissions(t, data); n != 1 {
		t.Errorf("the network has %d payments, want 1", n)
	}
	verify(t, data)
}

// A worker that is killed with SIGKILL in the middle of a call, with its
// plugins and its Temporal server: after a restart the saga ends, and each
// effect happened once.
func TestWorkerKilled(t *testing.T) {
	data := t.TempDir()
	args := []string{"--data", data, "--plugins", binaries, "--definitions", filepath.Join(repository(t), "definitions")}
	dev, err := startDev(t.TempDir(), os.Environ(), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dev.stop(syscall.SIGKILL) })

	client := &scene{data: data, stack: connect(t, data)}
	definition, input := silent(t)
	// The server gives the attempt up ten seconds after its timeout.
	plan := client.compile(t, definition, "timeout: 5s", "timeout: 1s")
	start, search := prepare(t, plan, input)
	if _, err := client.stack.Client().Start(t.Context(), plan, start, search); err != nil {
		t.Fatal(err)
	}
	await(t, "the payment to be submitted", func() bool { return submissions(t, data) == 1 })
	_ = dev.stop(syscall.SIGKILL) // the error is the signal
	await(t, "the plugins to die with their host", func() bool { return len(processesUsing(data)) == 0 })
	if err := client.stack.Close(); err != nil {
		t.Fatal(err)
	}

	again, err := startDev(t.TempDir(), os.Environ(), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.stop(syscall.SIGKILL) })
	result, err := connect(t, data).Client().Wait(t.Context(), start.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.stop(syscall.SIGINT); err != nil {
		t.Errorf("sagad dev: %v\n%s", err, again.output())
	}
	endedOnce(t, data, result)
}

// connect gives a stack that goes through the `sagad dev` on a data directory.
func connect(t *testing.T, data string) *stack.Stack {
	t.Helper()
	st, err := stack.Open(t.Context(), sceneConfig(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	if !st.Served() {
		t.Fatal("the running `sagad dev` was not found")
	}
	if err := st.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	return st
}

// processesUsing names the plugin processes that work in a data directory.
func processesUsing(data string) []string {
	var found []string
	links, _ := filepath.Glob("/proc/[0-9]*/cwd") // the pattern is well formed
	for _, link := range links {
		if dir, err := os.Readlink(link); err == nil && len(dir) > len(data) && dir[:len(data)] == data {
			found = append(found, dir)
		}
	}
	return found
}

// A plugin that is killed with SIGKILL in the middle of a call is started
// again and asked what became of it, on both runtimes.
func TestPluginKilled(t *testing.T) {
	for name, local := range map[string]bool{"temporal": false, "local": true} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, local)
			definition, input := silent(t)
			plan := s.compile(t, definition)
			start, search := prepare(t, plan, input)
			sg := s.begin(t, plan, start, search)
			await(t, "the payment to be submitted", func() bool { return submissions(t, s.data) == 1 })
			if err := syscall.Kill(pidOf(t, s), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			result, err := sg.wait(t.Context(), true)
			if err != nil {
				t.Fatal(err)
			}
			endedOnce(t, s.data, result)
			for _, p := range s.stack.Host().Processes() {
				if p.Plugin == "rails" && p.Restarts != 1 {
					t.Errorf("rails was restarted %d times, want once", p.Restarts)
				}
			}
		})
	}
}

// pidOf gives the process that carries out rails.submit.
func pidOf(t *testing.T, s *scene) int {
	t.Helper()
	for _, p := range s.stack.Host().Processes() {
		if p.Plugin == "rails" {
			return p.PID
		}
	}
	t.Fatal("there is no plugin rails")
	return 0
}
