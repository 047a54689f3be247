package host

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sagad/sagad/plugins"
)

// Class is what is known of an attempt (S2).
type Class int

const (
	// Applied: the activity succeeded. A Code says that its output cannot be
	// used all the same: INVALID_OUTPUT or TOO_LARGE.
	Applied Class = iota + 1
	// Rejected: the activity certainly had no effect; it is not retried.
	Rejected
	// NotSent: nothing left the host, so nothing had an effect; it may be
	// retried unless the outcome is Final.
	NotSent
	// Ambiguous: nobody knows whether there was an effect; it may be retried
	// unless the outcome is Final.
	Ambiguous
)

var classNames = map[Class]string{Applied: "applied", Rejected: "rejected", NotSent: "not sent", Ambiguous: "ambiguous"}

// String returns the class's name in lower case.
func (c Class) String() string {
	if name, ok := classNames[c]; ok {
		return name
	}
	return "unknown"
}

// Codes of the host's own outcomes. A plugin's errors keep the plugin's codes.
const (
	CodeNotFound      = "NOT_FOUND"           // no plugin has the activity
	CodeUnavailable   = "UNAVAILABLE"         // the plugin is down, starting, or its breaker is open
	CodeTimeout       = plugins.CodeTimeout   // the attempt was cut off at its timeout
	CodeCancelled     = plugins.CodeCancelled // the caller's context ended
	CodeTooLarge      = plugins.CodeTooLarge
	CodeInvalidOutput = plugins.CodeInvalidOutput
)

// Request is one attempt.
type Request struct {
	// Activity is the full name: "ledger.hold".
	Activity string

	// What the plugin's Call says; see plugins.Call. Tenant and region are the
	// host's.
	Key, ActionKey string
	Saga, Path     string
	Operation      plugins.Operation
	Attempt        int
	Generation     int
	StartedAt      time.Time
	TraceParent    string

	// Input is JSON; empty means null.
	Input json.RawMessage
	// Timeout is when the attempt is cut off, from the call of Invoke. Zero
	// means DefaultTimeout.
	Timeout time.Duration

	// Sensitive are values that must not appear in this call's log lines,
	// heartbeats or messages, beside those the activity's manifest marks in the
	// input.
	Sensitive []string

	// Heartbeat, if not nil, is called with the details of each heartbeat, as
	// decoded JSON, redacted. Calls come one at a time, before Invoke returns;
	// while one runs no further event of the attempt is read.
	Heartbeat func(details any)
}

// Outcome is how an attempt ended.
type Outcome struct {
	Class Class
	// Output is set if the class is Applied and there is no Code.
	Output json.RawMessage
	// Code and Message say what was wrong; empty if nothing was. The message is
	// redacted.
	Code, Message string
	// Final: retrying is of no use. Rejected outcomes always are.
	Final bool
	// Duration is how long Invoke took.
	Duration time.Duration
}

// Invoker makes one attempt.
type Invoker func(ctx context.Context, r Request) Outcome

// Middleware wraps an Invoker. It may refuse a call by not calling the next
// Invoker, and should then answer NotSent.
type Middleware func(next Invoker) Invoker

// chain wraps core so that the first of ms is outermost.
func chain(ms []Middleware, core Invoker) Invoker {
	for i := len(ms) - 1; i >= 0; i-- {
		core = ms[i](core)
	}
	return core
}

func notSent(code, message string) Outcome {
	return Outcome{Class: NotSent, Code: code, Message: message}
}

func ambiguous(code, message string) Outcome {
	return Outcome{Class: Ambiguous, Code: code, Message: message}
}

func final(o Outcome) Outcome {
	o.Final = true
	return o
}
