package dsl

import (
	"fmt"

	"github.com/expr-lang/expr/ast"
)

// MaxSearchText is the longest text of a search attribute in bytes: SQL
// visibility stores keywords in columns of this width.
const MaxSearchText = 255

// checkSearch checks the values of search attributes against their declared
// types.
func (c *compiler) checkSearch(n *names) {
	for _, s := range c.plan.Search {
		t := c.inferValue(s.Value, n)
		declared := c.opts.SearchAttributes[s.Name]
		place := c.at[s.Value]
		if want, ok := searchTypes[declared]; ok && !c.canon && t.kind != typeNull {
			if m := mismatch(t, want); m != "" {
				c.errorNode(place, CodeSearch, fmt.Sprintf("%s is declared as %s, and its value %s", s.Name, declared, m), "")
			}
		} else if t.kind == typeList || t.kind == typeMap {
			c.errorNode(place, CodeSearch, fmt.Sprintf("the value of %s is %s", s.Name, t), "it is text, an integer, a boolean or an instant")
		}
		if text, ok := s.Value.constant.(string); ok && len(text) > MaxSearchText {
			c.errorNode(place, CodeSearch, fmt.Sprintf("the value of %s has %d bytes", s.Name, len(text)), fmt.Sprintf("at most %d are possible", MaxSearchText))
		}
		s.Value.exprs(func(e *Expr) { c.checkExposure(e, "the search attribute "+s.Name) })
	}
}

var searchTypes = map[SearchType]*typ{
	SearchKeyword: textType,
	SearchInt:     intType,
	SearchBool:    boolType,
	SearchInstant: textType,
}

// checkSensitivePaths reports sensitive paths that the input's schema does not
// have.
func (c *compiler) checkSensitivePaths(input *typ) {
	list := c.at[c.plan].get("sensitive")
	for i, s := range c.plan.Sensitive {
		path, err := parseDataPath(s)
		if err != nil {
			continue
		}
		t := input
		for _, part := range path {
			if part == "*" {
				if t.kind != typeAny && t.kind != typeList {
					c.errorNode(list.items[i], CodeSensitive, fmt.Sprintf("the path %s takes elements of %s", s, t.present()), "only lists have elements")
				}
				t = t.element()
				continue
			}
			next, problem, known := t.present().read(part)
			if problem != "" {
				c.errorNode(list.items[i], CodeSensitive, fmt.Sprintf("the path %s does not exist: %s", s, problem), didYouMean(part, known, "the schema of the input says what exists"))
				break
			}
			t = next
		}
	}
}

func (t *typ) element() *typ {
	if t.kind == typeList && t.elem != nil {
		return t.elem
	}
	return anyType
}

// read returns the type of a field, or why there is none.
func (t *typ) read(name string) (_ *typ, problem string, known []string) {
	switch t.kind {
	case typeAny:
		return anyType, "", nil
	case typeMap:
		if f, ok := t.field(name); ok {
			return f, "", nil
		}
		return anyType, "there is no field " + name, canonicalKeys(t.fields)
	default:
		return anyType, fmt.Sprintf("the field %s is read from %s", name, t), nil
	}
}

// checkExposure reports an expression that reads a sensitive value where
// everybody can see the result.
func (c *compiler) checkExposure(e *Expr, where string) {
	use := c.uses[e]
	if use == nil || use.tree == nil || len(c.plan.Sensitive) == 0 {
		return
	}
	inputPaths(use.tree, func(path dataPath, n ast.Node) {
		for _, s := range c.plan.Sensitive {
			sensitive, err := parseDataPath(s)
			if err == nil && path.overlaps(sensitive) {
				l := n.Location()
				c.errorAt(c.exprSpan(use, l.From, l.To), CodeSensitive, fmt.Sprintf("%s shows %s, which is sensitive", where, s),
					"such values are stored and shown in the clear; use another one")
				return
			}
		}
	})
}

// overlaps reports whether one path leads to, or through, the other. An element
// of a list, or a field whose name is computed, may be any.
func (p dataPath) overlaps(other dataPath) bool {
	for i := range min(len(p), len(other)) {
		if p[i] != other[i] && p[i] != "*" && other[i] != "*" {
			return false
		}
	}
	return true
}

// inputPaths calls f for everything an expression reads from the input, with
// the node of its last part.
func inputPaths(n ast.Node, f func(dataPath, ast.Node)) {
	v := &inputVisitor{f: f, inner: map[ast.Node]bool{}}
	v.collect(n)
}

type inputVisitor struct {
	f     func(dataPath, ast.Node)
	inner map[ast.Node]bool // nodes that are part of a longer path
	all   []ast.Node
}

func (v *inputVisitor) Visit(n *ast.Node) { v.all = append(v.all, *n) }

func (v *inputVisitor) collect(root ast.Node) {
	ast.Walk(&root, v)
	for _, n := range v.all {
		switch n := n.(type) {
		case *ast.MemberNode:
			v.inner[n.Node] = true
		case *ast.ChainNode:
			v.inner[n] = true
		}
	}
	for _, n := range v.all {
		if v.inner[n] {
			continue
		}
		if path, ok := inputPath(n); ok {
			v.f(path, n)
		}
	}
}

// inputPath returns the path of a node that reads from the input.
func inputPath(n ast.Node) (dataPath, bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return dataPath{}, n.Value == "input"
	case *ast.ChainNode:
		return inputPath(n.Node)
	case *ast.MemberNode:
		path, ok := inputPath(n.Node)
		if !ok {
			return nil, false
		}
		if name, isName := n.Property.(*ast.StringNode); isName {
			return append(path, name.Value), true
		}
		return append(path, "*"), true
	default:
		return nil, false
	}
}
