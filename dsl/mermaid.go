package dsl

import (
	"fmt"
	"strings"
)

// Mermaid draws a plan as a Mermaid flowchart. Full arrows are the way
// forward, with conditions and error codes on them; branches are lanes; the
// pivot is a trapezium, marked as the point of no return. Dashed lines lead to the
// compensations and from each to the next one, in reverse, as they would run
// if everything had been done. A child saga is one node, with double sides.
func Mermaid(p *Plan) string {
	g := &graph{}
	g.line("flowchart TD")
	g.depth++
	g.line(`start(["%s"])`, label(p.Saga, versionLabel(p.Version)))
	exits := g.steps(p.Steps, []exit{{from: "start"}})
	if len(exits) > 0 {
		g.line(`completed(["completed"])`)
		g.connect(exits, "completed")
	}
	g.wayBack()
	g.line("classDef pivot stroke-width:4px")
	g.line("classDef compensation stroke-dasharray: 5 5")
	g.line("classDef failure stroke-width:2px,stroke-dasharray: 2 2")
	return g.out.String()
}

func versionLabel(v string) string {
	if v == "" {
		return ""
	}
	return "version " + v
}

// graph is a flowchart under construction.
type graph struct {
	out   strings.Builder
	depth int
	comps []*Step // steps that can be compensated, in document order
}

// exit is a way out of a step that waits for what comes next.
type exit struct {
	from  string
	label string
}

func (g *graph) line(format string, args ...any) {
	g.out.WriteString(strings.Repeat("  ", g.depth))
	fmt.Fprintf(&g.out, format, args...)
	g.out.WriteByte('\n')
}

// connect draws the arrows from exits to a node.
func (g *graph) connect(exits []exit, to string) {
	for _, e := range exits {
		if e.label == "" {
			g.line("%s --> %s", e.from, to)
		} else {
			g.line(`%s -- "%s" --> %s`, e.from, e.label, to)
		}
	}
}

// steps draws a list of steps and returns its exits.
func (g *graph) steps(steps []*Step, exits []exit) []exit {
	for _, s := range steps {
		exits = g.step(s, exits)
	}
	return exits
}

// step draws a step with its condition and its handlers.
func (g *graph) step(s *Step, in []exit) []exit {
	var skipped []exit
	if s.If != nil {
		id := "if_" + s.ID
		g.line(`%s{"%s"}`, id, label(s.If.source))
		g.connect(in, id)
		in = []exit{{id, "yes"}}
		skipped = []exit{{id, "no"}}
	}
	out := g.body(s, in)
	for _, c := range s.Catch {
		on := label(strings.Join(c.On, ", "))
		if len(c.On) == 1 && c.On[0] == "*" {
			on = "any error"
		}
		out = append(out, g.steps(c.Do, []exit{{nodeID(s), on}})...)
	}
	return append(out, skipped...)
}

// nodeID returns the node that stands for a step.
func nodeID(s *Step) string { return "step_" + s.ID }

// body draws what a step does.
func (g *graph) body(s *Step, in []exit) []exit {
	id := nodeID(s)
	leaf := func(open, end string, lines ...string) []exit {
		g.line(`%s%s"%s"%s`, id, open, label(append([]string{title(s)}, lines...)...), end)
		g.connect(in, id)
		return []exit{{from: id}}
	}
	switch s.Kind {
	case KindCall:
		return g.call(s, in)
	case KindParallel:
		return g.parallel(s, in)
	case KindForeach:
		return g.block(s, in, fmt.Sprintf("for each %s in %s", s.Foreach.As, s.Foreach.In.source), s.Foreach.Do)
	case KindScope:
		return g.block(s, in, "", s.Scope.Do)
	case KindSwitch:
		return g.switchBlock(s, in)
	case KindAwait:
		return leaf("[/", "/]", "await "+s.Await.Signal, s.Await.Timeout.within())
	case KindSleep:
		return leaf("[/", "/]", s.Sleep.words())
	case KindSet:
		names := make([]string, len(s.Set))
		for i, a := range s.Set {
			names[i] = a.Name
		}
		return leaf("[", "]", "set "+strings.Join(names, ", "))
	case KindSaga:
		return g.child(s, in)
	case KindFail:
		leaf("{{", "}}", "fail "+s.Fail.Code)
		g.line("class %s failure", id)
		return nil
	default:
		leaf("([", "])", "complete")
		return nil
	}
}

func (d *Delay) within() string {
	switch {
	case d == nil:
		return ""
	case d.Expr == nil:
		return "at most " + FormatDuration(d.Fixed)
	default:
		return "at most " + d.Expr.words()
	}
}

// words is the value for people: an expression without its braces.
func (v *Value) words() string {
	if v.kind == valueExpr {
		return v.expr.source
	}
	return fmt.Sprint(v.source())
}

