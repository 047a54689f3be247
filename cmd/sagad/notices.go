package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"
)

// noticeEvery is how often the same notice is written: what is tried again and
// again says so every time.
const noticeEvery = time.Minute

// notices is the log of a `sagad dev` that was not asked for logs. What people
// should know of is written as a plain sentence; everything else is left out.
type notices struct {
	console *console
	attrs   map[string]string
	said    *said
}

var _ slog.Handler = (*notices)(nil)

// said remembers when a notice was last written.
type said struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func newNotices(c *console) *notices {
	return &notices{console: c, said: &said{last: make(map[string]time.Time)}}
}

// Enabled leaves out what is no trouble.
func (n *notices) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle writes a notice, if the line is one.
func (n *notices) Handle(_ context.Context, r slog.Record) error {
	attrs := maps.Clone(n.attrs)
	if attrs == nil {
		attrs = make(map[string]string)
	}
	r.Attrs(func(a slog.Attr) bool {
		attrs[strings.ToLower(a.Key)] = a.Value.String()
		return true
	})
	text := notice(r.Level, r.Message, attrs)
	if text != "" && n.said.again(text, r.Time) {
		n.console.note("%s  %s", n.console.errStyle().Dim(r.Time.Local().Format(time.TimeOnly)), text)
	}
	return nil
}

// again says whether a notice is to be written.
func (s *said) again(text string, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.last[text]; ok && at.Sub(last) < noticeEvery {
		return false
	}
	s.last[text] = at
	return true
}

// WithAttrs keeps what the lines that follow have in common.
func (n *notices) WithAttrs(attrs []slog.Attr) slog.Handler {
	all := maps.Clone(n.attrs)
	if all == nil {
		all = make(map[string]string)
	}
	for _, a := range attrs {
		all[strings.ToLower(a.Key)] = a.Value.String()
	}
	return &notices{console: n.console, attrs: all, said: n.said}
}

// WithGroup changes nothing: a notice needs no full names.
func (n *notices) WithGroup(string) slog.Handler { return n }

// notice gives the sentence for a line of the log, or "". The messages are those
// of the plugin host, of Temporal's SDK and of its server.
func notice(level slog.Level, message string, a map[string]string) string {
	plugin := "plugin " + a["plugin"]
	switch message {
	case "plugin process ended":
		return fmt.Sprintf("%s ended (%s); the next call starts it again", plugin, a["error"])
	case "plugin does not start":
		return fmt.Sprintf("%s does not start: %s", plugin, firstLine(a["error"]))
	case "plugin does not answer: killing it":
		return plugin + " does not answer and is killed; the next call starts it again"
	case "plugin's circuit breaker changed":
		return breakerNotice(plugin, a["to"])
	case "Failed to poll for task.":
		return lostNotice(a["error"])
	case "the saga is too large to continue as new and stays in its run":
		return a["workflowid"] + ": " + message
	}
	if a["plugin"] != "" || level < slog.LevelError { // what plugins log themselves, and what mends itself
		return ""
	}
	text := message
	if why := firstLine(a["error"]); why != "" {
		text += ": " + why
	}
	return text + "; -v shows more"
}

// lostNotice is the same for every way in which a connection breaks: all pollers
// tell of theirs.
func lostNotice(why string) string {
	if strings.Contains(why, "connection") || strings.Contains(why, "reading from server") {
		return "Temporal does not answer; it is tried again"
	}
	return "Temporal gives no work: " + firstLine(why) + "; it is tried again"
}

func breakerNotice(plugin, state string) string {
	switch state {
	case "open":
		return plugin + " breaks too often: calls of it wait for a while"
	case "closed":
		return plugin + " works again"
	}
	return ""
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
