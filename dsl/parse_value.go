package dsl

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// exprUse is an expression at its place in the definition.
type exprUse struct {
	node   *node    // the scalar it stands in
	offset int      // where it starts in the scalar's value, in characters
	tree   ast.Node // as written; nil if it does not parse
}

// exprSpan is the place of the characters from..to of an expression.
func (c *compiler) exprSpan(u *exprUse, from, to int) span {
	return c.text.spanIn(u.node, u.offset+from, u.offset+max(to, from+1))
}

// hasExpr reports whether a text has ${{ in it, escaped or not.
func hasExpr(s string) bool { return strings.Contains(s, "${{") }

// newUse compiles an expression that starts at a byte of a scalar's value.
// Leading and trailing space is not part of it. It returns an expression of no
// use if there is a problem, so that reading goes on.
func (c *compiler) newUse(n *node, source string, start int) *Expr {
	trimmed := strings.TrimSpace(source)
	start += strings.Index(source, trimmed)
	u := &exprUse{node: n, offset: c.cursor.at(n, start)}
	if len(c.uses) == MaxExprs {
		c.errorNode(n, CodeTooLarge, fmt.Sprintf("the definition has over %d expressions", MaxExprs), "split it into several sagas")
	}
	if len(c.uses) >= MaxExprs {
		e := &Expr{source: trimmed, isLiteral: true}
		c.uses[e] = u
		return e
	}
	e, tree, err := newExpr(trimmed)
	if err != nil {
		var f *fault
		if errors.As(err, &f) {
			at := c.exprSpan(u, f.from, f.to)
			if trimmed == "" {
				at = c.text.spanOf(n)
			}
			mend := f.mend
			if f.unfinished && c.cutByComment(n) {
				mend = mendComment
			}
			c.errorAt(at, CodeExpression, f.reason, mend)
		} else {
			c.errorNode(n, CodeExpression, err.Error(), "")
		}
		e, tree = &Expr{source: trimmed, isLiteral: true}, nil
	}
	u.tree = tree
	c.uses[e] = u
	return e
}

// bareExpr reads an expression that stands without ${{ }}.
func (c *compiler) bareExpr(n *node, what string) *Expr {
	switch {
	case n.kind == nodeBool || n.kind == nodeInt:
		// if: true is an expression too.
		e, tree, _ := newExpr(fmt.Sprint(n.value))
		c.uses[e] = &exprUse{node: n, tree: tree}
		return e
	case n.kind != nodeString:
		c.errorNode(n, CodeWrongType, fmt.Sprintf("%s is %s, not an expression", what, n.kind), mendBare(n, what))
		return &Expr{isLiteral: true}
	}
	s := n.string()
	if trimmed := strings.TrimSpace(s); strings.HasPrefix(trimmed, "${{") {
		c.errorNode(n, CodeExprForm, what+" takes a bare expression", "leave ${{ and }} out")
		return &Expr{isLiteral: true}
	}
	return c.newUse(n, s, 0)
}

// mendBare says what to write for a bare expression that is something else.
func mendBare(n *node, what string) string {
	switch {
	case what == "in" && n.kind == nodeList:
		return `write the list as an expression in quotes, such as in: '["a", "b"]', or name one, such as in: input.items`
	case what == "in":
		return "write an expression that gives a list, such as in: input.items"
	case what == "key":
		return "write an expression that names each item, such as key: item.id"
	}
	return "write a condition, such as " + what + ": input.amount.minor > 0"
}

