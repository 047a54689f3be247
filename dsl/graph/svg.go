package graph

import (
	"fmt"
	"strings"

	"github.com/sagad/sagad/dsl"
)

// SVG writes the graph as an SVG that stands alone: its style is in it, it asks
// for no font, script or file, and it follows the reader's light or dark colours.
// The way forward runs down, the way back up beside it; a line across the drawing
// is the point of no return. Whatever is shortened is whole in a tooltip.
func (g *Graph) SVG() string {
	s := g.compose()
	w := &svg{}
	w.line(`<svg xmlns="http://www.w3.org/2000/svg" class="sagad" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`,
		s.width, s.height, s.width, s.height, escape("The flow of "+g.Saga))
	w.line(`<title>%s</title>`, escape(g.Saga))
	w.line(`<desc>%s</desc>`, escape(g.describe()))
	w.line("<style>%s</style>", css)
	w.line(`<rect class="page" width="%d" height="%d"/>`, s.width, s.height)
	for _, f := range s.frames {
		w.frame(f)
	}
	for _, t := range s.turns {
		w.turn(t)
	}
	w.ways(s.lines)
	for _, c := range s.cards {
		w.card(c)
	}
	for _, l := range s.labels {
		w.label(l)
	}
	for _, l := range s.header {
		w.label(l)
	}
	if s.badge != nil {
		w.badge(*s.badge)
	}
	for _, k := range s.legend {
		w.key(k)
	}
	w.line("</svg>")
	return w.out.String()
}

// describe says in a few sentences what the drawing shows, for those who do not
// see it.
func (g *Graph) describe() string {
	steps, backs := 0, 0
	g.Steps.each(func(u *Unit) {
		steps++
		if u.Back != nil {
			backs++
		}
	})
	text := fmt.Sprintf("%d steps, of which %d have a compensation.", steps, backs)
	if g.Description != "" {
		text = g.Description + " " + text
	}
	if g.Run != nil {
		text += " The saga " + g.Run.ID + " is " + g.Run.Outcome + "."
	}
	return text
}

// svg is a document under construction.
type svg struct{ out strings.Builder }

func (w *svg) line(format string, args ...any) {
	fmt.Fprintf(&w.out, format, args...)
	w.out.WriteByte('\n')
}

var xmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")

func escape(text string) string { return xmlEscaper.Replace(clean(text)) }

func (w *svg) text(l textLine, x, y int) {
	fit := ""
	if foreign(l.text) { // the reader's font decides how wide these are
		fit = fmt.Sprintf(` textLength="%d" lengthAdjust="spacingAndGlyphs"`, l.font.width(l.text))
	}
	class := []string{"t", "b", "m"}[l.font.face] + fmt.Sprint(l.font.size) + " " + l.class
	w.line(`<text class="%s" x="%d" y="%d"%s>%s</text>`, class, x+l.x, y+l.y, fit, escape(l.text))
}

func (w *svg) label(l label) {
	if l.faint {
		w.out.WriteString(`<g class="faint">`)
	} else {
		w.out.WriteString("<g>")
	}
	if l.full != "" {
		w.out.WriteString("<title>" + escape(l.full) + "</title>")
	}
	for _, t := range l.lines {
		w.text(t, l.x, l.y)
	}
	w.line("</g>")
}

func (w *svg) rect(class string, r rect, radius int) {
	w.line(`<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="%d"/>`, class, r.x, r.y, r.w, r.h, radius)
}

func (w *svg) frame(f frame) {
	switch f.kind {
	case frameLane:
		w.rect("lane", f.rect, 8)
		return
	case frameStack:
		w.rect("frame", f.move(stackDepth, stackDepth), 12)
		w.rect("frame", f.move(stackDepth/2, stackDepth/2), 12)
	case frameChild:
		w.rect("frame", f.rect, 12)
		w.rect("frame", rect{f.x + 4, f.y + 4, f.w - 8, f.h - 8}, 9)
		return
	}
	w.rect("frame", f.rect, 12)
}

