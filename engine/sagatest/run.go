package sagatest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/invariant"
	"github.com/sagad/sagad/engine/local"
)

// Suite is a test file with the definition that it is about.
type Suite struct {
	Tests     *dsl.Tests
	Plan      *dsl.Plan
	Manifests []dsl.Manifest // what the plugins offer; may be empty
	Tenant    string         // name of the tenant that sagas run for
	Region    string
	MaxRuns   int       // of the matrix of one case; 0: MaxMatrixRuns
	Cover     *Coverage // takes down what the cases reach; nil: nobody does

	known *offer
}

// Outcome is what became of one case.
type Outcome struct {
	Name     string
	Line     int
	Failures []Failure // none: it passed
	Result   engine.Result
	Elapsed  time.Duration // virtual
}

// Passed says whether everything was as expected.
func (o *Outcome) Passed() bool { return len(o.Failures) == 0 }

// Failure is one thing that was not as expected.
type Failure struct {
	What    string `json:"what"` // trace, outcome, output, ...
	Want    any    `json:"want,omitempty"`
	Got     any    `json:"got,omitempty"`
	Message string `json:"message"`
}

// Run runs one case.
func (s *Suite) Run(c *dsl.TestCase) Outcome {
	o := Outcome{Name: c.Name, Line: c.Line}
	r, err := s.play(c, newWorld(s.offer(), c.Mocks), nil, s.Cover)
	if err != nil {
		o.Failures = []Failure{{What: "input", Message: err.Error()}}
		return o
	}
	o.Result, o.Elapsed = r.result, time.Duration(r.result.Elapsed)
	o.Failures = compare(&c.Expect, r)
	return o
}

func (s *Suite) offer() *offer {
	if s.known == nil {
		s.known = newOffer(s.Manifests)
	}
	return s.known
}

// played is one run of a saga.
type played struct {
	result    engine.Result
	world     *world
	requests  []request
	run       *invariant.Run
	sensitive []string

	points []point           // actions and waits in the order of their beginning, each path once
	back   []point           // compensations, the same
	awaits map[string]string // signal by path
}

// request is one thing that came from outside, and its answer.
type request struct {
	at     time.Duration
	what   string // for people
	reply  engine.Reply
	sent   bool // it reached somebody
	cancel bool
}

// play runs a saga in a world. extra comes from outside too.
func (s *Suite) play(c *dsl.TestCase, w *world, extra []local.Timed, cover *Coverage) (*played, error) {
	start, _, err := engine.Prepare(s.Plan, engine.Target{Tenant: s.Tenant, Region: s.Region, Settings: c.Tenant}, c.Input)
	if err != nil {
		return nil, err
	}
	p := &played{world: w, awaits: map[string]string{}, sensitive: s.Plan.SensitiveValues(c.Input)}
	watch := invariant.NewWatch(&w.Recording, start)
	script := local.Script{Answer: w.take, Payloads: s.offer(), Family: true, At: append(p.outside(c), extra...)}
	script.Observe = func(id string, ev engine.Event, commands []engine.Command) {
		watch.Observe(id, ev, commands)
		p.observe(ev.At.Sub(c.Start), commands)
		if cover != nil {
			cover.observe(commands)
		}
	}
	if cover != nil {
		script.Explain = cover.explain(s.Plan, start.ID)
	}
	p.result = local.Simulate(s.Plan, start, c.Start, script)
	p.run = &invariant.Run{Plan: s.Plan, Start: start, Moments: w.Moments(), Result: p.result}
	return p, nil
}

// outside gives what comes from outside, in the order of its times.
func (p *played) outside(c *dsl.TestCase) []local.Timed {
	var events []local.Timed
	add := func(at time.Duration, to, what string, ev engine.Event) {
		ev.Request = strconv.Itoa(len(p.requests))
		p.requests = append(p.requests, request{at: at, what: what, cancel: ev.Kind == engine.EventCancel})
		events = append(events, local.Timed{After: at, To: to, Event: ev})
	}
	for _, m := range c.Signals {
		add(m.At, m.To, fmt.Sprintf("the message %s (%s)", m.ID, m.Name), engine.Event{Kind: engine.EventSignal, Signal: &engine.Signal{ID: m.ID, Name: m.Name, Data: m.Data}})
	}
	for _, x := range c.Cancels {
		add(x.At, x.To, "the cancel", engine.Event{Kind: engine.EventCancel})
	}
	for i, o := range c.Commands {
		op := engine.Operator{
			ID: cmp.Or(o.ID, fmt.Sprintf("command-%d", i+1)), Command: o.Command, Path: o.Path, Actor: cmp.Or(o.Actor, "ops@example.com"),
			Reason: cmp.Or(o.Reason, "seen in the participant's records"), Applied: o.Applied, Output: o.Output, Input: o.Input,
		}
		add(o.At, "", fmt.Sprintf("%s %s", o.Command, o.Path), engine.Event{Kind: engine.EventOperator, Operator: &op})
	}
	return events
}

// observe takes down the answers to requests and what could go wrong.
func (p *played) observe(at time.Duration, commands []engine.Command) {
	for _, c := range commands {
		switch c.Kind {
		case engine.CommandReply:
			if i, err := strconv.Atoi(c.Reply.Request); err == nil && i < len(p.requests) {
				p.requests[i].reply, p.requests[i].sent = c.Reply, true
			}
		case engine.CommandInvoke:
			q := point{path: c.Invoke.Path, op: c.Invoke.Op, activity: c.Invoke.Activity, at: at}
			switch c.Invoke.Op {
			case engine.OpAction:
				p.points = addPoint(p.points, q)
			case engine.OpCompensation:
				p.back = addPoint(p.back, q)
			}
		case engine.CommandRecord:
			if c.Record.Transition == engine.TransitionWaiting {
				p.points = addPoint(p.points, point{path: c.Record.Path, at: at, signal: c.Record.Signal})
				p.awaits[c.Record.Path] = c.Record.Signal
			}
		}
	}
}

func addPoint(list []point, q point) []point {
	if slices.ContainsFunc(list, func(p point) bool { return p.path == q.path }) {
		return list
	}
	return append(list, q)
}

// inOrder gives the requests in the order of their times.
func (p *played) inOrder() []request {
	return slices.SortedStableFunc(slices.Values(p.requests), func(a, b request) int { return cmp.Compare(a.at, b.at) })
}