// keyExpr reads the business key, which is one expression or text with
// expressions inside.
func (c *compiler) keyExpr(n *node) *Expr {
	v := c.value(n)
	c.at[v] = n
	if constant, ok := v.Constant(); ok {
		text, _ := constant.(string)
		switch constant.(type) {
		case string, int:
			if _, isText := constant.(string); isText && text == "" {
				c.errorNode(n, CodeValue, "the business key is empty", "write an expression such as ${{ input.orderId }}")
				break
			}
			if bareKey.MatchString(text) {
				c.errorNode(n, CodeExprForm, "the business key is text, not an expression", fmt.Sprintf("write ${{ %s }}", text))
				break
			}
			c.warnNode(n, CodeConstantKey, "the business key is the same for every saga",
				"only one saga will ever start; write an expression such as ${{ input.orderId }}")
		default:
			if n.kind != nodeString || !hasExpr(n.string()) {
				c.errorNode(n, CodeWrongType, "the business key is "+n.kind.String(), "write text or an expression, such as ${{ input.orderId }}")
			}
		}
	}
	switch v.kind {
	case valueExpr:
		return v.expr
	case valueText:
		return c.textAsExpr(n, v)
	case valueConstant:
		text, _ := MarshalCanonical(v.constant)
		e, tree, err := newExpr(string(text))
		if err != nil {
			return &Expr{isLiteral: true}
		}
		c.uses[e] = &exprUse{node: n, tree: tree}
		return e
	default:
		return &Expr{isLiteral: true}
	}
}

// bareKey is the form of a key that somebody forgot the ${{ }} of.
var bareKey = regexp.MustCompile(`^(input|tenant)\.[A-Za-z_]`)

// textAsExpr turns interpolated text into one expression that gives the same.
// The parts keep their places for the checks.
func (c *compiler) textAsExpr(n *node, v *Value) *Expr {
	parts := make([]string, len(v.parts))
	for i, p := range v.parts {
		if p.expr != nil {
			parts[i] = "string(" + p.expr.source + ")"
			c.keyParts = append(c.keyParts, p.expr)
		} else {
			parts[i] = strconv.Quote(p.literal)
		}
	}
	e, _, err := newExpr(strings.Join(parts, " + "))
	if err != nil {
		c.errorNode(n, CodeExpression, "the business key is too large", "make it of fewer parts")
		return &Expr{isLiteral: true}
	}
	c.uses[e] = &exprUse{node: n}
	return e
}

// value reads data that may contain expressions.
func (c *compiler) value(n *node) *Value {
	v := &Value{}
	c.at[v] = n
	switch n.kind {
	case nodeString:
		c.textValue(v, n)
	case nodeList:
		v.kind = valueList
		constant := make([]any, 0, len(n.items))
		for _, item := range n.items {
			part := c.value(item)
			v.list = append(v.list, part)
			constant = append(constant, part.constant)
		}
		v.fold(constant)
	case nodeMap:
		c.mapValue(v, n)
	default:
		v.constant = n.value
	}
	return v
}

func (c *compiler) mapValue(v *Value, n *node) {
	v.kind = valueMap
	fields := make(map[string]*Value, len(n.keys))
	constant := make(map[string]any, len(n.keys))
	for i, k := range n.keys {
		name := k.string()
		if strings.HasPrefix(name, "$") {
			c.dollarKey(n, k, n.items[i])
			fields[name] = &Value{constant: n.items[i].value}
			c.at[fields[name]] = n.items[i]
		} else {
			if hasExpr(name) {
				c.errorNode(k, CodeExprForm, "an expression in a key", "expressions stand in values")
			}
			fields[name] = c.value(n.items[i])
		}
		constant[name] = fields[name].constant
	}
	for _, name := range canonicalKeys(fields) {
		v.fields = append(v.fields, valueField{name, fields[name]})
	}
	v.fold(constant)
}

// dollarKey checks {$secret: path}, the only key with a dollar.
func (c *compiler) dollarKey(n, key, value *node) {
	switch {
	case key.string() != "$secret":
		c.errorNode(key, CodeUnknownKey, fmt.Sprintf("values have no key %q", key.string()), `only {$secret: path} starts with a dollar`)
	case len(n.keys) != 1:
		c.errorNode(key, CodeSecret, "$secret stands beside other keys", "write {$secret: path} alone")
	case !value.isText() || !secretForm.MatchString(value.string()):
		c.errorNode(value, CodeSecret, "$secret does not name a secret", secretHint)
	default:
		c.secrets = append(c.secrets, key)
	}
}

