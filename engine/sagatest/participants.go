package sagatest

import (
	"context"
	"sync"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// Participants answer by mocks, for sagas outside of a test. They are safe for
// concurrent use.
type Participants struct {
	*offer
	mu    sync.Mutex
	world *world
}

var (
	_ engine.Invoker  = (*Participants)(nil)
	_ engine.Payloads = (*Participants)(nil)
)

// NewParticipants gives participants to which nothing has happened.
func NewParticipants(mocks dsl.Mocks, manifests []dsl.Manifest) *Participants {
	o := newOffer(manifests)
	return &Participants{offer: o, world: newWorld(o, mocks)}
}

// Invoke answers an attempt in real time, after the delay of its mock. Without an
// answer it runs into its timeout.
func (p *Participants) Invoke(ctx context.Context, _ *engine.Identity, inv *engine.Invocation) engine.Outcome {
	p.mu.Lock()
	out, took := p.world.take(inv)
	p.mu.Unlock()
	if took >= inv.Timeout {
		took, out = inv.Timeout, timedOut
	}
	timer := time.NewTimer(took)
	defer timer.Stop()
	select {
	case <-timer.C:
		return out
	case <-ctx.Done():
		return engine.Outcome{Class: engine.Ambiguous, Code: engine.CodeCancelled, Message: "cut while it ran"}
	}
}

// Answer answers an attempt in virtual time; ok is false if there is no mock for
// it.
func (p *Participants) Answer(inv *engine.Invocation) (out engine.Outcome, took time.Duration, ok bool) {
	if key, _ := p.world.mocks.For(inv.Activity, inv.Path); key == "" {
		return engine.Outcome{}, 0, false
	}
	out, took = p.world.take(inv)
	return out, took, true
}
