package graph

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine/enginetest"
)

// TestLayout proves of every drawing that it can be read.
func TestLayout(t *testing.T) {
	for name, plan := range plans(t) {
		for _, children := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/children=%v", name, children), func(t *testing.T) {
				for _, finding := range check(Of(plan, Options{Children: children})) {
					t.Error(finding)
				}
			})
		}
	}
}

// TestLayoutOfCases does the same for the definitions of the conformance suite.
func TestLayoutOfCases(t *testing.T) {
	for _, c := range enginetest.Cases {
		plan := c.Prepare(t, "").Plan
		for _, children := range []bool{false, true} {
			for _, finding := range check(Of(plan, Options{Children: children})) {
				t.Errorf("%s: %s", c.Name, finding)
			}
		}
	}
}

// TestRandomLayouts does the same for random definitions, with random states.
func TestRandomLayouts(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := &writer{r: r}
		source := w.saga()
		plan, diags := dsl.Compile(dsl.Source{Data: []byte("saga: t\nkey: ${{ input.id }}\nsteps:\n" + source)}, dsl.Options{Sagas: children})
		if plan == nil {
			r.Fatalf("%v\n%s", diags, source)
		}
		g := Of(plan, Options{Children: w.n(2) == 0})
		if w.n(2) == 0 {
			g.Run = randomRun(w, g)
		}
		if findings := check(g); len(findings) > 0 {
			r.Fatalf("%s\n%s", strings.Join(findings, "\n"), source)
		}
	})
}

func randomRun(w *writer, g *Graph) *Run {
	run := &Run{ID: "demo/t/1", Outcome: "compensated", State: StateCompensated, Facts: []string{"started 2026-11-23 10:00:00 UTC, 1.2s"}, Steps: map[string]Status{}, Backs: map[string]Status{}}
	g.Steps.each(func(u *Unit) {
		if w.n(3) > 0 {
			run.Steps[u.Node.Path] = Status{states[w.n(len(states))], []string{"3 attempts", "240ms", "SOME_LONG_CODE_OF_AN_ERROR"}[:w.n(4)]}
		}
		if u.Back != nil && w.n(2) > 0 {
			run.Backs[u.Node.Path] = Status{states[w.n(len(states))], nil}
		}
	})
	return run
}

// check gives what is wrong with a drawing.
func check(g *Graph) []string {
	s := g.compose()
	c := &checker{scene: s}
	c.everyNodeOnce(g)
	c.apart()
	c.inside()
	c.ways()
	c.document(g)
	if len(c.findings) > 10 {
		return c.findings[:10]
	}
	return c.findings
}

type checker struct {
	scene    *scene
	findings []string
}

func (c *checker) report(format string, args ...any) {
	c.findings = append(c.findings, fmt.Sprintf(format, args...))
}

func (c *checker) everyNodeOnce(g *Graph) {
	drawn := map[*Node]int{}
	ids := map[string]bool{}
	for _, card := range c.scene.cards {
		drawn[card.node]++
		if ids[card.node.ID] {
			c.report("two nodes are called %s", card.node.ID)
		}
		ids[card.node.ID] = true
	}
	want := func(n *Node) {
		if n != nil && drawn[n] != 1 {
			c.report("%s is drawn %d times", n.ID, drawn[n])
		}
	}
	g.Steps.each(func(u *Unit) { want(u.Gate); want(u.Node); want(u.Back) })
	for _, e := range g.Edges() {
		want(e.From)
		want(e.To)
	}
}

func overlap(a, b rect) bool {
	return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom()
}

// box is a rectangle with what is in it.
type box struct {
	rect
	what string
}

func (c *checker) boxes() []box {
	var all []box
	for _, card := range c.scene.cards {
		all = append(all, box{card.rect, card.node.ID})
	}
	for _, l := range c.scene.labels {
		all = append(all, box{l.rect, "label " + l.full})
	}
	for _, l := range c.scene.header {
		all = append(all, box{l.rect, "header " + l.full})
	}
	for _, t := range c.scene.turns {
		if t.whole {
			all = append(all, box{t.pill().rect, turnName})
		}
		for _, n := range t.notes() {
			all = append(all, box{n.rect, "label " + n.lines[0].text})
		}
	}
	for _, k := range c.scene.legend {
		all = append(all, box{k.rect, "legend " + k.text})
	}
	return all
}

func (c *checker) apart() {
	all := c.boxes()
	page := rect{0, 0, c.scene.width, c.scene.height}
	for i, a := range all {
		for _, b := range all[i+1:] {
			if overlap(a.rect, b.rect) {
				c.report("%s %v lies on %s %v", a.what, a.rect, b.what, b.rect)
			}
		}
		if a.x < 0 || a.y < 0 || a.right() > page.w || a.bottom() > page.h {
			c.report("%s %v is not on the page %v", a.what, a.rect, page)
		}
	}
}

