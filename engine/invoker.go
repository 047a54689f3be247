package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/sagad/sagad/dsl"
)

// Invoker runs attempts. Runtimes call it from any number of goroutines.
//
// Invoke ends when the attempt has ended, by its own timeout, or soon after ctx
// is cancelled; what it has called does not run any more then (S4).
type Invoker interface {
	Invoke(ctx context.Context, saga *Identity, inv *Invocation) Outcome
}

// Payloads knows the schemas of what activities take and give. An Invoker that
// has these methods too checks what reaches a saga past it (S25): the output that
// a probe reports, and what operators give. An error says what is wrong. An
// activity without a schema takes and gives anything.
type Payloads interface {
	CheckInput(activity string, input any) error
	CheckOutput(activity string, output any) error
}

// CheckProbed gives the outcome of a probe as it is, unless the output that it
// reports of the action breaks the action's schema. payloads may be nil.
func CheckProbed(payloads Payloads, inv *Invocation, out Outcome) Outcome {
	if payloads == nil || inv.Op != OpProbe || out.Class != Applied || out.Code != "" {
		return out
	}
	answer, _ := out.Output.(map[string]any)
	if answer["applied"] != true {
		return out
	}
	if err := payloads.CheckOutput(inv.Asks, answer["output"]); err != nil {
		message := fmt.Sprintf("%s was applied, and the output that %s reports breaks its schema: %v", inv.Asks, inv.Activity, err)
		return Outcome{Class: Applied, Code: CodeInvalidOutput, Message: message, Final: true, Probed: true}
	}
	return out
}

// MaxPayload is the largest encoded input or output of an activity, in bytes.
// Temporal fails a task for good above 2 MB, and all runtimes agree.
const MaxPayload = 1 << 20

// Bounded is an Invoker that keeps payloads below MaxPayload (S25): what is too
// large is not sent, and an output that is too large belongs to an action that
// was applied. If it wraps Payloads, outputs that probes report are checked.
type Bounded struct{ Invoker }

// Invoke runs an attempt whose payloads are not too large.
func (b Bounded) Invoke(ctx context.Context, saga *Identity, inv *Invocation) Outcome {
	if out, ok := BoundInput(inv); !ok {
		return out
	}
	payloads, _ := b.Invoker.(Payloads)
	return CheckProbed(payloads, inv, BoundOutput(inv, b.Invoker.Invoke(ctx, saga, inv)))
}

// BoundInput gives the outcome of an attempt whose input is too large; ok says
// that it is not.
func BoundInput(inv *Invocation) (out Outcome, ok bool) {
	n := encodedSize(inv.Input)
	if n <= MaxPayload {
		return out, true
	}
	return Outcome{Class: NotSent, Code: CodeTooLarge, Final: true, Message: tooLarge("input", n) + "; pass a reference instead"}, false
}

// BoundOutput gives an outcome as it is, unless its output is too large, or the one
// that a probe reports of an action that was applied.
func BoundOutput(inv *Invocation, out Outcome) Outcome {
	n := encodedSize(out.Output)
	if n <= MaxPayload {
		return out
	}
	answer, _ := out.Output.(map[string]any)
	return Outcome{
		Class: Applied, Code: CodeTooLarge, Message: tooLarge("output", n) + "; return a reference instead",
		Probed: inv.Op == OpProbe && out.Class == Applied && out.Code == "" && answer["applied"] == true,
	}
}

func tooLarge(what string, n int) string {
	return fmt.Sprintf("the %s has %d bytes, at most %d are allowed", what, n, MaxPayload)
}

// encodedSize is the size of a value in canonical form. Of one that is far from
// the limit it is an estimate.
func encodedSize(value any) int {
	size := dsl.Size(value)
	if size < MaxPayload/8 {
		return size
	}
	if text, err := dsl.MarshalCanonical(value); err == nil {
		return len(text)
	}
	return size
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
