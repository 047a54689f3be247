package model

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// side says where a step stands: before the point of no return, after it, or on
// either side, depending on the way that led there.
type side int

const (
	before side = iota
	either
	after
)

// place is what is known where a step is drawn.
type place struct {
	side       side
	depth      int
	concurrent bool     // inside a parallel or foreach
	families   []string // what may come before the ID in paths: those of children around
	keys       []string // what may follow the ID in paths: the keys of each foreach around
	items      []string // names of the items
	certain    []string // steps that ran
	maybe      []string // steps that may have run
	vars       []string // that are set here, or may be
	handler    bool     // error is known
}

// paths lists the paths that a step may have.
func (p *place) paths(id string) (list []string) {
	for _, f := range p.families {
		for _, k := range p.keys {
			list = append(list, f+id+k)
		}
	}
	return list
}

// within gives the place inside a block.
func (p place) within() place {
	p.depth++
	p.certain, p.maybe, p.vars = slices.Clone(p.certain), slices.Clone(p.maybe), slices.Clone(p.vars)
	return p
}

// ran notes the steps that a list has left behind: certain, or not.
func (p *place) ran(steps []*step, certainly bool) {
	for _, s := range steps {
		if certainly && !s.conditional() {
			p.certain = append(p.certain, s.id)
		} else {
			p.maybe = append(p.maybe, s.id)
		}
	}
}

func (s *step) conditional() bool {
	return len(s.catch) > 0 || slices.ContainsFunc(s.lines, func(l line) bool { return len(l.text) > 3 && l.text[:3] == "if:" })
}

// generator draws definitions that the compiler accepts, and scripts for them.
type generator struct {
	*rand.Rand
	ids     int
	depth   int  // of blocks
	size    int  // beyond which no block is drawn any more
	probes  int  // how many calls of a hundred have one
	late    bool // blocks are drawn all the more
	calls   []called
	signals bool
}

// called is an operation of a step that a script can answer.
type called struct {
	name  string // with its prefix, as in Script.Answers
	paths []string
	probe bool
}

