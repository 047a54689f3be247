package engine

import (
	"context"
	"time"
)

// Invoker runs attempts. Runtimes call it from any number of goroutines.
//
// Invoke ends when the attempt has ended, by its own timeout, or soon after ctx
// is cancelled; what it has called does not run any more then (S4).
type Invoker interface {
	Invoke(ctx context.Context, saga *Identity, inv *Invocation) Outcome
}

// Identity names the saga an attempt belongs to.
type Identity struct {
	ID        string // tenant/saga/key
	Tenant    string
	Region    string
	StartedAt time.Time // UTC
}

// InvokerFunc is a function that is an Invoker.
type InvokerFunc func(ctx context.Context, saga *Identity, inv *Invocation) Outcome

// Invoke calls f.
func (f InvokerFunc) Invoke(ctx context.Context, saga *Identity, inv *Invocation) Outcome {
	return f(ctx, saga, inv)
}
