package graph

import (
	"fmt"
	"strings"

	"github.com/sagad/sagad/dsl"
)

// Options say how much is drawn.
type Options struct {
	// Children draws the steps of child sagas inside the step that runs them.
	// Otherwise a child saga is one node.
	Children bool
	// Run is how a saga of the plan stands; nil draws the definition alone.
	Run *Run
}

// Of gives the graph of a plan.
func Of(p *dsl.Plan, o Options) *Graph {
	b := &builder{children: o.Children, sides: sideBefore}
	g := &Graph{
		Saga: p.Saga, Version: p.Version, Description: p.Description,
		Key: p.Key.Source(), Deadline: delay(p.Deadline), Run: o.Run,
	}
	g.Steps = b.list(p.Steps, "")
	return g
}

// builder makes units of steps.
type builder struct {
	children bool
	sides    sides // where what comes next may be
}

// sides is the sides of the point of no return on which a place may be; none: no
// way leads there.
type sides uint8

const (
	sideBefore sides = 1 << iota
	sideAfter
)

// list makes the units of steps. prefix is the path of the child sagas around
// them.
func (b *builder) list(steps []*dsl.Step, prefix string) List {
	l := make(List, len(steps))
	for i, s := range steps {
		l[i] = b.unit(s, prefix)
	}
	return l
}

func (b *builder) unit(s *dsl.Step, prefix string) *Unit {
	from := b.sides
	path := prefix + s.ID
	n := &Node{ID: "step_" + path, Path: path, Title: s.ID, Kind: s.Kind}
	if s.Name != "" {
		n.Title = s.Name
	}
	u := &Unit{Node: n}
	if s.If != nil {
		u.Gate = &Node{ID: "if_" + path, Shape: ShapeGate, Path: path, Title: s.If.Source(), Kind: s.Kind}
	}
	b.body(u, s, path)
	to := b.sides
	for _, c := range s.Catch {
		b.sides = from
		u.Handlers = append(u.Handlers, Lane{Name: codes(c.On), Steps: b.list(c.Do, prefix)})
		to |= b.sides
	}
	if s.If != nil {
		to |= from
	}
	b.sides = to
	u.Turn = turnOf(u, from, to)
	return u
}

// turnOf says where a unit that leads from some sides to others passes the point
// of no return: a step that decides does, and a block behind which all is decided.
func turnOf(u *Unit, from, to sides) Turn {
	decides := u.Block == nil && u.Node.Effect == dsl.EffectPivot || u.Block != nil && to == sideAfter
	switch {
	case from&sideBefore != 0 && decides:
		return TurnAfter
	case from == sideBefore && u.Node.Effect == dsl.EffectRetriable:
		return TurnBefore
	}
	return NoTurn
}

// codes writes what a catch takes.
func codes(on []string) string {
	if len(on) == 1 && on[0] == "*" {
		return "any error"
	}
	return strings.Join(on, ", ")
}

// body fills in what the step does, and goes on to where that leads.
func (b *builder) body(u *Unit, s *dsl.Step, path string) {
	n, prefix := u.Node, strings.TrimSuffix(path, s.ID)
	switch s.Kind {
	case dsl.KindCall:
		b.call(u, s.Call)
	case dsl.KindSaga:
		b.child(u, s.Child.Plan)
	case dsl.KindParallel:
		n.What = "at the same time"
		u.Block = &Block{Kind: s.Kind}
		b.lanes(u.Block, len(s.Parallel.Branches), func(i int) Lane {
			branch := s.Parallel.Branches[i]
			return Lane{Name: branch.Name, Steps: b.list(branch.Do, prefix)}
		})
	case dsl.KindSwitch:
		n.What = "the first that holds"
		cases := s.Switch.Cases
		u.Block = &Block{Kind: s.Kind, Open: len(cases) == 0 || cases[len(cases)-1].When != nil}
		b.lanes(u.Block, len(cases), func(i int) Lane {
			c, name := cases[i], "else"
			if c.When != nil {
				name = c.When.Source()
			}
			return Lane{Name: name, Steps: b.list(c.Do, prefix)}
		})
	case dsl.KindForeach:
		n.What = fmt.Sprintf("for each %s in %s", s.Foreach.As, s.Foreach.In.Source())
		if c := s.Foreach.Concurrency; c > 1 {
			n.Notes = append(n.Notes, fmt.Sprintf("%d at a time", c))
		}
		u.Block = &Block{Kind: s.Kind}
		b.lanes(u.Block, 1, func(int) Lane { return Lane{Steps: b.list(s.Foreach.Do, prefix)} })
	case dsl.KindScope:
		u.Block = &Block{Kind: s.Kind}
		b.lanes(u.Block, 1, func(int) Lane { return Lane{Steps: b.list(s.Scope.Do, prefix)} })
	case dsl.KindFail, dsl.KindComplete:
		leaf(n, s)
		b.sides = 0
	default:
		leaf(n, s)
	}
}

