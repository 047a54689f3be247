package dsl

import (
	"fmt"
	"strconv"

	"github.com/expr-lang/expr/ast"
)

// path is an expression that only reads fields and elements, such as
// steps.quote.output?.quoteId or input.items[0]. Most expressions are, and
// walking one is some ten times faster than running a program.
type path struct {
	root  string
	steps []pathStep
}

// pathStep reads one field or element.
type pathStep struct {
	name     string // the field, unless isIndex
	index    int
	isIndex  bool
	optional bool // ?.: of null, the whole path is null
	from, to int  // place of the token in the source
}

// newPath returns the path that a tree is, or nil if it is anything else.
func newPath(n ast.Node) *path {
	var p path
	if !p.add(n) {
		return nil
	}
	return &p
}

// add appends what n reads. Where a chain of ?. ends does not matter:
// chainJoiner has made it the end of the path.
func (p *path) add(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		p.root = n.Value
		return n.Value != "$env"
	case *ast.ChainNode:
		return p.add(n.Node)
	case *ast.MemberNode:
		if n.Method || !p.add(n.Node) {
			return false
		}
		s := pathStep{optional: n.Optional, from: n.Location().From, to: n.Location().To}
		switch property := n.Property.(type) {
		case *ast.StringNode:
			s.name = property.Value
		case *ast.IntegerNode:
			s.index, s.isIndex = property.Value, true
		case *ast.UnaryNode:
			n, ok := property.Node.(*ast.IntegerNode)
			if !ok || property.Operator != "-" {
				return false
			}
			s.index, s.isIndex = -n.Value, true
		default:
			return false
		}
		p.steps = append(p.steps, s)
		return true
	default:
		return false
	}
}

// walk reads the path. It does what the virtual machine would do.
func (p *path) walk(env Env) (any, *fault) {
	v := env[p.root]
	for i := range p.steps {
		s := &p.steps[i]
		if m, ok := v.(map[string]any); ok && !s.isIndex {
			v = m[s.name]
			continue
		}
		if v == nil && s.optional {
			return nil, nil
		}
		var f *fault
		if v, f = s.element(v); f != nil {
			f.from, f.to = s.from, max(s.to, s.from+1)
			return nil, f
		}
	}
	return v, nil
}

// element reads what is not a field of a map.
func (s *pathStep) element(v any) (any, *fault) {
	list, ok := v.([]any)
	if !ok || !s.isIndex {
		if ok {
			return nil, &fault{reason: "a list is read with text as its index"}
		}
		return nil, fetchFault(s.String(), describe(v))
	}
	i := s.index
	if i < 0 {
		i += len(list)
	}
	if i < 0 || i >= len(list) {
		return nil, &fault{reason: fmt.Sprintf("index %d is outside a list of %d", i, len(list))}
	}
	return list[i], nil
}

func (s *pathStep) String() string {
	if s.isIndex {
		return strconv.Itoa(s.index)
	}
	return s.name
}
