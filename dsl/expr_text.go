package dsl

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// texts returns the arguments of a function as texts and pays for reading
// them.
func texts(b *budget, name string, args []any) ([]string, error) {
	out := make([]string, len(args))
	for i, a := range args {
		s, ok := a.(string)
		if !ok {
			return nil, wrongArgument(name, a, "text")
		}
		if err := b.spend(1 + len(s)/64); err != nil {
			return nil, err
		}
		out[i] = s
	}
	return out, nil
}

// textFunction applies f to the arguments as texts.
func textFunction(b *budget, name string, args []any, f func(s []string) string) (any, error) {
	s, err := texts(b, name, args)
	if err != nil {
		return nil, err
	}
	result := f(s)
	return result, b.spendText(len(result))
}

func fnUpper(b *budget, args []any) (any, error) {
	return textFunction(b, "upper", args, func(s []string) string { return strings.ToUpper(s[0]) })
}

func fnLower(b *budget, args []any) (any, error) {
	return textFunction(b, "lower", args, func(s []string) string { return strings.ToLower(s[0]) })
}

func fnTrim(b *budget, args []any) (any, error) {
	return textFunction(b, "trim", args, func(s []string) string {
		if len(s) == 2 {
			return strings.Trim(s[0], s[1])
		}
		return strings.TrimSpace(s[0])
	})
}

func fnTrimPrefix(b *budget, args []any) (any, error) {
	return textFunction(b, "trimPrefix", args, func(s []string) string { return strings.TrimPrefix(s[0], s[1]) })
}

func fnTrimSuffix(b *budget, args []any) (any, error) {
	return textFunction(b, "trimSuffix", args, func(s []string) string { return strings.TrimSuffix(s[0], s[1]) })
}

func fnReplace(b *budget, args []any) (any, error) {
	s, err := texts(b, "replace", args)
	if err != nil {
		return nil, err
	}
	// The size is known before the text is made: each replacement may grow it.
	n := strings.Count(s[0], s[1])
	if err := b.spendText(len(s[0]) + n*max(len(s[2])-len(s[1]), 0)); err != nil {
		return nil, err
	}
	return strings.ReplaceAll(s[0], s[1], s[2]), nil
}

func fnSplit(b *budget, args []any) (any, error) {
	s, err := texts(b, "split", args)
	if err != nil {
		return nil, err
	}
	if s[1] == "" {
		return nil, &fault{reason: "split got an empty separator"}
	}
	if err := b.spend(strings.Count(s[0], s[1]) + 1); err != nil {
		return nil, err
	}
	var list []any
	for part := range strings.SplitSeq(s[0], s[1]) {
		list = append(list, part)
	}
	return list, nil
}

func fnJoin(b *budget, args []any) (any, error) {
	list, ok := args[0].([]any)
	if !ok {
		return nil, wrongArgument("join", args[0], "a list of texts")
	}
	parts, err := texts(b, "join", list)
	if err != nil {
		return nil, err
	}
	separator := ""
	if len(args) == 2 {
		if separator, ok = args[1].(string); !ok {
			return nil, wrongArgument("join", args[1], "text as its separator")
		}
	}
	size := len(separator) * max(len(parts)-1, 0)
	for _, p := range parts {
		size += len(p)
	}
	if err := b.spendText(size); err != nil {
		return nil, err
	}
	return strings.Join(parts, separator), nil
}

func fnIndexOf(b *budget, args []any) (any, error) {
	s, err := texts(b, "indexOf", args)
	if err != nil {
		return nil, err
	}
	i := strings.Index(s[0], s[1])
	if i > 0 {
		i = runeOffset(s[0], i)
	}
	return i, nil
}

// opSlice cuts a list, or a text by its characters. Bounds outside are moved
// to the ends; negative ones count from the end.
func opSlice(b *budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case []any:
		from, to, err := sliceBounds(len(v), args[1], args[2])
		if err != nil {
			return nil, err
		}
		return v[from:to:to], nil
	case string:
		runes := []rune(v)
		if err := b.spendText(4 * len(v)); err != nil {
			return nil, err
		}
		from, to, err := sliceBounds(len(runes), args[1], args[2])
		if err != nil {
			return nil, err
		}
		return string(runes[from:to]), nil
	default:
		return nil, wrongArgument("[:]", v, "a list or text")
	}
}