// one draws one of several.
func one[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

// chance is true n times of a hundred.
func (g *generator) chance(n int) bool { return g.IntN(100) < n }

func (g *generator) id() string {
	g.ids++
	return fmt.Sprintf("s%d", g.ids)
}

// definition draws a definition.
func (g *generator) definition() *definition {
	d := &definition{saga: root}
	g.depth, g.size, g.probes = 1+g.IntN(4), one(g, 4, 8, 15, 25), one(g, 20, 50, 80)
	g.head(d)
	p := &place{keys: []string{""}, families: []string{""}}
	switch g.IntN(4) {
	case 0: // no way past the point of no return
		d.steps = g.list(p, 1+g.IntN(5))
	case 1: // nothing before it, so that much comes after it
		d.steps = []*step{{id: g.id(), lines: []line{must("call: t.pivot"), must("effect: pivot")}}}
		p.side, g.late = after, true
		d.steps = append(d.steps, g.list(p, 1+g.IntN(3))...)
	default:
		d.steps = g.list(p, g.IntN(5))
		d.steps = append(d.steps, g.decision(p)...)
		d.steps = append(d.steps, g.list(p, g.IntN(4))...)
	}
	if g.chance(80) {
		d.output = g.everything(*p)
	}
	return d
}

// head draws what stands before the steps.
func (g *generator) head(d *definition) {
	if g.chance(25) {
		d.head = append(d.head, may("deadline: %s", g.duration("100ms", "300ms", "1s", "${{ input.d }}")))
	}
	if g.chance(50) {
		d.head = append(d.head, may("cancelGrace: %s", one(g, "20ms", "50ms", "1m")))
	}
	d.head = append(d.head, may("defaults: {timeout: %s, retry: {attempts: %d, backoff: 10ms..40ms}, compensation: {retry: {backoff: 10ms..20ms, within: %s}}}",
		one(g, "60ms", "100ms", "400ms"), 1+g.IntN(3), one(g, "50ms", "200ms")))
}

// everything gives all that can be seen at the end as the saga's output.
func (g *generator) everything(p place) line {
	fields := []string{fmt.Sprintf("v: \"${{ %s }}\"", g.value(p))}
	for _, id := range p.certain {
		fields = append(fields, fmt.Sprintf("%s: \"${{ steps.%s.output }}\"", id, id))
	}
	for _, id := range p.maybe {
		fields = append(fields, fmt.Sprintf("%s: \"${{ steps.%s?.output ?? 0 }}\"", id, id))
	}
	for _, name := range p.vars {
		fields = append(fields, fmt.Sprintf("%s: \"${{ vars.%s ?? 0 }}\"", name, name))
	}
	simpler := []string{""}
	for _, field := range fields {
		simpler = append(simpler, "output: {"+field+"}")
	}
	return line{"output: {" + strings.Join(fields, ", ") + "}", simpler}
}

// list draws n steps that follow each other.
func (g *generator) list(p *place, n int) []*step {
	var list []*step
	for range n {
		s := g.step(p)
		p.ran([]*step{s}, true)
		list = append(list, s)
	}
	return list
}

// decision draws how the point of no return is passed.
func (g *generator) decision(p *place) []*step {
	var list []*step
	switch g.IntN(5) {
	case 0: // a scope with steps on both sides
		s := &step{id: g.id(), block: "scope"}
		inner := p.within()
		steps := g.list(&inner, g.IntN(2))
		steps = append(steps, g.pivot(&inner))
		steps = append(steps, g.list(&inner, 1+g.IntN(2))...)
		s.bodies = []body{{steps: steps}}
		p.side = inner.side
		g.catchEither(p, s)
		list = append(list, s)
	case 1: // first scheduling of a retriable
		p.side = either
	default:
		list = append(list, g.pivot(p))
	}
	if p.side == either {
		s := &step{id: g.id()}
		g.call(p, s, "retriable")
		p.side = after
		list = append(list, s)
	}
	p.ran(list, true)
	return list
}

// pivot draws a pivot, with another one in its catch or not, and moves the place
// behind it.
func (g *generator) pivot(p *place) *step {
	s := &step{id: g.id()}
	side := after
	if g.chance(15) {
		s.lines = append(s.lines, g.condition(*p))
		side = either
	}
	if g.ids <= g.size && g.chance(30) {
		g.child(p, s, true)
		if strings.Contains(s.child.yaml(), "complete:") { // it may end before it has decided
			side = either
		}
	} else {
		g.call(p, s, "pivot")
	}
	if p.depth <= g.depth && g.chance(40) {
		inner := p.within()
		inner.side, inner.handler = before, true
		do := g.list(&inner, g.IntN(3))
		if g.chance(70) {
			do = append(do, g.pivot(&inner))
			if inner.side == either {
				side = either
			}
		} else {
			side = either
			if len(do) == 0 {
				do = g.list(&inner, 1)
			}
		}
		s.catch = []clause{{one(g, `["*"]`, "[R1]", "[R1, TIMEOUT, EXPRESSION]"), do}}
	}
	p.side = side
	return s
}

// step draws a step that may stand at a place.
func (g *generator) step(p *place) *step {
	s := &step{id: g.id()}
	if g.chance(12) {
		s.lines = append(s.lines, g.condition(*p))
	}
	kinds := 18
	if p.depth >= g.depth || g.ids > g.size {
		kinds = 11
	}
	kind := g.IntN(kinds)
	if kinds == 18 && g.late && g.chance(40) {
		kind = 12
	}
	switch kind {
	case 0, 1, 2, 3, 4:
		if p.side == before {
			g.call(p, s, "")
		} else if p.side == after || !p.concurrent {
			g.call(p, s, "retriable")
		} else {
			g.call(p, s, "none")
		}
	case 5:
		g.call(p, s, "none")
	case 6:
		s.lines = append(s.lines, line{fmt.Sprintf("sleep: %s", g.duration("10ms", "20ms", "50ms", "200ms", "${{ input.d }}", "{until: input.at}")), []string{"sleep: 20ms"}})
	case 7:
		g.await(p, s)
	case 8:
		g.set(p, s)
	case 9:
		g.end(p, s)
	case 10:
		if g.chance(50) {
			g.set(p, s)
		} else {
			g.await(p, s)
		}
	case 11, 12, 13:
		g.parallel(p, s)
	case 14:
		s.block = "scope"
		inner := p.within()
		s.bodies = []body{{steps: g.list(&inner, 1+g.IntN(3))}}
	case 15:
		g.choice(p, s)
	case 16:
		if p.side == before {
			g.child(p, s, false)
		} else {
			g.call(p, s, "none")
		}
	default:
		g.foreach(p, s)
	}
	if len(s.catch) == 0 && g.ids <= g.size && p.depth <= g.depth && (g.chance(30) || g.late && s.block != "" && g.chance(50)) {
		g.catch(p, s)
	}
	return s
}

// call draws a call with an effect; compensatable if it is empty.
func (g *generator) call(p *place, s *step, effect string) {
	s.lines = append(s.lines, must("call: t.%s", s.id))
	self := "self.key"
	if g.chance(50) {
		s.lines = append(s.lines, may("with: {v: \"${{ %s }}\", l: [0]}", g.value(*p)))
		self = "self.input.l[0]" // which a corrected input lacks
	}
	g.answerable("", p, s, false)
	if effect == "" {
		with := one(g, "",
			", with: {of: \"${{ self.key }}\", v: \"${{ self.output?.n }}\"}",
			", with: {v: \"${{ (self.output?.n ?? 1) + 1 }}\"}",
			fmt.Sprintf(", with: {v: \"${{ %s }}\"}", g.value(*p)))
		s.lines = append(s.lines, line{fmt.Sprintf("compensate: {call: t.undo%s%s}", s.id, with), []string{fmt.Sprintf("compensate: {call: t.undo%s}", s.id)}})
		g.answerable("~", p, s, false)
	} else {
		s.lines = append(s.lines, must("effect: %s", effect))
	}
	retry := ""
	switch {
	case effect == "pivot" && g.chance(50):
		retry = fmt.Sprintf("retry: {attempts: %d, backoff: 10ms..20ms, ambiguous: true}", 1+g.IntN(3))
	case g.chance(40):
		retry = one(g, "retry: {attempts: 2, backoff: 20ms..20ms}", "retry: {attempts: 4, backoff: 50ms..200ms}", "retry: {backoff: 10ms..20ms, within: 50ms}", "retry: {attempts: 3, backoff: 10ms..20ms, never: [F1]}")
	}
	if retry != "" {
		s.lines = append(s.lines, may("%s", retry))
	}
	if effect != "none" && g.chance(g.probes) {
		with := one(g, "", fmt.Sprintf(", with: {of: \"${{ self.key }}\", v: \"${{ %s }}\"}", self), fmt.Sprintf(", with: {v: \"${{ %s }}\"}", g.value(*p)))
		s.lines = append(s.lines, may("probe: {call: t.probe%s%s, every: %s, within: %s}", s.id, with, one(g, "10ms", "30ms"), one(g, "20ms", "60ms", "100ms")))
		g.answerable("?", p, s, true)
	}
}

func (g *generator) answerable(prefix string, p *place, s *step, probe bool) {
	c := called{name: prefix + s.id, probe: probe}
	for _, path := range p.paths(s.id) {
		c.paths = append(c.paths, prefix+path)
	}
	g.calls = append(g.calls, c)
}

func (g *generator) await(p *place, s *step) {
	g.signals = true
	text := "signal: " + one(g, "go", "go", "stop")
	where := []string{"", "", ", where: event.n == 1", ", where: event.n > 1"}
	for _, it := range p.items {
		where = append(where, ", where: event.k == "+it)
	}
	text += one(g, where...)
	if g.chance(10) {
		text += ", schema: {type: object, required: [n], properties: {n: {type: integer}, k: {}}}"
	}
	if g.chance(90) {
		text += ", timeout: " + strconv.Quote(g.duration("10ms", "20ms", "50ms", "200ms", "${{ input.d }}"))
	}
	s.lines = append(s.lines, line{"await: {" + text + "}", []string{"await: {signal: go, timeout: 20ms}"}})
}

// duration draws one of several durations, or rarely one that cannot be computed.
func (g *generator) duration(list ...string) string {
	if g.chance(3) {
		return "${{ input.s }}"
	}
	return one(g, list...)
}

func (g *generator) set(p *place, s *step) {
	name := "v" + s.id
	if len(p.vars) > 0 && !p.concurrent && g.chance(40) {
		name = one(g, p.vars...)
	}
	s.lines = append(s.lines, line{fmt.Sprintf("set: {%s: \"${{ %s }}\"}", name, g.value(*p)), []string{fmt.Sprintf("set: {%s: 1}", name)}})
	if !slices.Contains(p.vars, name) {
		p.vars = append(p.vars, name)
	}
}

// end draws a step that ends the saga, or fails, under a condition.
func (g *generator) end(p *place, s *step) {
	s.lines = []line{must("if: %s", one(g, "input.no", "input.no", g.test(*p)))} // what follows is to be reached
	switch {
	case p.side == before && g.chance(80):
		s.lines = append(s.lines, line{fmt.Sprintf("fail: {code: %s, message: \"${{ %s }}\"}", one(g, "R1", "R2"), one(g, "input.s", "input.s", "input.boom.x")), []string{"fail: {code: R1}"}})
	case !p.concurrent:
		s.lines = append(s.lines, line{fmt.Sprintf("complete: {output: {v: \"${{ %s }}\"}}", g.value(*p)), []string{"complete: {output: {}}"}})
	default:
		g.set(p, s)
	}
}

// value draws an expression that gives some value, or fails.
func (g *generator) value(p place) string {
	list := []string{"input.n", "input.two", "tenant.limit", "saga.key"}
	for _, id := range p.certain {
		list = append(list, "steps."+id+".output", "steps."+id+".output")
	}
	for _, id := range p.maybe {
		list = append(list, "steps."+id+"?.output ?? 7")
	}
	for _, v := range p.vars {
		list = append(list, "vars."+v+" ?? 0", "vars."+v+" ?? 1")
	}
	list = append(list, p.items...)
	if p.handler {
		list = append(list, "error.code", "error.step", "error.path")
	}
	switch {
	case g.chance(2):
		return "input.boom.x"
	case len(p.vars) > 0 && g.chance(20):
		return "vars." + one(g, p.vars...) + " ?? 0"
	}
	return one(g, list...)
}

// test draws an expression that is true, false or fails.
func (g *generator) test(p place) string {
	list := []string{"input.yes", "input.yes", "input.no", "input.n == 1", "input.boom.x == 1"}
	for _, it := range p.items {
		list = append(list, it+` == "a"`, it+` == "a"`, it+` != "a"`, it+" == 7")
	}
	if p.handler {
		list = append(list, `error.code == "R1"`)
	}
	if g.chance(95) {
		list = slices.DeleteFunc(list, func(text string) bool { return text == "input.boom.x == 1" })
	}
	return one(g, list...)
}

func (g *generator) condition(p place) line { return may("if: %s", g.test(p)) }
