package dsl

import (
	"maps"

	"github.com/expr-lang/expr/ast"
)

// Example gives the data of a message that the await takes: an example of its
// schema in which everything stands that its condition asks for with == and &&.
// env is what the condition sees beside event; names that are not in it are not
// known. ok is false if no such message was found.
func (a *Await) Example(env Env) (data any, ok bool) {
	data, ok = a.Schema.Example()
	if a.Where == nil {
		return data, ok
	}
	tree, err := parseExpr(a.Where.source)
	if err != nil {
		return nil, false
	}
	w := wish{env: env, data: data}
	w.fulfil(tree, true)
	inner := maps.Clone(env)
	inner["event"] = w.data
	delete(inner, observerName) // nothing of the saga is evaluated here
	holds, err := a.Where.Bool(inner)
	return w.data, err == nil && holds && a.Schema.Validate(w.data) == nil
}

// wish makes data of which a condition holds.
type wish struct {
	env  Env
	data any
}

func (w *wish) fulfil(n ast.Node, want bool) {
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			w.fulfil(n.Node, !want)
		}
	case *ast.BinaryNode:
		switch {
		case (n.Operator == "and" || n.Operator == "&&") && want, (n.Operator == "or" || n.Operator == "||") && !want:
			w.fulfil(n.Left, want)
			w.fulfil(n.Right, want)
		case n.Operator == "or" || n.Operator == "||":
			w.fulfil(n.Left, want)
		case n.Operator == "==" && want:
			if !w.equal(n.Left, n.Right) {
				w.equal(n.Right, n.Left)
			}
		case n.Operator == "in" && want:
			if list, ok := w.known(n.Right); ok {
				if items, _ := list.([]any); len(items) > 0 {
					w.set(n.Left, items[0])
				}
			}
		}
	default:
		w.set(n, want)
	}
}

// equal gives the field of the message that one side names the value of the other.
func (w *wish) equal(field, other ast.Node) bool {
	value, ok := w.known(other)
	return ok && w.set(field, value)
}

// known evaluates a part of the condition.
func (w *wish) known(n ast.Node) (any, bool) {
	e, _, err := newExpr(n.String())
	if err != nil {
		return nil, false
	}
	value, err := e.eval(w.env)
	return value, err == nil
}

// set puts a value into the message at the path that a node is, if it is one. Where
// the message has a list on the way nothing is set.
func (w *wish) set(n ast.Node, value any) bool {
	p := newPath(n)
	if p == nil || p.root != "event" {
		return false
	}
	if len(p.steps) == 0 {
		w.data = value
		return true
	}
	fields, ok := w.data.(map[string]any)
	if !ok {
		if w.data != nil {
			return false
		}
		fields = map[string]any{}
	}
	fields = maps.Clone(fields)
	w.data = fields
	for i, step := range p.steps {
		if step.isIndex {
			return false
		}
		if i == len(p.steps)-1 {
			fields[step.name] = value
			return true
		}
		inner, _ := fields[step.name].(map[string]any)
		if inner = maps.Clone(inner); inner == nil {
			inner = map[string]any{}
		}
		fields[step.name] = inner
		fields = inner
	}
	return false
}
