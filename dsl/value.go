package dsl

import (
	"fmt"
	"strings"
	"time"
)

// Value is data of a definition that may contain expressions: a constant, an
// expression, text with expressions inside, or a list or map of values. A nil
// *Value is the value nil.
type Value struct {
	kind     valueKind
	constant any
	expr     *Expr
	parts    []textPart // of text
	list     []*Value
	fields   []valueField // of a map, in canonical order
}

type valueKind uint8

const (
	valueConstant valueKind = iota
	valueExpr
	valueText
	valueList
	valueMap
)

// textPart is a piece of an interpolated text: literal, or an expression.
type textPart struct {
	literal string
	expr    *Expr
}

type valueField struct {
	name  string
	value *Value
}

// Eval evaluates the value. The result is JSON data; its lists and maps may be
// shared with env and with other results and are not to be changed. A failure
// is an *EvalError.
func (v *Value) Eval(env Env) (any, error) {
	if v == nil {
		return nil, nil
	}
	switch v.kind {
	case valueConstant:
		return v.constant, nil
	case valueExpr:
		return v.expr.Eval(env)
	case valueText:
		return v.evalText(env)
	case valueList:
		list := make([]any, len(v.list))
		for i, item := range v.list {
			var err error
			if list[i], err = item.Eval(env); err != nil {
				return nil, err
			}
		}
		return list, nil
	default:
		m := make(map[string]any, len(v.fields))
		for _, f := range v.fields {
			item, err := f.value.Eval(env)
			if err != nil {
				return nil, err
			}
			m[f.name] = item
		}
		return m, nil
	}
}

func (v *Value) evalText(env Env) (any, error) {
	var b strings.Builder
	for _, p := range v.parts {
		s := p.literal
		if p.expr != nil {
			part, err := p.expr.Eval(env)
			if err != nil {
				return nil, err
			}
			if s, err = text(part); err != nil {
				return nil, asFault(err).in(p.expr.source)
			}
		}
		if b.Len()+len(s) > MaxTextBytes {
			return nil, &EvalError{Reason: "a text grows over the limit"}
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// Constant returns the value if no expression is in it.
func (v *Value) Constant() (value any, ok bool) {
	if v == nil {
		return nil, true
	}
	return v.constant, v.kind == valueConstant
}

// Words gives the value as people read it in a drawing: an expression without
// its braces, everything else as it is written. Of a nil value that is empty.
func (v *Value) Words() string {
	switch {
	case v == nil:
		return ""
	case v.kind == valueExpr:
		return v.expr.source
	}
	return fmt.Sprint(v.source())
}

// source returns the value as definitions write it, as JSON data.
func (v *Value) source() any {
	switch {
	case v == nil:
		return nil
	case v.kind == valueConstant:
		return escapeText(v.constant)
	case v.kind == valueExpr:
		return "${{ " + v.expr.source + " }}"
	case v.kind == valueText:
		var b strings.Builder
		for _, p := range v.parts {
			if p.expr != nil {
				b.WriteString("${{ " + p.expr.source + " }}")
			} else {
				b.WriteString(escapeDollars(p.literal))
			}
		}
		return b.String()
	case v.kind == valueList:
		list := make([]any, len(v.list))
		for i, item := range v.list {
			list[i] = item.source()
		}
		return list
	default:
		m := make(map[string]any, len(v.fields))
		for _, f := range v.fields {
			m[f.name] = f.value.source()
		}
		return m
	}
}

// escapeText escapes ${{ in the texts of constant data.
func escapeText(v any) any {
	switch v := v.(type) {
	case string:
		return escapeDollars(v)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = escapeText(item)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, item := range v {
			m[k] = escapeText(item)
		}
		return m
	default:
		return v
	}
}

func escapeDollars(s string) string { return strings.ReplaceAll(s, "${{", "$${{") }

// exprs calls f for every expression in the value.
func (v *Value) exprs(f func(*Expr)) {
	if v == nil {
		return
	}
	if v.expr != nil {
		f(v.expr)
	}
	for _, p := range v.parts {
		if p.expr != nil {
			f(p.expr)
		}
	}
	for _, item := range v.list {
		item.exprs(f)
	}
	for _, field := range v.fields {
		field.value.exprs(f)
	}
}

// Eval returns the duration. It is positive and at most MaxDuration; a value
// that is no such duration is an *EvalError. A nil *Delay is no duration: 0.
func (d *Delay) Eval(env Env) (time.Duration, error) {
	if d == nil {
		return 0, nil
	}
	if d.Expr == nil {
		return d.Fixed, nil
	}
	v, err := d.Expr.Eval(env)
	if err != nil {
		return 0, err
	}
	fail := func(reason, mend string) error {
		source, _ := d.Expr.source().(string)
		return &EvalError{Expr: source, Reason: reason, Mend: mend}
	}
	s, ok := v.(string)
	if !ok {
		return 0, fail("the duration is "+describe(v)+", not text", `it is text such as "5m"`)
	}
	t, err := ParseDuration(s)
	if err != nil {
		return 0, fail(notDuration, "")
	}
	return t, nil
}
