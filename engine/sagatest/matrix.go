package sagatest

import (
	"fmt"
	"slices"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
)

// MaxMatrixRuns bounds the runs of one case: a definition with hundreds of steps
// is not to keep a person waiting. Faults on the way back are left out first.
const MaxMatrixRuns = 50_000

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
	for _, point := range base.points {
		for _, f := range m.faults(point) {
			m.try(f, point)
		}
	}
	return m.Matrix
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
	if p.op == 0 {
		list := []*Fault{{Path: p.path, Kind: FaultCancelled}}
		if p.signal != "" {
			list = append(list, &Fault{Path: p.path, Kind: FaultNoMessage})
		}
		return list
	}
	var list []*Fault
	codes := m.suite.errorsOf(p.activity)
	for _, code := range append(codes[:min(len(codes), maxCodes):min(len(codes), maxCodes)], faultCode) {
		list = append(list, &Fault{Path: p.path, Op: p.op, Kind: FaultRejected, Code: code})
	}
	for _, kind := range []FaultKind{FaultFailed, FaultUnsent, FaultUnknownApplied, FaultUnknown, FaultLostAnswer, FaultCrash, FaultCancelled} {
		list = append(list, &Fault{Path: p.path, Op: p.op, Kind: kind})
	}
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

// try runs a fault, and the faults on the way back that it leads to.
func (m *matrix) try(f *Fault, p point) {
	back := m.run(f, p)
	switch f.Kind {
	case FaultRejected, FaultUnknownApplied, FaultCancelled, FaultNoMessage:
	default:
		return
	}
	for _, q := range back {
		for _, kind := range []FaultKind{FaultRejected, FaultUnknownApplied, FaultFlaky} {
			second := &Fault{Path: q.path, Op: engine.OpCompensation, Kind: kind}
			if kind == FaultRejected {
				second.Code = faultCode
			}
			both := *f
			both.Then = second
			m.run(&both, p)
		}
	}
}

// run runs the case with a fault and gives the compensations that were called.
func (m *matrix) run(f *Fault, p point) (back []point) {
	if m.only != nil && !m.only(f.String()) && f.Then != nil {
		return nil
	}
	if m.Runs >= MaxMatrixRuns {
		m.Left++
		return nil
	}
	c := *m.base
	c.Signals = slices.DeleteFunc(slices.Clone(c.Signals), func(s dsl.Message) bool { return f.silences(s.Name, m.awaits) })
	var extra []local.Timed
	if f.Kind == FaultCancelled {
		extra = []local.Timed{{After: p.at + cutAfter/2, Event: engine.Event{Kind: engine.EventCancel}}}
	}
	w := newWorld(m.suite.offer(), c.Mocks)
	w.fault, w.lenient = f, true
	r, err := m.suite.play(&c, w, extra, nil)
	if err != nil {
		return nil
	}
	if m.only == nil || m.only(f.String()) {
		m.Runs++
		m.check(f, r)
		if m.done != nil {
			m.done(m.Runs)
		}
	}
	return r.back
}

func (m *matrix) check(f *Fault, r *played) {
	broken := r.run.Violations()
	if text := lingers(r); text != "" {
		broken = append(broken, text)
	}
	for _, rule := range broken {
		m.Violations = append(m.Violations, Violation{
			Case: m.base.Name, Fault: f.String(), Rule: engine.Redact(rule, r.sensitive), Trace: r.result.Trace,
		})
	}
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
