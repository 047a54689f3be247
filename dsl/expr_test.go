package dsl

import (
	"errors"
	"strings"
	"testing"

	"github.com/expr-lang/expr/ast"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var exprEnv = Env{
	"input": map[string]any{
		"n": 7, "m": -3, "f": 2.5, "s": "text", "é": "größe", "b": true, "null": nil, "big": MaxInt,
		"l": []any{3, 1, 2}, "names": []any{"b", "a"}, "mixed": []any{1, "a"}, "none": []any{},
		"o": map[string]any{"x": 1, "y": map[string]any{"z": []any{"deep"}}},
		"rows": []any{
			map[string]any{"id": "a", "v": 2}, map[string]any{"id": "b", "v": 1}, map[string]any{"id": "c", "v": 2},
		},
	},
	"tenant": map[string]any{},
}

func evalText(t testing.TB, source string, env Env) (any, error) {
	t.Helper()
	e, _, err := newExpr(source)
	if err != nil {
		t.Fatalf("%s does not compile: %v", source, err)
	}
	return e.Eval(env)
}

// exprGives are expressions with what they give.
var exprGives = map[string]any{
	// Paths.
	"input.n": 7, "input.o.y.z[0]": "deep", `input["n"]`: 7, "input.l[-1]": 2, "input.missing": nil, "input.missing?.x": nil,
	"input.missing?.x.y[3].z": nil, "input.o?.y?.z": []any{"deep"}, "missing": nil, "input?.missing?.[0]": nil, "input.o[input.names[1] + 'q']": nil,
	// Numbers. Integral ones are integers, whatever they come from.
	"1 + 2 * 3": 7, "7 % 3": 1, "-7 % 3": -1, "input.n - 10": -3, "-input.m": 3, "0.5 + 0.5": 1, "1.5 * 2": 3, "input.f * 2": 5, "1e3": 1000, "2.0": 2,
	"div(7, 2)": 3, "div(-7, 2)": -3, "float(7) / 2": 3.5, "7 / float(2)": 3.5, "input.f / 2": 1.25, "6 / 1.5": 4, "float(6) / 3": 2, "-2.5 / 5": -0.5,
	"9007199254740991 - 1": 9007199254740990, "abs(-3)": 3, "abs(-2.5)": 2.5, "ceil(2.1)": 3, "floor(-2.1)": -3, "round(2.5)": 3, "round(-2.5)": -3,
	"min(3, 1, 2.5)": 1, "max(input.l)": 3, "int('-12')": -12, "int(2.9)": 2, "float('2.50')": 2.5, "float('3')": 3, "sum(input.l)": 6, "sum(input.none)": 0,
	"sum(input.rows, #.v)": 5, "sum([0.5, 0.5])": 1,
	// Comparisons.
	"1 == 1.0": true, "1 == 1.5": false, "input.n == 7": true, "input.null == nil": true, "input.missing == nil": true, "nil == 0": false, "'a' == 1": false,
	"input.o == {x: 1, y: {z: ['deep']}}": true, "[1, [2]] != [1, [3]]": true, "1 < 2.5": true, "'a' < 'b'": true, "1 < 2 < 3": true, "3 >= 3": true,
	"1 in input.l": true, "'x' in input.o": true, "'q' in input.o": false, "nil in [nil]": true, "4 not in input.l": true,
	"'text' contains 'ex'": true, "input.s startsWith 'te'": true, "input.s endsWith 'xt'": true, "input.s matches '^t.x'": true, "not (1 == 2)": true, "!false": true,
	"true && !false || false": true, "false && input.missing.x": false, "true or input.missing.x": true,
	"input.missing ?? 3": 3, "input.missing?.x ?? input.n": 7, "(nil ?? nil) ?? 1": 1, "input.b ? 'y' : 'n'": "y", "input.null ?? false ? 1 : 2": 2,
	// Text.
	"'a' + 'b'": "ab", "len(input.é)": 5, "input.é[1:3]": "rö", "input.é[-2:]": "ße", "input.s[:100]": "text", "upper('ä')": "Ä", "lower('ÄB')": "äb",
	"trim('  a ')": "a", "trim('xax', 'x')": "a", "trimPrefix('abc', 'a')": "bc", "trimSuffix('abc', 'c')": "ab", "split('a,b', ',')": []any{"a", "b"},
	"join(input.names, '-')": "b-a", "join(['a'])": "a", "replace('aXbX', 'X', 'yy')": "ayybyy", "indexOf('größe', 'ß')": 3, "indexOf('a', 'b')": -1,
	"string(5)": "5", "string(0.5)": "0.5", "string(true)": "true", "string('x')": "x", "string(input.o.y)": `{"z":["deep"]}`, "toJSON('a<b')": `"a<b"`,
	"fromJSON('{\"a\": [1.0]}').a[0]": 1, "toBase64('hi')": "aGk=", "fromBase64('aGk=')": "hi", "'hi' | upper() | lower()": "hi",
	"after('2026-01-31T23:30:00+02:00', '1h')": "2026-01-31T22:30:00Z",
	// Lists and maps.
	"len(input.l)": 3, "len(input.o)": 2, "input.l[1:]": []any{1, 2}, "input.l[:-1]": []any{3, 1}, "first(input.l)": 3, "last(input.none)": nil,
	"take(input.l, 2)": []any{3, 1}, "reverse(input.l)": []any{2, 1, 3}, "sort(input.l)": []any{1, 2, 3}, "sort(input.names, 'desc')": []any{"b", "a"},
	"uniq([1, 2, 1, 1.0])": []any{1, 2}, "flatten([1, [2, [3]]])": []any{1, 2, 3}, "concat([1], [2], [])": []any{1, 2}, "keys(input.o)": []any{"x", "y"},
	"values({b: 2, a: 1})": []any{1, 2}, "get(input.o, 'x')": 1, "get(nil, 'x')": nil, "get(input.l, 9)": nil, "get(input.l, -1)": 2,
	"map(input.l, # * 2)": []any{6, 2, 4}, "filter(input.l, # > 1)": []any{3, 2}, "map(input.rows, .id)": []any{"a", "b", "c"},
	"map(input.l, ({v: #, i: #index}))[2]": map[string]any{"v": 2, "i": 2}, "find(input.l, # < 3)": 1, "findIndex(input.l, # == 2)": 2, "findLast(input.l, # < 3)": 2,
	"findLastIndex(input.l, # < 3)": 2, "find(input.l, # > 9)": nil, "all(input.l, # > 0)": true, "any(input.none, true)": false, "none(input.l, # > 3)": true,
	"one(input.l, # == 1)": true, "count(input.l, # > 1)": 2, "reduce(input.l, #acc + #, 10)": 16,
	"map(sortBy(input.rows, #.v), #.id)": []any{"b", "a", "c"}, "map(sortBy(input.rows, #.v, 'desc'), #.id)": []any{"a", "c", "b"},
	"map(input.l, map(input.l, #))[0]": []any{3, 1, 2}, "1..3": []any{1, 2, 3}, "3..1": []any{}, "{('a' + 'b'): 1}": map[string]any{"ab": 1},
	"type(nil)": "nil", "type(1)": "int", "type(0.5)": "float", "type('')": "string", "type([])": "array", "type({})": "map", "type(true)": "bool",
	"input.l | filter(# > 1) | len()": 2,
}

func TestExprEval(t *testing.T) {
	for source, want := range exprGives {
		got, err := evalText(t, source, exprEnv)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s = %#v, %v; want %#v", source, got, err, want)
		}
	}
}