// fold makes a list or map of constants a constant.
func (v *Value) fold(constant any) {
	for _, item := range v.list {
		if item.kind != valueConstant {
			return
		}
	}
	for _, f := range v.fields {
		if f.value.kind != valueConstant {
			return
		}
	}
	*v = Value{kind: valueConstant, constant: constant, list: v.list, fields: v.fields}
}

// otherBraces are how expressions look in shells and templates. The names are
// those that expressions here begin with.
var otherBraces = regexp.MustCompile(`(?:^|[^$])(\$\{|\{\{)\s*(?:input|steps|vars|saga|tenant|self|error|event)[.?\[]`)

// checkBraces warns of text that somebody took for an expression.
func (c *compiler) checkBraces(n *node, s string) {
	if c.text == nil {
		return
	}
	if at := otherBraces.FindStringSubmatchIndex(s); at != nil {
		c.report(c.text.spanIn(n, runeOffset(s, at[2]), runeOffset(s, at[3])), SeverityWarning, CodeExprForm,
			fmt.Sprintf("%s is text here", s[at[2]:at[3]]), "an expression stands in ${{ }}")
	}
}

// textValue reads a text: constant, one whole expression, or with expressions
// inside. $${{ stands for ${{ itself.
func (c *compiler) textValue(v *Value, n *node) {
	s := n.string()
	if n.style == stylePlain && yamlBools[s] && c.text != nil {
		c.warnNode(n, CodeYAMLBool, fmt.Sprintf("%s is text here, not a boolean", s), fmt.Sprintf("write true or false, or quote it: %q", s))
	}
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			v.parts = append(v.parts, textPart{literal: literal.String()})
			literal.Reset()
		}
	}
	for i := 0; i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], "$${{"):
			literal.WriteString("${{")
			i += 4
		case strings.HasPrefix(s[i:], "${{"):
			length := exprEnd(s[i+3:])
			if length < 0 {
				c.errorAt(c.text.spanIn(n, runeOffset(s, i), runeOffset(s, i)+3), CodeExpression, "${{ without }}", c.mendOpen(n))
				v.constant = ""
				return
			}
			flush()
			v.parts = append(v.parts, textPart{expr: c.newUse(n, s[i+3:i+3+length], i+3)})
			i += 3 + length + 2
		default:
			literal.WriteByte(s[i])
			i++
		}
	}
	flush()
	c.checkBraces(n, s)
	v.kind = valueText
	switch {
	case len(v.parts) == 0:
		*v = Value{constant: ""}
	case len(v.parts) == 1 && v.parts[0].expr == nil:
		*v = Value{constant: v.parts[0].literal}
	case len(v.parts) == 1:
		*v = Value{kind: valueExpr, expr: v.parts[0].expr}
	}
}

// mendOpen says how to mend an expression that does not end.
func (c *compiler) mendOpen(n *node) string {
	if c.cutByComment(n) {
		return mendComment
	}
	return "close the expression, or write $${{ for the characters themselves"
}

const mendComment = "quote the value: in YAML, # after a space starts a comment"

// cutByComment reports whether a comment stands behind a scalar without quotes:
// what was meant to go on may have been cut off there.
func (c *compiler) cutByComment(n *node) bool {
	if c.text == nil || n.style != stylePlain || n.line == 0 {
		return false
	}
	end := c.text.spanOf(n)
	line := c.text.line(end.endLine - 1)
	rest := line[min(end.endColumn-1, len(line)):]
	return strings.HasPrefix(strings.TrimSpace(string(rest)), "#")
}

// yamlBools are the words that older YAML takes for booleans. NO and ON are
// left out: they are the codes of Norway and Ontario.
var yamlBools = map[string]bool{
	"yes": true, "no": true, "on": true, "off": true,
	"Yes": true, "No": true, "On": true, "Off": true, "YES": true, "OFF": true,
}
