package dsl

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// maxTraces bounds how far a value is followed back: through variables, outputs
// and predicates.
const maxTraces = 2000

// tracer finds out which sensitive values an expression hands on: those of the
// input that the definition names, and those of outputs that manifests name. It
// follows values through variables, foreach and the outputs of steps. What only
// depends on a value, such as a comparison or a length, is not the value.
type tracer struct {
	c     *compiler
	left  int
	found []string // what they are called in messages, each once
}

// sensitiveIn gives the sensitive values that an expression of a step hands on.
func (c *compiler) sensitiveIn(e *Expr, s *Step) []string {
	use := c.uses[e]
	if use == nil || use.tree == nil {
		return nil
	}
	t := &tracer{c: c, left: maxTraces}
	t.node(use.tree, tracePlace{step: s}, nil)
	return t.found
}

// tracePlace is where an expression stands: its step, and what # stands for in
// predicates, innermost last.
type tracePlace struct {
	step  *Step
	loops []ast.Node
}

func (t *tracer) add(what string) {
	if !slices.Contains(t.found, what) {
		t.found = append(t.found, what)
	}
}

// node takes note of what the part of a node's value at a path hands on. An
// element of a list has the name "*".
func (t *tracer) node(n ast.Node, at tracePlace, path dataPath) {
	if t.left--; t.left < 0 || n == nil {
		return
	}
	switch n := n.(type) {
	case *ast.IdentifierNode:
		t.name(n.Value, at, path)
	case *ast.ChainNode:
		t.node(n.Node, at, path)
	case *ast.MemberNode:
		t.member(n, at, path)
	case *ast.SliceNode:
		t.node(n.Node, at, path)
	case *ast.PointerNode:
		if len(at.loops) > 0 && n.Name == "" {
			last := len(at.loops) - 1
			t.node(at.loops[last], tracePlace{at.step, at.loops[:last]}, prefixed("*", path))
		}
	case *ast.PredicateNode:
		t.node(n.Node, at, path)
	case *ast.ConditionalNode:
		t.node(n.Exp1, at, path)
		t.node(n.Exp2, at, path)
	case *ast.ArrayNode:
		for _, item := range n.Nodes {
			t.node(item, at, path.tail())
		}
	case *ast.MapNode:
		t.mapNode(n, at, path)
	case *ast.UnaryNode:
		t.node(n.Node, at, nil)
	case *ast.BinaryNode:
		t.binary(n, at, path)
	case *ast.BuiltinNode:
		t.function(n.Name, n.Arguments, at, path)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			t.function(callee.Value, n.Arguments, at, path)
		}
	}
}

func prefixed(name string, path dataPath) dataPath { return append(dataPath{name}, path...) }

// tail is the path inside the first part.
func (p dataPath) tail() dataPath { return p[min(1, len(p)):] }

// matches reports whether a field may be what the first part of the path names.
func (p dataPath) matches(field string) bool {
	return len(p) == 0 || p[0] == field || p[0] == "*"
}

func (t *tracer) member(n *ast.MemberNode, at tracePlace, path dataPath) {
	property, isName := n.Property.(*ast.StringNode)
	if id, ok := n.Node.(*ast.IdentifierNode); ok && isName {
		switch id.Value {
		case "steps":
			t.output(t.c.steps[property.Value], path.tail()) // without the name output
			return
		case "vars":
			t.variable(property.Value, path)
			return
		}
	}
	part := "*"
	if isName {
		part = property.Value
	}
	t.node(n.Node, at, prefixed(part, path))
}

func (t *tracer) mapNode(n *ast.MapNode, at tracePlace, path dataPath) {
	for _, p := range n.Pairs {
		pair, ok := p.(*ast.PairNode)
		if !ok {
			continue
		}
		if name, ok := pair.Key.(*ast.StringNode); !ok || path.matches(name.Value) {
			t.node(pair.Value, at, path.tail())
		}
	}
}

func (t *tracer) binary(n *ast.BinaryNode, at tracePlace, path dataPath) {
	switch n.Operator {
	case "??", "+", "-", "*", "/", "%":
		t.node(n.Left, at, path)
		t.node(n.Right, at, path)
	}
}

// tells are the functions that only tell something of their argument.
var tells = []string{"len", "all", "any", "none", "one", "count", "findIndex", "findLastIndex", "indexOf", "type", "keys"}

