package dsl

import (
	"fmt"

	"github.com/expr-lang/expr/ast"
	exprcompiler "github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// The limits of expressions.
const (
	// MaxExprLength is the longest expression in characters. Longer ones
	// belong into set steps, where each part has a name.
	MaxExprLength = 2048
	// MaxExprNodes bounds the size of the syntax tree.
	MaxExprNodes = 400
	// MaxExprs is the largest number of expressions in one definition: some for
	// each of its steps.
	MaxExprs = 20 * MaxSteps
	// MaxExprNesting bounds predicates inside predicates: each level
	// multiplies the work.
	MaxExprNesting = 3
	// MaxExprWork bounds one evaluation. A unit is about one operation on one
	// value or 64 bytes of text; the whole stays far below the second after
	// which Temporal takes a workflow for deadlocked.
	MaxExprWork = 200_000
	// MaxTextBytes is the longest text an expression may produce; it is below
	// the limit of payloads.
	MaxTextBytes = 1 << 20
	// MaxExprList is the longest list an expression may produce from a range.
	MaxExprList = 10_000
)

// Env gives the names of an expression their values, which are JSON data: nil,
// bool, int, float64, string, []any and map[string]any, as ParseJSON returns
// it. Evaluation does not change it.
type Env map[string]any

// Expr is a compiled expression. It is immutable and safe for concurrent use.
//
// What it gives depends only on its source and the environment, never on
// schemas or manifests: those matter to Compile alone.
type Expr struct {
	source  string
	path    *path // not nil: a plain path, walked without the virtual machine
	program *vm.Program
	names   []string // the names of the environment that it reads

	literal   any // the value, if isLiteral
	isLiteral bool
}

// Source returns the text of the expression without ${{ }}.
func (e *Expr) Source() string { return e.source }

// EvalError says why an expression has no value. It names operations and
// types, not the data: data may be sensitive.
type EvalError struct {
	Expr     string // source of the expression
	From, To int    // the part that failed, in characters from 0, To exclusive
	Reason   string // what went wrong
	Mend     string // what to write instead; may be empty
}

// Error returns the reason with the expression and, if there is one, the mend.
func (e *EvalError) Error() string {
	s := e.Reason
	if e.Expr != "" {
		s = fmt.Sprintf("%s in %q", s, e.Expr)
	}
	if e.Mend != "" {
		s += "; " + e.Mend
	}
	return s
}

// Eval evaluates the expression. The result is JSON data that may share parts
// with env; it is not to be changed. A failure is an *EvalError.
func (e *Expr) Eval(env Env) (any, error) {
	v, err := e.eval(env)
	if tell := env.observer(); tell != nil {
		tell(Evaluation{Expr: e, Value: v, Err: err})
	}
	return v, err
}

func (e *Expr) eval(env Env) (any, error) {
	switch {
	case e.isLiteral:
		return e.literal, nil
	case e.path != nil:
		v, f := e.path.walk(env)
		if f != nil {
			return nil, f.in(e.source)
		}
		return v, nil
	default:
		return e.run(env)
	}
}

// Bool evaluates a condition. A result that is not a boolean is an
// *EvalError.
func (e *Expr) Bool(env Env) (bool, error) {
	v, err := e.Eval(env)
	if err != nil {
		return false, err
	}
	if b, ok := v.(bool); ok {
		return b, nil
	}
	return false, (&fault{reason: "the condition is " + describe(v) + ", not a boolean", mend: mendBool(v)}).in(e.source)
}

// fault is a failure inside an expression before it is known which one.
type fault struct {
	from, to int
	reason   string
	mend     string
	// unfinished says that the text ended before the expression did.
	unfinished bool
}

func (f *fault) Error() string { return f.reason }

func (f *fault) in(source string) *EvalError {
	return &EvalError{Expr: source, From: f.from, To: f.to, Reason: f.reason, Mend: f.mend}
}

// newExpr compiles an expression. The tree it returns is as written, for the
// checks; a failure is a *fault.
func newExpr(source string) (_ *Expr, tree ast.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &fault{reason: fmt.Sprintf("the expression cannot be compiled: %v", r)}
		}
	}()
	tree, err = parseExpr(source)
	if err != nil {
		return nil, nil, err
	}
	e := &Expr{source: source}
	w := rewriter{names: map[string]bool{}}
	rewritten := w.node(tree)
	if w.fault != nil {
		return nil, tree, w.fault
	}
	e.names = canonicalKeys(w.names)
	if e.literal, e.isLiteral = literal(rewritten); e.isLiteral {
		return e, tree, nil
	}
	if e.path = newPath(tree); e.path != nil {
		return e, tree, nil
	}
	e.program, err = assemble(source, rewritten)
	return e, tree, err
}

