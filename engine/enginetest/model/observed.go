package model

import (
	"slices"
	"strings"
	"time"

	"github.com/sagad/sagad/engine"
)

// Observed is what came of a saga, as far as machine and model have to agree.
type Observed struct {
	Outcome       string
	Direction     string
	Interventions int
	Cause         string // kind, path and code; empty: none
	Elapsed       time.Duration
	Trace         []string // S6; those of open children stand last
	Output        any
	OutputError   bool
	Steps         []Step // those of open children behind their step
	Parked        []Parked
	Invocations   []Invoked
	Replies       map[string]engine.Reply // by request: the index in Script.Outside
}

// Step is a leaf that was reached, or a block that is parked.
type Step struct {
	Path     string
	State    engine.State
	Code     string
	Attempts int
	Key      string

	Compensations   int // attempts
	CompensationKey string
}

// Parked is what waits for an operator, ordered by path.
type Parked struct {
	Path     string
	Op       engine.Op
	Code     string
	Commands string // that fit
}

// Invoked is an attempt and when it was scheduled.
type Invoked struct {
	At     time.Time
	Invoke engine.Invocation
}

// observed tells what came of the saga.
func (s *saga) observed() *Observed {
	o := &Observed{
		Direction: engine.Forward, Interventions: s.interventions, Trace: s.traceList(),
		Output: s.output, OutputError: s.outputError, Elapsed: s.lastEvent.Sub(s.startedAt),
		Steps: s.stepList(), Parked: s.parkedList(), Invocations: s.invocations, Replies: s.replies,
	}
	if cause := s.root.failure; cause != nil {
		o.Direction = engine.Backward
		o.Cause = strings.Join([]string{string(cause.Kind), cause.Path, cause.Code}, " ")
	}
	o.Outcome = s.outcome()
	return o
}

// outcome is the state of the saga (S19).
func (s *saga) outcome() string {
	backward := s.root.failure != nil
	switch {
	case s.closed && s.forced:
		return engine.OutcomeResolved
	case s.closed && backward:
		return engine.OutcomeCompensated
	case s.closed:
		return engine.OutcomeCompleted
	case s.parked():
		return engine.OutcomeParked
	case backward:
		return engine.OutcomeCompensating
	default:
		return engine.OutcomeRunning
	}
}

// parked says whether something of the saga's own is parked, not of a child's.
func (s *saga) parked() bool {
	return slices.ContainsFunc(s.frames, func(f *frame) bool { return f.parked != nil }) ||
		slices.ContainsFunc(s.entries, func(e *entry) bool { return e.parked != nil })
}

func (s *saga) traceList() []string {
	list := slices.Clone(s.trace)
	for _, f := range s.frames {
		if f.runs() {
			list = append(list, f.child.traceList()...)
		}
	}
	return list
}

func (s *saga) stepList() (list []Step) {
	for _, f := range s.frames {
		if !f.leaf() && f.parked == nil {
			continue
		}
		step := Step{Path: f.path, State: f.state, Code: f.code}
		if a := f.action; a != nil {
			step.Attempts, step.Key = a.attempts, a.key
			if e := a.entry; e != nil {
				step.Compensations, step.CompensationKey = e.attempts, e.key
			}
		}
		list = append(list, step)
		if f.runs() {
			list = append(list, f.child.stepList()...)
		}
	}
	return list
}

func (s *saga) parkedList() (list []Parked) {
	for _, f := range s.frames {
		if f.runs() {
			list = append(list, f.child.parkedList()...)
		}
		if f.parked != nil {
			list = append(list, Parked{f.path, engine.OpAction, f.parked.code, strings.Join(f.fitting(), " ")})
		}
	}
	for _, e := range s.entries {
		if e.parked != nil {
			list = append(list, Parked{e.frame.path, engine.OpCompensation, e.parked.code, "retry skip resolve"})
		}
	}
	slices.SortFunc(list, func(a, b Parked) int { return strings.Compare(a.Path, b.Path) })
	return list
}
