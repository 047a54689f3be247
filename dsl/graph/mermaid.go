package graph

import (
	"fmt"
	"strings"

	"github.com/sagad/sagad/dsl"
)

// Mermaid writes the graph as a Mermaid flowchart. Full arrows are the way
// forward, with conditions and error codes on them; branches are lanes; the
// pivot is a trapezium, marked as the point of no return. Dashed lines lead to
// the compensations and from each to the next one. Of a run every node has the
// colour and the word of its state.
func (g *Graph) Mermaid() string {
	m := &mermaid{graph: g, statuses: g.statuses()}
	m.line("flowchart TD")
	m.depth++
	facts := []string{g.Saga}
	if g.Version != "" {
		facts = append(facts, "version "+g.Version)
	}
	if g.Run != nil {
		facts = append(facts, g.Run.ID, g.Run.Outcome)
	}
	m.line(`start(["%s"])`, mermaidLabel(facts...))
	m.list(g.Steps)
	edges := g.Edges()
	for _, end := range []*Node{&completedNode, &compensatedNode} {
		if leadsTo(edges, end) {
			m.line(`%s(["%s"])`, end.ID, end.Title)
		}
	}
	for _, e := range edges {
		m.edge(e)
	}
	for _, c := range m.classes {
		m.line("class %s", c)
	}
	m.line("classDef pivot stroke-width:4px")
	m.line("classDef compensation stroke-dasharray: 5 5")
	m.line("classDef failure stroke-width:2px,stroke-dasharray: 2 2")
	if g.Run != nil {
		for _, s := range states {
			c := colors[s]
			m.line("classDef %s fill:%s,stroke:%s,color:%s", s, c.fill, c.stroke, c.text)
		}
	}
	return m.out.String()
}

// leadsTo reports whether any edge ends at a node.
func leadsTo(edges []Edge, n *Node) bool {
	for _, e := range edges {
		if e.To == n {
			return true
		}
	}
	return false
}

// mermaid is a flowchart under construction.
type mermaid struct {
	graph    *Graph
	statuses map[*Node]Status
	out      strings.Builder
	depth    int
	lanes    int
	classes  []string
}

func (m *mermaid) line(format string, args ...any) {
	m.out.WriteString(strings.Repeat("  ", m.depth))
	fmt.Fprintf(&m.out, format, args...)
	m.out.WriteByte('\n')
}

func (m *mermaid) list(l List) {
	for _, u := range l {
		if u.Gate != nil {
			m.node(u.Gate)
		}
		m.node(u.Node)
		if u.Block != nil {
			m.block(u)
		}
		for _, h := range u.Handlers {
			m.list(h.Steps)
		}
		if u.Back != nil {
			m.node(u.Back)
		}
	}
}

// block draws frames around what stands inside a step. The edges are written
// outside of all frames: Mermaid draws a node where it is named first.
func (m *mermaid) block(u *Unit) {
	if u.Block.Kind == dsl.KindSwitch { // its cases follow each other
		for _, lane := range u.Block.Lanes {
			m.list(lane.Steps)
		}
		return
	}
	name := u.Node.Title
	if u.Node.What != "" {
		name += ": " + u.Node.What
	}
	m.frame("block_"+mermaidID(u.Node.Path), name, func() {
		for _, lane := range u.Block.Lanes {
			if lane.Name == "" {
				m.list(lane.Steps)
				continue
			}
			m.frame(fmt.Sprintf("lane_%d", m.lanes), lane.Name, func() { m.list(lane.Steps) })
		}
	})
}

func (m *mermaid) frame(id, title string, inside func()) {
	m.lanes++
	m.line(`subgraph %s["%s"]`, id, mermaidLabel(title))
	m.depth++
	inside()
	m.depth--
	m.line("end")
}

// node draws a node, and notes its classes.
func (m *mermaid) node(n *Node) {
	id := mermaidID(n.ID)
	lines := []string{n.Title}
	if n.Kind != dsl.KindParallel && n.Kind != dsl.KindForeach && n.Kind != dsl.KindSwitch {
		lines = append(lines, n.What) // of these it stands on the frame or the arrows
	}
	lines = append(lines, n.Notes...)
	status, run := m.statuses[n]
	if run && status.State != "" {
		lines = append(lines, string(status.State))
	}
	lines = append(lines, status.Notes...)
	open, closing := mermaidShape(n)
	m.line(`%s%s"%s"%s`, id, open, mermaidLabel(lines...), closing)
	for _, c := range []struct {
		holds bool
		name  string
	}{
		{n.Effect == dsl.EffectPivot, "pivot"},
		{n.Shape == ShapeBack, "compensation"},
		{n.Shape == ShapeStep && n.Kind == dsl.KindFail, "failure"},
		{run && status.State != "", string(status.State)},
	} {
		if c.holds {
			m.classes = append(m.classes, id+" "+c.name)
		}
	}
}

// mermaidShape gives the brackets of a node.
func mermaidShape(n *Node) (open, closing string) {
	switch {
	case n.Shape == ShapeGate:
		return "{", "}"
	case n.Shape == ShapeBack:
		return "[", "]"
	case n.Kind == dsl.KindSaga:
		return "[[", "]]"
	case n.Effect == dsl.EffectPivot:
		return `[\`, `/]`
	}
	switch n.Kind {
	case dsl.KindParallel, dsl.KindForeach, dsl.KindScope:
		return "((", "))"
	case dsl.KindSwitch:
		return "{", "}"
	case dsl.KindAwait, dsl.KindSleep:
		return "[/", "/]"
	case dsl.KindFail:
		return "{{", "}}"
	case dsl.KindComplete:
		return "([", "])"
	}
	return "[", "]"
}

func (m *mermaid) edge(e Edge) {
	from, to := mermaidID(e.From.ID), mermaidID(e.To.ID)
	switch {
	case e.Kind == EdgeTether:
		m.line("%s -.- %s", from, to)
	case e.Kind == EdgeBack:
		m.line("%s -.-> %s", from, to)
	case e.Label == "":
		m.line("%s --> %s", from, to)
	default:
		m.line(`%s -- "%s" --> %s`, from, mermaidLabel(e.Label), to)
	}
}

// mermaidID gives a name that Mermaid takes. Ids of steps have no hyphen, so
// that names stay apart.
func mermaidID(id string) string { return strings.ReplaceAll(id, "/", "-") }

// MaxLabel bounds one line of a label of Mermaid and DOT in characters: an
// expression may be long.
const MaxLabel = 60

// bounded cuts a line of a label.
func bounded(line string) string {
	if r := []rune(line); len(r) > MaxLabel {
		return string(r[:MaxLabel-1]) + "…"
	}
	return line
}

var mermaidEscaper = strings.NewReplacer(`"`, "#quot;", "#", "#35;", "<", "#lt;", ">", "#gt;", "&", "#amp;", "\n", " ", "`", "#96;", "%", "#37;")

// mermaidLabel writes lines for a label in double quotes. Empty ones are left
// out.
func mermaidLabel(lines ...string) string {
	var out []string
	for _, l := range lines {
		if l != "" {
			out = append(out, mermaidEscaper.Replace(bounded(clean(l))))
		}
	}
	return strings.Join(out, "<br/>")
}
