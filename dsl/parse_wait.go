package dsl

import (
	"fmt"
	"slices"
)

func (c *compiler) await(n *node) *Await {
	a := &Await{}
	f, ok := c.fields(n, "await", "signal", "schema", "where", "timeout")
	if !ok {
		return a
	}
	c.at[a] = n
	if s := f["signal"]; s != nil {
		a.Signal = c.name(s, "the signal", signalForm, signalHint)
	} else {
		c.errorNode(n.first(), CodeMissingKey, "await has no signal", "name the message, such as signal: sca.completed")
	}
	if s := f["schema"]; s != nil {
		a.Schema = c.schema(s, "schema")
	}
	if w := f["where"]; w != nil {
		a.Where = c.bareExpr(w, "where")
	}
	if t := f["timeout"]; t != nil {
		a.Timeout = c.delay(t, "timeout")
	}
	return a
}

func (c *compiler) sleep(n *node) *Sleep {
	s := &Sleep{}
	c.at[s] = n
	if n.kind != nodeMap {
		s.For = c.delay(n, "sleep")
		return s
	}
	f, ok := c.fields(n, "sleep", "until")
	if !ok || f["until"] == nil {
		c.errorNode(n.first(), CodeMissingKey, "sleep has neither a duration nor until", "write sleep: 30s, or sleep: {until: EXPRESSION}")
		return s
	}
	s.Until = c.bareExpr(f["until"], "until")
	return s
}

func (c *compiler) set(n *node) []Assignment {
	var set []Assignment
	if !c.expect(n, nodeMap, "set") {
		return nil
	}
	if len(n.keys) == 0 {
		c.errorNode(n, CodeEmpty, "set has no variable", "write set: {NAME: VALUE}")
	}
	for i, k := range n.keys {
		name := c.name(k, "the variable", nameForm, nameHint)
		v := c.value(n.items[i])
		c.at[assignmentKey{v}] = k
		set = append(set, Assignment{Name: name, Value: v})
	}
	// Sorted, since the order of the keys of a map means nothing.
	slices.SortFunc(set, func(a, b Assignment) int { return compareUTF16(a.Name, b.Name) })
	return set
}

// assignmentKey finds the place of the name of a variable that is set.
type assignmentKey struct{ value *Value }

func (c *compiler) failure(n *node) *Fail {
	fail := &Fail{}
	f, ok := c.fields(n, "fail", "code", "message")
	if !ok {
		return fail
	}
	c.at[fail] = n
	if code := f["code"]; code != nil {
		fail.Code = c.name(code, "the code", codeForm, codeHint)
		if reservedCodes[fail.Code] {
			c.errorNode(code, CodeInvalidID, fmt.Sprintf("the code %s belongs to the engine", fail.Code), "choose a code of your own")
		}
	} else {
		c.errorNode(n.first(), CodeMissingKey, "fail has no code", codeHint)
	}
	if m := f["message"]; m != nil {
		fail.Message = c.value(m)
		if _, constant := fail.Message.Constant(); constant && m.kind != nodeString || m.kind == nodeMap || m.kind == nodeList {
			c.errorNode(m, CodeWrongType, "message is "+m.kind.String()+", not text", "")
		}
	}
	return fail
}

// reservedCodes occur only as causes of a saga's end.
var reservedCodes = map[string]bool{"CANCELLED": true, "DEADLINE": true}

func (c *compiler) complete(n *node) *Complete {
	done := &Complete{}
	c.at[done] = n
	if n.kind == nodeNull { // complete: with nothing after it
		return done
	}
	f, ok := c.fields(n, "complete", "output")
	if ok && f["output"] != nil {
		done.Output = c.value(f["output"])
	}
	return done
}
