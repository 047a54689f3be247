package dsl

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr/ast"

	"github.com/sagad/sagad/schemas"
)

// inferValue checks the expressions of a value and returns its type.
func (c *compiler) inferValue(v *Value, n *names) *typ {
	switch {
	case v == nil:
		return nullType
	case v.kind == valueExpr:
		return c.infer(v.expr, n)
	case v.kind == valueText:
		for _, p := range v.parts {
			if p.expr != nil {
				c.textPart(p.expr, n)
			}
		}
		return textType
	case v.kind == valueConstant:
		return typeOfConstant(v.constant)
	case v.kind == valueList:
		t := &typ{kind: typeList}
		for i, item := range v.list {
			it := c.inferValue(item, n)
			if i == 0 {
				t.elem = it
			} else {
				t.elem = either(t.elem, it)
			}
		}
		return t
	default:
		t := &typ{kind: typeMap, closed: true, fields: map[string]*typ{}, required: map[string]bool{}}
		for _, f := range v.fields {
			t.fields[f.name], t.required[f.name] = c.inferValue(f.value, n), true
		}
		return t
	}
}

// textPart checks an expression inside text.
func (c *compiler) textPart(e *Expr, n *names) {
	t := c.infer(e, n)
	if t.kind == typeNull || t.kind == typeList || t.kind == typeMap {
		c.errorExpr(e, CodeType, t.String()+" stands inside text", "name one of its parts")
	}
}

func typeOfConstant(v any) *typ {
	switch v := v.(type) {
	case nil:
		return nullType
	case bool:
		return boolType
	case int:
		return intType
	case float64:
		return numType
	case string:
		return textType
	case []any:
		t := &typ{kind: typeList}
		for i, item := range v {
			if i == 0 {
				t.elem = typeOfConstant(item)
			} else {
				t.elem = either(t.elem, typeOfConstant(item))
			}
		}
		return t
	case map[string]any:
		if isSecret(v) {
			return anyType
		}
		t := &typ{kind: typeMap, closed: true, fields: map[string]*typ{}, required: map[string]bool{}}
		for name, item := range v {
			t.fields[name], t.required[name] = typeOfConstant(item), true
		}
		return t
	default:
		return anyType
	}
}

// isSecret reports whether a constant is a reference to a secret, whose value
// exists only in the plugin host.
func isSecret(v any) bool {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		return false
	}
	_, ok = m["$secret"]
	return ok
}

// delayType checks a computed duration.
func (c *compiler) delayType(d *Delay, n *names) {
	if d == nil || d.Expr == nil {
		return
	}
	t := c.inferValue(d.Expr, n)
	if t.kind != typeAny && t.kind != typeText {
		c.errorNode(c.at[d], CodeType, "the duration is "+t.String()+", not text", `it is text such as "5m"`)
	}
	if d.Expr.kind != valueExpr {
		return
	}
	use := c.uses[d.Expr.expr]
	results(use.tree, func(s *ast.StringNode) {
		if _, err := ParseDuration(s.Value); err != nil {
			l := s.Location()
			c.errorAt(c.exprSpan(use, l.From, l.To), CodeDuration, err.Error(), "")
		}
	})
}

// results calls f for the literal texts that an expression may give.
func results(n ast.Node, f func(*ast.StringNode)) {
	switch n := n.(type) {
	case *ast.StringNode:
		f(n)
	case *ast.ConditionalNode:
		results(n.Exp1, f)
		results(n.Exp2, f)
	case *ast.BinaryNode:
		if n.Operator == "??" {
			results(n.Left, f)
			results(n.Right, f)
		}
	}
}

// fits reports where a value cannot be what a schema wants. Its expressions
// have been inferred already.
func (c *compiler) fits(v *Value, want *typ) {
	n := c.at[v]
	if v.kind == valueConstant && isSecret(v.constant) {
		return
	}
	switch {
	case len(v.fields) > 0 && want.kind == typeMap:
		c.fitsMap(v, n, want)
	case len(v.list) > 0 && want.kind == typeList:
		if want.elem != nil {
			for _, item := range v.list {
				c.fits(item, want.elem)
			}
		}
	case v.kind == valueConstant:
		c.fitsConstant(v, n, want)
	case v.kind == valueExpr:
		if t := c.types[v.expr]; t != nil {
			if m := strictMismatch(t, want); m != "" {
				c.errorExpr(v.expr, CodeType, "the value "+m, mendExprType(t, want, v.expr))
			}
		}
	case v.kind == valueText:
		if m := mismatch(textType, want); m != "" {
			c.errorNode(n, CodeType, "the value "+m, "")
		}
	default:
		kind := map[valueKind]*typ{valueList: listType, valueMap: {kind: typeMap}}[v.kind]
		if m := mismatch(kind, want); m != "" {
			c.errorNode(n, CodeType, "the value "+m, "")
		}
	}
}

// scalar reports whether a type is that of a number or a boolean.
func (t *typ) scalar() bool { return t.isNumber() || t.kind == typeBool }

// mendConstant says how a constant of one type is made one of another, where
// quotes make the difference.
func mendConstant(constant any, t, want *typ) string {
	text, isText := constant.(string)
	switch {
	case want.kind == typeText && t.scalar():
		return "quote it if it is text"
	case want.isNumber() && isText && decimalFloat.MatchString(text):
		return "write the number without quotes"
	}
	return ""
}

// mendExprType says how what an expression gives is made another type, where
// there is a function for it.
func mendExprType(t, want *typ, e *Expr) string {
	switch {
	case t.null:
		return ""
	case want.kind == typeText && t.scalar():
		return fmt.Sprintf("write string(%s)", e.Source())
	case want.kind == typeInt && t.kind == typeNumber:
		return fmt.Sprintf("amounts of money are integers in minor units; otherwise write round(%s) or int(%[1]s)", e.Source())
	case want.kind == typeInt && t.kind == typeText:
		return fmt.Sprintf("write int(%s) if it holds one", e.Source())
	}
	return ""
}

func (c *compiler) fitsMap(v *Value, n *node, want *typ) {
	has := map[string]bool{}
	for _, f := range v.fields {
		has[f.name] = true
		t, ok := want.takes(f.name)
		if !ok {
			known := canonicalKeys(want.fields)
			c.errorNode(n.key(f.name), CodeUnknownField, fmt.Sprintf("there is no field %s", f.name), didYouMean(f.name, known, "the fields are "+orList(known)))
			continue
		}
		c.fits(f.value, t)
	}
	for _, name := range canonicalKeys(want.required) {
		if !has[name] {
			c.errorNode(n, CodeMissingInput, fmt.Sprintf("the field %s is missing", name), "the schema requires it")
		}
	}
}

// fitsConstant validates a constant with the part of the schema it is for.
func (c *compiler) fitsConstant(v *Value, n *node, want *typ) {
	if t := typeOfConstant(v.constant); mismatch(t, want) != "" {
		c.errorNode(n, CodeType, "the value "+mismatch(t, want), mendConstant(v.constant, t, want))
		return
	}
	if want.schema == nil || v.constant == nil && want.null {
		return
	}
	validator := want.schema.part(want.pointer)
	if validator == nil {
		return
	}
	var broken *schemas.ValidationError
	if errors.As(validator.Validate(v.constant), &broken) {
		for _, p := range broken.Problems {
			c.errorNode(n.pointer(p.Pointer), CodeType, "the value "+p.What, p.Mend)
		}
	}
}
