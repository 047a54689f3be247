package graph

import (
	"slices"

	"github.com/sagad/sagad/dsl"
)

// block measures a step that has steps inside: its head, and its lanes beneath.
func (lay *layout) block(u *Unit, f flow) piece {
	if len(u.Block.Lanes) == 1 && u.Block.Lanes[0].Name == "" {
		return lay.single(u, f)
	}
	return lay.several(u, f)
}

// single measures a block with one list inside, which stands below its head in
// a frame.
func (lay *layout) single(u *Unit, f flow) piece {
	head := lay.card(u.Node, cardWidth)
	steps := u.Block.Lanes[0].Steps
	inner := lay.list(steps, flow{below: f.below && steps.returns(), before: f.before})
	kind, deep := frameBlock, 0
	switch u.Block.Kind {
	case dsl.KindForeach:
		kind, deep = frameStack, stackDepth
	case dsl.KindSaga:
		kind = frameChild
	}
	top := framePad + head.h + stepGap
	p := piece{
		left: max(inner.left, cardWidth/2) + framePad, right: max(inner.right, cardWidth/2) + framePad,
		height: top + inner.height + framePad + deep, entry: framePad, anchor: framePad + head.h/2, out: inner.out, back: inner.back,
	}
	outer := p.right + deep
	below := f.below && steps.returns()
	p.draw = func(s *scene, x, y int) {
		box := rect{x - p.left, y, p.left + outer - deep, p.height - deep}
		s.frames = append(s.frames, frame{box, kind})
		lay.head(s, head, x, y+framePad)
		s.line(lineForward, true, point{x, y + framePad + head.h}, point{x, y + top + inner.entry})
		inner.draw(s, x, y+top)
		if inner.out {
			s.line(lineForward, false, point{x, y + top + inner.height}, point{x, y + p.height})
		}
		lay.passBack(s, p, inner, below, x, y, top)
	}
	q := p
	q.right = outer
	return q
}

// stackDepth is how far the frames behind a block that runs many times stand out.
const stackDepth = 10

func (lay *layout) head(s *scene, head card, x, y int) {
	head.rect = head.move(x-cardWidth/2, y)
	head.block = true
	s.cards = append(s.cards, head)
}

// row is lanes beside each other.
type row struct {
	lanes  []piece
	at     []int // axes of the lanes, relative to that of the block
	left   int   // how far the lanes reach from the axis
	right  int
	height int
}

// several measures a block with lanes side by side between a fork and a join.
func (lay *layout) several(u *Unit, f flow) piece {
	head := lay.card(u.Node, cardWidth)
	framed := u.Block.Kind == dsl.KindParallel
	pad := 0
	if framed {
		pad = framePad
	}
	r := lay.row(u.Block, f)
	back, below := r.goesBack(), f.below && lanesReturn(u.Block.Lanes)
	p := piece{left: max(r.left, cardWidth/2) + pad, right: max(r.right, cardWidth/2) + pad, entry: pad, anchor: pad + head.h/2, back: back}
	if back {
		p.widen(0, backAxis+wayMargin+pad)
	}
	fork := pad + head.h + busGap
	merge := fork
	if back {
		merge += busGap
	}
	top := merge + busGap
	split := top + r.height
	if below {
		split += busGap
	}
	for _, lane := range r.lanes {
		p.out = p.out || lane.out
	}
	join := split
	if p.out {
		join += busGap
	}
	p.height = join + max(pad, busGap/2)
	p.draw = func(s *scene, x, y int) {
		if framed {
			s.frames = append(s.frames, frame{rect{x - p.left, y, p.left + p.right, p.height}, frameBlock})
		}
		lay.head(s, head, x, y+pad)
		for i, lane := range r.lanes {
			if framed {
				s.frames = append(s.frames, frame{rect{x + r.at[i] - lane.left, y + top, lane.left + lane.right, r.height}, frameLane})
			}
			axis := x + r.at[i]
			s.line(lineForward, false, point{x, y + pad + head.h}, point{x, y + fork}, point{axis, y + fork}, point{axis, y + top})
			lane.draw(s, axis, y+top)
			if lane.out {
				s.line(lineForward, false, point{axis, y + top + lane.height}, point{axis, y + join}, point{x, y + join}, point{x, y + p.height})
			}
		}
		if back {
			r.wayBack(s, x+backAxis, x, backTracks{y, y + merge, y + top, y + split, y + p.height, below})
		}
	}
	return p
}

// row measures the lanes of a block and puts them side by side, their axis in the
// middle between the outer ones.
func (lay *layout) row(b *Block, f flow) row {
	class := "name"
	if b.Kind == dsl.KindSwitch {
		class = "when"
	}
	var r row
	for _, l := range b.Lanes {
		r.lanes = append(r.lanes, lay.lane(l, flow{below: f.below && l.Steps.returns(), before: f.before}, class, true))
	}
	if b.Open {
		r.lanes = append(r.lanes, lay.lane(Lane{Name: "otherwise"}, flow{}, class, true))
	}
	if len(r.lanes) == 0 {
		return r
	}
	r.spread(0)
	for extra := 4; r.goesBack() && r.crowded() && extra <= 2*wayRoom; extra += 4 {
		r.spread(extra)
	}
	for shift := 4; r.goesBack() && r.crowded() && shift <= 2*wayRoom; shift += 4 { // more room has not helped
		r.shift(4)
	}
	return r
}

