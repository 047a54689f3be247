package graph

import "github.com/sagad/sagad/dsl"

// point is a place in pixels, from the left and the top.
type point struct{ x, y int }

// rect is a box in pixels.
type rect struct{ x, y, w, h int }

func (r rect) right() int           { return r.x + r.w }
func (r rect) bottom() int          { return r.y + r.h }
func (r rect) middle() int          { return r.y + r.h/2 }
func (r rect) center() int          { return r.x + r.w/2 }
func (r rect) move(dx, dy int) rect { return rect{r.x + dx, r.y + dy, r.w, r.h} }

// scene is a drawing as shapes with places, before it is written as SVG.
type scene struct {
	width, height int
	frames        []frame
	lines         []line
	cards         []card
	labels        []label
	turns         []turn
	legend        []key
	header        []label
	badge         *badge
}

// frame is a box around what stands in a block.
type frame struct {
	rect
	kind frameKind
}

type frameKind uint8

const (
	frameLane frameKind = iota
	frameBlock
	frameStack // a block that runs many times
	frameChild // a saga in a saga
)

// line is a way through points, straight from each to the next.
type line struct {
	kind   lineKind
	points []point
	head   bool // with an arrow's head at its end
	faint  bool // nothing went there
}

type lineKind uint8

const (
	lineForward lineKind = iota
	lineError
	lineBack
	lineTether
)

// card is a node with its text.
type card struct {
	rect
	node   *Node
	block  bool // the head of a block
	status Status
	run    bool // there is a status
	lines  []textLine
}

// textLine is a line of text in a card; its place is relative to the card.
type textLine struct {
	x, y  int // y of the baseline
	text  string
	font  font
	class string
}

// label is a text that stands alone.
type label struct {
	rect
	lines []textLine // relative to rect
	full  string     // the whole text, if it was shortened
	faint bool       // nothing went there
}

// turn is the line of the point of no return.
type turn struct {
	y, from, to int
	axis        int  // of the list that it is in
	name        int  // the middle of its name
	whole       bool // across the drawing
}

const turnName = "point of no return"

// pill is the name of the line, on the line: where the way back ends above it.
func (t turn) pill() label {
	return label{rect: rect{t.name - turnWidth/2, t.y - 11, turnWidth, 22}, lines: []textLine{{12, 15, turnName, turnFont, "on"}}}
}

var (
	turnFont  = font{bold, smallSize}
	turnWidth = turnFont.width(turnName) + 24
)

// notes say what is above and below the line; of a line in a block, its name.
func (t turn) notes() []label {
	if !t.whole {
		return []label{note(turnName, "turning", t.axis+6, t.y-17)}
	}
	return []label{note("can turn back", "turning", t.from, t.y-19), note("only forward", "turning", t.from, t.y+6)}
}

// badge is the outcome of a run.
type badge struct {
	rect
	state State
	text  string
}

// key is one entry of the legend.
type key struct {
	rect
	what string // what its sign shows: a kind of line, or a state
	text string
}

// pivot reports whether the success of a node is the point of no return.
func (n *Node) pivot() bool { return n.Shape == ShapeStep && n.Effect == dsl.EffectPivot }

func (s *scene) line(kind lineKind, head bool, points ...point) {
	s.lines = append(s.lines, line{kind: kind, points: points, head: head})
}

// chain joins lines that go on where another one ends, so that a way is one
// stroke: its dashes do not begin anew and its corners are round.
func (s *scene) chain() {
	s.dropEmpty()
	type end struct {
		kind lineKind
		at   point
	}
	starts, ends := map[end][]int{}, map[end]int{}
	for i, l := range s.lines {
		starts[end{l.kind, l.points[0]}] = append(starts[end{l.kind, l.points[0]}], i)
		ends[end{l.kind, l.points[len(l.points)-1]}]++
	}
	// next is the one line that goes on from the end of another one.
	next := func(l line) int {
		at := end{l.kind, l.points[len(l.points)-1]}
		if from := starts[at]; !l.head && len(from) == 1 && ends[at] == 1 {
			return from[0]
		}
		return -1
	}
	follows := map[int]bool{}
	for _, l := range s.lines {
		if n := next(l); n >= 0 {
			follows[n] = true
		}
	}
	var out []line
	for i, l := range s.lines {
		if follows[i] {
			continue
		}
		l.points = append([]point(nil), l.points...)
		for n := next(l); n >= 0; n = next(l) {
			l.points = append(l.points, s.lines[n].points[1:]...)
			l.head = s.lines[n].head
		}
		l.points = straight(l.points)
		out = append(out, l)
	}
	s.lines = out
}

// dropEmpty leaves out lines without a length. The head of one moves to the line
// that ends where it stood.
func (s *scene) dropEmpty() {
	type end struct {
		kind lineKind
		at   point
	}
	heads := map[end]bool{}
	kept := s.lines[:0]
	for _, l := range s.lines {
		if len(straight(append([]point(nil), l.points...))) > 1 {
			kept = append(kept, l)
		} else if l.head {
			heads[end{l.kind, l.points[0]}] = true
		}
	}
	s.lines = kept
	for i := range s.lines {
		l := &s.lines[i]
		l.head = l.head || heads[end{l.kind, l.points[len(l.points)-1]}]
	}
}

// straight leaves out points that lie on the way between their neighbours.
func straight(points []point) []point {
	out := points[:1]
	for i := 1; i < len(points); i++ {
		p := points[i]
		if p == out[len(out)-1] {
			continue
		}
		if n := len(out); n >= 2 && (out[n-2].x == out[n-1].x && out[n-1].x == p.x || out[n-2].y == out[n-1].y && out[n-1].y == p.y) {
			out[n-1] = p
			continue
		}
		out = append(out, p)
	}
	return out
}
