package graph

// A definition is a series of steps and of blocks in which lists stand side by
// side, and so is its drawing. Every piece of it has one axis, on which the way
// forward comes in above and leaves below; the way back runs up beside it at a
// fixed distance, the same in all pieces, so that pieces fit on each other
// without a bend. Pieces are measured from the inside out and then placed.

// The measures of a drawing in pixels.
const (
	cardWidth = 224                                 // of a step
	backWidth = 176                                 // of a compensation
	backGap   = 30                                  // between a step and its compensation
	backAxis  = cardWidth/2 + backGap + backWidth/2 // from the axis to the way back
	stepGap   = 30                                  // between a step and the next one, for an arrow
	turnGap   = 74                                  // the same, with the point of no return in between
	laneGap   = 14                                  // between lanes, and around the way past something
	framePad  = 16                                  // between a frame and what is in it
	busGap    = 14                                  // between ways that run across
	wayMargin = 10                                  // beside a way
)

// piece is a part of a drawing that has been measured.
type piece struct {
	left, right int // how far it reaches from its axis
	height      int
	entry       int  // where the arrow that comes in ends, from the top
	out         bool // the way forward leaves it
	back        bool // the way back leaves it above
	below       bool // the way back comes in from beneath
	anchor      int  // the middle of its first card, from the top
	draw        func(s *scene, x, y int)
}

// widen makes the piece reach at least as far.
func (p *piece) widen(left, right int) {
	p.left, p.right = max(p.left, left), max(p.right, right)
}

// layout measures and places.
type layout struct {
	statuses map[*Node]Status
}

// flow says where the way back goes around a piece.
type flow struct {
	below  bool // it comes in from beneath
	before bool // there is something above to go back to
	root   bool // the list is the whole saga
}

// list measures units that follow each other.
func (lay *layout) list(l List, f flow) piece {
	pieces := make([]piece, len(l))
	flows := make([]bool, len(l))  // a way back comes into the unit from beneath
	before := make([]bool, len(l)) // there is something above the unit to go back to
	for i := range l {
		before[i] = f.before || i > 0 && (before[i-1] || l[i-1].back())
	}
	for i := len(l) - 1; i >= 0; i-- {
		flows[i] = f.below
		pieces[i] = lay.unit(l[i], flow{below: f.below, before: before[i]})
		f.below = f.below || pieces[i].back
	}
	out := piece{out: true, back: f.below, draw: func(*scene, int, int) {}}
	if len(l) == 0 {
		return out
	}
	offsets := make([]int, len(l))
	gapAfter := func(i int) int {
		gap := stepGap
		switch {
		case l[i].Turn == TurnAfter || i+1 < len(l) && l[i+1].Turn == TurnBefore:
			gap = turnGap
		case i == len(l)-1:
			gap = 0
		}
		return gap
	}
	top := 0
	if l[0].Turn == TurnBefore {
		top = turnGap - stepGap
	}
	at := top
	for i, p := range pieces {
		offsets[i] = at
		out.widen(p.left, p.right)
		gap := gapAfter(i)
		if at += p.height + gap; gap == turnGap && f.root {
			out.widen(0, turnAt(flows[i])+turnWidth/2)
		}
	}
	if top > 0 && f.root {
		out.widen(0, turnAt(out.back)+turnWidth/2)
	}
	if out.back {
		out.widen(0, backAxis+wayMargin)
	}
	out.height, out.entry, out.anchor = at, top+pieces[0].entry, top+pieces[0].anchor
	out.out = pieces[len(l)-1].out
	out.draw = func(s *scene, x, y int) {
		if top > 0 {
			lay.turn(s, out, f.root, x, y+top/2-4, turnAt(out.back))
		}
		for i, p := range pieces {
			p.draw(s, x, y+offsets[i])
			bottom, gap := y+offsets[i]+p.height, gapAfter(i)
			if gap == turnGap {
				lay.turn(s, out, f.root, x, bottom+turnGap/2-4, turnAt(flows[i]))
			}
			if i+1 < len(l) {
				if p.out {
					s.line(lineForward, true, point{x, bottom}, point{x, bottom + gap + pieces[i+1].entry})
				}
				if flows[i] {
					s.line(lineBack, false, point{x + backAxis, bottom + gap}, point{x + backAxis, bottom})
				}
			} else if p.out && gap > 0 {
				s.line(lineForward, false, point{x, bottom}, point{x, bottom + gap})
			}
		}
	}
	return out
}

// turn marks the point of no return in a list, or across the whole drawing.
func (lay *layout) turn(s *scene, p piece, whole bool, x, y, name int) {
	s.turns = append(s.turns, turn{y: y, from: x - min(p.left, cardWidth/2), to: x + min(p.right, cardWidth/2), axis: x, name: x + name, whole: whole})
}

// turnAt gives where the name of a line across the drawing stands: on the axis
// of the way back, or beside it if the way back comes from below.
func turnAt(below bool) int {
	if below {
		return backAxis + turnWidth/2 + laneGap
	}
	return backAxis
}

