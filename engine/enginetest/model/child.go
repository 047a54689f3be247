package model

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// family is what a saga has in common with its children, and where it stands
// among them (S9).
type family struct {
	id         string // of the saga at the top
	startedAt  time.Time
	prefix     string // of paths
	generation int    // of keys: children that are tried again have others
	report     func() // tells the parent of the end; nil at the top
}

// child is a saga that a step has started.
type child struct {
	*saga
	cancelled bool
}

// nested runs a saga as a child and waits for its end (S9).
func (s *saga) nested(x *strand, f *frame) (any, ending) {
	generation := s.family.generation
	if earlier := f.child; earlier != nil { // an operator has it tried again
		generation = earlier.highest() + 1
		defer func() {
			s.frames = slices.DeleteFunc(s.frames, func(g *frame) bool { return slices.Contains(earlier.frames, g) })
		}()
	}
	start, code, err := s.startOf(f, generation)
	if err != nil {
		return s.fail(x, f, code, err.Error())
	}
	c := &child{saga: s.world.saga(f.step.Child.Plan, start)}
	c.family = &family{id: s.family.id, startedAt: s.family.startedAt, prefix: f.path + "/", generation: generation}
	c.family.report = func() { s.at(s.now, f.path, func() { s.end(s.pauseOf(f), nil) }) }
	c.at(s.now, f.path, func() { c.spawn(c.main) })
	f.child = c
	if f.decisive() && !s.committed {
		s.pivot = f
	}
	s.pausing(&pause{frame: f, strand: x, what: aChild})
	s.adopt(f)
	if cause := c.root.failure; cause != nil { // it has compensated itself
		return s.fail(x, f, cause.Code, cause.Message)
	}
	if s.wrong == losesTheChild {
		c.entries = nil
	}
	for _, e := range c.entries { // one entry, in the child's order
		if e.place = f; s.wrong == splitsTheChild {
			e.place = &frame{parent: f, branch: e.frame.branch}
		}
		s.arm(e)
	}
	if s.pivot == f {
		s.pivot = nil
	}
	if c.committed && !s.committed && s.wrong != forgetsTheDecision {
		s.commit()
	}
	s.note(f.path, "")
	if s.held != nil { // it has decided nothing: the cancel wins
		f.state = engine.StateSucceeded
		s.turned(s.held)
		return nil, left
	}
	return c.output, well
}

// runs says whether f has started a child that is open.
func (f *frame) runs() bool { return f.child != nil && !f.child.closed }

// startOf gives what a child is started with, or why it cannot be.
func (s *saga) startOf(f *frame, generation int) (*engine.Start, string, error) {
	plan := f.step.Child.Plan
	with, err := input(f.step.Child.With, f.scope)
	if err != nil {
		return nil, engine.CodeExpression, err
	}
	if plan.Input != nil {
		if err := plan.Input.Validate(with); err != nil {
			return nil, engine.CodeInvalidInput, err
		}
	}
	start := &engine.Start{ID: s.family.id + "/" + f.path, Tenant: s.start.Tenant, Region: s.start.Region, Settings: s.start.Settings, Input: with}
	if generation > 0 {
		start.ID += "@" + strconv.Itoa(generation)
	}
	env := dsl.Env{"input": with, "tenant": s.root.scope.env["tenant"]}
	key, err := plan.Key.Eval(env)
	if err != nil {
		return nil, engine.CodeExpression, err
	}
	switch key.(type) {
	case string, int:
		start.Key = fmt.Sprint(key)
	}
	if start.Key == "" {
		return nil, engine.CodeExpression, errors.New("a business key is a string that is not empty, or an integer")
	}
	return start, "", nil
}

// cancelChild asks a child to turn around, once.
func (s *saga) cancelChild(f *frame) {
	if c := f.child; !c.cancelled && s.wrong != leavesTheChild {
		c.cancelled = true
		c.at(s.now, f.path, func() { c.cancel("") })
	}
}

// adopt takes over what a child that has closed leaves behind: its trace, its
// steps and what operators did to it.
func (s *saga) adopt(f *frame) {
	c := f.child
	s.trace = append(s.trace, c.trace...)
	s.frames = append(s.frames, c.frames...)
	s.interventions += c.interventions
	s.forced = s.forced || c.forced
}

// highest is the highest generation of a key in a saga and its children.
func (s *saga) highest() int {
	g := s.family.generation
	for _, f := range s.frames {
		if f.action != nil {
			g = max(g, f.action.generation)
			if e := f.action.entry; e != nil {
				g = max(g, e.generation)
			}
		}
	}
	return g
}

// pauseOf gives what an open leaf waits for.
func (s *saga) pauseOf(f *frame) *pause {
	for _, p := range s.open {
		if p.frame == f {
			return p
		}
	}
	return nil
}

// addressee gives the saga of a family that an operator's command is about: the
// child that runs and in which the path stands.
func (s *saga) addressee(path string) *saga {
	for _, f := range s.frames {
		if f.runs() && strings.HasPrefix(path, f.path+"/") {
			return f.child.addressee(path)
		}
	}
	return s
}
