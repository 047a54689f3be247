package dsl

import "github.com/expr-lang/expr/ast"

func (in *inference) unary(n *ast.UnaryNode) *typ {
	if n.Operator == "-" {
		t := in.whole(n.Node)
		if t.kind != typeAny && !t.isNumber() {
			return in.error(n, CodeType, "", "- is used on %s", t)
		}
		return t.present()
	}
	in.bool(n.Node, "the operand of !")
	return boolType
}

func (in *inference) binary(n *ast.BinaryNode) *typ {
	switch n.Operator {
	case "&&", "and", "||", "or":
		in.bool(n.Left, "the left side of "+n.Operator)
		in.bool(n.Right, "the right side of "+n.Operator)
		return boolType
	case "??":
		left, right := in.node(n.Left), in.node(n.Right)
		if left.kind == typeNull {
			return right
		}
		return either(left.present(), right)
	case "==", "!=":
		in.equality(n, in.node(n.Left).withAbsence(nil), in.node(n.Right).withAbsence(nil))
		return boolType
	case "in":
		return in.membership(n)
	case "contains", "startsWith", "endsWith", "matches":
		in.expect(n.Left, typeText, "the left side of "+n.Operator)
		in.expect(n.Right, typeText, "the right side of "+n.Operator)
		return boolType
	case "..":
		in.expect(n.Left, typeInt, "the left side of ..")
		in.expect(n.Right, typeInt, "the right side of ..")
		return &typ{kind: typeList, elem: intType}
	}
	left, right := in.whole(n.Left), in.whole(n.Right)
	switch n.Operator {
	case "<", "<=", ">", ">=":
		if !mayCompare(left, right) {
			in.error(n, CodeType, "compare two numbers or two texts", "%s is used on %s and %s", n.Operator, left.present(), right.present())
		}
		return boolType
	case "+":
		if left.kind == typeText && right.kind == typeText {
			return textType
		}
		if left.kind == typeText || right.kind == typeText {
			if left.kind == typeAny || right.kind == typeAny {
				return textType
			}
			return in.error(n, CodeType, "convert both to text with string(), or write text with ${{ }} inside", "+ is used on %s and %s", left.present(), right.present())
		}
	}
	return in.arithmetic(n, left, right)
}

// equality reports comparisons that never hold. Comparing with null is always
// allowed.
func (in *inference) equality(n *ast.BinaryNode, left, right *typ) {
	l, r := left.present(), right.present()
	if l.kind == typeNull || r.kind == typeNull || l.kind == typeAny || r.kind == typeAny || l.kind == r.kind || l.isNumber() && r.isNumber() {
		return
	}
	in.error(n, CodeType, "values of different types are never equal", "%s compares %s and %s", n.Operator, l, r)
}

func mayCompare(a, b *typ) bool {
	switch {
	case a.kind == typeAny:
		return b.kind == typeAny || b.isNumber() || b.kind == typeText
	case b.kind == typeAny:
		return a.isNumber() || a.kind == typeText
	default:
		return a.isNumber() && b.isNumber() || a.kind == typeText && b.kind == typeText
	}
}

func (in *inference) membership(n *ast.BinaryNode) *typ {
	left, right := in.whole(n.Left), in.whole(n.Right)
	switch right.kind {
	case typeAny:
	case typeMap:
		if left.kind != typeAny && left.kind != typeText {
			in.error(n, CodeType, "the keys of a map are text", "in looks for %s in a map", left)
		}
	case typeList:
		if right.elem != nil {
			if m := mismatch(left, right.elem.orNull()); m != "" {
				in.error(n, CodeType, "", "the left side of in %s", m)
			}
		}
	default:
		in.error(n, CodeType, "use contains for a part of text", "in looks into %s, not into a list or a map", right)
	}
	return boolType
}

