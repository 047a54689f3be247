package graph

import (
	"slices"
	"strings"
)

// The measures of the page in pixels.
const (
	margin      = 32
	minContent  = 520 // a header wants some room even above a narrow flow
	maxHeader   = 900 // lines longer than this are hard to read
	pillHeight  = 28
	headerGap   = 28
	legendGap   = 30
	legendLine  = 22
	legendSign  = 26
	legendSpace = 22
)

// compose places the whole graph on a page: the header, the flow between its
// terminals, and the legend.
func (g *Graph) compose() *scene {
	lay := &layout{statuses: g.statuses()}
	flow := lay.list(g.Steps, flow{root: true})
	if flow.back {
		flow.widen(0, backAxis+backWidth/2)
	}
	s := &scene{}
	content := max(flow.left+flow.right, minContent)
	s.width = content + 2*margin
	if s.width%2 == 1 {
		s.width++
	}
	axis := margin + flow.left + (content-flow.left-flow.right)/2
	y := g.writeHeader(s, min(content, maxHeader))
	y = g.flow(s, flow, axis, y+headerGap)
	for i := range s.turns {
		if t := &s.turns[i]; t.whole {
			t.from, t.to = margin, s.width-margin
		}
	}
	s.chain()
	g.markFaint(s)
	s.height = g.writeLegend(s, y+legendGap) + margin
	return s
}

// flow places the steps between the terminals.
func (g *Graph) flow(s *scene, flow piece, axis, y int) int {
	s.pill(&startNode, axis, y, "")
	if flow.back {
		s.pill(&compensatedNode, axis+backAxis, y, g.Run.end(StateCompensated))
	}
	top := y + pillHeight + stepGap
	s.line(lineForward, true, point{axis, y + pillHeight}, point{axis, top + flow.entry})
	if flow.back {
		s.line(lineBack, true, point{axis + backAxis, top}, point{axis + backAxis, y + pillHeight})
	}
	flow.draw(s, axis, top)
	y = top + flow.height
	if !flow.out {
		return y
	}
	s.line(lineForward, true, point{axis, y}, point{axis, y + stepGap})
	s.pill(&completedNode, axis, y+stepGap, g.Run.end(StateSucceeded))
	return y + stepGap + pillHeight
}

// pill places a terminal.
func (s *scene) pill(n *Node, axis, y int, state State) {
	f := font{bold, 12}
	w := f.width(n.Title) + 28
	w += w % 2
	if n == &compensatedNode {
		w = max(w, 120)
	}
	text := textLine{(w - f.width(n.Title)) / 2, 18, n.Title, f, "title"}
	s.cards = append(s.cards, card{rect: rect{axis - w/2, y, w, pillHeight}, node: n, lines: []textLine{text}, status: Status{State: state}, run: state != ""})
}

// writeHeader says what is drawn, and returns where that ends.
func (g *Graph) writeHeader(s *scene, width int) int {
	y := margin
	write := func(f font, class, text string, lines, height int) {
		for _, l := range f.wrap(text, width, lines) {
			s.header = append(s.header, label{rect: rect{margin, y, f.width(l), height}, lines: []textLine{{0, height - 5, l, f, class}}, full: text})
			y += height
		}
	}
	write(font{bold, 20}, "saga", g.Saga, 2, 27)
	write(font{plain, 13}, "dim", g.Description, 4, 18)
	y += 4
	var facts []string
	for _, fact := range []struct{ name, value string }{{"version ", g.Version}, {"key ", g.Key}, {"deadline ", g.Deadline}} {
		if fact.value != "" {
			facts = append(facts, fact.name+fact.value)
		}
	}
	write(font{plain, 12}, "dim", strings.Join(facts, "  ·  "), 3, 17)
	if g.Run == nil {
		return y
	}
	y += 8
	f := font{bold, 12}
	s.badge = &badge{rect{margin, y, f.width(g.Run.Outcome) + 46, 24}, g.Run.State, clean(g.Run.Outcome)}
	y += 30
	write(font{mono, 12}, "ink", g.Run.ID, 2, 17)
	for _, fact := range g.Run.Facts {
		write(font{plain, 12}, "dim", fact, 3, 17)
	}
	return y
}

// writeLegend explains what of the drawing is not plain, and returns where that
// ends.
func (g *Graph) writeLegend(s *scene, y int) int {
	f := font{plain, smallSize}
	x, limit := margin, s.width-margin
	for _, k := range g.keys(s) {
		k.w = legendSign + f.width(k.text)
		if x > margin && x+k.w > limit {
			x, y = margin, y+legendLine
		}
		k.x, k.y, k.h = x, y, 16
		s.legend = append(s.legend, k)
		x += k.w + legendSpace
	}
	if len(s.legend) == 0 {
		return y - legendGap
	}
	return y + 16
}

// keys gives the entries of the legend: what occurs, and no more.
func (g *Graph) keys(s *scene) []key {
	var keys []key
	for _, k := range []struct {
		kind lineKind
		key  key
	}{
		{lineForward, key{what: "forward", text: "way forward"}},
		{lineBack, key{what: "back", text: "way back, the last first"}},
		{lineError, key{what: "error", text: "error that is caught"}},
	} {
		if slices.ContainsFunc(s.lines, func(l line) bool { return l.kind == k.kind }) {
			keys = append(keys, k.key)
		}
	}
	if slices.ContainsFunc(s.cards, func(c card) bool { return c.node.pivot() }) {
		keys = append(keys, key{what: "pivot", text: "decides: afterwards only forward"})
	}
	for _, state := range states {
		if slices.ContainsFunc(s.cards, func(c card) bool { return c.run && c.status.State == state }) {
			text := string(state)
			if state == StateUnreached {
				text = "not reached"
			}
			keys = append(keys, key{what: string(state), text: text})
		}
	}
	return keys
}

// markFaint finds the ways to and from cards that the saga never came to.
func (g *Graph) markFaint(s *scene) {
	if g.Run == nil {
		return
	}
	faint := map[point]bool{} // where ways meet such cards
	for _, c := range s.cards {
		if c.run && (c.status.State == StateUnreached || c.status.State == StatePending || c.status.State == StateArmed) {
			faint[point{c.center(), c.y}] = true
			faint[point{c.center(), c.bottom()}] = true
			faint[point{c.x, c.middle()}] = true
			faint[point{c.right(), c.middle()}] = true
		}
	}
	mark := func() {
		for i := range s.lines {
			l := &s.lines[i]
			l.faint = faint[l.points[0]] || faint[l.points[len(l.points)-1]]
		}
	}
	mark()
	below := map[point]bool{}
	for _, l := range s.lines {
		if l.faint {
			below[l.points[0]] = true
		}
	}
	for i := range s.labels { // a name on the way to such a card, and the way to it
		l := &s.labels[i]
		if l.faint = below[point{l.center(), l.bottom()}]; l.faint {
			faint[point{l.center(), l.y}] = true
		}
	}
	mark()
}
