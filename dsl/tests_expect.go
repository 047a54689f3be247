package dsl

import (
	"fmt"
	"time"
)

// Expect is what a case says of the end of a saga. What is left out is not checked.
type Expect struct {
	Outcome   string         // one of S19; empty: any
	Cause     map[string]any // kind, step, path, code and message, those that are given; nil: any
	Trace     []string       // nil: any
	AnyOrder  bool           // the trace is compared without its order
	Output    any            // compared in the parts that are given
	HasOutput bool
	Elapsed   *time.Duration
	Calls     map[string]int    // attempts by activity
	Inputs    map[string]any    // of the last attempt by activity, in the parts that are given
	States    map[string]string // of steps by path
	Parked    []string          // paths of what is parked; nil: any
	Replies   []string          // to signals, cancels and commands in the order of their times: a code, or accepted; nil: all are accepted

	at map[string]*node
}

var expectKeys = []string{"outcome", "cause", "trace", "anyOrder", "output", "elapsed", "calls", "inputs", "states", "parked", "replies"}

// outcomes are the states of S19 that a case can end in.
var outcomes = []string{"completed", "compensated", "resolved", "parked", "running", "compensating"}

// stepStates are the states of steps, as results have them.
var stepStates = []string{"pending", "running", "succeeded", "skipped", "failed", "rejected", "unknown", "parked", "compensating", "compensated"}

var causeKeys = []string{"kind", "step", "path", "code", "message"}

func (c *compiler) expectation(n *node) Expect {
	e := Expect{at: map[string]*node{}}
	f, ok := c.fields(n, "expect", expectKeys...)
	if !ok {
		return e
	}
	e.at = f
	if o := f["outcome"]; o != nil {
		e.Outcome = outcomes[c.choice(o, "outcome", outcomes...)]
	}
	if cause := f["cause"]; cause != nil {
		if _, ok := c.fields(cause, "cause", causeKeys...); ok {
			e.Cause, _ = cause.data().(map[string]any)
		}
	}
	e.Trace = c.texts(f["trace"], "trace")
	e.AnyOrder = c.optionalBool(f["anyOrder"], "anyOrder")
	e.Parked = c.texts(f["parked"], "parked")
	e.Replies = c.texts(f["replies"], "replies")
	if o := f["output"]; o != nil {
		e.Output, e.HasOutput = o.data(), true
	}
	if d := f["elapsed"]; d != nil {
		elapsed := c.optionalDuration(d, "elapsed")
		e.Elapsed = &elapsed
	}
	e.Calls = map[string]int{}
	c.eachKey(f["calls"], "calls", func(key string, v *node) { e.Calls[key] = c.whole(v, "the number of calls", 0, MaxInt) })
	e.Inputs = map[string]any{}
	c.eachKey(f["inputs"], "inputs", func(key string, v *node) { e.Inputs[key] = v.data() })
	e.States = map[string]string{}
	c.eachKey(f["states"], "states", func(key string, v *node) {
		e.States[key] = stepStates[c.choice(v, "the state of "+key, stepStates...)]
	})
	if len(f) == 0 {
		c.errorNode(n, CodeEmpty, "the case expects nothing", fmt.Sprintf("write what matters: %s", orList(expectKeys)))
	}
	return e
}

func (c *compiler) eachKey(n *node, what string, f func(key string, v *node)) {
	if n == nil || !c.expect(n, nodeMap, what) {
		return
	}
	for i, k := range n.keys {
		f(k.string(), n.items[i])
	}
}

// texts gives the entries of a list of texts, nil if there is no list.
func (c *compiler) texts(n *node, what string) []string {
	if n == nil || !c.expect(n, nodeList, what) {
		return nil
	}
	list := make([]string, 0, len(n.items))
	for _, item := range n.items {
		if c.expect(item, nodeString, "an entry of "+what) {
			list = append(list, item.string())
		}
	}
	return list
}
