package dsl

import (
	"fmt"

	"github.com/expr-lang/expr/ast"
)

// names is what the expressions at one place see.
type names struct {
	flow *flow           // nil: steps and variables are not visible
	vars map[string]*typ // the other names
	step *Step           // the step that the expression belongs to; nil: none
}

// with returns the names with one more.
func (n *names) with(name string, t *typ) *names {
	inner := *n
	inner.vars = with(n.vars, name, t)
	return &inner
}

// elsewhere says where the names exist that are not visible everywhere.
var elsewhere = map[string]string{
	"self":  "self exists only in the with of compensate and probe",
	"error": "error exists only in the handler of a catch",
	"event": "event exists only in where of await",
	"steps": "nothing has run yet when this is evaluated",
	"vars":  "nothing has run yet when this is evaluated",
	"saga":  "the saga has no identity yet when its key is evaluated",
}

// inference derives the type of one expression and reports what cannot work.
type inference struct {
	c      *compiler
	use    *exprUse
	names  *names
	loops  []*typ // element types of the predicates around
	floats bool   // arithmetic on floats was reported
}

// infer checks an expression and returns its type.
func (c *compiler) infer(e *Expr, n *names) *typ {
	use := c.uses[e]
	if use == nil || use.tree == nil {
		return anyType
	}
	in := &inference{c: c, use: use, names: n}
	t := in.whole(use.tree)
	c.types[e] = t
	return t
}

// someDefault is a default of the type, as it is written.
func (t *typ) someDefault() string {
	switch t.kind {
	case typeText:
		return `""`
	case typeBool:
		return "false"
	case typeList:
		return "[]"
	case typeMap:
		return "{}"
	}
	return "0"
}

// whole infers the value of a node that must be there.
func (in *inference) whole(n ast.Node) *typ {
	t := in.node(n)
	if a := t.absent; a != nil {
		if a.deflt {
			in.errorAt(a.from, a.to, CodeMaybeAbsent, a.what, "give a default, such as ?? "+t.someDefault())
		}
		return t.withAbsence(nil)
	}
	return t
}

func (in *inference) errorAt(from, to int, code, summary, detail string) {
	in.c.errorAt(in.c.exprSpan(in.use, from, to), code, summary, detail)
}

func (in *inference) error(n ast.Node, code, detail, format string, args ...any) *typ {
	l := n.Location()
	in.errorAt(l.From, l.To, code, fmt.Sprintf(format, args...), detail)
	return anyType
}

// node infers any node.
func (in *inference) node(n ast.Node) *typ {
	t := in.kind(n)
	if l := n.Location(); in.c.seen != nil {
		in.c.seen.types = append(in.c.seen.types, typedRange{rangeOf(in.c.exprSpan(in.use, l.From, l.To)), t.String()})
	}
	return t
}

func (in *inference) kind(n ast.Node) *typ {
	switch n := n.(type) {
	case *ast.NilNode:
		return nullType
	case *ast.BoolNode:
		return boolType
	case *ast.IntegerNode:
		return intType
	case *ast.FloatNode:
		return numType
	case *ast.StringNode:
		return textType
	case *ast.IdentifierNode:
		return in.identifier(n)
	case *ast.UnaryNode:
		return in.unary(n)
	case *ast.BinaryNode:
		return in.binary(n)
	case *ast.ChainNode:
		return in.node(n.Node)
	case *ast.MemberNode:
		return in.member(n)
	case *ast.SliceNode:
		return in.slice(n)
	case *ast.ConditionalNode:
		in.bool(n.Cond, "the condition before ?")
		return either(in.node(n.Exp1), in.node(n.Exp2))
	case *ast.ArrayNode:
		return in.array(n)
	case *ast.MapNode:
		return in.mapNode(n)
	case *ast.CallNode:
		name := n.Callee.(*ast.IdentifierNode).Value
		return in.function(n, name, n.Arguments)
	case *ast.BuiltinNode:
		return in.function(n, n.Name, n.Arguments)
	case *ast.PredicateNode:
		return in.whole(n.Node)
	case *ast.PointerNode:
		return in.pointer(n)
	default:
		return anyType
	}
}

func (in *inference) identifier(n *ast.IdentifierNode) *typ {
	switch {
	case in.names.flow != nil && n.Value == "steps":
		return in.error(n, CodeUnknownStep, "name one step, such as steps.quote.output", "steps stands alone")
	case in.names.flow != nil && n.Value == "vars":
		return in.error(n, CodeVariable, "name one variable, such as vars.total", "vars stands alone")
	}
	if t, ok := in.names.vars[n.Value]; ok {
		return t
	}
	visible := canonicalKeys(in.names.vars)
	if in.names.flow != nil {
		visible = append(visible, "steps", "vars")
	}
	detail, known := elsewhere[n.Value]
	if !known {
		detail = didYouMean(n.Value, visible, "the names here are "+orList(visible))
	}
	return in.error(n, CodeUnknownName, detail, "there is no name %s here", n.Value)
}

func (in *inference) pointer(n *ast.PointerNode) *typ {
	switch {
	case n.Name == "index":
		return intType
	case n.Name == "acc" || len(in.loops) == 0:
		return anyType
	default:
		return in.loops[len(in.loops)-1]
	}
}

