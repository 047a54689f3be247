package model

import (
	"fmt"
	"slices"
)

// child draws a step that runs another saga, and that saga (S9). decides says
// whether it has a point of no return.
func (g *generator) child(p *place, s *step, decides bool) {
	with := one(g, "${{ input }}", "${{ input }}", "${{ input }}", "{id: 7, n: 1}", "{n: 1}", "{id: \"${{ "+g.value(*p)+" }}\"}")
	s.lines = append(s.lines, must("saga: c%s", s.id), line{"with: " + with, []string{"with: {id: c}"}})
	d := &definition{saga: "c" + s.id}
	g.head(d)
	if with == "${{ input }}" && g.chance(10) {
		d.head = append(d.head, may("input: {type: object, required: [id, %s]}", one(g, "n", "missing")))
	}
	inner := &place{depth: p.depth + 1, side: p.side, keys: []string{""}}
	for _, path := range p.paths(s.id) {
		inner.families = append(inner.families, path+"/")
	}
	d.steps = g.list(inner, g.IntN(3))
	if decides {
		d.steps = append(d.steps, g.decision(inner)...)
	}
	if len(d.steps) == 0 || g.chance(50) {
		d.steps = append(d.steps, g.list(inner, 1)...)
	}
	if g.chance(80) {
		d.output = g.everything(*inner)
	}
	s.child = d
}

func (g *generator) parallel(p *place, s *step) {
	s.block = "parallel"
	g.concurrency(s)
	found := p.within()
	for i := range 2 + g.IntN(2) {
		inner := p.within()
		inner.concurrent = true
		steps := g.list(&inner, 1+g.IntN(2))
		s.bodies = append(s.bodies, body{name: fmt.Sprintf("b%d", i), steps: steps})
		found.ran(steps, false)
	}
	p.maybe = found.maybe
}

func (g *generator) concurrency(s *step) {
	if g.chance(50) {
		s.opts = append(s.opts, may("onFailure: cancel"))
	}
	if g.chance(50) {
		s.opts = append(s.opts, may("compensation: parallel"))
	}
}

func (g *generator) foreach(p *place, s *step) {
	s.block = "foreach"
	as := fmt.Sprintf("it%d", len(p.items))
	lists := map[string][]string{
		"input.two": {"a", "b"}, "input.three": {"x%2Fy", "7", "z"}, "input.twice": {"a", "b", "a"}, "input.none": {},
		"input.n": {}, "input.boom.x": {},
	}
	in := one(g, "input.two", "input.two", "input.two", "input.three", "input.three", "input.three", "input.three", one(g, "input.twice", "input.none", "input.n", "input.boom.x"))
	s.opts = append(s.opts, line{"in: " + in, []string{"in: input.two"}}, must("as: %s", as))
	keys := lists[in]
	switch g.IntN(10) {
	case 0, 1, 2:
		keys = []string{"0", "1", "2"}[:min(len(keys), 3)]
	case 3:
		s.opts = append(s.opts, may("key: %s.x.y", as))
	default:
		s.opts = append(s.opts, may("key: %s", as))
	}
	if g.chance(70) {
		s.opts = append(s.opts, may("concurrency: %d", 1+g.IntN(3)))
	}
	g.concurrency(s)
	inner := p.within()
	inner.concurrent, inner.items = true, append(slices.Clone(p.items), as)
	inner.keys = nil
	for _, outer := range p.keys {
		for _, k := range keys {
			inner.keys = append(inner.keys, outer+"["+k+"]")
		}
	}
	if len(inner.keys) == 0 {
		inner.keys = []string{""}
	}
	var steps []*step
	if g.chance(30) { // a variable that some items set and others read
		own := &step{id: g.id(), lines: []line{may("if: %s %s \"a\"", as, one(g, "==", "!="))}}
		g.set(&inner, own)
		steps = append(steps, own)
	}
	s.bodies = []body{{steps: append(steps, g.list(&inner, 1+g.IntN(2))...)}}
}

func (g *generator) choice(p *place, s *step) {
	s.block = "switch"
	from := *p
	for i := range 1 + g.IntN(3) {
		inner := from.within()
		when := g.test(from)
		if i > 0 && g.chance(30) {
			when = ""
		}
		steps := g.list(&inner, 1+g.IntN(2))
		if inner.side != from.side {
			p.side = either
		}
		s.bodies = append(s.bodies, body{when: when, steps: steps})
		p.ran(steps, false)
		if when == "" {
			break
		}
	}
}

// catch draws the handlers of a step that stands on one side.
func (g *generator) catch(p *place, s *step) {
	codes := [][]string{{`["*"]`}, {"[R1]"}, {"[R1, TIMEOUT]", `["*"]`}, {"[R2, EXPRESSION]"}, {"[F1, DUPLICATE_KEY]", "[R1]"}}
	for _, on := range one(g, codes...) {
		inner := p.within()
		inner.handler = true
		s.catch = append(s.catch, clause{on, g.list(&inner, 1+g.IntN(2))})
	}
}

// catchEither draws a handler of a step that a failure may leave on both sides.
func (g *generator) catchEither(p *place, s *step) {
	if g.chance(50) {
		return
	}
	inner := p.within()
	inner.side, inner.handler, inner.depth = either, true, g.depth
	s.catch = []clause{{one(g, `["*"]`, "[R1]"), g.list(&inner, 1+g.IntN(2))}}
	p.side = either
}
