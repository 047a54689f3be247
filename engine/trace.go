package engine

import "slices"

// mark is how an item of a trace ended.
type mark string

const (
	markOK     mark = ""
	markFailed mark = "!"
	markOpen   mark = "?" // left unknown, or parked
)

func failMark(s State) mark {
	if s == StateUnknown {
		return markOpen
	}
	return markFailed
}

// trace lists the leaves of a saga in order of closing: `x` a step that
// succeeded, `x!` one that failed, `x?` one left unknown or parked, `~x` a
// compensation that succeeded, `~x!` one that parked.
type trace struct {
	items  []traceItem
	parked map[string]bool // names that may stand here again, with another end
}

type traceItem struct {
	name string
	mark mark
}

// add notes how an item ended. What was parked before moves to the end.
func (t *trace) add(name string, k mark) {
	if t.parked[name] {
		delete(t.parked, name)
		t.items = slices.DeleteFunc(t.items, func(item traceItem) bool { return item.name == name })
	}
	t.items = append(t.items, traceItem{name, k})
}

// park notes that an item waits for an operator.
func (t *trace) park(name string, k mark) {
	t.add(name, k)
	if t.parked == nil {
		t.parked = make(map[string]bool)
	}
	t.parked[name] = true
}

// strings gives the trace as it is shown.
func (t *trace) strings() []string {
	list := make([]string, len(t.items))
	for i, item := range t.items {
		list[i] = item.name + string(item.mark)
	}
	return list
}