func (s *Sleep) words() string {
	switch {
	case s.Until != nil:
		return "sleep until " + s.Until.source
	case s.For.Expr == nil:
		return "sleep " + FormatDuration(s.For.Fixed)
	default:
		return "sleep " + s.For.Expr.words()
	}
}

func (g *graph) call(s *Step, in []exit) []exit {
	id := nodeID(s)
	c := s.Call
	switch c.Effect {
	case EffectPivot:
		g.line(`%s[\"%s"/]`, id, label(title(s), c.Activity, "point of no return"))
		g.line("class %s pivot", id)
	case EffectRetriable:
		g.line(`%s["%s"]`, id, label(title(s), c.Activity, "retried until it succeeds"))
	default:
		g.line(`%s["%s"]`, id, label(title(s), c.Activity))
	}
	g.connect(in, id)
	if c.Compensate != nil {
		g.comps = append(g.comps, s)
	}
	return []exit{{from: id}}
}

// child draws a saga that is run as a child as one node. Its steps are in the
// graph of its own definition.
func (g *graph) child(s *Step, in []exit) []exit {
	id := nodeID(s)
	p := s.Child.Plan
	if p.decisive {
		g.line(`%s[["%s"]]`, id, label(title(s), "saga "+p.Saga, "point of no return"))
		g.line("class %s pivot", id)
	} else {
		g.line(`%s[["%s"]]`, id, label(title(s), "saga "+p.Saga))
	}
	g.connect(in, id)
	if p.compensates {
		g.comps = append(g.comps, s)
	}
	return []exit{{from: id}}
}

// parallel draws the branches as lanes between a fork and what follows.
func (g *graph) parallel(s *Step, in []exit) []exit {
	id := nodeID(s)
	g.line(`%s(("%s"))`, id, label(title(s)))
	g.connect(in, id)
	var out []exit
	g.lane("block_"+s.ID, title(s)+": at the same time", func() {
		for i, b := range s.Parallel.Branches {
			g.lane(fmt.Sprintf("lane_%d_%d", s.Index, i), b.Name, func() {
				out = append(out, g.steps(b.Do, []exit{{from: id}})...)
			})
		}
	})
	return out
}

// block draws one list of steps as a lane.
func (g *graph) block(s *Step, in []exit, what string, steps []*Step) []exit {
	id := nodeID(s)
	g.line(`%s(("%s"))`, id, label(title(s)))
	g.connect(in, id)
	var out []exit
	name := title(s)
	if what != "" {
		name += ": " + what
	}
	g.lane("block_"+s.ID, name, func() { out = g.steps(steps, []exit{{from: id}}) })
	return out
}

func (g *graph) lane(id, title string, inside func()) {
	g.line(`subgraph %s["%s"]`, id, label(title))
	g.depth++
	inside()
	g.depth--
	g.line("end")
}

func (g *graph) switchBlock(s *Step, in []exit) []exit {
	id := nodeID(s)
	g.line(`%s{"%s"}`, id, label(title(s)))
	g.connect(in, id)
	var out []exit
	exhaustive := false
	for _, c := range s.Switch.Cases {
		when := "else"
		if c.When != nil {
			when = label(c.When.source)
		} else {
			exhaustive = true
		}
		out = append(out, g.steps(c.Do, []exit{{id, when}})...)
	}
	if !exhaustive {
		out = append(out, exit{id, "otherwise"})
	}
	return out
}

// wayBack draws the compensations.
func (g *graph) wayBack() {
	if len(g.comps) == 0 {
		return
	}
	g.line(`compensated(["compensated"])`)
	next := "compensated"
	for _, s := range g.comps {
		id := "back_" + s.ID
		back, what := "~"+s.ID, ""
		if s.Child != nil {
			back, what = back+"/…", "saga "+s.Child.Plan.Saga
		} else {
			what = s.Call.Compensate.Activity
		}
		g.line(`%s["%s"]`, id, label(back, what))
		g.line("class %s compensation", id)
		g.line("%s -.- %s", nodeID(s), id)
		g.line("%s -.-> %s", id, next)
		next = id
	}
}

// title returns what people call a step.
func title(s *Step) string {
	if s.Name != "" {
		return s.Name
	}
	return s.ID
}

// MaxLabel bounds one line of a label in characters: an expression may be long.
const MaxLabel = 60

var labelEscaper = strings.NewReplacer(`"`, "#quot;", "#", "#35;", "<", "#lt;", ">", "#gt;", "&", "#amp;", "\n", " ", "`", "#96;", "%", "#37;")

// label writes lines for a Mermaid label in double quotes. Empty ones are left
// out.
func label(lines ...string) string {
	var out []string
	for _, l := range lines {
		if l == "" {
			continue
		}
		if r := []rune(l); len(r) > MaxLabel {
			l = string(r[:MaxLabel-1]) + "…"
		}
		out = append(out, labelEscaper.Replace(l))
	}
	return strings.Join(out, "<br/>")
}
