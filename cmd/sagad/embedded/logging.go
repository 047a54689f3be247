//go:build !noembed

package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"

	serverlog "go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// serverLogger passes the server's warnings and errors on to a slog.Logger. The
// lines below that level are many and of use only to the server's own authors.
type serverLogger struct {
	out *slog.Logger
	run *runState
}

// runState is what the loggers of one server share.
type runState struct {
	// serving is true between a completed start and the beginning of the stop.
	serving atomic.Bool
	// fatal holds the first line the server wanted to end the process with.
	fatal atomic.Pointer[string]
}

var _ serverlog.WithLogger = (*serverLogger)(nil)

func newServerLogger(out *slog.Logger) *serverLogger {
	return &serverLogger{out: out.With("component", "temporal"), run: &runState{}}
}

// With returns a logger that adds the tags to every line.
func (l *serverLogger) With(tags ...tag.Tag) serverlog.Logger {
	return &serverLogger{out: slog.New(l.out.Handler().WithAttrs(attributes(tags))), run: l.run}
}

// Debug drops the line.
func (*serverLogger) Debug(string, ...tag.Tag) {}

// Info drops the line.
func (*serverLogger) Info(string, ...tag.Tag) {}

// Warn passes the line on while the server serves.
func (l *serverLogger) Warn(msg string, tags ...tag.Tag) { l.log(slog.LevelWarn, msg, tags) }

// Error passes the line on while the server serves.
func (l *serverLogger) Error(msg string, tags ...tag.Tag) { l.log(slog.LevelError, msg, tags) }

// DPanic is an Error: the server panics here only in its own tests.
func (l *serverLogger) DPanic(msg string, tags ...tag.Tag) { l.log(slog.LevelError, msg, tags) }

// Panic logs and panics.
func (l *serverLogger) Panic(msg string, tags ...tag.Tag) {
	l.log(slog.LevelError, msg, tags)
	panic("temporal: " + line(msg, tags))
}

// Fatal never returns, as its callers expect. While the server starts it ends
// the calling goroutine and thereby the start, which reports the line as its
// error. Later the server is broken beyond repair and the process with it.
func (l *serverLogger) Fatal(msg string, tags ...tag.Tag) {
	text := line(msg, tags)
	l.run.fatal.CompareAndSwap(nil, &text)
	if !l.run.serving.Load() {
		runtime.Goexit()
	}
	l.log(slog.LevelError, msg, tags)
	panic("temporal: " + text)
}

// log drops what the server's services say about each other while they come up
// and go down one by one: to them it is trouble, to us it is expected.
func (l *serverLogger) log(level slog.Level, msg string, tags []tag.Tag) {
	ctx := context.Background()
	if !l.run.serving.Load() {
		level = slog.LevelDebug
	}
	if l.out.Enabled(ctx, level) {
		l.out.LogAttrs(ctx, level, msg, attributes(tags)...)
	}
}

func attributes(tags []tag.Tag) []slog.Attr {
	attrs := make([]slog.Attr, len(tags))
	for i, t := range tags {
		attrs[i] = slog.Any(t.Key(), t.Value())
	}
	return attrs
}

func line(msg string, tags []tag.Tag) string {
	for _, t := range tags {
		msg += fmt.Sprintf(" %s=%v", t.Key(), t.Value())
	}
	return msg
}
