package dsl

import (
	"fmt"
	"slices"
)

// varUse is a place where a variable is set or read.
type varUse struct {
	name  string
	at    span
	step  *Step // nil: the output of the saga
	set   bool
	unset bool // read where it is not set
}

// checkVariables reports variables that branches share: a variable set in a
// branch is neither read nor set in a sibling, and one set in an item of a
// foreach is not read outside.
func (c *compiler) checkVariables() {
	byName := map[string][]varUse{}
	for _, u := range c.varUses {
		byName[u.name] = append(byName[u.name], u)
	}
	for _, name := range canonicalKeys(byName) {
		uses := byName[name]
		reported := make([]bool, len(uses))
		for i, setter := range uses {
			if !setter.set {
				continue
			}
			for j, other := range uses {
				if i != j && !reported[j] && c.shares(setter, other, j > i) {
					reported[j] = true
				}
			}
		}
		for i, u := range uses {
			if u.unset && !reported[i] {
				c.errorAt(u.at, CodeVariable, fmt.Sprintf("the variable %s is not set here", name), "set it in a step that runs before this one")
			}
		}
	}
}

// shares reports another use of a variable that a setter's block keeps to
// itself. Of two setters the later one is reported.
func (c *compiler) shares(setter, other varUse, later bool) bool {
	a, b := c.branchesOf(setter.step), c.branchesOf(other.step)
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	if i < len(a) && i < len(b) && a[i].block == b[i].block && a[i].block.Kind == KindParallel && a[i].list >= 0 && b[i].list >= 0 {
		if other.set && !later {
			return false
		}
		verb := "read"
		if other.set {
			verb = "set"
		}
		c.errorAt(other.at, CodeVariable, fmt.Sprintf("the variable %s is %s here and set in another branch of %s", other.name, verb, a[i].block.ID),
			"branches run at the same time; give each its own variable")
		return true
	}
	outside := slices.IndexFunc(a[i:], func(t turn) bool { return t.list >= 0 && t.block.Kind == KindForeach })
	if outside < 0 || other.set {
		return false
	}
	c.errorAt(other.at, CodeVariable, fmt.Sprintf("the variable %s is set inside the foreach %s and read outside", other.name, a[i+outside].block.ID),
		fmt.Sprintf("items run on their own; let the last step of each give the value, and read steps.%s.output", a[i+outside].block.ID))
	return true
}

func (c *compiler) branchesOf(s *Step) []turn {
	if s == nil {
		return nil
	}
	return c.branches[s]
}
