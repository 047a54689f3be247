package engine

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
	items []traceItem
}

type traceItem struct {
	name string
	mark mark
}

// add notes how an item ended. What was parked before moves to the end.
func (t *trace) add(name string, k mark) {
	for i := len(t.items) - 1; i >= 0; i-- {
		if item := t.items[i]; item.name == name && item.mark != markOK {
			t.items = append(t.items[:i], t.items[i+1:]...)
			break
		}
	}
	t.items = append(t.items, traceItem{name, k})
}

// strings gives the trace as it is shown.
func (t *trace) strings() []string {
	list := make([]string, len(t.items))
	for i, item := range t.items {
		list[i] = item.name + string(item.mark)
	}
	return list
}
