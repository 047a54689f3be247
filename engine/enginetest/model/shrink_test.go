package model

import (
	"maps"
	"slices"
	"time"

	"github.com/sagad/sagad/engine"
)

// shrink makes a case that fails simpler for as long as it still fails.
func shrink(d *definition, sc *Script, fails func(*definition, *Script) bool) (*definition, *Script) {
	for moved := true; moved; {
		moved = false
		for n := 0; ; {
			simpler, e := d.clone(), &editor{n}
			if !e.definition(simpler) {
				break
			}
			if fails(simpler, sc) {
				d, moved = simpler, true // what was the next edit has its number now
			} else {
				n++
			}
		}
		for n := 0; ; {
			simpler, e := sc.clone(), &editor{n}
			if !e.script(simpler) {
				break
			}
			if fails(d, simpler) {
				sc, moved = simpler, true
			} else {
				n++
			}
		}
	}
	return d, sc
}

// clone copies a script so deeply that an editor can change it.
func (sc *Script) clone() *Script {
	c := &Script{Input: maps.Clone(sc.Input.(map[string]any)), Answers: maps.Clone(sc.Answers), Outside: slices.Clone(sc.Outside)}
	for name, list := range c.Answers {
		c.Answers[name] = slices.Clone(list)
	}
	return c
}

// editor goes over a case and does the n-th of all edits that make it simpler.
// Its methods say whether there was one.
type editor struct{ n int }

// here says whether this is the edit that is to be done.
func (e *editor) here() bool {
	e.n--
	return e.n == -1
}

func (e *editor) definition(d *definition) bool {
	return e.steps(&d.steps) || e.lines(d.head) || e.line(&d.output)
}

// steps leaves steps out, or puts what is inside a block in its place; then it
// goes over what is left.
func (e *editor) steps(list *[]*step) bool {
	for i, s := range *list {
		if e.here() {
			*list = slices.Delete(*list, i, i+1)
			return true
		}
		for _, b := range s.bodies {
			if e.here() {
				*list = slices.Replace(*list, i, i+1, b.steps...)
				return true
			}
		}
		if s.child != nil && e.here() {
			*list = slices.Replace(*list, i, i+1, s.child.steps...)
			return true
		}
		for j := range s.catch {
			if e.here() {
				s.catch = slices.Delete(s.catch, j, j+1)
				return true
			}
		}
		for j := range s.bodies {
			if len(s.bodies) > 1 && e.here() {
				s.bodies = slices.Delete(s.bodies, j, j+1)
				return true
			}
		}
	}
	for _, s := range *list {
		if e.lines(s.lines) || e.lines(s.opts) || (s.child != nil && e.definition(s.child)) {
			return true
		}
		for j := range s.bodies {
			if e.steps(&s.bodies[j].steps) {
				return true
			}
		}
		for j := range s.catch {
			if e.steps(&s.catch[j].do) {
				return true
			}
		}
	}
	return false
}

func (e *editor) lines(list []line) bool {
	for i := range list {
		if e.line(&list[i]) {
			return true
		}
	}
	return false
}

func (e *editor) line(l *line) bool {
	for i, text := range l.simpler {
		if e.here() {
			*l = line{text: text, simpler: l.simpler[:i]}
			return true
		}
	}
	return false
}

func (e *editor) script(sc *Script) bool {
	for i := range sc.Outside {
		if e.here() {
			sc.Outside = slices.Delete(sc.Outside, i, i+1)
			return true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sc.Answers)) {
		if e.here() {
			delete(sc.Answers, name)
			return true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sc.Answers)) {
		for i := range sc.Answers[name] {
			if len(sc.Answers[name]) > 1 && e.here() {
				sc.Answers[name] = slices.Delete(sc.Answers[name], i, i+1)
				return true
			}
			if e.answer(&sc.Answers[name][i]) {
				return true
			}
		}
	}
	input := sc.Input.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(input)) {
		if name != "id" && e.here() {
			delete(input, name)
			return true
		}
	}
	return false
}

func (e *editor) answer(a *Answer) bool {
	switch {
	case a.Took != 0 && e.here():
		a.Took = 0
	case a.Took > 10*time.Millisecond && e.here():
		a.Took = 10 * time.Millisecond
	case a.Outcome.Class == engine.Applied && a.Outcome.Output != nil && e.here():
		a.Outcome.Output = nil
	case a.Outcome.Final && e.here():
		a.Outcome.Final = false
	default:
		return false
	}
	return true
}
