package engine

import "time"

// CommandKind says what a runtime has to do.
type CommandKind uint8

// The kinds of commands.
const (
	CommandInvoke      CommandKind = iota + 1 // run Invocation once; answer with EventClosed
	CommandCut                                // cancel invocation ID; its EventClosed still comes
	CommandStartTimer                         // fire timer ID at At; answer with EventTimer
	CommandCancelTimer                        // timer ID is no longer wanted
	CommandRecord                             // Record tells of a transition; carry it to whoever watches
	CommandReply                              // answer the Request of an earlier event
	CommandStartChild                         // start Child; answer with EventChildClosed
	CommandCancelChild                        // ask child ID to turn around; its EventChildClosed still comes
)

// Command is one thing a runtime has to do. Commands are plain data.
type Command struct {
	Kind   CommandKind
	ID     int         // invocation, child or timer
	At     time.Time   // CommandStartTimer: the instant to fire at
	Path   string      // CommandStartTimer, CommandStartChild: the step that waits; empty: the saga
	Invoke *Invocation // CommandInvoke
	Record Record      // CommandRecord
	Reply  Reply       // CommandReply
	Child  *ChildStart // CommandStartChild
}

// Invocation is one attempt at an operation.
type Invocation struct {
	ID         int // unique in the saga, from 1
	Op         Op
	Path       string
	Activity   string // plugin.activity
	Asks       string // of a probe: the activity it asks about
	Key        string // idempotency key of the operation (S20)
	ActionKey  string // key of the step's action; Key itself when Op is OpAction
	Attempt    int    // from 1; of a probe: the number of the attempt in doubt
	Generation int
	Input      any // JSON data; frozen, the runtime must not change it
	Timeout    time.Duration
	Sensitive  []string // values that must not appear in logs
}

// Transition names what a Record tells of.
type Transition string

// The transitions that are recorded.
const (
	TransitionStarted      Transition = "started"      // the saga
	TransitionScheduled    Transition = "scheduled"    // an attempt
	TransitionSucceeded    Transition = "succeeded"    // a step
	TransitionFailed       Transition = "failed"       // a step: no effect, or none that counts
	TransitionUnknown      Transition = "unknown"      // a step whose effect is in doubt
	TransitionRetrying     Transition = "retrying"     // an attempt failed, another one follows
	TransitionProbing      Transition = "probing"      // an attempt is in doubt and is asked about
	TransitionWaiting      Transition = "waiting"      // an await or a sleep
	TransitionSkipped      Transition = "skipped"      // a step whose condition did not hold
	TransitionCompensating Transition = "compensating" // an attempt at a compensation, or the saga
	TransitionCompensated  Transition = "compensated"  // a step
	TransitionParked       Transition = "parked"       // a step or its compensation
	TransitionOperator     Transition = "operator"     // an operator's command was taken
	TransitionRefused      Transition = "refused"      // a message, cancel or command
	TransitionClosed       Transition = "closed"       // the saga
)

// Record tells of one transition (S28).
type Record struct {
	At         time.Time  `json:"at"`
	Transition Transition `json:"transition"`
	Path       string     `json:"path,omitempty"` // empty: the saga
	Op         Op         `json:"op,omitzero"`
	Activity   string     `json:"activity,omitempty"` // or the name of a child's definition
	Child      string     `json:"child,omitempty"`    // instance ID of the saga that a step has started
	Attempt    int        `json:"attempt,omitempty"`
	Code       string     `json:"code,omitempty"`
	Message    string     `json:"message,omitempty"`
	Until      time.Time  `json:"until,omitzero"` // retrying, waiting: when it ends at the latest
	Signal     string     `json:"signal,omitempty"`
	Command    string     `json:"command,omitempty"` // operator: what was done, by whom and why
	Actor      string     `json:"actor,omitempty"`
	Reason     string     `json:"reason,omitempty"`
}

// Reply answers a request that came with an event.
type Reply struct {
	Request  string `json:"request"`
	Accepted bool   `json:"accepted"`
	Code     string `json:"code,omitempty"` // why it was refused; empty when accepted
	Message  string `json:"message"`
}

// Codes of a Reply that refuses.
const (
	RefusedClosed      = "CLOSED"       // the saga has ended
	RefusedCommitted   = "COMMITTED"    // past the point of no return
	RefusedLimit       = "LIMIT"        // too many messages wait, or too large ones
	RefusedTooLarge    = "TOO_LARGE"    // the message, or what an operator gives, is too large
	RefusedSchema      = "SCHEMA"       // the message breaks the schema of every await for it, or what an operator gives that of the activity
	RefusedNotAwaited  = "NOT_AWAITED"  // no step of the definition awaits the signal
	RefusedNotParked   = "NOT_PARKED"   // there is nothing parked at the path
	RefusedNotPossible = "NOT_POSSIBLE" // the command does not fit what is parked
)