// shift moves the lanes away from the middle.
func (r *row) shift(by int) {
	for i := range r.at {
		r.at[i] += by
	}
	r.left, r.right = r.left-by, r.right+by
}

// spread puts the lanes side by side with some extra room in each.
func (r *row) spread(extra int) {
	r.at = r.at[:0]
	at := 0
	for i := range r.lanes {
		lane := &r.lanes[i]
		if extra > 0 { // as much as in the step before, and a little more
			lane.left, lane.right = lane.left+2, lane.right+2
		}
		if i > 0 {
			at += laneGap + lane.left
		}
		r.at = append(r.at, at)
		at += lane.right
		r.height = max(r.height, lane.height)
	}
	middle := r.at[len(r.at)-1] / 2
	for i := range r.at {
		r.at[i] -= middle
	}
	r.left, r.right = r.lanes[0].left-r.at[0], at-middle
}

// crowded reports whether the axis of a lane runs close beside the way back of
// the block, or its own way back beside the axis of the block.
func (r *row) crowded() bool {
	return slices.ContainsFunc(r.at, func(at int) bool {
		at = max(at, -at)
		return at > backAxis-wayRoom && at < backAxis+wayRoom
	})
}

// wayRoom is how far ways apart that run beside each other should be.
const wayRoom = 20

// goesBack reports whether a way back leaves any of the lanes.
func (r *row) goesBack() bool {
	return slices.ContainsFunc(r.lanes, func(p piece) bool { return p.back })
}

// backTracks are the heights at which ways back run across a block.
type backTracks struct {
	y, merge, top, split, bottom int
	below                        bool
}

// wayBack leads the way back from below to the lanes and from their tops up
// again. On each side of its axis the farthest lane takes the whole way across,
// and the others meet it.
func (r *row) wayBack(s *scene, axis, x int, t backTracks) {
	s.line(lineBack, false, point{axis, t.merge}, point{axis, t.y})
	if t.below {
		s.line(lineBack, false, point{axis, t.bottom}, point{axis, t.split})
	}
	first, last := -1, -1
	for i := range r.lanes {
		if r.lanes[i].back && first < 0 {
			first = i
		}
		if r.lanes[i].back {
			last = i
		}
	}
	for i, lane := range r.lanes {
		if !r.lanes[i].back {
			continue
		}
		own := x + r.at[i] + backAxis
		up, down := []point{{own, t.top}, {own, t.merge}}, []point{{own, t.split}, {own, t.top + lane.height}}
		if i == first && own < axis || i == last && own > axis {
			up = append(up, point{axis, t.merge})
			down = append([]point{{axis, t.split}}, down...)
		}
		s.line(lineBack, false, up...)
		if t.below && lane.below {
			s.line(lineBack, false, down...)
		}
	}
}

// lane measures a list with its name on the arrow that leads to it. padded adds
// room around it.
func (lay *layout) lane(l Lane, f flow, class string, padded bool) piece {
	name := laneLabel(l.Name, class)
	inner := lay.list(l.Steps, f)
	const above, arrow, beneath = 8, 22, 14
	top := above + name.h + arrow
	if len(l.Steps) == 0 {
		top = above + name.h + 4
	}
	p := piece{left: max(inner.left, name.w/2), right: max(inner.right, name.w/2), height: top + inner.height + beneath, out: inner.out, back: inner.back, below: f.below}
	if padded {
		p.left, p.right = p.left+laneGap, p.right+laneGap
	}
	kind := lineForward
	if class == "error" {
		kind = lineError
	}
	p.draw = func(s *scene, x, y int) {
		s.line(kind, false, point{x, y}, point{x, y + above})
		placed := name
		placed.rect = name.move(x-name.w/2, y+above)
		s.labels = append(s.labels, placed)
		inner.draw(s, x, y+top)
		if len(l.Steps) > 0 {
			s.line(kind, true, point{x, y + above + name.h}, point{x, y + top + inner.entry})
		} else {
			s.line(kind, false, point{x, y + above + name.h}, point{x, y + top})
		}
		if inner.out {
			s.line(lineForward, false, point{x, y + top + inner.height}, point{x, y + p.height})
		}
		lay.passBack(s, p, inner, f.below, x, y, top)
	}
	return p
}

// passBack leads the way back through a piece with a list inside.
func (lay *layout) passBack(s *scene, p, inner piece, below bool, x, y, top int) {
	if inner.back {
		s.line(lineBack, false, point{x + backAxis, y + top}, point{x + backAxis, y})
	}
	if below {
		s.line(lineBack, false, point{x + backAxis, y + p.height}, point{x + backAxis, y + top + inner.height})
	}
}