// turn draws the point of no return.
func (w *svg) turn(t turn) {
	if t.whole {
		p := t.pill()
		w.line(`<path class="turn" d="M%d %dH%dM%d %dH%d"/>`, t.from, t.y, p.x-6, p.right()+6, t.y, max(t.to, p.right()+6))
		w.rect("turned", p.rect, p.h/2)
		w.text(p.lines[0], p.x, p.y)
	} else {
		w.line(`<path class="turn" d="M%d %dH%d"/>`, t.from, t.y, t.to)
	}
	for _, n := range t.notes() {
		w.label(n)
	}
}

// wayClasses are the classes of the kinds of lines.
var wayClasses = [...]string{lineForward: "go", lineError: "err", lineBack: "back", lineTether: "tie"}

// ways draws all lines, the faint ones first.
func (w *svg) ways(lines []line) {
	for _, faint := range []bool{true, false} {
		for _, l := range lines {
			if l.faint != faint || len(l.points) < 2 {
				continue
			}
			class := wayClasses[l.kind]
			if faint {
				class += " faint"
			}
			w.line(`<path class="way %s" d="%s"/>`, class, wayPath(l))
			if l.head {
				w.line(`<path class="tip %s" d="%s"/>`, class, tipPath(l.points[len(l.points)-2], l.points[len(l.points)-1]))
			}
		}
	}
}

const (
	corner  = 8 // radius of a bend
	tip     = 7 // length of an arrow's head
	halfTip = 4
)

// wayPath writes a line with round corners. It ends inside its head.
func wayPath(l line) string {
	points := append([]point(nil), l.points...)
	if n := len(points); l.head {
		points[n-1] = toward(points[n-1], points[n-2], tip-2)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "M%d %d", points[0].x, points[0].y)
	for i := 1; i < len(points)-1; i++ {
		before, at, after := points[i-1], points[i], points[i+1]
		r := min(corner, span(before, at)/2, span(at, after)/2)
		from, to := toward(at, before, r), toward(at, after, r)
		fmt.Fprintf(&b, "L%d %dQ%d %d %d %d", from.x, from.y, at.x, at.y, to.x, to.y)
	}
	last := points[len(points)-1]
	fmt.Fprintf(&b, "L%d %d", last.x, last.y)
	return b.String()
}

// tipPath writes an arrow's head at the end of a line.
func tipPath(from, to point) string {
	base := toward(to, from, tip)
	if from.x == to.x {
		return fmt.Sprintf("M%d %dL%d %dL%d %dZ", base.x-halfTip, base.y, base.x+halfTip, base.y, to.x, to.y)
	}
	return fmt.Sprintf("M%d %dL%d %dL%d %dZ", base.x, base.y-halfTip, base.x, base.y+halfTip, to.x, to.y)
}

