package graph

import "github.com/sagad/sagad/dsl"

// EdgeKind says what an edge means.
type EdgeKind uint8

// The kinds of edges.
const (
	EdgeForward EdgeKind = iota
	EdgeError            // an error is caught
	EdgeTether           // a step and its compensation
	EdgeBack             // the way back, from one compensation to the next one
)

// Edge leads from one node to another one.
type Edge struct {
	From, To *Node
	Label    string // a condition or codes; may be empty
	Kind     EdgeKind
}

// Edges gives the edges of the graph: the way forward in document order, then
// the way back. Branches come together in the node behind them. The way back
// leads through branches as if they had run one after the other.
func (g *Graph) Edges() []Edge {
	e := &edges{}
	out := e.list(g.Steps, []exit{{from: &startNode}})
	e.connect(out, &completedNode)
	e.wayBack(g.Steps, []*Node{&compensatedNode})
	return e.all
}

// exit is a way out of a step that waits for what comes next.
type exit struct {
	from  *Node
	label string
	kind  EdgeKind
}

type edges struct{ all []Edge }

func (e *edges) connect(exits []exit, to *Node) {
	for _, x := range exits {
		e.all = append(e.all, Edge{x.from, to, x.label, x.kind})
	}
}

// list connects units with what leads to them, and returns the ways out.
func (e *edges) list(l List, in []exit) []exit {
	for _, u := range l {
		in = e.unit(u, in)
	}
	return in
}

func (e *edges) unit(u *Unit, in []exit) []exit {
	var skipped []exit
	if u.Gate != nil {
		e.connect(in, u.Gate)
		in, skipped = []exit{{from: u.Gate, label: "yes"}}, []exit{{from: u.Gate, label: "no"}}
	}
	e.connect(in, u.Node)
	out := e.body(u)
	for _, h := range u.Handlers {
		out = append(out, e.list(h.Steps, []exit{{u.Node, h.Name, EdgeError}})...)
	}
	return append(out, skipped...)
}

// body returns the ways out of what the unit does itself.
func (e *edges) body(u *Unit) []exit {
	switch {
	case u.Block != nil:
		var out []exit
		for _, lane := range u.Block.Lanes {
			x := exit{from: u.Node}
			if u.Block.Kind == dsl.KindSwitch {
				x.label = lane.Name
			}
			out = append(out, e.list(lane.Steps, []exit{x})...)
		}
		if u.Block.Open {
			out = append(out, exit{from: u.Node, label: "otherwise"})
		}
		return out
	case u.Node.Kind == dsl.KindFail || u.Node.Kind == dsl.KindComplete:
		return nil
	}
	return []exit{{from: u.Node}}
}

// wayBack connects the compensations of a list. next is where the way back goes
// on from its first one; the result is where it comes in.
func (e *edges) wayBack(l List, next []*Node) []*Node {
	for _, u := range l {
		before := next
		switch {
		case u.Back != nil:
			e.all = append(e.all, Edge{u.Node, u.Back, "", EdgeTether})
			for _, to := range next {
				e.all = append(e.all, Edge{u.Back, to, "", EdgeBack})
			}
			next = []*Node{u.Back}
		case u.Block != nil:
			next = e.blockBack(u.Block, next)
		}
		if !lanesBack(u.Handlers) {
			continue
		}
		in := newIns(next) // a handler runs instead of the step, which has been compensated
		for _, h := range u.Handlers {
			if h.Steps.back() {
				in.add(e.wayBack(h.Steps, before))
			}
		}
		next = in.nodes
	}
	return next
}

func (e *edges) blockBack(b *Block, next []*Node) []*Node {
	if b.Kind != dsl.KindSwitch {
		for _, lane := range b.Lanes {
			next = e.wayBack(lane.Steps, next)
		}
		return next
	}
	in := newIns(nil) // one case has run
	for _, lane := range b.Lanes {
		in.add(e.wayBack(lane.Steps, next))
	}
	if b.Open {
		in.add(next)
	}
	return in.nodes
}

// ins is nodes, each once, in order.
type ins struct {
	nodes []*Node
	seen  map[*Node]bool
}

func newIns(nodes []*Node) *ins {
	in := &ins{seen: map[*Node]bool{}}
	in.add(nodes)
	return in
}

func (in *ins) add(nodes []*Node) {
	for _, n := range nodes {
		if !in.seen[n] {
			in.seen[n] = true
			in.nodes = append(in.nodes, n)
		}
	}
}
