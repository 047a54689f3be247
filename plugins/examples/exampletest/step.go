package exampletest

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sagad/sagad/plugins"
)

// Step is one step of a saga, whose calls it makes as the engine does.
type Step struct {
	Saga string
	Path string
}

var startedAt = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC) // a Friday

// Key is the idempotency key of the step's action (S20).
func (s Step) Key() string { return s.key("action") }

func (s Step) key(operation string) string {
	return fmt.Sprintf("demo:demo/test/%s:%s:%s:%s:0", s.Saga, s.Path, operation, startedAt.Format("20060102T150405Z"))
}

// Action is the call of an attempt, from 1, at the step's action.
func (s Step) Action(attempt int) plugins.Call { return s.call(plugins.OperationAction, attempt) }

// Compensation is the call of an attempt at the step's compensation.
func (s Step) Compensation(attempt int) plugins.Call {
	return s.call(plugins.OperationCompensation, attempt)
}

// Probe asks about the attempts up to this one at the step's action.
func (s Step) Probe(attempt int) plugins.Call { return s.call(plugins.OperationProbe, attempt) }

func (s Step) call(operation plugins.Operation, attempt int) plugins.Call {
	return plugins.Call{
		Key: s.key(string(operation)), ActionKey: s.Key(),
		Tenant: "demo", Region: "eu-west-1", Saga: "demo/test/" + s.Saga, Path: s.Path,
		Operation: operation, Attempt: attempt, StartedAt: startedAt,
	}
}

// Must runs the first attempt of the step's action and fails the test unless
// it succeeds.
func Must[Out any](t testing.TB, p *Process, activity string, s Step, input any) Out {
	t.Helper()
	out, err := Invoke[Out](p, activity, s.Action(1), input)
	if err != nil {
		t.Fatalf("%s: %v", activity, err)
	}
	return out
}

// Invoke is Process.Invoke with the output decoded.
func Invoke[Out any](p *Process, activity string, call plugins.Call, input any) (out Out, err error) {
	raw, err := p.Invoke(activity, call, input)
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(raw, &out)
}

// Answer is how an attempt ended in a few words: "ok", "crash", or the kind
// and code of the error, such as "reject OUT_OF_STOCK".
func Answer(err error) string {
	var typed *plugins.Error
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, ErrCrashed):
		return "crash"
	case errors.As(err, &typed):
		return string(typed.Kind) + " " + typed.Code
	}
	return err.Error()
}
