package progress

import (
	"slices"
	"strings"
	"time"

	"github.com/sagad/sagad/engine"
)

// Changes tells of the transitions that led from one state of a saga to a
// later one, as far as the states show them, in the order in which they happened,
// those of children among them. The state before the first one is the zero Result.
func Changes(before, after engine.Result) []engine.Record {
	c := changes{after: after, reached: make(map[string]int, len(after.Steps)), was: make(map[string]engine.StepResult, len(before.Steps)), is: make(map[string]engine.StepResult, len(after.Steps))}
	for _, s := range before.Steps {
		c.was[s.Path] = s
	}
	for _, s := range after.Steps {
		c.is[s.Path] = s
	}
	if before.ID == "" {
		c.add(engine.Record{At: after.StartedAt, Transition: engine.TransitionStarted})
	}
	for i, s := range after.Steps {
		c.reached[s.Path] = i
		if s.State == engine.StateSkipped && c.was[s.Path].State != engine.StateSkipped {
			c.skips = append(c.skips, s)
		}
	}
	c.closed(before)
	c.parked(before)
	c.open()
	slices.SortStableFunc(c.records, func(a, b engine.Record) int { return a.At.Compare(b.At) })
	if after.Status == engine.StatusClosed && before.Status != engine.StatusClosed {
		c.add(engine.Record{At: c.now(), Transition: engine.TransitionClosed, Message: after.Outcome})
	}
	return c.records
}

type changes struct {
	after   engine.Result
	was, is map[string]engine.StepResult
	reached map[string]int // place in the order of reaching
	records []engine.Record
	last    time.Time           // of the last step that closed, among the new ones
	skips   []engine.StepResult // still to be told
	turned  bool                // the record of the saga's turn has been told
}

func (c *changes) add(r engine.Record) { c.records = append(c.records, r) }

// now is the instant of the later state: the end of a saga that has closed, and
// when an open one was looked at.
func (c *changes) now() time.Time { return c.after.StartedAt.Add(time.Duration(c.after.Elapsed)) }

// latest is the last instant that the later state knows.
func (c *changes) latest() time.Time {
	now := c.after.StartedAt
	for _, s := range c.after.Steps {
		now = later(now, later(s.ScheduledAt, later(s.ActedAt, s.ClosedAt)))
	}
	for _, p := range c.after.Parked {
		now = later(now, p.Since)
	}
	return now
}