func sliceBounds(n int, low, high any) (from, to int, err error) {
	bound := func(v any, otherwise int) int {
		i, ok := v.(int)
		switch {
		case v == nil:
			return otherwise
		case !ok:
			err = wrongArgument("[:]", v, "integers")
			return 0
		case i < 0:
			i += n
		}
		return min(max(i, 0), n)
	}
	to = bound(high, n)
	from = min(bound(low, 0), to)
	return from, to, err
}

func fnInt(_ *budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case int:
		return v, nil
	case float64:
		return number(math.Trunc(v))
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return nil, &fault{reason: "int got a text that is not an integer in decimal digits"}
		}
		return integer(int(n))
	default:
		return nil, wrongArgument("int", v, "text or a number")
	}
}

func fnFloat(_ *budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case int, float64:
		return v, nil
	case string:
		if !decimalFloat.MatchString(v) {
			return nil, &fault{reason: "float got a text that is not a decimal number"}
		}
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return nil, &fault{reason: "float got a text that is out of range"}
		}
		return number(f)
	default:
		return nil, wrongArgument("float", v, "text or a number")
	}
}

func fnString(b *budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case string:
		return v, nil
	case nil:
		return nil, wrongArgument("string", v, "a value")
	default:
		return fnToJSON(b, args)
	}
}

func fnToJSON(b *budget, args []any) (any, error) {
	if _, err := normal(b, args[0], 0); err != nil {
		return nil, err
	}
	text, err := MarshalCanonical(args[0])
	if err != nil {
		return nil, &fault{reason: err.Error()}
	}
	return string(text), b.spendText(len(text))
}

func fnFromJSON(b *budget, args []any) (any, error) {
	s, err := texts(b, "fromJSON", args)
	if err != nil {
		return nil, err
	}
	if err := b.spendText(16 * min(len(s[0]), MaxTextBytes/16)); err != nil {
		return nil, err
	}
	v, err := ParseJSON([]byte(s[0]))
	if err != nil {
		return nil, &fault{reason: "fromJSON got a text that is not JSON"}
	}
	return v, nil
}

func fnToBase64(b *budget, args []any) (any, error) {
	return textFunction(b, "toBase64", args, func(s []string) string {
		return base64.StdEncoding.EncodeToString([]byte(s[0]))
	})
}

func fnFromBase64(b *budget, args []any) (any, error) {
	s, err := texts(b, "fromBase64", args)
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(s[0])
	if err != nil || !utf8.Valid(data) {
		return nil, &fault{reason: "fromBase64 got a text that is not base64 of UTF-8"}
	}
	return string(data), b.spendText(len(data))
}

func fnType(_ *budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case nil:
		return "nil", nil
	case bool:
		return "bool", nil
	case int:
		return "int", nil
	case float64:
		return "float", nil
	case string:
		return "string", nil
	case []any:
		return "array", nil
	case map[string]any:
		return "map", nil
	default:
		return nil, wrongArgument("type", v, "JSON data")
	}
}

// fnAfter adds a duration to an instant. The result is in UTC, with as many
// digits of the second as it needs.
func fnAfter(b *budget, args []any) (any, error) {
	s, err := texts(b, "after", args)
	if err != nil {
		return nil, err
	}
	t, err := ParseInstant(s[0])
	if err != nil {
		return nil, &fault{reason: "after: " + err.Error()}
	}
	d, err := ParseDuration(s[1])
	if err != nil {
		return nil, &fault{reason: "after: " + notDuration}
	}
	return t.Add(d).UTC().Format(time.RFC3339Nano), nil
}

// notDuration says what is wrong with a duration in data, without the data.
const notDuration = "the text is not a duration such as 250ms, 30s, 5m, 24h or 7d"

// ParseInstant reads an instant as definitions and data write it: RFC 3339
// with a zone, such as 2026-11-23T10:00:00Z, in the years 1 to 9998.
func ParseInstant(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1 || t.Year() > 9998 {
		return time.Time{}, errors.New("the text is not an instant such as 2026-11-23T10:00:00Z")
	}
	return t, nil
}

// text returns the form of a value inside other text.
func text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case bool, int, float64:
		s, err := MarshalCanonical(v)
		return string(s), err
	default:
		f := &fault{reason: describe(v) + " stands inside text"}
		if v == nil {
			f.mend = `give a default, such as ?? ""`
		} else {
			f.mend = fmt.Sprintf("name one of its parts, or let %s stand alone", describe(v))
		}
		return "", f
	}
}
