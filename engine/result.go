package engine

import (
	"fmt"
	"time"

	"github.com/sagad/sagad/dsl"
)

// Outcome states of a saga (S19). The first three are open.
const (
	OutcomeRunning      = "running"
	OutcomeCompensating = "compensating"
	OutcomeParked       = "parked"
	OutcomeCompleted    = "completed"
	OutcomeCompensated  = "compensated"
	OutcomeResolved     = "resolved"
	OutcomeOrphaned     = "orphaned"
)

// Directions of a saga.
const (
	Forward  = "forward"
	Backward = "backward"
)

// Status says whether a saga is open or closed.
const (
	StatusOpen   = "open"
	StatusClosed = "closed"
)

// Result is a saga as it stands: what `sagad run -o json` prints. Sensitive
// values are replaced by Redacted. Results are data; changing one changes no
// saga.
type Result struct {
	Saga          string       `json:"saga"`
	Version       string       `json:"version"`
	Digest        string       `json:"digest"`
	ID            string       `json:"id"`
	Key           string       `json:"key"`
	Tenant        string       `json:"tenant"`
	Region        string       `json:"region"`
	Root          string       `json:"root,omitempty"` // of a child: ID of the saga at the top of its family
	Status        string       `json:"status"`
	Outcome       string       `json:"outcome"`
	Direction     string       `json:"direction"`
	Interventions int          `json:"interventions"`
	StartedAt     time.Time    `json:"startedAt"`
	Elapsed       Elapsed      `json:"elapsed"`
	Cause         *Failure     `json:"cause"` // null when completed; always the original error
	Trace         []string     `json:"trace"`
	Output        any          `json:"output"`
	OutputError   string       `json:"outputError,omitempty"` // why Output is null although the saga completed (S25)
	Steps         []StepResult `json:"steps"`
	Parked        []Parked     `json:"parked,omitempty"`
}

// StepResult is one leaf that was reached, in order of reaching, or that an open
// saga may still reach: StatePending.
type StepResult struct {
	Path         string       `json:"path"`
	State        State        `json:"state"`
	Attempts     int          `json:"attempts"`
	Key          string       `json:"key,omitempty"` // of the action
	ScheduledAt  time.Time    `json:"scheduledAt,omitzero"`
	ClosedAt     time.Time    `json:"closedAt,omitzero"`     // of its compensation, if that has closed, too
	ActedAt      time.Time    `json:"actedAt,omitzero"`      // when the action had closed, of a step whose compensation has closed since
	Code         string       `json:"code,omitempty"`        // of the last failure, unless the step succeeded
	Signal       string       `json:"signal,omitempty"`      // what a running await waits for
	Until        time.Time    `json:"until,omitzero"`        // when a running wait ends at the latest
	Child        string       `json:"child,omitempty"`       // instance ID of the saga that the step started
	Compensation Compensation `json:"compensation,omitzero"` // zero: nothing is or was armed
}

// Compensation is an armed compensation of a step.
type Compensation struct {
	State    State  `json:"state"` // armed, compensating, compensated, parked, skipped or disarmed
	Attempts int    `json:"attempts"`
	Key      string `json:"key"`
}

// Elapsed is a duration that is written in seconds or minutes, such as 1.204s,
// to the millisecond.
type Elapsed time.Duration

// MarshalText gives the duration as Go writes it.
func (e Elapsed) MarshalText() ([]byte, error) {
	return []byte(time.Duration(e).Round(time.Millisecond).String()), nil
}

// UnmarshalText reads what MarshalText gives.
func (e *Elapsed) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*e = Elapsed(d)
	return err
}

// MaxOutput is the largest output of a saga, in bytes of its encoded form: it
// is kept with the saga, and Temporal takes no more than 2 MB.
const MaxOutput = 1 << 20

// finishForward ends a saga whose last step has closed.
func (m *Machine) finishForward() {
	m.complete(m.plan.Output, m.root.blocks[0].scope.env)
}

