package dsl

import (
	"fmt"
	"slices"
)

// checkHanded warns of a sensitive value of the input that is handed to a child
// saga which does not keep it so. Only values that are handed on as they are
// can be told; at is the path in the child's input that v goes to.
func (c *compiler) checkHanded(s *Step, v *Value, at dataPath) {
	if v == nil || len(c.plan.Sensitive) == 0 {
		return
	}
	for _, f := range v.fields {
		c.checkHanded(s, f.value, append(at[:len(at):len(at)], f.name))
	}
	if v.kind != valueExpr || c.uses[v.expr] == nil || c.uses[v.expr].tree == nil {
		return
	}
	from, ok := inputPath(c.uses[v.expr].tree)
	if !ok {
		return
	}
	for _, text := range c.plan.Sensitive {
		sensitive, err := parseDataPath(text)
		if err != nil || !from.overlaps(sensitive) {
			continue
		}
		to := slices.Concat(at, sensitive[min(len(from), len(sensitive)):])
		if !s.Child.Plan.keepsSecret(to) {
			c.warnNode(c.at[v], CodeSensitive, fmt.Sprintf("%s is sensitive here, and %s is not in the saga %s", text, to, s.Child.Plan.Saga),
				fmt.Sprintf("add %s to sensitive there", to))
		}
	}
}

// keepsSecret reports whether a value of the input is sensitive as a whole.
func (p *Plan) keepsSecret(path dataPath) bool {
	return slices.ContainsFunc(p.Sensitive, func(text string) bool {
		sensitive, err := parseDataPath(text)
		return err == nil && len(sensitive) <= len(path) && sensitive.overlaps(path)
	})
}

// String writes the path as it stands in a definition.
func (p dataPath) String() string {
	text := "input"
	for _, part := range p {
		if part == "*" {
			text += "[*]"
		} else {
			text += "." + part
		}
	}
	return text
}