// exprFails are expressions that fail, with a part of why.
var exprFails = map[string]string{
	"input.missing.x":            `x is read from null in "input.missing.x"; write ?.x and a default after ??`,
	"input.missing.x + 1":        "x is read from null",
	"input.n.x":                  "x is read from an integer",
	"input.l.x":                  "a list is read with text as its index",
	"input.s[0]":                 "0 is read from text",
	"input.s[0] == 't'":          "cannot be compared",
	"input.l[3]":                 "index 3 is outside a list of 3",
	"input.l[input.n]":           "index 7 is outside a list of 3",
	"input.l[input.f]":           "an index is a number, not text or an integer",
	"7 / 2":                      "two integers are divided by /",
	"input.n / input.m":          "write div(a, b)",
	"1 % 0":                      "a division by zero",
	"div(1, 0)":                  "a division by zero",
	"float(1) / 0":               "a division by zero",
	"1.5 % 2":                    "% got a number and an integer, not two integers",
	"input.big + 1":              "the result is larger than 2^53-1",
	"-input.big - 1":             "larger than 2^53-1",
	"input.big * input.big":      "larger than 2^53-1",
	"94906266 * 94906267":        "larger than 2^53-1",
	"sum([9007199254740991, 1])": "larger than 2^53-1",
	"sum(input.rows, #.v * 9007199254740991)": "larger than 2^53-1",
	"input.n + input.s":                       "+ got an integer and text; convert both",
	"input.n + nil":                           "+ got an integer and null, not two numbers; give a default with ??",
	"input.s + nil":                           "+ got text and null",
	"input.n && true":                         "the left side of && is an integer, not a boolean",
	"input.missing && true":                   "is null, not a boolean",
	"!input.missing":                          "! got null, not a boolean",
	"input.missing ? 1 : 2":                   "the condition before ? is null",
	"filter(input.l, #)":                      "the test of filter is an integer, not a boolean",
	"filter(input.missing, # > 1)":            "filter got null, not a list",
	"map(input.s, #)":                         "map got text, not a list",
	"input.l < 3":                             "< got a list and an integer, not two numbers or two texts",
	"'a' < 1":                                 "< got text and an integer",
	"1 in 'abc'":                              "in got text, not a list or a map",
	"'a' contains 1":                          "contains got text and an integer",
	"input.n matches 'x'":                     "matches got an integer, not text",
	"-'a'":                                    "- got text, not a number",
	"sort(input.mixed)":                       "sort got",
	"sortBy(input.rows, #.id, 'down')":        `the order of sortBy is text; write "asc" or "desc"`,
	"min([])":                                 "min got an empty list",
	"max('a')":                                "max got text, not numbers",
	"len(1)":                                  "len got an integer",
	"int('1.5')":                              "int got a text that is not an integer",
	"int('99999999999999999999')":             "not an integer",
	"float('0x10')":                           "not a decimal number",
	"string(nil)":                             "string got null",
	"upper(1)":                                "upper got an integer, not text",
	"join([1], ',')":                          "join got an integer, not text",
	"split('a', '')":                          "an empty separator",
	"fromJSON('{')":                           "not JSON",
	"fromBase64('/w==')":                      "base64 of UTF-8",
	"after('x', '1h')":                        "not an instant",
	"after('2026-01-01T00:00:00Z', 'x')":      "not a duration",
	"get('a', 'b')":                           "get got text",
	"{(1): 2}":                                "the key of a map is an integer, not text",
	"1..100000":                               "a range of over 10000 elements",
	"(1..10000) | map(1..10000)":              "too much work",
	"map(1..9000, map(1..9000, 1))":           "too much work",
	"reduce(1..64, [#acc, #acc], 1)":          "too much work",
	"reduce(1..64, #acc + #acc, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')": "over the limit",
	"reduce(1..30, replace(#acc, 'x', 'xxxxxxxx'), 'x')":                 "over the limit",
	"reduce(1..64, toJSON([#acc, #acc]), 'x')":                           "over the limit",
	"reduce(1..60, concat(#acc, #acc), [1])":                             "too much work",
	"reduce(1..300, [#acc], 1)":                                          "nested over 200 levels",
}

