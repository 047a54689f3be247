package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"regexp"
	"testing"
	"time"
)

func TestNotices(t *testing.T) {
	for name, c := range map[string]struct {
		log  func(*slog.Logger)
		want string
	}{
		"a plugin that ended": {
			func(l *slog.Logger) { l.Error("plugin process ended", "error", "exit status 66", "pid", 4711) },
			"TIME  plugin rails ended (exit status 66); the next call starts it again\n",
		},
		"a plugin that does not start": {
			func(l *slog.Logger) { l.Error("plugin does not start", "error", "no hello\nstack", "failures", 3) },
			"TIME  plugin rails does not start: no hello\n",
		},
		"a plugin that hangs": {
			func(l *slog.Logger) { l.Error("plugin does not answer: killing it", "pid", 4711) },
			"TIME  plugin rails does not answer and is killed; the next call starts it again\n",
		},
		"a breaker": {
			func(l *slog.Logger) {
				l.Warn("plugin's circuit breaker changed", "from", "closed", "to", "open")
				l.Warn("plugin's circuit breaker changed", "from", "open", "to", "half-open")
				l.Warn("plugin's circuit breaker changed", "from", "half-open", "to", "closed")
			},
			"TIME  plugin rails breaks too often: calls of it wait for a while\nTIME  plugin rails works again\n",
		},
		"what a plugin logs itself":             {func(l *slog.Logger) { l.Error("cannot pay"); l.Warn("slow") }, ""},
		"what mends itself, and what went well": {func(l *slog.Logger) { l.Info("up"); plain(l).Warn("task lost", "Error", "gone") }, ""},
		"Temporal that is gone": {
			func(l *slog.Logger) {
				for _, poller := range []string{"connection refused", "error reading from server: EOF", "connection refused"} {
					plain(l).Warn("Failed to poll for task.", "Error", errors.New(poller))
				}
				plain(l).Warn("Failed to poll for task.", "Error", errors.New("not allowed\nat all"))
			},
			"TIME  Temporal does not answer; it is tried again\nTIME  Temporal gives no work: not allowed; it is tried again\n",
		},
		"an error nobody thought of": {
			func(l *slog.Logger) { plain(l).WithGroup("x").Error("disk full", "error", "no space\nleft") },
			"TIME  disk full: no space; -v shows more\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			n := newNotices(&console{err: &out})
			c.log(slog.New(n).With("plugin", "rails"))
			got := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d`).ReplaceAllString(out.String(), "TIME")
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// plain is a logger beside that of a plugin, as Temporal has.
func plain(l *slog.Logger) *slog.Logger {
	n := l.Handler().(*notices)
	return slog.New(&notices{console: n.console, said: n.said})
}

// The same notice comes again after a while, and not before.
func TestNoticesAgain(t *testing.T) {
	var out bytes.Buffer
	n := newNotices(&console{err: &out})
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for _, after := range []time.Duration{0, noticeEvery - 1, noticeEvery, noticeEvery + 1} {
		if err := n.Handle(context.Background(), slog.NewRecord(at.Add(after), slog.LevelError, "disk full", 0)); err != nil {
			t.Fatal(err)
		}
	}
	if got := bytes.Count(out.Bytes(), []byte("disk full")); got != 2 {
		t.Errorf("written %d times, want 2:\n%s", got, out.String())
	}
}