// lanes builds the lanes of a block. Each begins where the block does, and the
// block ends where any of them may.
func (b *builder) lanes(block *Block, count int, lane func(i int) Lane) {
	from, to := b.sides, sides(0)
	if block.Open {
		to = from
	}
	for i := range count {
		b.sides = from
		block.Lanes = append(block.Lanes, lane(i))
		to |= b.sides
	}
	b.sides = to
}

func (b *builder) call(u *Unit, c *dsl.Call) {
	n := u.Node
	n.What, n.Effect = c.Activity, c.Effect
	switch c.Effect {
	case dsl.EffectPivot:
		n.Notes = append(n.Notes, "point of no return")
		b.decided()
	case dsl.EffectRetriable:
		n.Notes = append(n.Notes, "retried until it succeeds")
		b.decided()
	}
	if c.Compensate != nil {
		u.Back = backOf(n, c.Compensate.Activity)
	}
}

// decided goes on behind the point of no return.
func (b *builder) decided() {
	if b.sides != 0 {
		b.sides = sideAfter
	}
}

func backOf(n *Node, what string) *Node {
	return &Node{ID: "back_" + n.Path, Shape: ShapeBack, Path: n.Path, Title: "~" + n.Path[strings.LastIndexByte(n.Path, '/')+1:], What: what, Kind: n.Kind}
}

// child draws a saga that is run as a child: its steps, or one node for them all.
func (b *builder) child(u *Unit, p *dsl.Plan) {
	n := u.Node
	n.What = "saga " + p.Saga
	if b.children {
		u.Block = &Block{Kind: dsl.KindSaga}
		from := b.sides
		b.lanes(u.Block, 1, func(int) Lane { return Lane{Steps: b.list(p.Steps, n.Path+"/")} })
		if b.sides == 0 { // complete ends the child alone
			b.sides = from
		}
		if p.Decisive() {
			b.decided()
		}
		return
	}
	if p.Decisive() {
		n.Effect = dsl.EffectPivot
		n.Notes = append(n.Notes, "point of no return")
		b.decided()
	}
	if p.Compensates() {
		u.Back = backOf(n, n.What)
		u.Back.Title += "/…"
	}
}

// leaf says what a step does that calls nobody.
func leaf(n *Node, s *dsl.Step) {
	switch s.Kind {
	case dsl.KindAwait:
		n.What = "await " + s.Await.Signal
		if d := s.Await.Timeout; d != nil {
			n.Notes = append(n.Notes, "at most "+delay(d))
		}
	case dsl.KindSleep:
		if s.Sleep.Until != nil {
			n.What = "sleep until " + s.Sleep.Until.Source()
		} else {
			n.What = "sleep " + delay(s.Sleep.For)
		}
	case dsl.KindSet:
		names := make([]string, len(s.Set))
		for i, a := range s.Set {
			names[i] = a.Name
		}
		n.What = "set " + strings.Join(names, ", ")
	case dsl.KindFail:
		n.What = "fail " + s.Fail.Code
	case dsl.KindComplete:
		n.What = "complete"
	}
}

// delay writes a duration, or how it is computed. Of nil that is empty.
func delay(d *dsl.Delay) string {
	switch {
	case d == nil:
		return ""
	case d.Expr == nil:
		return dsl.FormatDuration(d.Fixed)
	}
	return d.Expr.Words()
}