// unit measures a step with its condition and its handlers.
func (lay *layout) unit(u *Unit, f flow) piece {
	p := lay.body(u, f)
	if len(u.Handlers) > 0 {
		p = lay.handlers(u, p, f)
	}
	if u.Gate != nil {
		p = lay.gate(u, p, f)
	}
	return p
}

// body measures what a step does: one card, or a block.
func (lay *layout) body(u *Unit, f flow) piece {
	if u.Block == nil {
		return lay.leaf(u, f)
	}
	p := lay.block(u, f)
	if f.below && !p.back {
		return detour(p)
	}
	return p
}

// detour leads the way back past a piece that has nothing to compensate.
func detour(p piece) piece {
	p.back = true
	if p.right+wayMargin <= backAxis { // straight on beside it
		inner := p.draw
		p.widen(0, backAxis+wayMargin)
		height := p.height
		p.draw = func(s *scene, x, y int) {
			inner(s, x, y)
			s.line(lineBack, false, point{x + backAxis, y + height}, point{x + backAxis, y})
		}
		return p
	}
	beside := p.right + laneGap
	q := p
	q.height += 2 * busGap
	q.entry += busGap
	q.anchor += busGap
	q.widen(0, beside+wayMargin)
	q.draw = func(s *scene, x, y int) {
		p.draw(s, x, y+busGap)
		if p.out {
			s.line(lineForward, false, point{x, y + busGap + p.height}, point{x, y + q.height})
		}
		above, beneath := y+busGap/2, y+q.height-busGap/2
		s.line(lineBack, false, point{x + backAxis, y + q.height}, point{x + backAxis, beneath}, point{x + beside, beneath},
			point{x + beside, above}, point{x + backAxis, above}, point{x + backAxis, y})
	}
	return q
}

// leaf measures a step without steps inside, with its compensation.
func (lay *layout) leaf(u *Unit, f flow) piece {
	c := lay.card(u.Node, cardWidth)
	p := piece{left: cardWidth / 2, right: cardWidth / 2, height: c.h, out: u.Node.leadsOn()}
	rejected := u.Node.pivot() && u.Back == nil && f.before
	var back card
	if u.Back != nil {
		back = lay.card(u.Back, backWidth)
		p.height = max(p.height, back.h)
		p.widen(0, backAxis+backWidth/2)
	} else if f.below || rejected {
		p.widen(0, backAxis+wayMargin)
	}
	p.back = u.Back != nil || f.below || rejected
	p.anchor, p.entry = p.height/2, (p.height-c.h)/2
	p.draw = func(s *scene, x, y int) {
		middle := y + p.height/2
		placed := c
		placed.rect = c.move(x-cardWidth/2, y+p.entry)
		s.cards = append(s.cards, placed)
		if p.out && p.entry > 0 {
			s.line(lineForward, false, point{x, placed.bottom()}, point{x, y + p.height})
		}
		switch {
		case u.Back != nil:
			b := back
			b.rect = back.move(x+backAxis-backWidth/2, middle-back.h/2)
			s.cards = append(s.cards, b)
			s.line(lineTether, false, point{placed.right(), middle}, point{b.x, middle})
			if f.below {
				s.line(lineBack, true, point{x + backAxis, y + p.height}, point{x + backAxis, b.bottom()})
			}
			s.line(lineBack, false, point{x + backAxis, b.y}, point{x + backAxis, y})
		default:
			if rejected {
				s.line(lineBack, false, point{placed.right(), middle}, point{x + backAxis, middle})
				s.labels = append(s.labels, note("rejected", "back", placed.right()+12, middle-18))
			}
			switch {
			case f.below:
				s.line(lineBack, false, point{x + backAxis, y + p.height}, point{x + backAxis, y})
			case rejected:
				s.line(lineBack, false, point{x + backAxis, middle}, point{x + backAxis, y})
			}
		}
	}
	return p
}

// note is one line of small text with its upper left corner at a place.
func note(text, class string, x, y int) label {
	f := font{plain, smallSize}
	return label{rect: rect{x, y, f.width(text), 14}, lines: []textLine{{0, 11, text, f, class}}}
}

