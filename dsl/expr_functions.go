package dsl

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// function is a function that expressions may call.
type function struct {
	name      string
	params    string // kinds of its arguments, see parameters
	usage     string // how it is called and what it gives, for people
	min, max  int    // number of arguments; max -1: any
	run       func(b *budget, args []any) (any, error)
	predicate predicateKind // not 0: the second argument is a predicate
	result    typeKind      // what it gives; typeAny: it depends
}

// predicateKind says how a function uses its predicate.
type predicateKind uint8

const (
	predicateNone  predicateKind = iota
	predicateTest                // it must be a boolean
	predicateValue               // any value
)

// functions are all functions of the language. Those of expr that are missing
// read the clock (now, date, timezone), follow the order of Go's maps
// (groupBy, toPairs, fromPairs), compute with floats whose rounding may differ
// between processors (mean, median), grow without bound (repeat), work on bits,
// or are a second way to say something (hasPrefix is startsWith).
var functions = []function{
	// Lists.
	{name: "len", params: "a", usage: "len(x): number of characters, elements or keys", min: 1, max: 1, run: fnLen, result: typeInt},
	{name: "all", params: "la", usage: "all(list, test): every element passes", min: 2, max: 2, predicate: predicateTest, result: typeBool},
	{name: "any", params: "la", usage: "any(list, test): some element passes", min: 2, max: 2, predicate: predicateTest, result: typeBool},
	{name: "none", params: "la", usage: "none(list, test): no element passes", min: 2, max: 2, predicate: predicateTest, result: typeBool},
	{name: "one", params: "la", usage: "one(list, test): exactly one element passes", min: 2, max: 2, predicate: predicateTest, result: typeBool},
	{name: "filter", params: "la", usage: "filter(list, test): the elements that pass", min: 2, max: 2, predicate: predicateTest, result: typeList},
	{name: "find", params: "la", usage: "find(list, test): the first element that passes, or nil", min: 2, max: 2, predicate: predicateTest},
	{name: "findIndex", params: "la", usage: "findIndex(list, test): its position, or nil", min: 2, max: 2, predicate: predicateTest},
	{name: "findLast", params: "la", usage: "findLast(list, test): the last element that passes, or nil", min: 2, max: 2, predicate: predicateTest},
	{name: "findLastIndex", params: "la", usage: "findLastIndex(list, test): its position, or nil", min: 2, max: 2, predicate: predicateTest},
	{name: "count", params: "la", usage: "count(list, test): how many elements pass", min: 2, max: 2, predicate: predicateTest, result: typeInt},
	{name: "map", params: "la", usage: "map(list, value): the value of each element", min: 2, max: 2, predicate: predicateValue, result: typeList},
	{name: "sum", params: "la", usage: "sum(list) or sum(list, value): the total", min: 1, max: 2, predicate: predicateValue, result: typeNumber},
	{name: "reduce", params: "laa", usage: "reduce(list, value, first): #acc is the value so far", min: 3, max: 3, predicate: predicateValue},
	{name: "sortBy", params: "lat", usage: `sortBy(list, value) or sortBy(list, value, "desc"): sorted, equal ones in their order`, min: 2, max: 3, predicate: predicateValue, result: typeList},
	{name: "sort", params: "lt", usage: `sort(list) or sort(list, "desc"): sorted numbers or texts`, min: 1, max: 2, run: fnSort, result: typeList},
	{name: "reverse", params: "l", usage: "reverse(list)", min: 1, max: 1, run: fnReverse, result: typeList},
	{name: "uniq", params: "l", usage: "uniq(list): without repetitions", min: 1, max: 1, run: fnUniq, result: typeList},
	{name: "flatten", params: "l", usage: "flatten(list): the elements of its lists, at any depth", min: 1, max: 1, run: fnFlatten, result: typeList},
	{name: "concat", params: "l", usage: "concat(list, ...): one list of all", min: 1, max: -1, run: fnConcat, result: typeList},
	{name: "first", params: "l", usage: "first(list): its first element, or nil", min: 1, max: 1, run: fnFirst},
	{name: "last", params: "l", usage: "last(list): its last element, or nil", min: 1, max: 1, run: fnLast},
	{name: "take", params: "li", usage: "take(list, n): at most n elements from its start", min: 2, max: 2, run: fnTake, result: typeList},
	// Maps.
	{name: "keys", params: "m", usage: "keys(map): its keys, sorted", min: 1, max: 1, run: fnKeys, result: typeList},
	{name: "values", params: "m", usage: "values(map): its values in the order of its sorted keys", min: 1, max: 1, run: fnValues, result: typeList},
	{name: "get", params: "aa", usage: "get(x, key): the field or element, or nil", min: 2, max: 2, run: fnGet},
	// Numbers.
	{name: "div", params: "i", usage: "div(a, b): integer division, cut towards zero", min: 2, max: 2, run: fnDiv, result: typeInt},
	{name: "abs", params: "n", usage: "abs(n)", min: 1, max: 1, run: fnAbs, result: typeNumber},
	{name: "ceil", params: "n", usage: "ceil(n)", min: 1, max: 1, run: fnCeil, result: typeInt},
	{name: "floor", params: "n", usage: "floor(n)", min: 1, max: 1, run: fnFloor, result: typeInt},
	{name: "round", params: "n", usage: "round(n): half away from zero", min: 1, max: 1, run: fnRound, result: typeInt},
	{name: "min", params: "a", usage: "min(n, ...) or min(list)", min: 1, max: -1, run: fnMin, result: typeNumber},
	{name: "max", params: "a", usage: "max(n, ...) or max(list)", min: 1, max: -1, run: fnMax, result: typeNumber},
	{name: "int", params: "a", usage: "int(x): of text or a number; cuts the fraction", min: 1, max: 1, run: fnInt, result: typeInt},
	{name: "float", params: "a", usage: "float(x): of text or a number; as an operand of / it asks for a real quotient", min: 1, max: 1, run: fnFloat, result: typeNumber},
	// Text.
	{name: "string", params: "a", usage: "string(x): text as it is, everything else as JSON", min: 1, max: 1, run: fnString, result: typeText},
	{name: "upper", params: "t", usage: "upper(text)", min: 1, max: 1, run: fnUpper, result: typeText},
	{name: "lower", params: "t", usage: "lower(text)", min: 1, max: 1, run: fnLower, result: typeText},
	{name: "trim", params: "t", usage: "trim(text) or trim(text, characters)", min: 1, max: 2, run: fnTrim, result: typeText},
	{name: "trimPrefix", params: "t", usage: "trimPrefix(text, prefix)", min: 2, max: 2, run: fnTrimPrefix, result: typeText},
	{name: "trimSuffix", params: "t", usage: "trimSuffix(text, suffix)", min: 2, max: 2, run: fnTrimSuffix, result: typeText},
	{name: "split", params: "t", usage: "split(text, separator)", min: 2, max: 2, run: fnSplit, result: typeList},
	{name: "join", params: "lt", usage: "join(list, separator)", min: 1, max: 2, run: fnJoin, result: typeText},
	{name: "replace", params: "t", usage: "replace(text, old, new)", min: 3, max: 3, run: fnReplace, result: typeText},
	{name: "indexOf", params: "t", usage: "indexOf(text, part): its position in characters, or -1", min: 2, max: 2, run: fnIndexOf, result: typeInt},
	{name: "toJSON", params: "a", usage: "toJSON(x): canonical JSON", min: 1, max: 1, run: fnToJSON, result: typeText},
	{name: "fromJSON", params: "t", usage: "fromJSON(text)", min: 1, max: 1, run: fnFromJSON},
	{name: "toBase64", params: "t", usage: "toBase64(text)", min: 1, max: 1, run: fnToBase64, result: typeText},
	{name: "fromBase64", params: "t", usage: "fromBase64(text)", min: 1, max: 1, run: fnFromBase64, result: typeText},
	// Others.
	{name: "type", params: "a", usage: "type(x): nil, bool, int, float, string, array or map", min: 1, max: 1, run: fnType, result: typeText},
	{name: "after", params: "t", usage: `after(instant, duration): such as after(saga.startedAt, "24h"), in UTC`, min: 2, max: 2, run: fnAfter, result: typeText},
}