func TestExprFails(t *testing.T) {
	for source, want := range exprFails {
		v, err := evalText(t, source, exprEnv)
		var e *EvalError
		if !errors.As(err, &e) || !strings.Contains(e.Error(), want) && !strings.Contains(e.Reason+"; "+e.Mend, want) {
			t.Errorf("%s = %v, %v; want the error %q", source, v, err, want)
			continue
		}
		if e.Expr != source || e.From < 0 || e.To > len([]rune(source)) || e.From > e.To {
			t.Errorf("%s: the error points at %d..%d of %q", source, e.From, e.To, e.Expr)
		}
	}
}

// TestExprWork: the rounds of loops are paid for, whatever their bodies do.
func TestExprWork(t *testing.T) {
	wide := make([]any, 3000)
	for i := range wide {
		wide[i] = i % 7
	}
	env := Env{"input": map[string]any{"wide": wide}}
	for _, source := range []string{"map(input.wide, map(input.wide, 1))", "count(input.wide, all(input.wide, true))", "reduce(input.wide, count(input.wide, false), 0)",
		"filter(input.wide, any(input.wide, any(input.wide, false)))", "uniq(map(input.wide, [#, #index]))"} {
		if v, err := evalText(t, source, env); err == nil || !strings.Contains(err.Error(), "too much work") {
			t.Errorf("%s = %.40v, %v", source, v, err)
		}
	}
	v, err := evalText(t, "map(sortBy(map(input.wide, ({v: #, i: #index})), #.v), #.i)", env)
	if err != nil {
		t.Fatal(err)
	}
	order := v.([]any)
	for i := 1; i < len(order); i++ {
		a, b := order[i-1].(int), order[i].(int)
		if a%7 > b%7 || a%7 == b%7 && a > b {
			t.Fatalf("sortBy is not stable: %d stands before %d", a, b)
		}
	}
}