// toward gives the point at a distance from one point on the way to another one.
func toward(from, to point, distance int) point {
	return point{from.x + sign(to.x-from.x)*distance, from.y + sign(to.y-from.y)*distance}
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

// span is the length of a line across or down.
func span(a, b point) int { return max(a.x-b.x, b.x-a.x) + max(a.y-b.y, b.y-a.y) }

// cardClass says how a card looks.
func cardClass(c card) string {
	switch {
	case c.node == &completedNode:
		return "end"
	case c.node == &compensatedNode:
		return "backend"
	case c.node == &startNode:
		return "start"
	case c.node.Shape == ShapeGate:
		return "gate"
	case c.node.Shape == ShapeBack:
		return "undo"
	case c.node.pivot():
		return "pivot"
	case c.node.Kind == dsl.KindFail:
		return "stop"
	case c.node.Kind == dsl.KindComplete:
		return "end"
	case c.block:
		return "head"
	}
	return "step"
}

func (w *svg) card(c card) {
	class := "card " + cardClass(c)
	if c.run {
		class += stateClass(c.status.State)
	}
	w.line(`<g class="%s"><title>%s</title>`, class, escape(c.tooltip()))
	w.outline(c)
	if i := iconOf(c); i != "" && len(c.lines) > 0 {
		w.line(`<path class="icon" transform="translate(%d %d)" d="%s"/>`, c.x+cardPad-1, c.y+c.lines[0].y-13, i)
	}
	for _, l := range c.lines {
		w.text(l, c.x, c.y)
	}
	if c.run && c.status.State != StateUnreached {
		w.line(`<g transform="translate(%d %d)"><circle class="dot" r="9"/><path class="mark" d="%s"/></g>`, c.right()-6, c.y+2, marks[c.status.State])
	}
	w.line("</g>")
}

// stateClass gives the class of a state, with a space before it.
func stateClass(s State) string {
	if s == StateRejected {
		s = StateFailed
	}
	return " is-" + string(s)
}

// outline draws the box of a card.
func (w *svg) outline(c card) {
	r := c.rect
	switch {
	case c.node.Shape == ShapeTerminal || c.node.Kind == dsl.KindComplete && c.node.Shape == ShapeStep:
		w.rect("box", r, min(r.h/2, 18))
	case c.node.Shape == ShapeGate || c.node.Kind == dsl.KindSwitch && c.node.Shape == ShapeStep:
		const slant = 14
		w.line(`<path class="box" d="M%d %dL%d %dH%dL%d %dL%d %dH%dZ"/>`, r.x, r.middle(), r.x+slant, r.y, r.right()-slant,
			r.right(), r.middle(), r.right()-slant, r.bottom(), r.x+slant)
	case c.node.Kind == dsl.KindFail && c.node.Shape == ShapeStep:
		const cut = 9
		w.line(`<path class="box" d="M%d %dH%dL%d %dV%dL%d %dH%dL%d %dV%dZ"/>`, r.x+cut, r.y, r.right()-cut, r.right(), r.y+cut, r.bottom()-cut,
			r.right()-cut, r.bottom(), r.x+cut, r.x, r.bottom()-cut, r.y+cut)
	case c.node.Kind == dsl.KindSaga && c.node.Shape == ShapeStep && !c.block:
		w.rect("box", r, 8)
		w.rect("inner", rect{r.x + 4, r.y + 4, r.w - 8, r.h - 8}, 5)
	default:
		w.rect("box", r, 8)
	}
}

// tooltip is all that is to be said of a card.
func (c card) tooltip() string {
	parts := append([]string{c.node.Title, c.node.What}, c.node.Notes...)
	if c.node.Path != "" && c.node.Title != c.node.Path {
		parts = append(parts, "step "+c.node.Path)
	}
	parts = append(append(parts, string(c.status.State)), c.status.Notes...)
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, " · ")
}

func (w *svg) badge(b badge) {
	w.line(`<g class="card%s">`, stateClass(b.state))
	w.rect("box", b.rect, 12)
	w.line(`<g transform="translate(%d %d)"><circle class="dot" r="8"/><path class="mark" d="%s"/></g>`, b.x+14, b.y+12, marks[b.state])
	w.text(textLine{30, 16, b.text, font{bold, 12}, "title"}, b.x, b.y)
	w.line("</g>")
}

// key draws an entry of the legend.
func (w *svg) key(k key) {
	middle := k.middle()
	switch k.what {
	case "forward", "back", "error":
		class := map[string]string{"forward": "go", "back": "back", "error": "err"}[k.what]
		l := line{points: []point{{k.x, middle}, {k.x + 20, middle}}, head: true}
		w.line(`<path class="way %s" d="%s"/><path class="tip %s" d="%s"/>`, class, wayPath(l), class, tipPath(l.points[0], l.points[1]))
	case "pivot":
		w.rect("turned", rect{k.x, middle - 7, 20, 14}, 4)
	case string(StateUnreached):
		w.line(`<g class="card is-unreached">`)
		w.rect("box", rect{k.x, middle - 7, 20, 14}, 4)
		w.line("</g>")
	default:
		w.line(`<g class="card%s"><g transform="translate(%d %d)"><circle class="dot" r="8"/><path class="mark" d="%s"/></g></g>`, stateClass(State(k.what)), k.x+10, middle, marks[State(k.what)])
	}
	w.text(textLine{legendSign, 12, k.text, font{plain, smallSize}, "dim"}, k.x, k.y)
}
