package host

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/sagad/sagad/plugins/pluginpb"
)

// Limits of what a plugin may write to its log. What is over them is dropped,
// and told.
const (
	maxLine       = pluginpb.MaxDetails // bytes of one line that are read
	maxText       = pluginpb.MaxText    // bytes of a message or an attribute that are kept
	maxCode       = 64                  // bytes of an error code
	maxAttributes = 32                  // of one line
	linesPerSec   = 200
	lineBurst     = 1000
)

// forwarder passes a plugin's log lines on, redacted and bounded. A redacted
// line is bounded afterwards, so that no part of a value is left at the cut.
type forwarder struct {
	logger *slog.Logger
	redact *redactor
	now    func() time.Time

	mu      sync.Mutex
	tokens  float64
	at      time.Time
	dropped int
}

func newForwarder(logger *slog.Logger, r *redactor) *forwarder {
	return &forwarder{logger: logger, redact: r, now: time.Now, tokens: lineBurst}
}

// copy forwards the lines of r until it ends.
func (f *forwarder) copy(r io.Reader) {
	lines := bufio.NewReaderSize(r, maxLine)
	crashed := false
	for {
		line, err := lines.ReadSlice('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			// The runtime's last words go on to the end of the process.
			crashed = crashed || bytes.HasPrefix(line, []byte("panic: ")) || bytes.HasPrefix(line, []byte("fatal error: "))
			f.line(line, crashed)
		}
		for errors.Is(err, bufio.ErrBufferFull) { // the rest of a line that is too long
			_, err = lines.ReadSlice('\n')
		}
		if err != nil {
			return
		}
	}
}

// writer forwards what is written to it, line by line.
func (f *forwarder) writer() io.Writer { return &lineWriter{f: f} }

type lineWriter struct {
	f       *forwarder
	partial []byte
}

// Write implements io.Writer; it is not called concurrently.
func (w *lineWriter) Write(p []byte) (int, error) {
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			w.partial = append(w.partial, p[:min(len(p), maxLine-len(w.partial))]...)
			return n, nil
		}
		w.f.line(append(w.partial, p[:min(i, maxLine-len(w.partial))]...), false)
		w.partial, p = w.partial[:0], p[i+1:]
	}
}

// line forwards a line that is not of a call.
func (f *forwarder) line(raw []byte, crashed bool) {
	if !f.allow() {
		return
	}
	rec, ok := parseLine(raw)
	if !ok {
		rec = record{level: slog.LevelInfo, message: strings.TrimSpace(string(raw))}
	}
	if crashed {
		rec.level = slog.LevelError
	}
	f.emit(rec, nil)
}

// callLine forwards a line that a call brought. The call's names are the
// host's, whatever the line says.
func (f *forwarder) callLine(raw []byte, r Request) {
	if len(raw) > maxLine || !f.allow() {
		return
	}
	rec, ok := parseLine(raw)
	if !ok {
		rec = record{level: slog.LevelInfo, message: strings.TrimSpace(string(raw))}
	}
	f.emit(rec, []slog.Attr{
		slog.String("saga", r.Saga), slog.String("path", r.Path), slog.String("operation", string(r.Operation)),
		slog.Int("attempt", r.Attempt),
	})
}

func (f *forwarder) emit(rec record, tags []slog.Attr) {
	handler, ctx := f.logger.Handler(), context.Background()
	if !handler.Enabled(ctx, rec.level) {
		return
	}
	if rec.time.IsZero() {
		rec.time = f.now()
	}
	out := slog.NewRecord(rec.time, rec.level, bound(f.redact.text(rec.message), maxText), 0)
	taken := map[string]bool{"plugin": true, "tenant": true, "region": true}
	for _, tag := range tags {
		taken[tag.Key] = true
		if tag.Value.Kind() == slog.KindString {
			tag.Value = slog.StringValue(f.redact.text(tag.Value.String()))
		}
		out.AddAttrs(tag)
	}
	for i, a := range rec.attributes {
		if i == maxAttributes {
			break
		}
		if key := bound(f.redact.text(a.key), maxCode); !taken[key] {
			out.AddAttrs(slog.Any(key, f.value(a.value)))
		}
	}
	_ = handler.Handle(ctx, out) // a log that cannot be written has nowhere to say so
}

// value is a redacted attribute, of a type that handlers print well.
func (f *forwarder) value(v any) any {
	switch v := f.redact.tree(v).(type) {
	case string:
		return bound(v, maxText)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if n, err := v.Float64(); err == nil {
			return n
		}
		return v.String()
	default:
		return v
	}
}

// allow takes a token from the bucket, or counts the line as dropped.
func (f *forwarder) allow() bool {
	f.mu.Lock()
	now := f.now()
	if !f.at.IsZero() {
		f.tokens = min(lineBurst, f.tokens+now.Sub(f.at).Seconds()*linesPerSec)
	}
	f.at = now
	if f.tokens < 1 {
		f.dropped++
		f.mu.Unlock()
		return false
	}
	f.tokens--
	f.mu.Unlock()
	f.flush()
	return true
}

// flush tells how many lines were dropped since it was last told.
func (f *forwarder) flush() {
	f.mu.Lock()
	dropped := f.dropped
	f.dropped = 0
	f.mu.Unlock()
	if dropped > 0 {
		f.logger.Warn("plugin logged too much: lines were dropped", "lines", dropped, "limit", linesPerSec)
	}
}

// record is a line taken apart.
type record struct {
	time       time.Time
	level      slog.Level
	message    string
	attributes []attribute
}

type attribute struct {
	key   string
	value any
}

// parseLine reads a JSON object as log/slog, hclog and most others write it.
func parseLine(raw []byte) (record, bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return record{}, false
	}
	rec := record{level: slog.LevelInfo}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return record{}, false
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return record{}, false
		}
		rec.add(key.(string), value)
	}
	if end, err := d.Token(); err != nil || end != json.Delim('}') {
		return record{}, false
	}
	return rec, true
}

func (rec *record) add(key string, value any) {
	text, isText := value.(string)
	switch {
	case !isText:
	case key == "msg" || key == "message" || key == "@message":
		rec.message = text
		return
	case key == "level" || key == "severity" || key == "@level":
		rec.level = parseLevel(text)
		return
	case key == "time" || key == "timestamp" || key == "@timestamp":
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			rec.time = t
			return
		}
	}
	rec.attributes = append(rec.attributes, attribute{key, value})
}

func parseLevel(text string) slog.Level {
	var level slog.Level
	switch strings.ToLower(text) {
	case "trace":
		return slog.LevelDebug
	case "warning":
		return slog.LevelWarn
	case "fatal", "panic", "critical":
		return slog.LevelError
	}
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return slog.LevelInfo
	}
	return level
}

// bound cuts a text at a character's end.
func bound(text string, limit int) string {
	const mark = "..."
	if len(text) <= limit {
		return text
	}
	cut := limit - len(mark)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + mark
}

// tail keeps the last of what is written to it, for the message about a plugin
// that does not start.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const maxTail = 1 << 10

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if len(t.text) > maxTail {
		t.text = append(t.text[:0], t.text[len(t.text)-maxTail:]...)
	}
	return len(p), nil
}

// String is empty, or the end of a sentence.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(strings.ToValidUTF8(string(t.text), "?"))
	if text == "" {
		return ""
	}
	return "; it wrote: " + text
}
