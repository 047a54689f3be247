package dsl

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
)

var errOverflow = &fault{reason: "the result is larger than 2^53-1"}

// integer checks the range of a result.
func integer(n int) (any, error) {
	if n > MaxInt || n < -MaxInt {
		return nil, errOverflow
	}
	return n, nil
}

func number(f float64) (any, error) {
	v, err := normalFloat(f)
	if err != nil {
		return nil, &fault{reason: "the result is not a finite number, or larger than 2^53-1"}
	}
	return v, nil
}

// toFloat returns a number as a float.
func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	default:
		return 0, false
	}
}

// arithmetic applies an operator to two integers or to two numbers.
func arithmetic(operator string, x, y any, ints func(a, b int) (any, error), floats func(a, b float64) float64) (any, error) {
	if a, ok := x.(int); ok {
		if b, ok := y.(int); ok {
			return ints(a, b)
		}
	}
	a, ok := toFloat(x)
	b, ok2 := toFloat(y)
	if !ok || !ok2 {
		return nil, operands(operator, x, y, "two numbers")
	}
	return number(floats(a, b))
}

func opAdd(b *budget, args []any) (any, error) {
	if x, ok := args[0].(string); ok {
		if y, ok := args[1].(string); ok {
			if err := b.spendText(len(x) + len(y)); err != nil {
				return nil, err
			}
			return x + y, nil
		}
	}
	v, err := arithmetic("+", args[0], args[1],
		func(a, b int) (any, error) { return integer(a + b) }, // two of 2^53 cannot overflow 64 bits
		func(a, b float64) float64 { return a + b })
	if err != nil && (isString(args[0]) || isString(args[1])) {
		return nil, &fault{reason: fmt.Sprintf("+ got %s and %s", describe(args[0]), describe(args[1])),
			mend: "convert both to text with string(), or both to numbers"}
	}
	return v, err
}

func isString(v any) bool { _, ok := v.(string); return ok }

func opSubtract(_ *budget, args []any) (any, error) {
	return arithmetic("-", args[0], args[1],
		func(a, b int) (any, error) { return integer(a - b) },
		func(a, b float64) float64 { return a - b })
}

func opMultiply(_ *budget, args []any) (any, error) {
	return arithmetic("*", args[0], args[1], multiplyInts, func(a, b float64) float64 { return a * b })
}

func multiplyInts(a, b int) (any, error) {
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	if high != 0 || low > MaxInt {
		return nil, errOverflow
	}
	return a * b, nil
}

func magnitude(n int) uint64 {
	if n < 0 {
		return uint64(-n)
	}
	return uint64(n)
}

const mendDivision = "write div(a, b) for integers, or float(a) / b for a real quotient"

// opDivide refuses two integers: whether 7 / 2 is 3 or 3.5 must be said.
func opDivide(b *budget, args []any) (any, error) {
	_, x := args[0].(int)
	_, y := args[1].(int)
	if x && y {
		return nil, &fault{reason: "two integers are divided by /", mend: mendDivision}
	}
	return opQuotient(b, args)
}

func opQuotient(_ *budget, args []any) (any, error) {
	a, ok := toFloat(args[0])
	b, ok2 := toFloat(args[1])
	switch {
	case !ok || !ok2:
		return nil, operands("/", args[0], args[1], "two numbers")
	case b == 0:
		return nil, &fault{reason: "a division by zero"}
	}
	return number(a / b)
}

func intOperands(operator string, args []any) (a, b int, err error) {
	a, ok := args[0].(int)
	b, ok2 := args[1].(int)
	switch {
	case !ok || !ok2:
		return 0, 0, operands(operator, args[0], args[1], "two integers")
	case b == 0:
		return 0, 0, &fault{reason: "a division by zero"}
	}
	return a, b, nil
}

func opModulo(_ *budget, args []any) (any, error) {
	a, b, err := intOperands("%", args)
	if err != nil {
		return nil, err
	}
	return a % b, nil
}

func fnDiv(_ *budget, args []any) (any, error) {
	a, b, err := intOperands("div", args)
	if err != nil {
		return nil, err
	}
	return a / b, nil
}

func opNegate(_ *budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case int:
		return -v, nil
	case float64:
		return -v, nil
	default:
		return nil, wrongArgument("-", v, "a number")
	}
}