// complete ends the saga successfully. An output that cannot be computed takes
// nothing back (S25).
func (m *Machine) complete(output *dsl.Value, env dsl.Env) {
	if output != nil {
		value, err := output.Eval(env)
		if size := dsl.Size(value); err == nil && size > MaxOutput {
			err = fmt.Errorf("the output has about %d bytes, at most %d are allowed; give a reference instead", size, MaxOutput)
		}
		if err != nil {
			m.outputError = clip(err.Error(), maxMessage)
		} else {
			m.output = value
		}
	}
	m.close()
}

// finishBackward ends a saga of which nothing is left to compensate.
func (m *Machine) finishBackward() { m.close() }

func (m *Machine) close() {
	m.closed, m.closedAt = true, m.now
	if m.start.Parent == nil { // a child's entries are its parent's now
		for _, e := range m.armed {
			e.state = StateDisarmed
		}
	}
	m.record(Record{Transition: TransitionClosed, Message: m.Outcome()})
}

// direction is backward once the whole saga compensates.
func (m *Machine) direction() string {
	if m.root.unwind != nil {
		return Backward
	}
	return Forward
}

// Outcome gives the state of the saga (S19), one of the Outcome constants.
func (m *Machine) Outcome() string {
	backward := m.root.unwind != nil
	switch {
	case m.closed && m.forced:
		return OutcomeResolved
	case m.closed && backward:
		return OutcomeCompensated
	case m.closed:
		return OutcomeCompleted
	case m.parks > 0:
		return OutcomeParked
	case backward:
		return OutcomeCompensating
	default:
		return OutcomeRunning
	}
}

// Result gives the saga as it stands at the last event.
func (m *Machine) Result() Result {
	r := Result{
		Saga: m.plan.Saga, Version: m.plan.Version, Digest: m.plan.Digest,
		Status: StatusOpen, Outcome: m.Outcome(), Direction: m.direction(),
		Interventions: m.interventions, StartedAt: m.startedAt,
		Elapsed: Elapsed(m.now.Sub(m.startedAt)),
		Trace:   m.trace.strings(), Steps: m.stepResults(), Parked: m.parkedList(),
		Output: redactValue(m.output, m.redact), OutputError: m.redact(m.outputError),
	}
	if m.start != nil {
		r.ID, r.Key, r.Tenant, r.Region = m.start.ID, m.start.Key, m.start.Tenant, m.start.Region
		if p := m.start.Parent; p != nil {
			r.Root = p.Root
		}
	}
	if m.cause != nil {
		cause := *m.cause
		cause.Message = m.redact(cause.Message)
		r.Cause = &cause
	}
	if m.closed {
		r.Status = StatusClosed
		r.Elapsed = Elapsed(m.closedAt.Sub(m.startedAt))
	}
	return r
}

// AsOf counts the age of an open saga on to now: its machine knows no time but
// that of the last event.
func (r *Result) AsOf(now time.Time) {
	if r.Status == StatusOpen {
		r.Elapsed = max(r.Elapsed, Elapsed(now.Sub(r.StartedAt)))
	}
}

func (m *Machine) stepResults() []StepResult {
	list := make([]StepResult, 0, len(m.nodes))
	for _, n := range m.nodes {
		if !n.leaf() && n.parked == nil {
			continue
		}
		s := StepResult{Path: n.path, State: n.state, Attempts: n.attempts(), ScheduledAt: n.scheduledAt, ClosedAt: n.closedAt, ActedAt: n.actedAt, Code: n.code}
		if n.wait != nil && n.state == StateRunning {
			s.Until = n.wait.until
			if n.step.Kind == dsl.KindAwait {
				s.Signal = n.step.Await.Signal
			}
		}
		if n.child != nil {
			s.Child = n.child.id
		}
		if c := n.call; c != nil {
			s.Key = c.key
			if c.entry != nil {
				s.Compensation = Compensation{State: c.entry.state, Attempts: c.entry.attempts, Key: c.entry.key}
			}
		}
		list = append(list, s)
	}
	return append(list, m.pendingSteps()...)
}