// parseExpr parses an expression within the limits.
func parseExpr(source string) (ast.Node, error) {
	switch n := len([]rune(source)); {
	case n == 0:
		return nil, &fault{reason: "the expression is empty", mend: "write one, such as input.amount", unfinished: true}
	case n > MaxExprLength:
		return nil, &fault{to: n, reason: fmt.Sprintf("the expression has %d characters; the limit is %d", n, MaxExprLength),
			mend: "name its parts in set steps"}
	}
	if f := checkTokens(source); f != nil {
		return nil, f
	}
	config := newConfig()
	config.MaxNodes = MaxExprNodes
	tree, err := parser.ParseWithConfig(source, config)
	if err != nil {
		return nil, syntaxFault(source, err)
	}
	root := tree.Node
	ast.Walk(&root, chainJoiner{})
	return root, nil
}

// plainConfig is the configuration of the library, whose tables are as large as
// its list of functions. They are only read.
var plainConfig = conf.CreateNew()

// newConfig gives a configuration that shares the tables: one is needed for
// each expression.
func newConfig() *conf.Config {
	return &conf.Config{
		Optimize: plainConfig.Optimize, ShortCircuit: plainConfig.ShortCircuit, MaxNodes: plainConfig.MaxNodes,
		ConstFns: plainConfig.ConstFns, Functions: plainConfig.Functions, Builtins: plainConfig.Builtins, Disabled: plainConfig.Disabled,
	}
}

// chainJoiner makes an index part of the chain before it, as a field is: when
// a is null, a?.list[0].x is null. expr ends the chain at the bracket.
type chainJoiner struct{}

func (chainJoiner) Visit(n *ast.Node) {
	switch node := (*n).(type) {
	case *ast.ChainNode:
		if inner, ok := node.Node.(*ast.ChainNode); ok {
			*n = inner
		}
	case *ast.MemberNode:
		if chain, ok := node.Node.(*ast.ChainNode); ok {
			node.Node = chain.Node
			joined := &ast.ChainNode{Node: node}
			joined.SetLocation(node.Location())
			*n = joined
		}
	}
}

// assemble compiles a rewritten tree for the virtual machine, against an
// environment that knows no types.
func assemble(source string, root ast.Node) (*vm.Program, error) {
	config := newConfig()
	config.WithEnv(map[string]any{})
	config.Optimize = false
	config.Functions = machineFunctions
	program, err := exprcompiler.Compile(&parser.Tree{Node: root, Source: file.NewSource(source)}, config)
	if err != nil {
		return nil, &fault{reason: "the expression cannot be compiled: " + err.Error()}
	}
	return program, nil
}

// literal returns the value of a tree that is one literal.
func literal(n ast.Node) (any, bool) {
	switch n := n.(type) {
	case *ast.NilNode:
		return nil, true
	case *ast.BoolNode:
		return n.Value, true
	case *ast.IntegerNode:
		return n.Value, true
	case *ast.FloatNode:
		return n.Value, true
	case *ast.StringNode:
		return n.Value, true
	default:
		return nil, false
	}
}
