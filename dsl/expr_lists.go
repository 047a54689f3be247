package dsl

import (
	"fmt"
	"unicode/utf8"
)

// listArgument returns an argument as a list and pays for going over it.
func listArgument(b *budget, name string, v any) ([]any, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, wrongArgument(name, v, "a list")
	}
	return list, b.spend(len(list))
}

func fnLen(b *budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case string:
		return utf8.RuneCountInString(v), b.spend(1 + len(v)/64)
	case []any:
		return len(v), nil
	case map[string]any:
		return len(v), nil
	default:
		return nil, wrongArgument("len", v, "text, a list or a map")
	}
}

func fnReverse(b *budget, args []any) (any, error) {
	list, err := listArgument(b, "reverse", args[0])
	if err != nil {
		return nil, err
	}
	out := make([]any, len(list))
	for i, v := range list {
		out[len(list)-1-i] = v
	}
	return out, nil
}

func fnUniq(b *budget, args []any) (any, error) {
	list, err := listArgument(b, "uniq", args[0])
	if err != nil {
		return nil, err
	}
	out := []any{}
next:
	for _, v := range list {
		for _, seen := range out {
			same, err := equal(b, v, seen, 0)
			if err != nil {
				return nil, err
			}
			if same {
				continue next
			}
		}
		out = append(out, v)
	}
	return out, nil
}

func fnFlatten(b *budget, args []any) (any, error) {
	list, err := listArgument(b, "flatten", args[0])
	if err != nil {
		return nil, err
	}
	return flatten(b, []any{}, list, 0)
}

func flatten(b *budget, out, list []any, depth int) ([]any, error) {
	if depth > MaxJSONDepth {
		return nil, &fault{reason: fmt.Sprintf("a list nested over %d levels deep is flattened", MaxJSONDepth)}
	}
	for _, v := range list {
		if err := b.spend(1); err != nil {
			return nil, err
		}
		inner, ok := v.([]any)
		if !ok {
			out = append(out, v)
			continue
		}
		var err error
		if out, err = flatten(b, out, inner, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func fnConcat(b *budget, args []any) (any, error) {
	out := []any{}
	for _, a := range args {
		list, err := listArgument(b, "concat", a)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

func fnFirst(b *budget, args []any) (any, error) { return element(b, "first", args[0], 0) }
func fnLast(b *budget, args []any) (any, error)  { return element(b, "last", args[0], -1) }

func element(_ *budget, name string, v any, i int) (any, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, wrongArgument(name, v, "a list")
	}
	if len(list) == 0 {
		return nil, nil
	}
	if i < 0 {
		i += len(list)
	}
	return list[i], nil
}

func fnTake(_ *budget, args []any) (any, error) {
	list, ok := args[0].([]any)
	n, ok2 := args[1].(int)
	if !ok || !ok2 || n < 0 {
		return nil, operands("take", args[0], args[1], "a list and a number of elements")
	}
	n = min(n, len(list))
	return list[:n:n], nil
}

func mapArgument(b *budget, name string, v any) (map[string]any, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, wrongArgument(name, v, "a map")
	}
	return m, b.spend(4 * len(m))
}

func fnKeys(b *budget, args []any) (any, error) {
	m, err := mapArgument(b, "keys", args[0])
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(m))
	for _, k := range canonicalKeys(m) {
		out = append(out, k)
	}
	return out, nil
}

func fnValues(b *budget, args []any) (any, error) {
	m, err := mapArgument(b, "values", args[0])
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(m))
	for _, k := range canonicalKeys(m) {
		out = append(out, m[k])
	}
	return out, nil
}

func fnGet(_ *budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case nil:
		return nil, nil
	case map[string]any:
		name, ok := args[1].(string)
		if !ok {
			return nil, wrongArgument("get", args[1], "the name of a field")
		}
		return v[name], nil
	case []any:
		i, ok := args[1].(int)
		if !ok {
			return nil, wrongArgument("get", args[1], "an integer as the index of a list")
		}
		if i < 0 {
			i += len(v)
		}
		if i < 0 || i >= len(v) {
			return nil, nil
		}
		return v[i], nil
	default:
		return nil, wrongArgument("get", v, "a map or a list")
	}
}
