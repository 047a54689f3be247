package dsl

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/builtin"
)

// machineFunctions are the functions that rewritten trees call. Their first
// argument is the budget.
var machineFunctions = func() map[string]*builtin.Function {
	table := map[string]func(b *budget, args []any) (any, error){
		"bool": opBool, "not": opNot, "negate": opNegate, "key": opKey, "name": opName, "list": opList,
		"add": opAdd, "subtract": opSubtract, "multiply": opMultiply,
		"divide": opDivide, "quotient": opQuotient, "modulo": opModulo,
		"equal": opEqual, "unequal": opUnequal, "in": opIn,
		"less":        func(b *budget, a []any) (any, error) { return ordered(b, "<", a, func(c int) bool { return c < 0 }) },
		"lessOrEqual": func(b *budget, a []any) (any, error) { return ordered(b, "<=", a, func(c int) bool { return c <= 0 }) },
		"more":        func(b *budget, a []any) (any, error) { return ordered(b, ">", a, func(c int) bool { return c > 0 }) },
		"moreOrEqual": func(b *budget, a []any) (any, error) { return ordered(b, ">=", a, func(c int) bool { return c >= 0 }) },
		"contains":    func(b *budget, a []any) (any, error) { return textTest(b, "contains", a, strings.Contains) },
		"startsWith":  func(b *budget, a []any) (any, error) { return textTest(b, "startsWith", a, strings.HasPrefix) },
		"endsWith":    func(b *budget, a []any) (any, error) { return textTest(b, "endsWith", a, strings.HasSuffix) },
		"matches":     opMatches, "range": opRange, "slice": opSlice,
		"sum": opSum, "sortBy": opSortBy,
	}
	for _, f := range functions {
		if f.run != nil {
			table["fn:"+f.name] = f.run
		}
	}
	m := make(map[string]*builtin.Function, len(table))
	for name, run := range table {
		m[name] = &builtin.Function{Name: name, Func: func(args ...any) (any, error) {
			b, ok := args[0].(*budget)
			if !ok {
				return nil, &fault{reason: "the expression has no budget"}
			}
			if err := b.spend(1); err != nil {
				return nil, err
			}
			return run(b, args[1:])
		}}
	}
	return m
}()

func opBool(_ *budget, args []any) (any, error) {
	if v, ok := args[0].(bool); ok {
		return v, nil
	}
	return nil, &fault{reason: fmt.Sprintf("%v is %s, not a boolean", args[1], describe(args[0])), mend: mendBool(args[0])}
}

func opNot(_ *budget, args []any) (any, error) {
	if v, ok := args[0].(bool); ok {
		return !v, nil
	}
	return nil, &fault{reason: fmt.Sprintf("! got %s, not a boolean", describe(args[0])), mend: mendBool(args[0])}
}

// opKey checks an index or field name that is computed.
func opKey(_ *budget, args []any) (any, error) {
	switch args[0].(type) {
	case string, int:
		return args[0], nil
	default:
		return nil, &fault{reason: "an index is " + describe(args[0]) + ", not text or an integer"}
	}
}

// opName checks a computed key of a map.
func opName(_ *budget, args []any) (any, error) {
	if s, ok := args[0].(string); ok {
		return s, nil
	}
	return nil, &fault{reason: "the key of a map is " + describe(args[0]) + ", not text"}
}

// opList checks the collection of a loop and pays for all its rounds.
func opList(b *budget, args []any) (any, error) {
	list, ok := args[0].([]any)
	if !ok {
		return nil, wrongArgument(args[2].(string), args[0], "a list")
	}
	return list, b.spend(len(list) * args[1].(int))
}

func opEqual(b *budget, args []any) (any, error) {
	return equal(b, args[0], args[1], 0)
}

func opUnequal(b *budget, args []any) (any, error) {
	same, err := equal(b, args[0], args[1], 0)
	return !same, err
}