func (c *checker) inside() {
	fits := func(what string, r rect, lines []textLine) {
		for _, l := range lines {
			if w := l.font.width(l.text); l.x < 0 || l.x+w > r.w || l.y-l.font.size < 0 || l.y > r.h {
				c.report("the text %q, %d wide at %d,%d, is not inside of %s %v", l.text, w, l.x, l.y, what, r)
			}
		}
	}
	for _, card := range c.scene.cards {
		fits(card.node.ID, card.rect, card.lines)
	}
	for _, l := range c.scene.labels {
		fits("a label", l.rect, l.lines)
	}
}

// ways proves that lines keep off boxes, and begin and end at boxes or at other
// lines.
func (c *checker) ways() {
	all := c.boxes()
	for _, l := range c.scene.lines {
		for i := 1; i < len(l.points); i++ {
			a, b := l.points[i-1], l.points[i]
			if a.x != b.x && a.y != b.y {
				c.report("a way is aslant: %v %v", a, b)
			}
			way := rect{min(a.x, b.x), min(a.y, b.y), max(a.x, b.x) - min(a.x, b.x), max(a.y, b.y) - min(a.y, b.y)}
			for _, box := range all {
				in := rect{box.x + 1, box.y + 1, box.w - 2, box.h - 2}
				if way.x < in.right() && in.x < way.right()+1 && way.y < in.bottom() && in.y < way.bottom()+1 {
					c.report("a way from %v to %v crosses %s %v", a, b, box.what, box.rect)
				}
			}
		}
		for _, end := range []point{l.points[0], l.points[len(l.points)-1]} {
			if !c.touches(end, l) {
				c.report("a way ends in nothing at %v: %v", end, l)
			}
		}
	}
}

// touches reports whether a point lies at the edge of a box or on another line.
func (c *checker) touches(p point, own line) bool {
	for _, b := range c.boxes() {
		if p.x >= b.x && p.x <= b.right() && p.y >= b.y && p.y <= b.bottom() {
			return true
		}
	}
	for _, l := range c.scene.lines {
		if &l.points[0] == &own.points[0] || l.kind != own.kind && (l.kind == lineBack || own.kind == lineBack) {
			continue
		}
		for i := 1; i < len(l.points); i++ {
			a, b := l.points[i-1], l.points[i]
			if p.x >= min(a.x, b.x) && p.x <= max(a.x, b.x) && p.y >= min(a.y, b.y) && p.y <= max(a.y, b.y) {
				return true
			}
		}
	}
	return false
}

// document proves that the SVG is well-formed, refers to nothing outside and is
// the same each time.
func (c *checker) document(g *Graph) {
	text := g.SVG()
	if text != g.SVG() {
		c.report("two drawings differ")
	}
	if err := wellFormed(text); err != nil {
		c.report("%v", err)
	}
}

func wellFormed(text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Local == "script" || start.Name.Local == "image" || start.Name.Local == "foreignObject" {
			return fmt.Errorf("there is a %s", start.Name.Local)
		}
		for _, a := range start.Attr {
			if a.Name.Local == "href" || strings.HasPrefix(a.Name.Local, "on") {
				return fmt.Errorf("%s has %s=%q", start.Name.Local, a.Name.Local, a.Value)
			}
		}
	}
}

// TestCheckFinds breaks drawings.
func TestCheckFinds(t *testing.T) {
	for name, damage := range map[string]func(s *scene){
		"a card on another one": func(s *scene) { s.cards[1].rect = s.cards[2].rect },
		"a card off the page":   func(s *scene) { s.cards[1].x = -20 },
		"text beside its card":  func(s *scene) { s.cards[2].lines[0].text += strings.Repeat("W", 30) },
		"a way through a card": func(s *scene) {
			r := s.cards[2].rect
			s.line(lineForward, false, point{r.center(), r.y - 5}, point{r.center(), r.bottom() + 5})
		},
		"a way that ends in nothing": func(s *scene) { s.line(lineForward, false, point{3, 3}, point{3, 9}) },
		"a label on a card":          func(s *scene) { s.labels = append(s.labels, note("x", "dim", s.cards[2].x, s.cards[2].y)) },
	} {
		s := Of(compileFile(t, examples+"/order-fulfilment/order.yaml", nil), Options{}).compose()
		damage(s)
		c := &checker{scene: s}
		c.apart()
		c.inside()
		c.ways()
		if len(c.findings) == 0 {
			t.Errorf("%s: nothing found", name)
		}
	}
}
