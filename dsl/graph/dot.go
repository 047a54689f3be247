package graph

import (
	"fmt"
	"strings"

	"github.com/sagad/sagad/dsl"
)

// DOT writes the graph for Graphviz. Branches and blocks are clusters, the way
// back is dashed, the pivot has a thick line. Of a run every node has the colour
// and the word of its state.
func (g *Graph) DOT() string {
	d := &dot{graph: g, statuses: g.statuses()}
	d.line("digraph %s {", dotText(g.Saga))
	d.depth++
	title := []string{g.Saga}
	if g.Version != "" {
		title = append(title, "version "+g.Version)
	}
	if g.Run != nil {
		title = append(title, g.Run.ID, g.Run.Outcome)
	}
	d.line(`graph [label=%s, labelloc=t, fontname="Helvetica,Arial,sans-serif", fontsize=14, rankdir=TB, nodesep=0.35, ranksep=0.45]`, dotText(title...))
	d.line(`node [shape=box, style="rounded,filled", fillcolor="#ffffff", color="#8c959f", fontname="Helvetica,Arial,sans-serif", fontsize=11]`)
	d.line(`edge [color="#57606a", fontname="Helvetica,Arial,sans-serif", fontsize=10]`)
	d.line(`start [shape=circle, label="", width=0.2, fillcolor="#24292f", color="#24292f"]`)
	d.list(g.Steps)
	edges := g.Edges()
	if leadsTo(edges, &completedNode) {
		d.line(`completed [shape=oval, fillcolor="#dafbe1", color="#2da44e"]`)
	}
	if leadsTo(edges, &compensatedNode) {
		d.line(`compensated [shape=oval, fillcolor="#fff1e5", color="#d4742c"]`)
	}
	for _, e := range edges {
		d.edge(e)
	}
	d.depth--
	d.line("}")
	return d.out.String()
}

// dot is a drawing for Graphviz under construction.
type dot struct {
	graph    *Graph
	statuses map[*Node]Status
	out      strings.Builder
	depth    int
	clusters int
}

func (d *dot) line(format string, args ...any) {
	d.out.WriteString(strings.Repeat("  ", d.depth))
	fmt.Fprintf(&d.out, format, args...)
	d.out.WriteByte('\n')
}

func (d *dot) list(l List) {
	for _, u := range l {
		if u.Gate != nil {
			d.node(u.Gate)
		}
		d.node(u.Node)
		if u.Block != nil {
			d.block(u)
		}
		for _, h := range u.Handlers {
			d.list(h.Steps)
		}
		if u.Back != nil {
			d.node(u.Back)
		}
	}
}

func (d *dot) block(u *Unit) {
	style := "rounded"
	if u.Block.Kind == dsl.KindForeach || u.Block.Kind == dsl.KindSaga {
		style = "rounded,bold"
	}
	if u.Block.Kind == dsl.KindSwitch {
		style = "invis"
	}
	d.cluster(style, []string{u.Node.Title, u.Node.What}, func() {
		for _, lane := range u.Block.Lanes {
			if lane.Name == "" || u.Block.Kind == dsl.KindSwitch {
				d.list(lane.Steps)
				continue
			}
			d.cluster("rounded,dotted", []string{lane.Name}, func() { d.list(lane.Steps) })
		}
	})
}

func (d *dot) cluster(style string, label []string, inside func()) {
	d.line("subgraph cluster_%d {", d.clusters)
	d.clusters++
	d.depth++
	if style == "invis" {
		d.line(`style=invis; label=""`)
	} else {
		d.line(`style="%s"; color="#8c959f"; fontsize=10; label=%s`, style, dotText(label...))
	}
	inside()
	d.depth--
	d.line("}")
}

func (d *dot) node(n *Node) {
	lines := []string{n.Title}
	if n.Kind != dsl.KindParallel && n.Kind != dsl.KindForeach {
		lines = append(lines, n.What)
	}
	lines = append(lines, n.Notes...)
	status := d.statuses[n]
	lines = append(lines, string(status.State))
	attrs := append([]string{"label=" + dotText(append(lines, status.Notes...)...)}, dotShape(n)...)
	if c, ok := colors[status.State]; ok {
		attrs = append(attrs, fmt.Sprintf(`fillcolor="%s", color="%s", fontcolor="%s"`, c.fill, c.stroke, c.text))
	}
	d.line("%s [%s]", dotText(n.ID), strings.Join(attrs, ", "))
}

// dotShape gives the attributes of a node that say what it is.
func dotShape(n *Node) []string {
	switch {
	case n.Shape == ShapeGate || n.Shape == ShapeStep && n.Kind == dsl.KindSwitch:
		return []string{"shape=diamond", "style=filled"}
	case n.Shape == ShapeBack:
		return []string{`style="rounded,filled,dashed"`, `color="#d4742c"`}
	case n.Effect == dsl.EffectPivot && n.Kind == dsl.KindSaga:
		return []string{"peripheries=2", "penwidth=3", `color="#8250df"`}
	case n.Effect == dsl.EffectPivot:
		return []string{"shape=invtrapezium", "style=filled", "penwidth=3", `color="#8250df"`}
	}
	switch n.Kind {
	case dsl.KindSaga:
		return []string{"peripheries=2"}
	case dsl.KindParallel, dsl.KindForeach, dsl.KindScope:
		return []string{"shape=oval", "style=filled"}
	case dsl.KindAwait, dsl.KindSleep:
		return []string{"shape=parallelogram", "style=filled"}
	case dsl.KindFail:
		return []string{"shape=octagon", "style=filled", `color="#cf222e"`}
	case dsl.KindComplete:
		return []string{"shape=oval", "style=filled", `color="#2da44e"`}
	}
	return nil
}

func (d *dot) edge(e Edge) {
	var attrs []string
	if e.Label != "" {
		attrs = append(attrs, "label="+dotText(e.Label))
	}
	switch e.Kind {
	case EdgeError:
		attrs = append(attrs, `color="#cf222e", fontcolor="#cf222e"`)
	case EdgeTether:
		attrs = append(attrs, `style=dotted, dir=none, color="#d4742c"`)
	case EdgeBack: // it runs against the ranks
		attrs = append(attrs, `style=dashed, constraint=false, color="#d4742c"`)
	}
	line := dotText(e.From.ID) + " -> " + dotText(e.To.ID)
	if len(attrs) > 0 {
		line += " [" + strings.Join(attrs, ", ") + "]"
	}
	d.line("%s", line)
}

var dotEscaper = strings.NewReplacer(`"`, `\"`, `\`, `\\`, "\n", " ")

// dotText writes lines as a quoted string. Empty ones are left out.
func dotText(lines ...string) string {
	var out []string
	for _, l := range lines {
		if l != "" {
			out = append(out, dotEscaper.Replace(bounded(clean(l))))
		}
	}
	return `"` + strings.Join(out, `\n`) + `"`
}
