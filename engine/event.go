package engine

import (
	"fmt"
	"time"
)

// SemanticsVersion is the version of the rules this machine follows. Runtimes
// that keep histories record it at the start of a saga, so that a later machine
// replays old sagas by the rules that wrote them (S24).
const SemanticsVersion = 1

// EventKind says what happened.
type EventKind uint8

// The kinds of events.
const (
	EventStarted     EventKind = iota + 1 // Start is set; always the first event
	EventClosed                           // an invocation ended; ID and Outcome are set
	EventTimer                            // a timer fired; ID is set
	EventSignal                           // a message came; Signal is set
	EventCancel                           // someone asks to cancel; Request may be set
	EventOperator                         // an operator's command; Operator is set
	EventChildClosed                      // a child has closed or was lost; ID and Child are set
)

// Event is one thing that happened to a saga. Events are plain data: a saga is
// rebuilt by feeding the same events to a new Machine.
type Event struct {
	Kind EventKind `json:"kind"`
	At   time.Time `json:"at"` // when it happened, UTC; never before the event that precedes it

	ID       int       `json:"id,omitempty"`       // invocation or timer, as given out in a Command
	Outcome  Outcome   `json:"outcome,omitzero"`   // EventClosed
	Start    *Start    `json:"start,omitempty"`    // EventStarted
	Signal   *Signal   `json:"signal,omitempty"`   // EventSignal
	Operator *Operator `json:"operator,omitempty"` // EventOperator
	Child    *Report   `json:"child,omitempty"`    // EventChildClosed
	Request  string    `json:"request,omitempty"`  // names the request that CommandReply answers; empty: nobody waits
}

// Start is what a saga is started with.
type Start struct {
	ID       string         `json:"id"`  // instance: tenant/saga/key (InstanceID)
	Key      string         `json:"key"` // business key
	Tenant   string         `json:"tenant"`
	Region   string         `json:"region"`
	Settings map[string]any `json:"settings,omitempty"` // public settings of the tenant, read as `tenant`
	Input    any            `json:"input"`              // JSON data, already checked against the plan's schema
	Parent   *Parent        `json:"parent,omitempty"`   // nil: nobody's child
}

// Parent is what a child saga takes over from the one that started it (S9):
// its paths and idempotency keys are made of it.
type Parent struct {
	Root       string    `json:"root"`      // instance at the top of the family
	StartedAt  time.Time `json:"startedAt"` // of the root, UTC
	Prefix     string    `json:"prefix"`    // path of the step that is the child, with a slash behind it
	Generation int       `json:"generation,omitempty"`
}

// Class is how an attempt ended (S2).
type Class uint8

// The classes of attempts.
const (
	Applied   Class = iota + 1 // the effect is there
	Rejected                   // the participant refused: certainly no effect, never retried
	NotSent                    // nothing left the host: certainly no effect
	Ambiguous                  // the effect may be there or not
)

var classNames = [...]string{"", "applied", "rejected", "not-sent", "ambiguous"}

// String gives the class in lower case, as it appears in records.
func (c Class) String() string {
	if int(c) >= len(classNames) {
		return "unknown"
	}
	return classNames[c]
}

// Outcome is how one attempt ended.
type Outcome struct {
	Class   Class  `json:"class"`
	Output  any    `json:"output,omitempty"`  // Applied: JSON data
	Code    string `json:"code,omitempty"`    // why not; on Applied: INVALID_OUTPUT or TOO_LARGE (S25)
	Message string `json:"message,omitempty"` // for people
	Final   bool   `json:"final,omitempty"`   // another attempt cannot do better
	Probed  bool   `json:"probed,omitempty"`  // of a probe: the action was applied, and the output it reports cannot be used
}

// Signal is a message from outside (S27).
type Signal struct {
	ID   string `json:"id"` // the sender's; a second message with the same ID is dropped
	Name string `json:"name"`
	Data any    `json:"data"`
	Size int    `json:"size,omitempty"` // bytes of the encoded data; 0: they are counted
}

// Op is one of the three operations of a step.
type Op uint8

// The operations.
const (
	OpAction Op = iota + 1
	OpCompensation
	OpProbe
)

var opNames = [...]string{"", "action", "compensation", "probe"}

// String gives the operation's name as it stands in keys and records.
func (o Op) String() string { return opNames[o] }

// MarshalText gives the operation's name.
func (o Op) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads what MarshalText gives.
func (o *Op) UnmarshalText(text []byte) error {
	for i, name := range opNames {
		if i > 0 && name == string(text) {
			*o = Op(i)
			return nil
		}
	}
	return fmt.Errorf("%q is not an operation: action, compensation or probe", text)
}

// Error codes that the engine itself raises. Participants add their own.
const (
	CodeTimeout       = "TIMEOUT"
	CodeUnavailable   = "UNAVAILABLE"
	CodeInvalidInput  = "INVALID_INPUT"
	CodeInvalidOutput = "INVALID_OUTPUT"
	CodeExpression    = "EXPRESSION"
	CodeTooLarge      = "TOO_LARGE"
	CodeResidency     = "RESIDENCY"
	CodeSecret        = "SECRET"
	CodeNotFound      = "NOT_FOUND"
	CodeDuplicateKey  = "DUPLICATE_KEY"
	CodeCancelled     = "CANCELLED"
	CodeDeadline      = "DEADLINE"
	CodeTerminated    = "TERMINATED" // a child was ended from outside
	CodeReset         = "RESET"      // the saga was reset across its point of no return; never raised, it parks
)
