package dsl

import (
	"fmt"
	"slices"
)

// stepKinds are the keys that say what a step does.
var stepKinds = []string{"call", "saga", "parallel", "foreach", "switch", "scope", "await", "sleep", "set", "fail", "complete"}

// kindKeys are the keys that belong to some kinds only.
var kindKeys = map[string][]string{
	"with":       {"call", "saga"},
	"effect":     {"call"},
	"compensate": {"call"},
	"probe":      {"call"},
	"timeout":    {"call"},
	"retry":      {"call"},
}

// stepList reads a list of steps.
func (c *compiler) stepList(n *node, what string) []*Step {
	if !c.expect(n, nodeList, what) {
		return nil
	}
	if len(n.items) == 0 {
		c.errorNode(n, CodeEmpty, what+" has no step", "write at least one step")
	}
	var steps []*Step
	for _, item := range n.items {
		if s := c.step(item); s != nil {
			steps = append(steps, s)
		}
	}
	return steps
}

// step reads one step with everything inside it.
func (c *compiler) step(n *node) *Step {
	known := slices.Concat([]string{"id", "name", "description", "if", "catch"}, stepKinds, []string{"with", "effect", "compensate", "probe", "timeout", "retry"})
	f, ok := c.fields(n, "a step", known...)
	if !ok {
		return nil
	}
	s := &Step{Index: c.plan.count}
	if c.plan.count++; c.plan.count == MaxSteps+1 {
		c.errorNode(n.first(), CodeTooLarge, fmt.Sprintf("the definition has over %d steps", MaxSteps), "split it into several sagas")
	}
	c.at[s] = n
	c.stepID(s, n, f["id"])
	s.Name = c.optionalText(f["name"], "name")
	s.Description = c.optionalText(f["description"], "description")
	if e := f["if"]; e != nil {
		s.If = c.bareExpr(e, "if")
	}
	kind := c.stepKind(n, f)
	if kind == "" {
		return nil
	}
	c.readKind(s, kind, n, f)
	if cn := f["catch"]; cn != nil {
		s.Catch = c.catches(cn)
	}
	return s
}

func (c *compiler) stepID(s *Step, n, id *node) {
	if id == nil {
		c.errorNode(n.first(), CodeMissingKey, "the step has no id", "write id: NAME, unique in the definition")
		return
	}
	s.ID = c.name(id, "the id", idForm, idHint)
	if s.ID == "" {
		return
	}
	if other, twice := c.steps[s.ID]; twice {
		detail := "ids are unique in the whole definition"
		if first := c.at[other].get("id"); first.line > 0 {
			detail += fmt.Sprintf("; it is on line %d already", first.line)
		}
		c.errorNode(id, CodeDuplicateID, fmt.Sprintf("two steps have the id %s", s.ID), detail)
		return
	}
	c.steps[s.ID] = s
}

// stepKind returns the one key that says what the step does.
func (c *compiler) stepKind(n *node, f map[string]*node) string {
	kind := ""
	for _, k := range n.keys {
		name := k.string()
		if !contains(stepKinds, name) {
			continue
		}
		if kind != "" {
			c.errorNode(k, CodeStepKind, fmt.Sprintf("the step has %s and %s", kind, name), "a step does exactly one thing; make it two steps")
			return ""
		}
		kind = name
	}
	if kind == "" {
		c.errorNode(n.first(), CodeStepKind, "the step does nothing", "give it one of "+orList(stepKinds))
		return ""
	}
	for _, k := range n.keys {
		if kinds, limited := kindKeys[k.string()]; limited && !contains(kinds, kind) {
			c.errorNode(k, CodeUnknownKey, fmt.Sprintf("%s does not belong to %s", k.string(), aStep(kind)), "it belongs to "+orList(kinds))
		}
	}
	return kind
}

func (c *compiler) readKind(s *Step, kind string, n *node, f map[string]*node) {
	v := f[kind]
	switch kind {
	case "call":
		s.Kind, s.Call = KindCall, c.call(n, f)
	case "saga":
		s.Kind, s.Child = KindSaga, c.child(n, v, f["with"])
	case "parallel":
		s.Kind, s.Parallel = KindParallel, c.parallel(v)
	case "foreach":
		s.Kind, s.Foreach = KindForeach, c.foreach(v)
	case "switch":
		s.Kind, s.Switch = KindSwitch, c.switchBlock(v)
	case "scope":
		s.Kind, s.Scope = KindScope, c.scope(v)
	case "await":
		s.Kind, s.Await = KindAwait, c.await(v)
	case "sleep":
		s.Kind, s.Sleep = KindSleep, c.sleep(v)
	case "set":
		s.Kind, s.Set = KindSet, c.set(v)
	case "fail":
		s.Kind, s.Fail = KindFail, c.failure(v)
	case "complete":
		s.Kind, s.Complete = KindComplete, c.complete(v)
	}
}

// catches reads the catch clauses of a step.
func (c *compiler) catches(n *node) []Catch {
	if !c.expect(n, nodeList, "catch") {
		return nil
	}
	if len(n.items) == 0 {
		c.errorNode(n, CodeEmpty, "catch has no clause", "write - on: [CODE] and do:")
	}
	var catches []Catch
	for _, item := range n.items {
		f, ok := c.fields(item, "a catch clause", "on", "do")
		if !ok {
			continue
		}
		var clause Catch
		if f["on"] == nil || f["do"] == nil {
			c.errorNode(item.first(), CodeMissingKey, "a catch clause needs on and do", "write - on: [CODE] and do: with its steps")
			continue
		}
		clause.On = c.codes(f["on"], "on", true)
		clause.Do = c.stepList(f["do"], "do")
		c.at[firstCode(clause.On)] = f["on"]
		catches = append(catches, clause)
	}
	return catches
}

// firstCode identifies the list of codes of a clause.
func firstCode(on []string) any {
	if len(on) == 0 {
		return nil
	}
	return &on[0]
}

// aStep names a step by its kind.
func aStep(kind string) string {
	if kind == "await" {
		return "an " + kind + " step"
	}
	return "a " + kind + " step"
}
