package dsl

import "fmt"

// checkUnused warns of what has no influence on anything: variables that no
// expression reads, and steps that look at something and whose answer nobody
// looks at.
func (c *compiler) checkUnused() {
	read := map[string]bool{}
	for _, u := range c.varUses {
		if !u.set {
			read[u.name] = true
		}
	}
	everyStep(c.plan.Steps, func(s *Step) {
		for _, a := range s.Set {
			if !read[a.Name] && !c.standsIn(s) {
				c.warnNode(c.at[assignmentKey{a.Value}], CodeUnusedVariable, fmt.Sprintf("the variable %s is never read", a.Name),
					fmt.Sprintf("read vars.%s somewhere, or remove it", a.Name))
			}
		}
		if c.idle(s) {
			c.warnNode(c.at[s].first(), CodeUnusedStep, fmt.Sprintf("nothing reads the output of the step %s, which has no effect", s.ID),
				fmt.Sprintf("read steps.%s.output somewhere, or remove the step; if it is there for its errors, let its plugin declare them", s.ID))
		}
	})
}

// standsIn reports whether a step is all that a handler does: it has to have
// one, and a variable that takes note of the error is the usual one.
func (c *compiler) standsIn(s *Step) bool {
	around := c.branches[s]
	if len(around) == 0 {
		return false
	}
	last := around[len(around)-1]
	return last.list < 0 && len(last.block.Catch[-1-last.list].Do) == 1
}

// idle reports whether a step certainly changes nothing: it calls an activity
// without effect that declares no errors, so that it is not there to stop the
// saga, nobody catches what it fails with, and neither its output nor that of a
// block around it is read.
func (c *compiler) idle(s *Step) bool {
	if s.Kind != KindCall || s.Call.Effect != EffectNone || len(s.Catch) > 0 || c.read[s.ID] {
		return false
	}
	a := c.catalog[s.Call.Activity]
	if a == nil || a.output == nil || len(a.manifest.Errors) > 0 {
		return false
	}
	for _, t := range c.branches[s] {
		if c.read[t.block.ID] || t.list >= 0 && len(t.block.Catch) > 0 {
			return false
		}
	}
	return true
}

// checkWaits warns of messages that are waited for without an end.
func (c *compiler) checkWaits() {
	if c.plan.Deadline != nil {
		return
	}
	everyStep(c.plan.Steps, func(s *Step) {
		if s.Kind == KindAwait && s.Await.Timeout == nil {
			c.warnNode(c.at[s].first(), CodeUnboundedWait, fmt.Sprintf("the step %s may wait for ever", s.ID),
				"give await a timeout, or the saga a deadline")
		}
	})
}
