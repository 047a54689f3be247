package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// command is a sagad in a process of its own, of which lines are awaited.
type command struct {
	*exec.Cmd
	lines *bufio.Scanner
	seen  strings.Builder
}

func startCommandIn(t *testing.T, dir string, args ...string) *command {
	t.Helper()
	c := &command{Cmd: exec.Command("sagad", append(args, "--plugins", binaries, "--definitions", patient(t.TempDir()))...)}
	c.Dir = dir
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = c.Stdout
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() }) // it has most often ended
	c.lines = bufio.NewScanner(out)
	return c
}

// until reads lines up to one that holds a text.
func (c *command) until(t *testing.T, text string) {
	t.Helper()
	for c.lines.Scan() {
		fmt.Fprintln(&c.seen, c.lines.Text())
		if strings.Contains(c.lines.Text(), text) {
			return
		}
	}
	t.Fatalf("the command ended before %q:\n%s", text, c.seen.String())
}

// end reads the rest and gives the exit code.
func (c *command) end() int {
	for c.lines.Scan() {
		fmt.Fprintln(&c.seen, c.lines.Text())
	}
	_ = c.Wait() // the exit code says it
	return c.ProcessState.ExitCode()
}

func (c *command) interrupt(t *testing.T) {
	t.Helper()
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
}

// Ctrl-C cancels a saga and waits for its end, on both runtimes.
func TestInterruptCancels(t *testing.T) {
	folder := filepath.Join(repository(t), "definitions", "examples", "cross-border-payment")
	for name, flag := range map[string][]string{"temporal": nil, "local": {"--local"}} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"run", filepath.Join(folder, "payment.yaml"), "--input", filepath.Join(folder, "testdata", "unconfirmed.json")}, flag...)
			c := startCommandIn(t, t.TempDir(), args...)
			c.until(t, "waits for sca.completed")
			c.interrupt(t)
			c.until(t, "Press Ctrl-C again to leave it as it is.")
			if code := c.end(); code != exitOutcome || !strings.Contains(c.seen.String(), "cause   CANCELLED") {
				t.Errorf("exit code %d:\n%s", code, c.seen.String())
			}
		})
	}
}

// A second Ctrl-C leaves the saga open; it goes on with the next worker. The
// first one has to wait for the pivot, whose answer does not come.
func TestSecondInterruptLeaves(t *testing.T) {
	definition, input := silent(t)
	dir := t.TempDir()
	c := startCommandIn(t, dir, "run", definition, "--input", input)
	c.until(t, "succeeded    hold")
	await(t, "the payment to be submitted", func() bool { return submissions(t, filepath.Join(dir, defaultData)) == 1 })
	c.interrupt(t)
	c.until(t, "cancelling demo/cross-border-payment/p-no-answer")
	c.interrupt(t)
	code := c.end()
	want := "left demo/cross-border-payment/p-no-answer: the saga stays as it is and goes on with: sagad watch demo/cross-border-payment/p-no-answer"
	if code != exitOutcome || !strings.Contains(c.seen.String(), want) {
		t.Fatalf("exit code %d:\n%s", code, c.seen.String())
	}

	c = startCommandIn(t, dir, "watch", "demo/cross-border-payment/p-no-answer")
	if code := c.end(); code != exitOK || !strings.Contains(c.seen.String(), "completed after") {
		t.Errorf("exit code %d:\n%s", code, c.seen.String())
	}
	if n := submissions(t, filepath.Join(dir, defaultData)); n != 1 {
		t.Errorf("the network has %d payments, want 1", n)
	}
}
