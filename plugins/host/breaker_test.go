//go:build linux

package host

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/sony/gobreaker/v2"
)

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
	probe := hold(ctx, t, h, "hold", patience)
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
		if got := verdict(c.o); !errors.Is(got, c.want) {
			t.Errorf("verdict(%+v) = %v, want %v", c.o, got, c.want)
		}
	}
}
