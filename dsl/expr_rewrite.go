package dsl

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// rewriter turns a tree as written into the tree that runs. Every operator
// and function that could overflow, panic, read a clock, follow the order of a
// Go map or do unbounded work becomes a call of one of machineFunctions, with
// the budget as its first argument; what remains to the virtual machine are
// literals, reading of fields, ?., ??, &&, ||, ?: and the loops of predicates.
//
// It reports the first thing that expressions may not contain.
type rewriter struct {
	names   map[string]bool // names of the environment
	nesting int             // predicates around the current node
	reduce  []bool          // for each of them: is it reduce
	fault   *fault
}

// fail records a fault at a node. Its result stands for the node.
func (w *rewriter) fail(n ast.Node, mend, format string, args ...any) ast.Node {
	if w.fault == nil {
		w.fault = &fault{
			from: n.Location().From, to: max(n.Location().To, n.Location().From+1),
			reason: fmt.Sprintf(format, args...), mend: mend,
		}
	}
	return &ast.NilNode{}
}

// at gives a new node the place of an old one.
func at[N ast.Node](place file.Location, n N) N {
	n.SetLocation(place)
	return n
}

// call makes a call of a machine function with the budget before its
// arguments.
func call(place file.Location, name string, args ...ast.Node) ast.Node {
	args = append([]ast.Node{&ast.IdentifierNode{Value: budgetName}}, args...)
	return at(place, &ast.CallNode{Callee: at(place, &ast.IdentifierNode{Value: name}), Arguments: args})
}

func (w *rewriter) node(n ast.Node) ast.Node {
	switch n := n.(type) {
	case *ast.NilNode, *ast.BoolNode:
		return n
	case *ast.StringNode:
		if !utf8.ValidString(n.Value) {
			return w.fail(n, `write characters as they are, or as \u with four hexadecimal digits`, "a text is not valid UTF-8")
		}
		return n
	case *ast.IntegerNode:
		if n.Value > MaxInt || n.Value < -MaxInt {
			return w.fail(n, "", "an integer is larger than 2^53-1")
		}
		return n
	case *ast.FloatNode:
		return w.float(n)
	case *ast.IdentifierNode:
		return w.identifier(n)
	case *ast.UnaryNode:
		return w.unary(n)
	case *ast.BinaryNode:
		return w.binary(n)
	case *ast.ChainNode:
		return at(n.Location(), &ast.ChainNode{Node: w.node(n.Node)})
	case *ast.MemberNode:
		return w.member(n)
	case *ast.SliceNode:
		return w.slice(n)
	case *ast.ConditionalNode:
		if !n.Ternary {
			return w.fail(n.Cond, "write condition ? a : b", "if and else are not part of expressions")
		}
		return at(n.Location(), &ast.ConditionalNode{Ternary: true, Cond: w.bool(n.Cond, "the condition before ?"), Exp1: w.node(n.Exp1), Exp2: w.node(n.Exp2)})
	case *ast.ArrayNode:
		return at(n.Location(), &ast.ArrayNode{Nodes: w.list(n.Nodes)})
	case *ast.MapNode:
		return w.mapNode(n)
	case *ast.CallNode:
		return w.call(n)
	case *ast.BuiltinNode:
		return w.function(n, n.Name, n.Arguments)
	case *ast.PointerNode:
		return w.pointer(n)
	default:
		return w.fail(n, rejectedNodes[fmt.Sprintf("%T", n)], "this is not part of expressions")
	}
}

var rejectedNodes = map[string]string{
	"*ast.VariableDeclaratorNode": "name a part of an expression in a set step",
	"*ast.SequenceNode":           "write one expression",
	"*ast.BytesNode":              "write text without b before its quotes",
}

func (w *rewriter) list(nodes []ast.Node) []ast.Node {
	out := make([]ast.Node, len(nodes))
	for i, n := range nodes {
		out[i] = w.node(n)
	}
	return out
}

func (w *rewriter) float(n *ast.FloatNode) ast.Node {
	switch v, err := normalFloat(n.Value); v := v.(type) {
	case int:
		return at(n.Location(), &ast.IntegerNode{Value: v})
	case float64:
		return n
	default:
		return w.fail(n, "", "%v", err)
	}
}

func (w *rewriter) identifier(n *ast.IdentifierNode) ast.Node {
	if n.Value == "$env" {
		return w.fail(n, "name what you read, such as input.amount", "$env is not part of expressions")
	}
	if n.Value == "null" {
		return w.fail(n, "write nil", "null is written nil in expressions")
	}
	w.names[n.Value] = true
	return n
}

// bool rewrites a node that must be a boolean.
func (w *rewriter) bool(n ast.Node, what string) ast.Node {
	switch n := n.(type) {
	case *ast.BoolNode:
		return n
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			return w.node(n)
		}
	case *ast.BinaryNode:
		if yieldsBool[n.Operator] {
			return w.node(n)
		}
	}
	return call(n.Location(), "bool", w.node(n), &ast.StringNode{Value: what})
}

var yieldsBool = map[string]bool{
	"==": true, "!=": true, "<": true, "<=": true, ">": true, ">=": true, "in": true,
	"&&": true, "and": true, "||": true, "or": true,
	"contains": true, "startsWith": true, "endsWith": true, "matches": true,
}

