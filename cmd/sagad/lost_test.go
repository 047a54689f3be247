package main

import (
	"bytes"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

// A saga whose tasks fail is told once for each reason, whoever says it, and short of
// the stacks that come with it.
func TestStuckIsToldOnce(t *testing.T) {
	for _, short := range []bool{true, false} {
		var log bytes.Buffer
		var told []string
		logger := slog.New(newStuck(slog.NewTextHandler(&log, nil), short, func(id, why string) { told = append(told, id+": "+why) }))
		newer, broken := errors.New("update the worker"), errors.New("broken")
		saga := logger.With("TaskQueue", "q").With("WorkflowID", "demo/t/1")
		for range 3 {
			saga.Error("Workflow panic", "Error", newer, "StackTrace", "coroutine root")
			saga.Warn("Failed to process workflow task.", "Error", newer)
			logger.Warn("workflow task failed", "wf-id", "demo/t/1", "failure-message", newer.Error())
		}
		saga.Error("Workflow panic", "Error", broken)
		logger.Error("Workflow panic", "WorkflowID", "demo/t/2", "Error", broken)
		logger.Error("Workflow panic", "Error", broken) // whose, it does not say
		logger.Warn("something else", "WorkflowID", "demo/t/1", "Error", broken)

		if want := []string{"demo/t/1: update the worker", "demo/t/1: broken", "demo/t/2: broken"}; !slices.Equal(told, want) {
			t.Errorf("told %v, want %v", told, want)
		}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		want := 13
		if short {
			want = 2
		}
		if len(lines) != want || !strings.Contains(lines[len(lines)-1], "something else") {
			t.Errorf("short %t: %d lines are logged, want %d:\n%s", short, len(lines), want, log.String())
		}
	}
}
