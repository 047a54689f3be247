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
	ID        string // tenant/saga/key of the saga at the top of the family
	Tenant    string
	Region    string
	StartedAt time.Time // UTC
}

// Identity gives the identity that attempts of a saga carry: a child's are those
// of the saga at the top of its family, whose keys they have (S9, S20).
// startedAt is when this saga started.
func (s *Start) Identity(startedAt time.Time) Identity {
	id := Identity{ID: s.ID, Tenant: s.Tenant, Region: s.Region, StartedAt: startedAt}
	if s.Parent != nil {
		id.ID, id.StartedAt = s.Parent.Root, s.Parent.StartedAt
	}
	return id
}

// InvokerFunc is a function that is an Invoker.
type InvokerFunc func(ctx context.Context, saga *Identity, inv *Invocation) Outcome

// Invoke calls f.
func (f InvokerFunc) Invoke(ctx context.Context, saga *Identity, inv *Invocation) Outcome {
	return f(ctx, saga, inv)
}