// TestMachinesForget: a machine in the pool keeps no data alive.
func TestMachinesForget(t *testing.T) {
	e, _, err := newExpr("map(input.l, [#, input.s])")
	if err != nil {
		t.Fatal(err)
	}
	m := machines.New().(*machine)
	m.budget.left = MaxExprWork
	m.env[budgetName], m.env["input"] = &m.budget, exprEnv["input"]
	if _, err := m.vm.Run(e.program, m.env); err != nil {
		t.Fatal(err)
	}
	m.clear()
	for _, v := range m.vm.Stack[:cap(m.vm.Stack)] {
		if v != nil {
			t.Errorf("the stack holds %v", v)
		}
	}
	if len(m.env) > 0 {
		t.Errorf("the environment holds %v", m.env)
	}
}

// TestExprErrorPlace shows that an error points at the operation that failed.
func TestExprErrorPlace(t *testing.T) {
	for _, c := range []struct{ source, token string }{
		{"1 + input.missing.x", "x"},
		{"input.l[0] + input.l[9] * 2", "["},
		{"len('ä') + 7 / 2", "/"},
		{"upper(input.n) + 'x'", "upper"},
	} {
		_, err := evalText(t, c.source, exprEnv)
		var e *EvalError
		if !errors.As(err, &e) {
			t.Fatalf("%s: %v", c.source, err)
		}
		if got := string([]rune(c.source)[e.From:e.To]); got != c.token {
			t.Errorf("%s: the error %v points at %q, not %q", c.source, err, got, c.token)
		}
	}
}

func TestExprBool(t *testing.T) {
	e, _, _ := newExpr("input.n > 3")
	if ok, err := e.Bool(exprEnv); err != nil || !ok {
		t.Errorf("Bool = %v, %v", ok, err)
	}
	for _, source := range []string{"input.n", "input.missing", "'true'"} {
		e, _, _ := newExpr(source)
		if ok, err := e.Bool(exprEnv); err == nil || ok {
			t.Errorf("%s as a condition is %v, %v", source, ok, err)
		}
	}
}

