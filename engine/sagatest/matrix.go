package sagatest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
)

// MaxMatrixRuns bounds the runs of one case: a definition with hundreds of steps
// is not to keep a person waiting. What goes wrong once is run first. Of second
// faults, in a probe or on the way back, of which there are as many as steps times
// steps, only as many are run as fit, spread over all.
const MaxMatrixRuns = 10_000

// Matrix is what the matrix of a suite has found.
type Matrix struct {
	Runs       int
	Violations []Violation
	Left       int // runs that were left out because of MaxMatrixRuns
}

// Violation is a rule that a run has broken.
type Violation struct {
	Case  string   `json:"case"`
	Fault string   `json:"fault"`
	Rule  string   `json:"rule"`
	Trace []string `json:"trace"`
}

// Matrix runs every step of a completed case with every kind of fault, and every
// compensation that follows with some. only picks faults by their name; nil: all.
// done is told after each run how many there were; nil: nobody is.
func (s *Suite) Matrix(c *dsl.TestCase, only func(name string) bool, done func(runs int)) Matrix {
	m := &matrix{suite: s, base: c, only: only, done: done}
	base, err := s.play(c, newWorld(s.offer(), c.Mocks), nil, nil)
	if err != nil || base.result.Outcome != engine.OutcomeCompleted {
		return m.Matrix
	}
	m.awaits = base.awaits
	var second []chain
	for _, point := range base.points {
		for _, f := range m.faults(point) {
			second = append(second, m.try(f, point)...)
		}
	}
	fit := max(0, min(len(second), m.most()-m.Runs))
	for i := range fit {
		next := second[i*len(second)/fit]
		m.run(next.fault, next.point)
	}
	m.Left += len(second) - fit
	return m.Matrix
}

// chain is a fault at a point with a second one that follows.
type chain struct {
	fault *Fault
	point point
}

type matrix struct {
	Matrix
	suite  *Suite
	base   *dsl.TestCase
	awaits map[string]string // signal by path
	only   func(string) bool
	done   func(int)
}

// point is a place where something can go wrong.
type point struct {
	path     string
	op       engine.Op // 0: a wait
	activity string
	at       time.Duration // after the start
	signal   string        // of an await
}

// maxCodes is how many of an activity's error codes are tried.
const maxCodes = 8

// faults are what can go wrong at a point of a run in which everything went well.
func (m *matrix) faults(p point) []*Fault {
	var list []*Fault
	add := func(kinds ...FaultKind) {
		for _, kind := range kinds {
			if kind != FaultDeadline || m.suite.Plan.Deadline != nil {
				list = append(list, &Fault{Path: p.path, Op: p.op, Kind: kind})
			}
		}
	}
	if p.op == 0 {
		add(FaultCancelled, FaultDeadline)
		if p.signal != "" {
			add(FaultNoMessage)
		}
		return list
	}
	codes := m.suite.errorsOf(p.activity)
	for _, code := range append(codes[:min(len(codes), maxCodes):min(len(codes), maxCodes)], faultCode) {
		list = append(list, &Fault{Path: p.path, Op: p.op, Kind: FaultRejected, Code: code})
	}
	add(FaultFailed, FaultUnsent, FaultUnknownApplied, FaultUnknown, FaultLostAnswer, FaultCrash, FaultInvalidOutput, FaultCancelled, FaultDeadline)
	return list
}

// errorsOf gives the codes that an activity says it fails with.
func (s *Suite) errorsOf(activity string) []string {
	for _, m := range s.Manifests {
		for _, a := range m.Activities {
			if a.Name == activity {
				return a.Errors
			}
		}
	}
	return nil
}

// try runs a fault and gives those of its probe and on the way back that it leads
// to.
func (m *matrix) try(f *Fault, p point) (list []chain) {
	r := m.run(f, p)
	if r == nil {
		return nil
	}
	for _, second := range append(inProbe(f, p, r), onTheWayBack(f, r)...) {
		both := *f
		both.Then = second
		if m.picks(&both) {
			list = append(list, chain{&both, p})
		}
	}
	return list
}

// most is how many runs there may be.
func (m *matrix) most() int { return cmp.Or(m.suite.MaxRuns, MaxMatrixRuns) }

func (m *matrix) picks(f *Fault) bool { return m.only == nil || m.only(f.String()) }

