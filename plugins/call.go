package plugins

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/sagad/sagad/plugins/pluginpb"
)

// Operation is what a call does for its step.
type Operation string

const (
	OperationAction       Operation = "action"
	OperationCompensation Operation = "compensation"
	OperationProbe        Operation = "probe"
)

// Call is what the engine says about this attempt of an operation. It is the
// same for every attempt but for Attempt, Deadline, Logger and TraceParent.
type Call struct {
	// Key is the idempotency key of this operation.
	Key string
	// ActionKey is the key of the step's action: what a compensation
	// compensates and a probe asks about. It equals Key in an action.
	ActionKey string

	Tenant string
	Region string
	// Saga is the ID of the running saga: tenant/saga/key.
	Saga string
	// Path is where the step stands in the saga, with the keys of the foreach
	// blocks around it: "take[c]".
	Path      string
	Operation Operation
	// Attempt counts from 1. In a probe it is the number of the last attempt of
	// the action that is in doubt.
	Attempt int
	// Generation is 0 plus one for each retry with corrected input. In a probe
	// it is the action's.
	Generation int

	// Deadline is when the host cuts this attempt off; ctx ends then.
	Deadline time.Time
	// StartedAt is when the saga started, in UTC.
	StartedAt time.Time

	// Logger carries the saga, the path and the operation. Its lines reach the
	// host's log in the order of the call.
	Logger *slog.Logger
	// TraceParent is the W3C trace context of the call, or empty.
	TraceParent string
}

// Probe is what a probe activity returns. Applied is true when the action had
// its effect, false when it had none and a late request will have none either
// unless the engine sends the key again, and nil while nobody can tell. Output
// is what the action returned or would have.
type Probe[Out any] struct {
	Applied *bool `json:"applied"`
	Output  *Out  `json:"output,omitempty"`
}

// WasApplied is the answer that the action had its effect.
func WasApplied[Out any](out Out) Probe[Out] {
	applied := true
	return Probe[Out]{Applied: &applied, Output: &out}
}

// NotApplied is the promise that the action had no effect and that a late
// request will have none, unless the engine sends the key again.
func NotApplied[Out any]() Probe[Out] {
	applied := false
	return Probe[Out]{Applied: &applied}
}

// CannotTell is the answer that asks the engine to ask again.
func CannotTell[Out any]() Probe[Out] { return Probe[Out]{} }

type heartbeatKey struct{}

// Heartbeat tells the host that the attempt is alive and how far it has come.
// Details may be nil or anything that encodes as JSON in at most
// pluginpb.MaxDetails bytes; larger ones, and ones that do not encode, are sent
// as null. It may be called from any goroutine of the activity, does not fail,
// and does nothing outside an activity.
func Heartbeat(ctx context.Context, details any) {
	send, ok := ctx.Value(heartbeatKey{}).(func([]byte))
	if !ok {
		return
	}
	encoded, err := json.Marshal(details)
	if err != nil || len(encoded) > pluginpb.MaxDetails {
		encoded = []byte("null")
	}
	send(encoded)
}
