package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// definition is a definition that was drawn, in a shape that can be shrunk: what
// its lines say nobody but the compiler knows.
type definition struct {
	saga   string
	head   []line
	steps  []*step
	output line
}

// step is one step.
type step struct {
	id     string
	lines  []line
	block  string // parallel, foreach, scope or switch; empty: a leaf
	opts   []line // of the block
	bodies []body
	catch  []clause
	child  *definition // that it runs; nil: none
}

// body is a list of steps of a block: a branch, a case, or its only list.
type body struct {
	name  string // of a branch
	when  string // of a case; empty: else
	steps []*step
}

// clause is one clause of a catch.
type clause struct {
	on string
	do []*step
}

// line is a key with a value. The simpler forms are tried when a case is shrunk;
// an empty one is no line at all.
type line struct {
	text    string
	simpler []string
}

func must(format string, args ...any) line { return line{text: fmt.Sprintf(format, args...)} }

// may is a line that can be left out.
func may(format string, args ...any) line {
	return line{text: fmt.Sprintf(format, args...), simpler: []string{""}}
}

// clone copies a definition so deeply that the copy can be changed.
func (d *definition) clone() *definition {
	c := *d
	c.head = slices.Clone(d.head)
	c.steps = cloneSteps(d.steps)
	return &c
}

func cloneSteps(steps []*step) []*step {
	list := make([]*step, len(steps))
	for i, s := range steps {
		c := *s
		c.lines, c.opts, c.bodies, c.catch = slices.Clone(s.lines), slices.Clone(s.opts), slices.Clone(s.bodies), slices.Clone(s.catch)
		if s.child != nil {
			c.child = s.child.clone()
		}
		for j := range c.bodies {
			c.bodies[j].steps = cloneSteps(c.bodies[j].steps)
		}
		for j := range c.catch {
			c.catch[j].do = cloneSteps(c.catch[j].do)
		}
		list[i] = &c
	}
	return list
}

// yaml writes the definition.
func (d *definition) yaml() string {
	w := &writer{}
	w.line(0, "saga: "+d.saga)
	w.line(0, `version: "1"`)
	w.line(0, "key: ${{ input.id }}")
	for _, l := range d.head {
		w.line(0, l.text)
	}
	w.line(0, "steps:")
	w.steps(1, d.steps)
	w.line(0, d.output.text)
	return w.b.String()
}

// family gives the definitions of the saga and of all that run inside it, by
// name.
func (d *definition) family() map[string]string {
	all := map[string]string{d.saga: d.yaml()}
	var visit func(steps []*step)
	visit = func(steps []*step) {
		for _, s := range steps {
			if s.child != nil {
				maps.Copy(all, s.child.family())
			}
			for _, b := range s.bodies {
				visit(b.steps)
			}
			for _, c := range s.catch {
				visit(c.do)
			}
		}
	}
	visit(d.steps)
	return all
}

type writer struct{ b strings.Builder }

func (w *writer) line(indent int, text string) {
	if text != "" {
		fmt.Fprintf(&w.b, "%s%s\n", strings.Repeat("  ", indent), text)
	}
}

func (w *writer) steps(indent int, steps []*step) {
	for _, s := range steps {
		w.line(indent, "- id: "+s.id)
		for _, l := range s.lines {
			w.line(indent+1, l.text)
		}
		w.block(indent+1, s)
		for i, c := range s.catch {
			if i == 0 {
				w.line(indent+1, "catch:")
			}
			w.line(indent+2, "- on: "+c.on)
			w.line(indent+3, "do:")
			w.steps(indent+4, c.do)
		}
	}
}

func (w *writer) block(indent int, s *step) {
	if s.block == "" {
		return
	}
	w.line(indent, s.block+":")
	for _, l := range s.opts {
		w.line(indent+1, l.text)
	}
	if s.block == "parallel" {
		w.line(indent+1, "branches:")
	}
	for _, b := range s.bodies {
		switch {
		case s.block == "parallel":
			w.line(indent+2, b.name+":")
			w.steps(indent+3, b.steps)
		case s.block == "switch" && b.when == "":
			w.line(indent+1, "- else:")
			w.steps(indent+3, b.steps)
		case s.block == "switch":
			w.line(indent+1, "- when: "+b.when)
			w.line(indent+2, "do:")
			w.steps(indent+3, b.steps)
		default:
			w.line(indent+1, "do:")
			w.steps(indent+2, b.steps)
		}
	}
}