func opRange(b *budget, args []any) (any, error) {
	from, ok := args[0].(int)
	to, ok2 := args[1].(int)
	switch {
	case !ok || !ok2:
		return nil, operands("..", args[0], args[1], "two integers")
	case from > to:
		return []any{}, nil
	case to-from >= MaxExprList:
		return nil, &fault{reason: fmt.Sprintf("a range of over %d elements", MaxExprList)}
	}
	if err := b.spend(to - from); err != nil {
		return nil, err
	}
	list := make([]any, 0, to-from+1)
	for n := from; n <= to; n++ {
		list = append(list, n)
	}
	return list, nil
}

func opSum(b *budget, args []any) (any, error) {
	list, ok := args[0].([]any)
	if !ok {
		return nil, wrongArgument("sum", args[0], "a list")
	}
	if err := b.spend(len(list)); err != nil {
		return nil, err
	}
	var total any = 0
	for _, item := range list {
		if _, ok := toFloat(item); !ok {
			return nil, wrongArgument("sum", item, "a number")
		}
		var err error
		if total, err = opAdd(b, []any{total, item}); err != nil {
			return nil, err
		}
	}
	return total, nil
}

func fnAbs(_ *budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case int:
		return max(v, -v), nil
	case float64:
		return math.Abs(v), nil
	default:
		return nil, wrongArgument("abs", v, "a number")
	}
}

func rounding(name string, v any, round func(float64) float64) (any, error) {
	switch v := v.(type) {
	case int:
		return v, nil
	case float64:
		return number(round(v))
	default:
		return nil, wrongArgument(name, v, "a number")
	}
}

func fnCeil(_ *budget, args []any) (any, error)  { return rounding("ceil", args[0], math.Ceil) }
func fnFloor(_ *budget, args []any) (any, error) { return rounding("floor", args[0], math.Floor) }
func fnRound(_ *budget, args []any) (any, error) { return rounding("round", args[0], math.Round) }

func fnMin(b *budget, args []any) (any, error) { return extreme(b, "min", args, -1) }
func fnMax(b *budget, args []any) (any, error) { return extreme(b, "max", args, 1) }

// extreme returns the number that is furthest in a direction, of the
// arguments or of the one list they are.
func extreme(b *budget, name string, args []any, direction int) (any, error) {
	if len(args) == 1 {
		list, ok := args[0].([]any)
		if !ok {
			list = args
		}
		args = list
	}
	if err := b.spend(len(args)); err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return nil, &fault{reason: name + " got an empty list"}
	}
	best := args[0]
	for _, v := range args {
		if _, ok := toFloat(v); !ok {
			return nil, wrongArgument(name, v, "numbers")
		}
		if c, _ := compare(b, name, v, best); c == direction {
			best = v
		}
	}
	return best, nil
}

// sortStable sorts list by keys, which must be all numbers or all texts.
func sortStable(b *budget, name string, list, keys []any, order any) (any, error) {
	direction := map[any]int{"asc": 1, "desc": -1}[order]
	if direction == 0 {
		return nil, &fault{reason: fmt.Sprintf("the order of %s is %s", name, describe(order)), mend: `write "asc" or "desc"`}
	}
	if err := b.spend(len(list) * (1 + bits.Len(uint(len(list))))); err != nil {
		return nil, err
	}
	index := make([]int, len(list))
	for i := range index {
		index[i] = i
	}
	var failed error
	slices.SortStableFunc(index, func(i, j int) int {
		if failed != nil {
			return 0
		}
		c, err := compare(b, name, keys[i], keys[j])
		if err != nil {
			failed = err
		}
		return c * direction
	})
	if failed != nil {
		return nil, failed
	}
	sorted := make([]any, len(list))
	for i, j := range index {
		sorted[i] = list[j]
	}
	return sorted, nil
}

// opSortBy sorts the first parts of pairs by the second ones.
func opSortBy(b *budget, args []any) (any, error) {
	pairs, ok := args[0].([]any)
	if !ok {
		return nil, wrongArgument("sortBy", args[0], "a list")
	}
	list, keys := make([]any, len(pairs)), make([]any, len(pairs))
	for i, p := range pairs {
		pair := p.([]any)
		list[i], keys[i] = pair[0], pair[1]
	}
	return sortStable(b, "sortBy", list, keys, args[1])
}

func fnSort(b *budget, args []any) (any, error) {
	list, ok := args[0].([]any)
	if !ok {
		return nil, wrongArgument("sort", args[0], "a list")
	}
	order := any("asc")
	if len(args) == 2 {
		order = args[1]
	}
	return sortStable(b, "sort", list, list, order)
}
