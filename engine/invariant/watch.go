package invariant

import "github.com/sagad/sagad/engine"

// Watch takes down a saga and its children by the events they take and the
// commands they give, for runtimes that show these. It is not safe for concurrent
// use.
type Watch struct {
	*Recording
	// Begins says that an attempt begins with its command. Otherwise its
	// participant tells when it does.
	Begins bool

	starts  map[string]*engine.Start
	flights map[string]map[int]*engine.Invocation // by saga
}

// NewWatch gives a watch over a family that begins with start.
func NewWatch(r *Recording, start *engine.Start) *Watch {
	return &Watch{
		Recording: r, starts: map[string]*engine.Start{start.ID: start},
		flights: map[string]map[int]*engine.Invocation{start.ID: {}},
	}
}

// Observe takes down an event of one saga of the family and what follows from it.
func (w *Watch) Observe(id string, ev engine.Event, commands []engine.Command) {
	if inv := w.flights[id][ev.ID]; inv != nil && ev.Kind == engine.EventClosed {
		w.Ended(inv, ev.Outcome)
	}
	for _, c := range commands {
		switch c.Kind {
		case engine.CommandInvoke:
			w.flights[id][c.ID] = c.Invoke
			if w.Begins {
				w.Began(c.Invoke)
			}
		case engine.CommandCut:
			w.Cut(w.flights[id][c.ID])
		case engine.CommandStartChild:
			child := c.Child.Start
			w.starts[child.ID], w.flights[child.ID] = child, map[int]*engine.Invocation{}
		case engine.CommandRecord:
			if told, ok := c.Record.ForRoot(w.starts[id]); ok {
				w.Recorded(told)
			}
		}
	}
}