// TestExprDoesNotChangeData evaluates everything and compares the environment.
func TestExprDoesNotChangeData(t *testing.T) {
	before := copyData(map[string]any(exprEnv))
	for _, source := range []string{"sort(input.l)", "reverse(input.l)", "concat(input.l, [4])", "sortBy(input.rows, #.v)", "uniq(input.l)", "take(input.l, 2)",
		"concat(take(input.l, 1), [9])", "concat(input.l[:1], [9])"} {
		if _, err := evalText(t, source, exprEnv); err != nil {
			t.Errorf("%s: %v", source, err)
		}
	}
	if diff := cmp.Diff(before, any(map[string]any(exprEnv))); diff != "" {
		t.Errorf("the environment changed:\n%s", diff)
	}
}

// TestExprRefusesForeignData: what is not of the data model never gets out.
func TestExprRefusesForeignData(t *testing.T) {
	env := Env{"input": map[string]any{"x": int64(1), "f": func() {}, "s": []string{"a"}, "m": map[string]int{"a": 1}, "fl": 1.0}}
	for _, source := range []string{"[input.x]", "input.x + 1", "input.x == 1", "{a: input.f}", "len(input.s)", "keys(input.m)", "input.f()", "string(input.x)"} {
		e, _, err := newExpr(source)
		if err != nil {
			continue
		}
		if v, err := e.Eval(env); err == nil {
			t.Errorf("%s = %#v", source, v)
		}
	}
	if v, err := evalText(t, "(input.fl)[0:0] ?? 1", env); err == nil {
		t.Errorf("slicing a number gives %v", v)
	}
}

// TestPathIsTheMachine compares the direct walk of paths with the virtual
// machine, over random paths and data.
func TestPathIsTheMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := "input"
		for range rapid.IntRange(0, 6).Draw(t, "length") {
			source += rapid.SampledFrom([]string{".a", ".b", "?.a", "?.b", "[0]", "[1]", "[-1]", "?.[0]", `["a"]`, `?.["b"]`}).Draw(t, "part")
		}
		tree, err := parseExpr(source)
		if err != nil {
			t.Fatal(err)
		}
		walked := newPath(tree)
		if walked == nil {
			t.Fatalf("%s is no path", source)
		}
		w := rewriter{names: map[string]bool{}}
		program, err := assemble(source, w.node(tree))
		if err != nil {
			t.Fatal(err)
		}
		machine := &Expr{source: source, program: program, names: []string{"input"}}
		direct := &Expr{source: source, path: walked}
		env := Env{"input": pathData(4).Draw(t, "input")}
		want, wantErr := machine.Eval(env)
		got, gotErr := direct.Eval(env)
		if !cmp.Equal(got, want) || (gotErr == nil) != (wantErr == nil) {
			t.Fatalf("%s of %v: the walk gives %v, %v; the machine %v, %v", source, env, got, gotErr, want, wantErr)
		}
		// The machine reads a byte of a text and fails a step later.
		var a, b *EvalError
		if errors.As(gotErr, &a) && errors.As(wantErr, &b) && !strings.Contains(a.Reason, "from text") && (a.From != b.From || a.To != b.To) {
			t.Fatalf("%s: the walk fails at %d..%d, the machine at %d..%d", source, a.From, a.To, b.From, b.To)
		}
	})
}

func pathData(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		switch k := rapid.IntRange(0, 6).Draw(t, "kind"); {
		case k == 0 || depth == 0:
			return rapid.SampledFrom([]any{nil, 1, "x", true, 0.5}).Draw(t, "leaf")
		case k < 4:
			m := map[string]any{}
			for _, name := range []string{"a", "b"} {
				if rapid.Bool().Draw(t, "has") {
					m[name] = pathData(depth-1).Draw(t, name)
				}
			}
			return m
		default:
			return rapid.SliceOfN(pathData(depth-1), 0, 3).Draw(t, "list")
		}
	})
}

// TestMostExpressionsArePaths guards the fast way: these must not go through
// the virtual machine.
func TestMostExpressionsArePaths(t *testing.T) {
	for _, source := range []string{"input.amount", "steps.quote.output.quoteId", "self.output?.quoteId", "steps.x?.output?.f.g[0]", "input"} {
		e, _, err := newExpr(source)
		if err != nil || e.path == nil {
			t.Errorf("%s is no path (%v)", source, err)
		}
	}
}