// inProbe are the faults of a probe that asks about a fault.
func inProbe(f *Fault, p point, r *played) (list []*Fault) {
	var kinds []FaultKind
	switch f.Kind {
	case FaultUnknownApplied:
		kinds = []FaultKind{FaultUnsure, FaultClueless}
	case FaultLostAnswer, FaultCrash:
		kinds = []FaultKind{FaultUnsure, FaultFlaky, FaultLostAnswer}
	}
	if r.world.asked[p.path] == 0 {
		return nil
	}
	for _, kind := range kinds {
		list = append(list, &Fault{Path: p.path, Op: engine.OpProbe, Kind: kind})
	}
	return list
}

// onTheWayBack are the faults of the compensations that follow from a fault.
func onTheWayBack(f *Fault, r *played) (list []*Fault) {
	switch f.Kind {
	case FaultRejected, FaultUnknownApplied, FaultCancelled, FaultNoMessage, FaultDeadline:
	default:
		return nil
	}
	for _, q := range r.back {
		for _, kind := range []FaultKind{FaultRejected, FaultUnknownApplied, FaultFlaky, FaultCancelled} {
			second := &Fault{Path: q.path, Op: engine.OpCompensation, Kind: kind, at: q.at}
			if kind == FaultRejected {
				second.Code = faultCode
			}
			list = append(list, second)
		}
	}
	return list
}

// run runs the case with a fault. It gives nil if that was not to be.
func (m *matrix) run(f *Fault, p point) *played {
	picked := m.picks(f)
	if m.Runs >= m.most() {
		m.Left++
		return nil
	}
	c := *m.base
	c.Signals = slices.DeleteFunc(slices.Clone(c.Signals), func(s dsl.Message) bool { return f.silences(s.Name, m.awaits) })
	w := newWorld(m.suite.offer(), c.Mocks)
	w.fault, w.lenient = f, true
	suite := *m.suite
	suite.Plan = m.hurried(f, p)
	r, err := suite.play(&c, w, f.cancels(p.at), nil)
	if err != nil {
		return nil
	}
	if picked {
		m.Runs++
		m.check(f, r)
		if m.done != nil {
			m.done(m.Runs)
		}
	}
	return r
}

// hurried gives the plan, under FaultDeadline with a deadline that comes while p
// runs.
func (m *matrix) hurried(f *Fault, p point) *dsl.Plan {
	if f.Kind != FaultDeadline {
		return m.suite.Plan
	}
	plan := *m.suite.Plan
	plan.Deadline = &dsl.Delay{Fixed: p.at + cutAfter/2}
	return &plan
}

// cancels gives the cancels of a fault at a time, and those of what follows from it.
func (f *Fault) cancels(at time.Duration) (events []local.Timed) {
	if f.Kind == FaultCancelled {
		events = append(events, local.Timed{After: at + cutAfter/2, Event: engine.Event{Kind: engine.EventCancel}})
	}
	if f.Then != nil {
		events = append(events, f.Then.cancels(f.Then.at)...)
	}
	return events
}

func (m *matrix) check(f *Fault, r *played) {
	broken := append(r.run.Violations(), mistakes(r)...)
	if text := lingers(r); text != "" {
		broken = append(broken, text)
	}
	for _, rule := range broken {
		m.Violations = append(m.Violations, Violation{
			Case: m.base.Name, Fault: f.String(), Rule: engine.Redact(rule, r.sensitive), Trace: r.result.Trace,
		})
	}
}

// mistakes are those of the definition that only a fault brings to light: an
// expression that fails, an input that no plugin takes.
func mistakes(r *played) []string {
	var list []string
	if c := r.result.Cause; c != nil && c.Code == engine.CodeExpression {
		list = append(list, fmt.Sprintf("an expression of %s fails: %s", c.Path, c.Message))
	} else {
		for _, s := range r.result.Steps {
			if s.Code == engine.CodeExpression {
				list = append(list, fmt.Sprintf("an expression of %s fails", s.Path))
			}
		}
	}
	if r.result.OutputError != "" {
		list = append(list, "the output cannot be evaluated: "+r.result.OutputError)
	}
	return append(list, r.world.refused...)
}

// lingers says that a saga neither ends nor parks, not even in a child, nor awaits
// a message.
func lingers(r *played) string {
	open := r.result.Outcome == engine.OutcomeRunning || r.result.Outcome == engine.OutcomeCompensating
	if !open || len(r.result.Parked) > 0 {
		return ""
	}
	for _, s := range r.result.Steps {
		if s.State == engine.StateRunning && s.Signal != "" {
			return ""
		}
	}
	return fmt.Sprintf("S19: the saga neither ends nor parks: it is %s", r.result.Outcome)
}
