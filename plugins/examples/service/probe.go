package service

import (
	"context"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/barrier"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// Codes of the errors that Probe answers with.
const (
	CodeNotAProbe   = "NOT_A_PROBE"
	CodeKeyMismatch = "KEY_MISMATCH"
)

// ProbeErrors names the codes of a probe in its manifest.
func ProbeErrors(at testcards.Point) plugins.Option {
	return Errors(at, CodeNotAProbe, CodeKeyMismatch)
}

// Probe answers truthfully whether the action of the call's step was applied,
// with its stored output; when it was not, the barrier fences it, so that a
// late request has no effect unless the engine sends the key again (S3). A
// test card at the point may keep it from telling.
//
// Key is what the definition passes as the action's key. Asking about another
// step's action, or outside a probe, is a mistake in the definition and is
// rejected, because nothing could be promised.
func Probe[Out any](ctx context.Context, s *Service, call plugins.Call, at testcards.Point, key string) (plugins.Probe[Out], error) {
	if call.Operation != plugins.OperationProbe {
		return plugins.CannotTell[Out](), plugins.Reject(CodeNotAProbe, "%s answers only as the probe of a step: write it under probe, not as a call", at)
	}
	if key != call.ActionKey {
		return plugins.CannotTell[Out](), plugins.Reject(CodeKeyMismatch, "%s is asked about another action than its own step's: pass ${{ self.key }}", at)
	}
	return testcards.Play(ctx, s.Deck, call, at, nil, func(ctx context.Context) (plugins.Probe[Out], error) {
		return barrier.Probe[Out](ctx, s.DB, call)
	})
}