// arithmetic infers + - * / % of numbers.
func (in *inference) arithmetic(n *ast.BinaryNode, left, right *typ) *typ {
	for _, t := range []*typ{left, right} {
		if t.kind != typeAny && !t.isNumber() {
			return in.error(n, CodeType, "", "%s is used on %s and %s, not on numbers", n.Operator, left.present(), right.present())
		}
	}
	floats := left.kind == typeNumber || right.kind == typeNumber
	switch {
	case n.Operator == "%":
		return intType
	case n.Operator == "/" && (isReal(n.Left) || isReal(n.Right)):
	case n.Operator == "/" && left.kind == typeInt && right.kind == typeInt:
		return in.error(n, CodeIntDivision, mendDivision, "two integers are divided by /")
	case n.Operator == "/" && left.kind != typeAny && right.kind != typeAny:
		return in.error(n, CodeIntDivision, mendDivision, "both sides of / may be integers")
	}
	if floats && !in.floats {
		in.floats = true
		l := n.Location()
		in.c.report(in.c.exprSpan(in.use, l.From, l.To), SeverityWarning, CodeFloatMoney, "arithmetic on numbers that may have fractions",
			"amounts of money are integers in minor units, such as cents")
	}
	switch {
	case n.Operator == "/" || floats:
		return numType
	case left.kind == typeAny || right.kind == typeAny:
		return anyType
	default:
		return intType
	}
}

// parameter kinds of functions, one letter for each argument; the last one
// repeats.
var parameters = map[byte]*typ{
	'a': anyType,
	'l': listType,
	'm': {kind: typeMap},
	't': textType,
	'n': numType,
	'i': intType,
}

// function infers a call.
func (in *inference) function(n ast.Node, name string, args []ast.Node) *typ {
	f := functionByName[name]
	if f == nil { // already reported when it was compiled
		return anyType
	}
	types := make([]*typ, len(args))
	for i, a := range args {
		if p, ok := a.(*ast.PredicateNode); ok {
			types[i] = in.predicate(n, f, p, types[0])
			continue
		}
		types[i] = in.whole(a)
		want := parameters[f.params[min(i, len(f.params)-1)]]
		if m := mismatch(types[i], want); m != "" {
			in.error(a, CodeType, "it is called as "+f.usage, "an argument of %s %s", name, m)
			types[i] = want
		}
	}
	return f.typ(types)
}

// predicate infers the body of a loop over a list.
func (in *inference) predicate(n ast.Node, f *function, p *ast.PredicateNode, over *typ) *typ {
	elem := anyType
	if over != nil && over.kind == typeList && over.elem != nil {
		elem = over.elem
	}
	in.loops = append(in.loops, elem)
	defer func() { in.loops = in.loops[:len(in.loops)-1] }()
	if f.predicate == predicateTest {
		in.bool(p.Node, "the test of "+f.name)
		return boolType
	}
	return in.whole(p.Node)
}

// typ returns the type of a function's result for arguments of some types.
func (f *function) typ(args []*typ) *typ {
	list := func(elem *typ) *typ { return &typ{kind: typeList, elem: elem} }
	elem := func(t *typ) *typ {
		if t.kind == typeList && t.elem != nil {
			return t.elem
		}
		return anyType
	}
	switch f.name {
	case "filter", "sort", "sortBy", "reverse", "uniq", "take":
		return list(elem(args[0]))
	case "map":
		return list(args[1])
	case "concat":
		e := elem(args[0])
		for _, a := range args[1:] {
			e = either(e, elem(a))
		}
		return list(e)
	case "find", "findLast", "first", "last":
		return elem(args[0]).orNull()
	case "findIndex", "findLastIndex":
		return intType.orNull()
	case "keys", "split":
		return list(textType)
	case "abs":
		return args[0].present()
	case "sum":
		t := elem(args[0])
		if len(args) == 2 {
			t = args[1]
		}
		switch t.kind {
		case typeInt:
			return intType
		case typeNumber:
			return numType
		}
		return anyType
	case "min", "max":
		return extremeType(args)
	}
	return &typ{kind: f.result}
}

// extremeType returns the type of the least or greatest of some numbers, or of
// those of one list.
func extremeType(args []*typ) *typ {
	if len(args) == 1 && args[0].kind == typeList {
		if args = []*typ{args[0].elem}; args[0] == nil {
			return anyType
		}
	}
	all := args[0].present()
	for _, a := range args[1:] {
		all = either(all, a.present())
	}
	if !all.isNumber() {
		return anyType
	}
	return all
}