func (in *inference) array(n *ast.ArrayNode) *typ {
	t := &typ{kind: typeList}
	for i, item := range n.Nodes {
		it := in.whole(item)
		if i == 0 {
			t.elem = it
		} else {
			t.elem = either(t.elem, it)
		}
	}
	return t
}

func (in *inference) mapNode(n *ast.MapNode) *typ {
	t := &typ{kind: typeMap, fields: map[string]*typ{}, required: map[string]bool{}, closed: true}
	for _, p := range n.Pairs {
		pair := p.(*ast.PairNode)
		v := in.whole(pair.Value)
		if name, ok := pair.Key.(*ast.StringNode); ok {
			t.fields[name.Value], t.required[name.Value] = v, true
		} else {
			in.whole(pair.Key)
			t.closed = false
		}
	}
	return t
}

func (in *inference) slice(n *ast.SliceNode) *typ {
	t := in.whole(n.Node)
	for _, bound := range []ast.Node{n.From, n.To} {
		if bound != nil {
			in.expect(bound, typeInt, "a bound of [:]")
		}
	}
	if t.kind != typeAny && t.kind != typeList && t.kind != typeText {
		return in.error(n, CodeType, "", "[:] is used on %s, not on a list or text", t)
	}
	return t.present()
}

// expect infers a node that must be of a kind.
func (in *inference) expect(n ast.Node, kind typeKind, what string) *typ {
	t := in.whole(n)
	want := &typ{kind: kind}
	if m := mismatch(t, want); m != "" {
		in.error(n, CodeType, "", "%s %s", what, m)
	}
	return t
}

// bool infers a condition.
func (in *inference) bool(n ast.Node, what string) {
	t := in.whole(n)
	if t.kind != typeAny && t.kind != typeBool {
		in.error(n, CodeType, "compare it with something", "%s is %s, not a boolean", what, t)
	}
}

// member infers reading a field or an element.
func (in *inference) member(n *ast.MemberNode) *typ {
	property, isName := n.Property.(*ast.StringNode)
	if id, ok := n.Node.(*ast.IdentifierNode); ok && in.names.flow != nil && (id.Value == "steps" || id.Value == "vars") {
		if !isName {
			in.whole(n.Property)
			return in.error(n, CodeUnknownStep, "write it out, such as "+id.Value+".x", "the name after %s is computed", id.Value)
		}
		if id.Value == "steps" {
			return in.stepRef(property)
		}
		return in.variable(property)
	}
	of := in.node(n.Node)
	if a := of.absent; a != nil && !n.Optional && !optionalBefore(n.Node) {
		from, to := a.from, a.to
		if to == 0 {
			from, to = n.Node.Location().From, n.Node.Location().To
		}
		in.errorAt(from, to, CodeMaybeAbsent, a.what, in.mendAbsent(n))
		return in.read(n, of.present()).withAbsence(nil)
	}
	t := in.read(n, of)
	absent := t.absent
	if absent == nil {
		absent = of.absent
	}
	if absent != nil || n.Optional || of.null && optionalBefore(n.Node) {
		return t.orNull().withAbsence(absent)
	}
	return t
}

// read infers what reading from a type gives.
func (in *inference) read(n *ast.MemberNode, of *typ) *typ {
	if name, ok := n.Property.(*ast.StringNode); ok {
		return in.field(name, of)
	}
	in.whole(n.Property)
	return in.element(n, of)
}

// optionalBefore reports whether the chain that a node is part of ends before
// it is read if something in it is null.
func optionalBefore(n ast.Node) bool {
	for {
		m, ok := n.(*ast.MemberNode)
		if !ok {
			return false
		}
		if m.Optional && !isStepRoot(m) {
			return true
		}
		n = m.Node
	}
}

// isStepRoot reports whether a node is the .output after a step: ?. before
// output says that the step may not have run, not that its output may be null.
func isStepRoot(m *ast.MemberNode) bool {
	inner, ok := m.Node.(*ast.MemberNode)
	if !ok {
		return false
	}
	id, ok := inner.Node.(*ast.IdentifierNode)
	return ok && id.Value == "steps"
}

func (in *inference) mendAbsent(n *ast.MemberNode) string {
	if p, ok := n.Property.(*ast.StringNode); ok {
		return fmt.Sprintf("read it as ?.%s, with a default after ??", p.Value)
	}
	return "read it with ?. and a default after ??"
}

// field infers a named field.
func (in *inference) field(name *ast.StringNode, of *typ) *typ {
	switch of.kind {
	case typeAny:
		return anyType
	case typeMap:
		t, ok := of.field(name.Value)
		if ok {
			return t
		}
		known := canonicalKeys(of.fields)
		otherwise := "it has no fields"
		if len(known) > 0 {
			otherwise = "it has " + orList(known)
		}
		return in.error(name, CodeUnknownField, didYouMean(name.Value, known, otherwise), "there is no field %s", name.Value)
	case typeNull:
		return in.error(name, CodeType, "it is always null", "the field %s is read from null", name.Value)
	default:
		return in.error(name, CodeType, "only maps have fields", "the field %s is read from %s", name.Value, of.present())
	}
}

// element infers an element of a list or a computed field.
func (in *inference) element(n *ast.MemberNode, of *typ) *typ {
	switch of.kind {
	case typeList:
		if of.elem != nil {
			return of.elem
		}
		return anyType
	case typeAny, typeMap:
		return anyType
	default:
		return in.error(n, CodeType, "only lists and maps have elements", "an element is read from %s", of.present())
	}
}
