package dsl

import "slices"

// The order of keys in a definition: what a thing is called comes before what
// it does, what it does before what becomes of it. Keys that stand nowhere here
// stay behind the one before them.
var (
	orderDefinition = []string{"saga", "version", "description", "key", "deadline", "cancelGrace", "input", "sensitive", "search", "defaults", "steps", "output"}
	orderStep       = slices.Concat([]string{"id", "name", "description", "if"}, stepKinds, []string{"effect", "with", "compensate", "probe", "timeout", "retry", "catch"})
	orderCall       = []string{"call", "with", "every", "within", "timeout", "retry"}
	orderRetry      = []string{"attempts", "backoff", "within", "never", "ambiguous"}
	orderDefaults   = []string{"timeout", "retry", "compensation"}
	orderParallel   = []string{"onFailure", "compensation", "branches"}
	orderForeach    = []string{"in", "as", "key", "concurrency", "onFailure", "compensation", "do"}
	orderAwait      = []string{"signal", "schema", "where", "timeout"}
	orderCase       = []string{"when", "do"}
	orderCatch      = []string{"on", "do"}
	orderFail       = []string{"code", "message"}
	orderTenant     = []string{"tenant", "country", "timezone", "regions", "settings"}
)

// arrange puts the keys of a definition or tenant into their order, and marks
// the texts that hold expressions. Other files stay as they are.
func (l *layout) arrange() {
	switch {
	case l.get("saga") != nil && l.get("steps") != nil:
		l.arrangeDefinition()
	case l.get("tenant") != nil && l.get("timezone") != nil:
		l.sort(orderTenant)
	}
}

func (l *layout) get(key string) *layout {
	if l == nil || l.key(key) == nil {
		return nil
	}
	return l.key(key).value
}

func (l *layout) key(key string) *layoutEntry {
	for _, e := range l.entries {
		if e.key != nil && e.key.text == key {
			return e
		}
	}
	return nil
}

// sort orders the entries of a map and gives it back.
func (l *layout) sort(order []string) *layout {
	if l == nil || len(l.entries) == 0 || l.entries[0].key == nil {
		return l
	}
	rank := map[*layoutEntry]int{}
	last := -1
	for _, e := range l.entries {
		if i := slices.Index(order, e.key.text); i >= 0 {
			last = i
		}
		rank[e] = last
	}
	slices.SortStableFunc(l.entries, func(a, b *layoutEntry) int { return rank[a] - rank[b] })
	return l
}

// each calls f for the values of a collection.
func (l *layout) each(f func(*layout)) {
	if l == nil {
		return
	}
	for _, e := range l.entries {
		f(e.value)
	}
}

// expressions marks the texts of a value.
func (l *layout) expressions() {
	if l == nil {
		return
	}
	if l.scalar != nil {
		l.scalar.expr = true
	}
	l.each((*layout).expressions)
}

func (l *layout) arrangeDefinition() {
	l.sort(orderDefinition)
	for _, key := range []string{"key", "deadline", "search", "output"} {
		l.get(key).expressions()
	}
	d := l.get("defaults").sort(orderDefaults)
	d.get("retry").sort(orderRetry)
	d.get("compensation").get("retry").sort(orderRetry)
	l.get("steps").each((*layout).arrangeStep)
}

func (l *layout) arrangeSteps() { l.each((*layout).arrangeStep) }

func (l *layout) arrangeStep() {
	l.sort(orderStep)
	l.arrangeCall()
	l.get("compensate").sort(orderCall).arrangeCall()
	l.get("probe").sort(orderCall).arrangeCall()
	l.get("set").expressions()
	l.get("sleep").expressions()
	l.get("fail").sort(orderFail).get("message").expressions()
	l.get("complete").get("output").expressions()
	l.get("await").sort(orderAwait).get("timeout").expressions()
	l.get("parallel").sort(orderParallel).get("branches").each((*layout).arrangeSteps)
	l.get("foreach").sort(orderForeach).get("do").arrangeSteps()
	l.get("scope").get("do").arrangeSteps()
	l.get("switch").each(func(c *layout) {
		c.sort(orderCase).get("do").arrangeSteps()
		c.get("else").arrangeSteps()
	})
	l.get("catch").each(func(c *layout) { c.sort(orderCatch).get("do").arrangeSteps() })
}

// arrangeCall is for what an action, a compensation and a probe have in common.
func (l *layout) arrangeCall() {
	l.get("with").expressions()
	l.get("retry").sort(orderRetry)
}