var functionByName = func() map[string]*function {
	m := make(map[string]*function, len(functions))
	for i := range functions {
		m[functions[i].name] = &functions[i]
	}
	return m
}()

func functionNames() []string {
	names := make([]string, len(functions))
	for i, f := range functions {
		names[i] = f.name
	}
	return names
}

// missingFunctions says what to do instead of some functions of expr.
var missingFunctions = map[string]string{
	"now":        "expressions have no clock; use saga.startedAt or a sleep step",
	"date":       "expressions have no clock; compare instants as text in UTC, or use after()",
	"duration":   `write durations as text, such as after(saga.startedAt, "24h")`,
	"timezone":   "expressions have no time zones; use tenant.timezone in the activity",
	"groupBy":    "use filter for each group",
	"toPairs":    "use map(keys(x), ...)",
	"fromPairs":  "write the map out",
	"repeat":     "write the text out",
	"mean":       "use div(sum(list), len(list))",
	"median":     "use sort and an index",
	"hasPrefix":  "write a startsWith b",
	"hasSuffix":  "write a endsWith b",
	"splitAfter": "use split",
}

// function rewrites a call.
func (w *rewriter) function(n ast.Node, name string, args []ast.Node) ast.Node {
	f, ok := functionByName[name]
	if !ok {
		mend, known := missingFunctions[name]
		if !known {
			mend = didYouMean(name, functionNames(), "the functions are listed in the language's reference")
		}
		return w.fail(n, mend, "there is no function %s", name)
	}
	if len(args) < f.min || f.max >= 0 && len(args) > f.max {
		return w.fail(n, "it is called as "+f.usage, "%s has %d arguments", name, len(args))
	}
	if f.predicate != predicateNone {
		return w.predicates(n, f, args)
	}
	return call(n.Location(), "fn:"+name, w.list(args)...)
}