// closed tells of the items that are new in the trace.
func (c *changes) closed(before engine.Result) {
	known := make(map[string]int, len(before.Trace))
	for _, item := range before.Trace {
		known[item]++
	}
	backward := before.Direction == engine.Backward
	for _, item := range c.after.Trace {
		if known[item] > 0 {
			known[item]--
			continue
		}
		name := strings.TrimRight(item, "!?")
		if path, ok := strings.CutPrefix(name, "~"); ok {
			c.skipped("")
			if cause := c.after.Cause; cause == nil || cause.Path == "" { // otherwise the step that failed turns the saga
				c.turn(backward)
			}
			if name == item { // ~x! is parked, which stands elsewhere with its reason
				c.add(engine.Record{At: c.is[path].ClosedAt, Transition: engine.TransitionCompensated, Path: path, Op: engine.OpCompensation, Attempt: attemptsOf(c.is[path])})
			}
			continue
		}
		c.leaf(name, strings.TrimPrefix(item, name))
		if cause := c.after.Cause; cause != nil && cause.Path == name {
			c.turn(backward)
		}
	}
	c.skipped("")
	c.turn(backward)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// skipped tells of the steps that were skipped before a leaf was reached, or inside
// it, or, if it is none, of all that were.
func (c *changes) skipped(leaf string) {
	for len(c.skips) > 0 && (leaf == "" || c.reached[c.skips[0].Path] < c.reached[leaf] || strings.HasPrefix(c.skips[0].Path, leaf+"/")) {
		c.add(engine.Record{At: c.skips[0].ClosedAt, Transition: engine.TransitionSkipped, Path: c.skips[0].Path})
		c.skips = c.skips[1:]
	}
}

// leaf tells of a step that closed. What is parked stands elsewhere.
func (c *changes) leaf(path, mark string) {
	s := c.is[path]
	at := s.ClosedAt
	switch {
	case !s.ActedAt.IsZero():
		at = s.ActedAt
	case attemptsOf(s) > 0 && isBack(s): // of an old saga: what stands there is the end of its compensation
		at = later(s.ScheduledAt, c.last)
	}
	c.skipped(path)
	c.last = later(c.last, at)
	r := engine.Record{At: at, Transition: engine.TransitionSucceeded, Path: path, Attempt: s.Attempts}
	switch {
	case s.State == engine.StateParked && s.Compensation.Attempts == 0:
		return
	case mark == "!":
		r.Transition = engine.TransitionFailed
	case mark == "?":
		r.Transition = engine.TransitionUnknown
	}
	if mark != "" {
		r.Code = s.Code
		if cause := c.after.Cause; cause != nil && cause.Path == path {
			r.Code, r.Message = cause.Code, cause.Message
		}
	}
	c.add(r)
}

// turn tells once that the saga compensates.
func (c *changes) turn(before bool) {
	if c.turned || before || c.after.Direction != engine.Backward {
		return
	}
	c.turned = true
	r := engine.Record{At: c.last, Transition: engine.TransitionCompensating}
	if r.At.IsZero() { // nothing closed: somebody cancelled between two steps
		r.At = c.latest()
	}
	if cause := c.after.Cause; cause != nil {
		r.Code, r.Message = cause.Code, cause.Message
	}
	c.add(r)
}

// parked tells of what waits for an operator since then.
func (c *changes) parked(before engine.Result) {
	for _, p := range c.after.Parked {
		if isParked(before, p) {
			continue
		}
		s := c.is[p.Path]
		attempt := s.Attempts
		if p.Op == engine.OpCompensation {
			attempt = attemptsOf(s)
		}
		c.add(engine.Record{At: p.Since, Transition: engine.TransitionParked, Path: p.Path, Op: p.Op, Attempt: attempt, Code: p.Code, Message: p.Message})
	}
}

func isParked(r engine.Result, p engine.Parked) bool {
	for _, other := range r.Parked {
		if other.Path == p.Path && other.Op == p.Op && other.Since.Equal(p.Since) {
			return true
		}
	}
	return false
}

// open tells of the operations that are on their way now.
func (c *changes) open() {
	for _, s := range c.after.Steps {
		was := c.was[s.Path]
		switch {
		case s.State == engine.StateRunning && s.Attempts > was.Attempts:
			at := s.ScheduledAt
			if s.Attempts > 1 {
				at = c.now()
			}
			c.add(engine.Record{At: at, Transition: engine.TransitionScheduled, Path: s.Path, Op: engine.OpAction, Attempt: s.Attempts})
		case s.State == engine.StateRunning && s.Child != "" && was.State != engine.StateRunning:
			c.add(engine.Record{At: s.ScheduledAt, Transition: engine.TransitionScheduled, Path: s.Path, Op: engine.OpAction, Child: s.Child})
		case s.State == engine.StateRunning && s.Key == "" && was.State != engine.StateRunning:
			c.add(engine.Record{At: s.ScheduledAt, Transition: engine.TransitionWaiting, Path: s.Path, Signal: s.Signal, Until: s.Until})
		case s.State == engine.StateCompensating && attemptsOf(s) > attemptsOf(was):
			at := c.latest() // the one before it has just closed
			if attemptsOf(s) > 1 {
				at = c.now()
			}
			c.add(engine.Record{At: at, Transition: engine.TransitionCompensating, Path: s.Path, Op: engine.OpCompensation, Attempt: attemptsOf(s)})
		}
	}
}

func attemptsOf(s engine.StepResult) int { return s.Compensation.Attempts }

// isBack says whether the compensation of a step has closed.
func isBack(s engine.StepResult) bool {
	return s.State == engine.StateCompensated || s.State == engine.StateSkipped && s.Compensation.Key != ""
}

// took is how long the action of a step took; ok is false if that is not known.
func took(s engine.StepResult) (d time.Duration, ok bool) {
	end := s.ClosedAt
	if isBack(s) {
		end = s.ActedAt
	}
	d = end.Sub(s.ScheduledAt)
	return d, !s.ScheduledAt.IsZero() && !end.IsZero() && d >= 0
}
