package graph

// State is how a node of a drawing stands in one saga.
type State string

// The states of nodes.
const (
	StatePending      State = "pending"   // it may still come
	StateUnreached    State = "unreached" // the saga went another way
	StateRunning      State = "running"
	StateSucceeded    State = "succeeded"
	StateFailed       State = "failed"   // a step that changes nothing
	StateRejected     State = "rejected" // without effect
	StateUnknown      State = "unknown"
	StateParked       State = "parked"
	StateSkipped      State = "skipped"
	StateArmed        State = "armed" // a compensation that would run
	StateCompensating State = "compensating"
	StateCompensated  State = "compensated"
)

// states are all states, as legends list them.
var states = []State{
	StateSucceeded, StateRunning, StateFailed, StateRejected, StateUnknown, StateParked, StateArmed, StateCompensating, StateCompensated,
	StateSkipped, StatePending, StateUnreached,
}

// Status is how one node stands.
type Status struct {
	State State
	Notes []string // attempts, times, codes, counts of items; each is a short line
}

// Run is how one saga stands on the graph of its plan. A node that it does not
// name was not reached.
type Run struct {
	ID      string
	Outcome string
	State   State    // the colour of the outcome
	Facts   []string // when, for how long, why
	Steps   map[string]Status
	Backs   map[string]Status // compensations; both by the path of Node, without keys of items
}

// of gives how a node stands. Gates and heads of blocks have no state of their own.
func (r *Run) of(n *Node) (Status, bool) {
	if r == nil {
		return Status{}, false
	}
	switch n.Shape {
	case ShapeStep:
		s, ok := r.Steps[n.Path]
		return s, ok
	case ShapeBack:
		s, ok := r.Backs[n.Path]
		return s, ok
	}
	return Status{}, false
}

// end gives how a terminal stands that a saga with an outcome of this state has
// come to; empty if it has, or if there is no run.
func (r *Run) end(reached State) State {
	if r == nil || r.State == reached {
		return ""
	}
	return StateUnreached
}

// statuses gives the status of every node, if there is a run: what has none of
// its own has that of what stands in it or behind it.
func (g *Graph) statuses() map[*Node]Status {
	if g.Run == nil {
		return nil
	}
	all := map[*Node]Status{}
	g.list(all, g.Steps)
	return all
}

// progress is how far a saga has come in a part of the graph.
type progress struct{ reached, pending bool }

func (p *progress) add(q progress) {
	p.reached, p.pending = p.reached || q.reached, p.pending || q.pending
}

// list notes the statuses of a list.
func (g *Graph) list(all map[*Node]Status, l List) (p progress) {
	for _, u := range l {
		p.add(g.unit(all, u))
	}
	return p
}

func (g *Graph) unit(all map[*Node]Status, u *Unit) progress {
	status, known := g.Run.of(u.Node)
	p := progress{known && status.State != StatePending, status.State == StatePending}
	if u.Block != nil {
		for _, lane := range u.Block.Lanes {
			p.add(g.list(all, lane.Steps))
		}
	}
	switch {
	case known || p.reached: // a block that was entered has no state of its own
	case p.pending:
		status.State = StatePending
	default:
		status.State = StateUnreached
	}
	all[u.Node] = status
	for _, h := range u.Handlers {
		g.list(all, h.Steps)
	}
	if u.Gate != nil && !p.reached {
		all[u.Gate] = Status{State: status.State}
	}
	if u.Back != nil {
		back, ok := g.Run.of(u.Back)
		if !ok {
			back.State = StateUnreached
		}
		all[u.Back] = back
	}
	return p
}
