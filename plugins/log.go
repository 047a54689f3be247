package plugins

import (
	"bytes"
	"io"
	"log/slog"
	"sync"

	"github.com/sagad/sagad/plugins/pluginpb"
)

// newLogger writes each record to w as one JSON object in one Write. The host
// decides which levels it keeps.
func newLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// callLog is where the records of one call go: to the host along with the
// call, so that they arrive before its result, and to standard error once the
// call is over or its stream is broken.
type callLog struct {
	stream   *eventStream
	fallback io.Writer
}

func (l *callLog) Write(line []byte) (int, error) {
	// The handler reuses its buffer as soon as Write returns.
	event := &pluginpb.InvokeEvent{Event: &pluginpb.InvokeEvent_Log{
		Log: &pluginpb.LogLine{Json: bytes.TrimRight(bytes.Clone(line), "\n")},
	}}
	if len(line) <= pluginpb.MaxDetails && l.stream.send(event) {
		return len(line), nil
	}
	return l.fallback.Write(line)
}

// eventStream sends the events of one call from many goroutines. Nothing
// follows the result.
type eventStream struct {
	mu  sync.Mutex
	out interface {
		Send(*pluginpb.InvokeEvent) error
	}
	closed bool
}

// send reports whether the event was handed to the transport.
func (s *eventStream) send(event *pluginpb.InvokeEvent) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if err := s.out.Send(event); err != nil {
		s.closed = true
		return false
	}
	return true
}

// finish sends the result and lets nothing follow it.
func (s *eventStream) finish(result *pluginpb.Result) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.out.Send(&pluginpb.InvokeEvent{Event: &pluginpb.InvokeEvent_Result{Result: result}})
}
