package dsl

import (
	"fmt"
	"slices"
	"time"
)

// Limits of a definition, and what applies where it says nothing.
const (
	// MaxSteps is the largest number of steps at all depths.
	MaxSteps = 1000
	// MaxSagaName is the longest name of a saga: it is part of every instance
	// ID and idempotency key, which are hashed over 255 bytes.
	MaxSagaName = 100
	// DefaultCancelGrace is how long running actions may go on after a cancel
	// (S13).
	DefaultCancelGrace = 30 * time.Second
)

// definition reads the top level of a definition into c.plan.
func (c *compiler) definition(root *node) {
	known := []string{"saga", "version", "description", "key", "deadline", "cancelGrace", "input", "sensitive", "search", "defaults", "steps", "output"}
	if c.canon {
		known = append(known, "language")
		if len(c.nest.chain) == 0 {
			known = append(known, "sagas")
		}
	}
	f, ok := c.fields(root, "a definition", known...)
	if !ok {
		return
	}
	p := &Plan{Language: LanguageVersion, CancelGrace: DefaultCancelGrace}
	c.plan = p
	c.at[p] = root
	for _, key := range []string{"saga", "key", "steps"} {
		if f[key] == nil {
			c.errorNode(root.first(), CodeMissingKey, fmt.Sprintf("the definition has no %s", key), missingTop[key])
		}
	}
	if n := f["saga"]; n != nil {
		p.Saga = c.name(n, "the saga", sagaForm, sagaHint)
		if len(p.Saga) > MaxSagaName {
			c.errorNode(n, CodeInvalidID, fmt.Sprintf("the name of the saga has %d characters", len(p.Saga)), sagaHint)
		}
	}
	c.enter(p.Saga, f["sagas"])
	p.Version = c.version(f["version"])
	p.Description = c.optionalText(f["description"], "description")
	if n := f["key"]; n != nil {
		p.Key = c.keyExpr(n)
	}
	if n := f["deadline"]; n != nil {
		p.Deadline = c.delay(n, "deadline")
	}
	if n := f["cancelGrace"]; n != nil {
		p.CancelGrace = c.duration(n, "cancelGrace")
	}
	if n := f["input"]; n != nil {
		p.Input = c.schema(n, "input")
	}
	p.Sensitive = c.sensitive(f["sensitive"])
	p.Search = c.search(f["search"])
	c.readDefaults(f["defaults"])
	if n := f["steps"]; n != nil {
		p.Steps = c.stepList(n, "steps")
	}
	if n := f["output"]; n != nil {
		p.Output = c.value(n)
	}
}

// enter begins the chain of sagas that run each other, unless another one runs
// this one. canon holds the plans of the sagas of a canonical plan.
func (c *compiler) enter(saga string, canon *node) {
	if len(c.nest.chain) > 0 {
		return
	}
	c.nest.chain = []string{saga}
	if canon == nil || !c.canon || !c.expect(canon, nodeMap, "sagas") {
		return
	}
	c.nest.canon = map[string]*node{}
	for i, k := range canon.keys {
		c.nest.canon[k.string()] = canon.items[i]
	}
}

var missingTop = map[string]string{
	"saga":  "write saga: NAME",
	"key":   "write the business key, such as key: ${{ input.orderId }}: one saga runs for each",
	"steps": "write steps: and a list of steps",
}

// first returns the node that stands for a map as a whole: its first key.
func (n *node) first() *node {
	if n.kind == nodeMap && len(n.keys) > 0 {
		return n.keys[0]
	}
	return n
}

func (c *compiler) version(n *node) string {
	if n == nil {
		return ""
	}
	if n.kind == nodeInt || n.kind == nodeFloat {
		c.errorNode(n, CodeVersion, fmt.Sprintf("the version %s is a number", n.text), fmt.Sprintf("quote it: %q", n.text))
		return ""
	}
	if !c.expect(n, nodeString, "version") {
		return ""
	}
	if s := n.string(); len(s) > 100 {
		c.errorNode(n, CodeVersion, fmt.Sprintf("the version has %d bytes", len(s)), "a version has at most 100")
	}
	return n.string()
}

// sensitive reads the paths of values that are redacted and encrypted.
func (c *compiler) sensitive(n *node) []string {
	if n == nil || !c.expect(n, nodeList, "sensitive") {
		return nil
	}
	var paths []string
	for _, item := range n.items {
		if !c.expect(item, nodeString, "a sensitive path") {
			continue
		}
		s := item.string()
		if _, err := parseDataPath(s); err != nil {
			c.errorNode(item, CodeSensitive, err.Error(), "write a path such as input.debtor.iban or input.items[*].iban")
			continue
		}
		if contains(paths, s) {
			c.errorNode(item, CodeSensitive, fmt.Sprintf("the path %s stands twice", s), "")
			continue
		}
		paths = append(paths, s)
	}
	return paths
}

// search reads the search attributes.
func (c *compiler) search(n *node) []SearchValue {
	if n == nil || !c.expect(n, nodeMap, "search") {
		return nil
	}
	var values []SearchValue
	for i, k := range n.keys {
		if _, ok := c.opts.SearchAttributes[k.string()]; !ok && !c.canon {
			names := canonicalKeys(c.opts.SearchAttributes)
			c.errorNode(k, CodeSearch, fmt.Sprintf("the search attribute %s is not declared", k.string()),
				didYouMean(k.string(), names, "declare it in the configuration, or use "+orList(names)))
		}
		v := c.value(n.items[i])
		c.at[searchKey{c.plan, k.string()}] = k
		values = append(values, SearchValue{Name: k.string(), Value: v})
	}
	// Sorted, since the order of the keys of a map means nothing.
	slices.SortFunc(values, func(a, b SearchValue) int { return compareUTF16(a.Name, b.Name) })
	return values
}

// searchKey finds the place of a search attribute.
type searchKey struct {
	plan *Plan
	name string
}

// duration reads a fixed duration.
func (c *compiler) duration(n *node, what string) time.Duration {
	if n.kind != nodeString {
		c.errorNode(n, CodeDuration, fmt.Sprintf("%s is %s", what, n.kind), "write a duration such as 250ms, 30s, 5m, 24h or 7d")
		return time.Second
	}
	d, err := ParseDuration(n.string())
	if err != nil {
		c.errorNode(n, CodeDuration, what+": "+err.Error(), "")
		return time.Second
	}
	return d
}

// delay reads a duration that may be computed.
func (c *compiler) delay(n *node, what string) *Delay {
	d := &Delay{}
	c.at[d] = n
	if n.kind != nodeString || !hasExpr(n.string()) {
		d.Fixed = c.duration(n, what)
		return d
	}
	v := c.value(n)
	if text, ok := v.Constant(); ok {
		s, _ := text.(string)
		fixed, err := ParseDuration(s)
		if err != nil {
			c.errorNode(n, CodeDuration, what+": "+err.Error(), "")
			fixed = time.Second
		}
		d.Fixed = fixed
		return d
	}
	d.Expr = v
	return d
}