// handlers puts the handlers of a step to its left. An error leaves the middle of
// its card for the handler's lane; the lanes come together with the way forward
// below the step.
func (lay *layout) handlers(u *Unit, body piece, f flow) piece {
	lanes := make([]piece, len(u.Handlers))
	at := make([]int, len(u.Handlers)) // axes, relative to that of the step
	edge := -body.left
	ret, out, bottom := false, false, body.height
	for i, h := range u.Handlers {
		lanes[i] = lay.lane(h, flow{below: f.below && h.Steps.returns(), before: f.before}, "error", false)
		at[i] = edge - 2*laneGap - lanes[i].right
		edge = at[i] - lanes[i].left
		out = out || lanes[i].out
		ret = ret || lanes[i].back
		bottom = max(bottom, body.anchor+busGap+lanes[i].height)
	}
	p := piece{left: -edge, right: body.right, out: body.out || out, back: body.back || ret, entry: body.entry, anchor: body.anchor}
	top, split, join := 0, bottom, bottom
	if ret {
		top = busGap + tip // the arrow that comes in keeps off the way across
		p.entry += top
		p.anchor += top
		p.widen(0, backAxis+wayMargin)
		if f.below {
			split, join = bottom+busGap, bottom+busGap
		}
	}
	if out {
		join += busGap
	}
	p.height = top + join
	if join > bottom {
		p.height += busGap / 2
	}
	p.draw = func(s *scene, x, y int) {
		body.draw(s, x, y+top)
		lay.drawHandlers(s, lanes, at, x, y+top, body.anchor)
		if body.out {
			s.line(lineForward, false, point{x, y + top + body.height}, point{x, y + p.height})
		}
		for i, lane := range lanes {
			if lane.out {
				from := y + top + body.anchor + busGap + lane.height
				s.line(lineForward, false, point{x + at[i], from}, point{x + at[i], y + top + join}, point{x, y + top + join}, point{x, y + p.height})
			}
		}
		lay.handlersBack(s, lanes, at, body, handlerWays{x, y, top, split, p.height, f.below})
	}
	return p
}

// drawHandlers draws the lanes and the ways of the errors to them.
func (lay *layout) drawHandlers(s *scene, lanes []piece, at []int, x, y, anchor int) {
	for i, lane := range lanes {
		s.line(lineError, false, point{x - cardWidth/2, y + anchor}, point{x + at[i], y + anchor}, point{x + at[i], y + anchor + busGap})
		lane.draw(s, x+at[i], y+anchor+busGap)
	}
}

// handlerWays are the places of the ways back around handlers.
type handlerWays struct {
	x, y, top, split, height int
	below                    bool
}

// handlersBack leads the way back through the step and those of its handlers
// that have something to compensate.
func (lay *layout) handlersBack(s *scene, lanes []piece, at []int, body piece, w handlerWays) {
	axis := w.x + backAxis
	if w.below {
		s.line(lineBack, false, point{axis, w.y + w.height}, point{axis, w.y + w.top + body.height})
	}
	if w.top == 0 {
		return
	}
	merge := w.y + busGap/2
	if body.back {
		s.line(lineBack, false, point{axis, w.y + w.top}, point{axis, w.y})
	} else {
		s.line(lineBack, false, point{axis, merge}, point{axis, w.y})
	}
	far := true
	for i := len(lanes) - 1; i >= 0; i-- {
		if !lanes[i].back {
			continue
		}
		own := w.x + at[i] + backAxis
		laneTop := w.y + w.top + body.anchor + busGap
		up, down := []point{{own, laneTop}, {own, merge}}, []point{{own, w.y + w.top + w.split}, {own, laneTop + lanes[i].height}}
		if far { // the others meet its way
			up = append(up, point{axis, merge})
			down = append([]point{{axis, w.y + w.top + w.split}}, down...)
			far = false
		}
		s.line(lineBack, false, up...)
		if w.below && lanes[i].below {
			s.line(lineBack, false, down...)
		}
	}
}

// gate puts the condition of a step above it, and the way past it to its left.
func (lay *layout) gate(u *Unit, body piece, f flow) piece {
	g := lay.card(u.Gate, cardWidth)
	const no = 34 // room for the word on the way past
	p := piece{left: max(body.left, cardWidth/2+no) + laneGap + wayMargin, right: max(body.right, cardWidth/2), out: true, anchor: g.h / 2}
	top := g.h + stepGap
	past := -(p.left - wayMargin)
	p.height = top + body.height + busGap + busGap/2
	p.back = body.back
	if p.back {
		p.widen(0, backAxis+wayMargin)
	}
	p.draw = func(s *scene, x, y int) {
		placed := g
		placed.rect = g.move(x-cardWidth/2, y)
		s.cards = append(s.cards, placed)
		s.line(lineForward, true, point{x, placed.bottom()}, point{x, y + top + body.entry})
		s.labels = append(s.labels, note("yes", "dim", x+7, placed.bottom()+5), note("no", "dim", placed.x-24, placed.middle()-17))
		body.draw(s, x, y+top)
		join := y + top + body.height + busGap
		if body.out {
			s.line(lineForward, false, point{x, y + top + body.height}, point{x, y + p.height})
		}
		s.line(lineForward, false, point{placed.x, placed.middle()}, point{x + past, placed.middle()}, point{x + past, join}, point{x, join}, point{x, y + p.height})
		if p.back {
			s.line(lineBack, false, point{x + backAxis, y + top}, point{x + backAxis, y})
		}
		if f.below {
			s.line(lineBack, false, point{x + backAxis, y + p.height}, point{x + backAxis, y + top + body.height})
		}
	}
	return p
}