// TestEveryFunctionWorks calls each function the way its usage says, so that
// none is in the table without running.
func TestEveryFunctionWorks(t *testing.T) {
	for _, f := range functions {
		if (f.run == nil) != (f.predicate != predicateNone) || f.params == "" || !strings.HasPrefix(f.usage, f.name+"(") {
			t.Errorf("the entry of %s is incomplete", f.name)
		}
		for i := range f.params {
			if parameters[f.params[i]] == nil {
				t.Errorf("%s has the unknown parameter %c", f.name, f.params[i])
			}
		}
	}
	if len(FunctionUsages()) != len(functions) {
		t.Error("FunctionUsages leaves some out")
	}
}

// treeKinds are all kinds of nodes that a tree for the machine may hold.
func TestRewrittenTreesAreSafe(t *testing.T) {
	for _, source := range []string{"input.a + 1 == 2 && len(input.l) > 3", "map(input.l, {# * 2})", "sum(input.l, #.x) / 2.5", "[1][input.x:]", "input.a?.b[input.c] ?? -input.d"} {
		tree, err := parseExpr(source)
		if err != nil {
			t.Fatal(source, err)
		}
		w := rewriter{names: map[string]bool{}}
		root := w.node(tree)
		ast.Walk(&root, visitor(func(n ast.Node) {
			if b, ok := n.(*ast.BinaryNode); ok && b.Operator != "&&" && b.Operator != "||" && b.Operator != "??" {
				t.Errorf("%s: the operator %s reaches the machine", source, b.Operator)
			}
			if u, ok := n.(*ast.UnaryNode); ok {
				t.Errorf("%s: the operator %s reaches the machine", source, u.Operator)
			}
			if _, ok := n.(*ast.SliceNode); ok {
				t.Errorf("%s: a slice reaches the machine", source)
			}
		}))
	}
}

type visitor func(ast.Node)

func (v visitor) Visit(n *ast.Node) { v(*n) }

func FuzzExpr(f *testing.F) {
	for _, s := range []string{"input.n + 1", "filter(input.l, # > 1)", "input.a?.b[0] ?? 'x'", "reduce(1..10, #acc + #, 0)", `"a" matches "b+"`,
		"map(input.rows, ({a: #.v}))", "sortBy(input.rows, -#.v, 'desc')[0].id", "input.l[1:][0]", "fromJSON(toJSON(input))", "1 / 0.5", "{a: [1, {b: nil}]}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		e, _, err := newExpr(source)
		if err != nil {
			var fl *fault
			if !errors.As(err, &fl) {
				t.Fatalf("%q fails to compile with a %T: %v", source, err, err)
			}
			return
		}
		v, err := e.Eval(exprEnv)
		var ee *EvalError
		if err != nil && !errors.As(err, &ee) {
			t.Fatalf("%q fails with a %T: %v", source, err, err)
		}
		if err == nil {
			if _, err := MarshalCanonical(v); err != nil {
				t.Fatalf("%q gives %#v: %v", source, v, err)
			}
		}
		again, err2 := e.Eval(exprEnv)
		if !cmp.Equal(v, again) || (err == nil) != (err2 == nil) {
			t.Fatalf("%q gives %#v, %v and then %#v, %v", source, v, err, again, err2)
		}
	})
}

func BenchmarkExpr(b *testing.B) {
	env := Env{
		"input":  map[string]any{"amount": map[string]any{"minor": 100, "currency": "EUR"}, "batch": nil},
		"steps":  map[string]any{"quote": map[string]any{"output": map[string]any{"quoteId": "q-1"}}},
		"tenant": map[string]any{},
	}
	for _, source := range []string{"input.amount", "steps.quote.output.quoteId", "steps.quote?.output?.quoteId", `input.batch ?? "none"`,
		"input.amount.minor > 0", "input.amount.minor + 1", `input.amount.currency == "EUR" && input.amount.minor > 0`} {
		e, _, err := newExpr(source)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(source, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Eval(env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
