package graph

import (
	"strings"

	"github.com/sagad/sagad/dsl"
)

// The sizes of text in pixels.
const (
	titleSize = 13
	whatSize  = 11
	smallSize = 11
)

// The measures inside cards in pixels.
const (
	cardPad    = 11
	iconColumn = 22
	titleLine  = 17
	whatLine   = 15
	minCard    = 40
)

// leadsOn reports whether the way forward goes on behind a step.
func (n *Node) leadsOn() bool { return n.Kind != dsl.KindFail && n.Kind != dsl.KindComplete }

// card measures a node: what stands in it, and how high that makes it.
func (lay *layout) card(n *Node, width int) card {
	c := card{rect: rect{0, 0, width, 0}, node: n}
	status, run := lay.statuses[n]
	c.status, c.run = status, run && status.State != ""
	w := cardWriter{card: &c, x: cardPad + iconColumn, y: cardPad, width: width - 2*cardPad - iconColumn}
	switch n.Shape {
	case ShapeGate:
		w.x, w.width = 24, width-48
		w.text(font{mono, whatSize}, "what", "if "+n.Title, 3, whatLine)
		w.center(width)
	case ShapeBack:
		w.text(font{bold, 12}, "title", n.Title, 1, 16)
		w.text(font{mono, whatSize}, "what", n.What, 2, whatLine)
	default:
		w.text(font{bold, titleSize}, "title", n.Title, 3, titleLine)
		w.text(font{mono, whatSize}, "what", n.What, 2, whatLine)
		for _, note := range n.Notes {
			if note != "point of no return" { // the drawing has its line
				w.text(font{plain, smallSize}, "note", note, 2, whatLine)
			}
		}
	}
	if c.run && status.State != StateUnreached { // these are faint
		w.y += 3
		w.text(font{plain, smallSize}, "state", strings.Join(append([]string{string(status.State)}, status.Notes...), " · "), 2, whatLine)
	} else if !c.run && len(status.Notes) > 0 {
		w.y += 3
		w.text(font{plain, smallSize}, "note", strings.Join(status.Notes, " · "), 2, whatLine)
	}
	c.h = max(w.y+cardPad-3, minCard)
	c.h += c.h % 2 // so that its middle is a pixel
	if extra := c.h - (w.y + cardPad - 3); extra > 1 {
		for i := range c.lines {
			c.lines[i].y += extra / 2
		}
	}
	return c
}

// cardWriter sets lines of text below each other.
type cardWriter struct {
	card        *card
	x, y, width int
}

func (w *cardWriter) text(f font, class, text string, lines, height int) {
	for _, l := range f.wrap(text, w.width, lines) {
		w.card.lines = append(w.card.lines, textLine{w.x, w.y + height - 4, l, f, class})
		w.y += height
	}
}

// center moves all lines to the middle of a width.
func (w *cardWriter) center(width int) {
	for i := range w.card.lines {
		l := &w.card.lines[i]
		l.x = (width - l.font.width(l.text)) / 2
	}
}

// laneLabel is the name of a lane: of a branch, a condition or codes.
func laneLabel(name, class string) label {
	f := font{bold, smallSize}
	if class == "when" {
		f = font{mono, whatSize}
	}
	const room = cardWidth - 16
	lines := f.wrap(name, room, 3)
	l := label{full: name}
	for i, text := range lines {
		l.w = max(l.w, f.width(text))
		l.lines = append(l.lines, textLine{0, 12 + i*whatLine, text, f, class})
	}
	l.w += 8
	l.w += l.w % 2
	for i := range l.lines {
		l.lines[i].x = (l.w - f.width(l.lines[i].text)) / 2
	}
	l.h = len(lines)*whatLine + 2
	return l
}