func (w *rewriter) unary(n *ast.UnaryNode) ast.Node {
	switch n.Operator {
	case "!", "not":
		return call(n.Location(), "not", w.node(n.Node))
	case "-":
		switch v := w.node(n.Node).(type) {
		case *ast.IntegerNode:
			return at(n.Location(), &ast.IntegerNode{Value: -v.Value})
		case *ast.FloatNode:
			return at(n.Location(), &ast.FloatNode{Value: -v.Value})
		default:
			return call(n.Location(), "negate", v)
		}
	default:
		return w.fail(n, "leave it out", "a unary %s is not part of expressions", n.Operator)
	}
}

// binaryFunctions are the operators that become calls.
var binaryFunctions = map[string]string{
	"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo",
	"==": "equal", "!=": "unequal", "<": "less", "<=": "lessOrEqual", ">": "more", ">=": "moreOrEqual",
	"in": "in", "contains": "contains", "startsWith": "startsWith", "endsWith": "endsWith", "..": "range",
}

func (w *rewriter) binary(n *ast.BinaryNode) ast.Node {
	binary := func(operator string, left, right ast.Node) ast.Node {
		return at(n.Location(), &ast.BinaryNode{Operator: operator, Left: left, Right: right})
	}
	switch n.Operator {
	case "&&", "and":
		return binary("&&", w.bool(n.Left, "the left side of &&"), w.bool(n.Right, "the right side of &&"))
	case "||", "or":
		return binary("||", w.bool(n.Left, "the left side of ||"), w.bool(n.Right, "the right side of ||"))
	case "??":
		return binary("??", w.node(n.Left), w.node(n.Right))
	case "matches":
		return w.matches(n)
	case "/":
		if isReal(n.Left) || isReal(n.Right) {
			return call(n.Location(), "quotient", w.node(n.Left), w.node(n.Right))
		}
	}
	name, ok := binaryFunctions[n.Operator]
	if !ok {
		return w.fail(n, "use + - * / and %, or compute it in an activity", "the operator %s is not part of expressions", n.Operator)
	}
	return call(n.Location(), name, w.node(n.Left), w.node(n.Right))
}

// isReal reports whether a node says of itself that it is no integer: a call
// of float() or a literal with a fraction. Such an operand asks / for a real
// quotient.
func isReal(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FloatNode:
		return true
	case *ast.BuiltinNode:
		return n.Name == "float"
	case *ast.UnaryNode:
		return n.Operator == "-" && isReal(n.Node)
	default:
		return false
	}
}

// matches takes only literal patterns: they are compiled once, and the engine
// behind them (RE2) is linear in the text.
func (w *rewriter) matches(n *ast.BinaryNode) ast.Node {
	pattern, ok := n.Right.(*ast.StringNode)
	if !ok {
		return w.fail(n.Right, `write the pattern as text, such as x matches "^[A-Z]+$"`, "the pattern of matches is computed")
	}
	re, err := regexp.Compile(pattern.Value)
	if err != nil {
		return w.fail(n.Right, "", "the pattern does not compile: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return call(n.Location(), "matches", w.node(n.Left), &ast.ConstantNode{Value: re})
}

func (w *rewriter) member(n *ast.MemberNode) ast.Node {
	if n.Method {
		return w.fail(n, "functions are written before their argument, such as len(x)", "values have no methods")
	}
	var property ast.Node
	switch p := n.Property.(type) {
	case *ast.StringNode, *ast.IntegerNode:
		property = w.node(p)
	default:
		property = call(n.Location(), "key", w.node(p))
	}
	return at(n.Location(), &ast.MemberNode{Node: w.node(n.Node), Property: property, Optional: n.Optional})
}

func (w *rewriter) slice(n *ast.SliceNode) ast.Node {
	bound := func(b ast.Node) ast.Node {
		if b == nil {
			return &ast.NilNode{}
		}
		return w.node(b)
	}
	return call(n.Location(), "slice", w.node(n.Node), bound(n.From), bound(n.To))
}

func (w *rewriter) mapNode(n *ast.MapNode) ast.Node {
	seen := map[string]bool{}
	out := at(n.Location(), &ast.MapNode{})
	for _, p := range n.Pairs {
		pair := p.(*ast.PairNode)
		var key ast.Node
		if s, ok := pair.Key.(*ast.StringNode); ok {
			if seen[s.Value] {
				return w.fail(pair.Key, "", "the key %q stands twice", s.Value)
			}
			seen[s.Value] = true
			key = w.node(s)
		} else {
			key = call(pair.Key.Location(), "name", w.node(pair.Key))
		}
		out.Pairs = append(out.Pairs, at(pair.Location(), &ast.PairNode{Key: key, Value: w.node(pair.Value)}))
	}
	return out
}

func (w *rewriter) call(n *ast.CallNode) ast.Node {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return w.fail(n, "functions are written before their argument, such as len(x)", "values have no methods")
	}
	return w.function(n, callee.Value, n.Arguments)
}

func (w *rewriter) pointer(n *ast.PointerNode) ast.Node {
	switch {
	case w.nesting == 0:
		return w.fail(n, "", "# stands only inside predicates, such as filter(xs, #.amount > 0)")
	case n.Name == "acc" && !w.reduce[len(w.reduce)-1]:
		return w.fail(n, "", "#acc stands only inside reduce")
	case n.Name != "" && n.Name != "acc" && n.Name != "index":
		return w.fail(n, "write # for the element, #index for its position", "#%s does not exist", n.Name)
	}
	return n
}