// predicates rewrites a function over a list: its collection is checked and
// paid for before the loop, with the size of the predicate for each element,
// and the loop itself is the virtual machine's.
func (w *rewriter) predicates(n ast.Node, f *function, args []ast.Node) ast.Node {
	place := n.Location()
	collection := w.node(args[0])
	if len(args) == 1 { // sum(list)
		return call(place, "sum", w.collection(n, f, collection, 1))
	}
	predicate, ok := args[1].(*ast.PredicateNode)
	if !ok {
		return w.fail(n, "it is called as "+f.usage, "%s has no predicate", f.name)
	}
	if w.nesting++; w.nesting > MaxExprNesting {
		return w.fail(n, "name a part of it in a set step", "predicates are nested over %d deep", MaxExprNesting)
	}
	w.reduce = append(w.reduce, f.name == "reduce")
	var body ast.Node
	if f.predicate == predicateTest {
		body = w.bool(predicate.Node, "the test of "+f.name)
	} else {
		body = w.node(predicate.Node)
	}
	w.reduce = w.reduce[:len(w.reduce)-1]
	w.nesting--
	collection = w.collection(n, f, collection, treeSize(body))
	loop := func(name string, body ast.Node, more ...ast.Node) ast.Node {
		arguments := append([]ast.Node{collection, at(place, &ast.PredicateNode{Node: body})}, more...)
		return at(place, &ast.BuiltinNode{Name: name, Arguments: arguments})
	}
	switch f.name {
	case "sum":
		return call(place, "sum", loop("map", body))
	case "sortBy":
		order := ast.Node(&ast.StringNode{Value: "asc"})
		if len(args) == 3 {
			order = w.node(args[2])
		}
		pair := at(place, &ast.ArrayNode{Nodes: []ast.Node{at(place, &ast.PointerNode{}), body}})
		return call(place, "sortBy", loop("map", pair), order)
	case "reduce":
		return loop("reduce", body, w.node(args[2]))
	default:
		return loop(f.name, body)
	}
}

// collection wraps the list that a loop runs over.
func (w *rewriter) collection(n ast.Node, f *function, list ast.Node, weight int) ast.Node {
	return call(n.Location(), "list", list, &ast.IntegerNode{Value: weight}, &ast.StringNode{Value: f.name})
}

// treeSize is the number of nodes that one round of a loop runs at most,
// without those of loops inside it: they pay for themselves.
func treeSize(n ast.Node) int {
	counter := nodeCounter(0)
	ast.Walk(&n, &counter)
	return int(counter)
}

type nodeCounter int

func (c *nodeCounter) Visit(*ast.Node) { *c++ }

// FunctionUsages returns one line for each function of the language: how it is
// called and what it gives. They are sorted.
func FunctionUsages() []string {
	usages := make([]string, len(functions))
	for i, f := range functions {
		usages[i] = f.usage
	}
	slices.Sort(usages)
	return usages
}

// argument faults.

func wrongArgument(f string, v any, want string) error {
	return &fault{reason: fmt.Sprintf("%s got %s, not %s", f, describe(v), want), mend: mendNull(v)}
}

func mendNull(v any) string {
	if v == nil {
		return "give a default with ??"
	}
	return ""
}