func (t *tracer) function(name string, args []ast.Node, at tracePlace, path dataPath) {
	if slices.Contains(tells, name) || len(args) == 0 {
		return
	}
	f := functionByName[name]
	switch {
	case f == nil:
	case name == "map" && len(args) == 2:
		t.node(args[1], t.inside(at, args[0]), path.tail())
	case (name == "sum" || name == "reduce") && len(args) > 1:
		for _, a := range args[1:] {
			t.node(a, t.inside(at, args[0]), nil)
		}
	case f.predicate == predicateTest && name != "filter": // find, findLast
		t.node(args[0], at, prefixed("*", path))
	case name == "first" || name == "last":
		t.node(args[0], at, prefixed("*", path))
	case slices.Contains([]string{"filter", "sortBy", "sort", "reverse", "uniq", "take"}, name):
		t.node(args[0], at, path)
	case name == "concat":
		for _, a := range args {
			t.node(a, at, path)
		}
	default: // what becomes of the parts is not known
		for _, a := range args {
			t.node(a, at, nil)
		}
	}
}

func (t *tracer) inside(at tracePlace, list ast.Node) tracePlace {
	return tracePlace{at.step, append(at.loops[:len(at.loops):len(at.loops)], list)}
}

// name takes note of what a name hands on.
func (t *tracer) name(name string, at tracePlace, path dataPath) {
	switch name {
	case "input":
		t.input(path)
		return
	case "self":
		t.self(at, path)
		return
	}
	for f := t.c.foreachOf[at.step]; f != nil; f = t.c.foreachOf[f] {
		if use := t.c.uses[f.Foreach.In]; f.Foreach.As == name && use != nil {
			t.node(use.tree, tracePlace{step: f}, prefixed("*", path))
			return
		}
	}
}

func (t *tracer) input(path dataPath) {
	for _, text := range t.c.plan.Sensitive {
		if sensitive, err := parseDataPath(text); err == nil && path.overlaps(sensitive) {
			t.add(text)
		}
	}
}

// self is the step whose compensation or probe reads it.
func (t *tracer) self(at tracePlace, path dataPath) {
	if at.step == nil || at.step.Call == nil {
		return
	}
	if path.matches("output") {
		t.output(at.step, path.tail())
	}
	if path.matches("input") {
		t.value(at.step.Call.With, at, path.tail())
	}
}

// variable takes note of what any step sets a variable to.
func (t *tracer) variable(name string, path dataPath) {
	everyStep(t.c.plan.Steps, func(s *Step) {
		for _, a := range s.Set {
			if a.Name == name {
				t.value(a.Value, tracePlace{step: s}, path)
			}
		}
	})
}

// value takes note of what a value of the definition hands on.
func (t *tracer) value(v *Value, at tracePlace, path dataPath) {
	if v == nil {
		return
	}
	for _, f := range v.fields {
		if path.matches(f.name) {
			t.value(f.value, at, path.tail())
		}
	}
	for _, item := range v.list {
		t.value(item, at, path.tail())
	}
	for _, p := range v.parts {
		if use := t.c.uses[p.expr]; use != nil {
			t.node(use.tree, at, nil)
		}
	}
	if use := t.c.uses[v.expr]; v.expr != nil && use != nil {
		t.node(use.tree, at, path)
	}
}

// output takes note of what the output of a step hands on: of an activity what
// its manifest names, of a block what the steps inside give.
func (t *tracer) output(s *Step, path dataPath) {
	if t.left--; t.left < 0 || s == nil {
		return
	}
	if s.Kind == KindCall {
		t.activityOutput(s, path)
		return
	}
	inner := path
	if s.Kind == KindForeach || s.Kind == KindParallel {
		inner = path.tail() // without the number of the item or the name of the branch
	}
	for i, list := range s.bodies() {
		if s.Kind == KindParallel && !path.matches(s.Parallel.Branches[i].Name) {
			continue
		}
		for _, child := range list {
			t.output(child, inner)
		}
	}
	for _, clause := range s.Catch {
		for _, child := range clause.Do {
			t.output(child, path)
		}
	}
}

func (t *tracer) activityOutput(s *Step, path dataPath) {
	a := t.c.catalog[s.Call.Activity]
	if a == nil {
		return
	}
	for _, text := range a.manifest.SensitiveOutput {
		if path.overlaps(manifestPath(text)) {
			t.add("steps." + s.ID + ".output." + text)
		}
	}
}