// equal compares JSON data. Values of different types are unequal; an integer
// never equals a number with a fraction, since integral numbers are integers.
func equal(b *budget, x, y any, depth int) (bool, error) {
	if err := b.spend(1); err != nil {
		return false, err
	}
	if depth > MaxJSONDepth {
		return false, &fault{reason: fmt.Sprintf("values nested over %d levels deep are compared", MaxJSONDepth)}
	}
	switch x := x.(type) {
	case nil:
		return y == nil, nil
	case bool, int, float64, string:
		return x == y, nil
	case []any:
		l, ok := y.([]any)
		if !ok || len(l) != len(x) {
			return false, nil
		}
		for i := range x {
			if same, err := equal(b, x[i], l[i], depth+1); err != nil || !same {
				return false, err
			}
		}
		return true, nil
	case map[string]any:
		return equalMaps(b, x, y, depth)
	default:
		return false, &fault{reason: describe(x) + " cannot be compared"}
	}
}

func equalMaps(b *budget, x map[string]any, y any, depth int) (bool, error) {
	m, ok := y.(map[string]any)
	if !ok || len(m) != len(x) {
		return false, nil
	}
	// In sorted order, so that the work until the first difference, and with
	// it whether the budget holds, is the same every time.
	if err := b.spend(2 * len(x)); err != nil {
		return false, err
	}
	for _, k := range canonicalKeys(x) {
		other, ok := m[k]
		if !ok {
			return false, nil
		}
		if same, err := equal(b, x[k], other, depth+1); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

func opIn(b *budget, args []any) (any, error) {
	switch in := args[1].(type) {
	case []any:
		for _, item := range in {
			if same, err := equal(b, item, args[0], 0); err != nil || same {
				return same, err
			}
		}
		return false, nil
	case map[string]any:
		name, ok := args[0].(string)
		if !ok {
			return nil, wrongArgument("the left side of in", args[0], "the name of a key")
		}
		_, found := in[name]
		return found, nil
	default:
		return nil, wrongArgument("in", args[1], "a list or a map on its right")
	}
}

// compare orders two numbers or two texts.
func compare(b *budget, operator string, x, y any) (int, error) {
	switch x := x.(type) {
	case string:
		if y, ok := y.(string); ok {
			return strings.Compare(x, y), b.spendText(min(len(x), len(y), MaxTextBytes))
		}
	case int:
		switch y := y.(type) {
		case int:
			return compareNumbers(x, y), nil
		case float64:
			return compareNumbers(float64(x), y), nil
		}
	case float64:
		switch y := y.(type) {
		case int:
			return compareNumbers(x, float64(y)), nil
		case float64:
			return compareNumbers(x, y), nil
		}
	}
	return 0, operands(operator, x, y, "two numbers or two texts")
}

func compareNumbers[N int | float64](x, y N) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	default:
		return 0
	}
}

func ordered(b *budget, operator string, args []any, holds func(int) bool) (any, error) {
	c, err := compare(b, operator, args[0], args[1])
	return err == nil && holds(c), err
}

// operands is what happens to operands of types an operator does not have.
func operands(operator string, x, y any, want string) error {
	f := &fault{reason: fmt.Sprintf("%s got %s and %s, not %s", operator, describe(x), describe(y), want)}
	if x == nil || y == nil {
		f.mend = "give a default with ??"
	}
	return f
}

func textTest(b *budget, operator string, args []any, test func(s, part string) bool) (any, error) {
	s, ok := args[0].(string)
	part, ok2 := args[1].(string)
	if !ok || !ok2 {
		return nil, operands(operator, args[0], args[1], "two texts")
	}
	return test(s, part), b.spend(1 + len(s)/64)
}

func opMatches(b *budget, args []any) (any, error) {
	s, ok := args[0].(string)
	re, ok2 := args[1].(*regexp.Regexp)
	if !ok || !ok2 {
		return nil, wrongArgument("matches", args[0], "text")
	}
	// A match costs more than a comparison: up to the size of the pattern for
	// each character.
	if err := b.spend(1 + len(s)*len(re.String())/64); err != nil {
		return nil, err
	}
	return re.MatchString(s), nil
}
