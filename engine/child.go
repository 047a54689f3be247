package engine

import (
	"errors"
	"slices"
	"strings"

	"github.com/sagad/sagad/dsl"
)

// ChildStart is a child saga as a runtime starts it (S9).
type ChildStart struct {
	Plan   *dsl.Plan
	Start  *Start
	Search map[string]any // as Prepare gives it
}

// Report is what a child leaves to its parent when it closes (S9).
type Report struct {
	Result Result `json:"result"`
	// Output is the child's, with nothing redacted.
	Output any `json:"output,omitempty"`
	// Committed says that the child has passed its point of no return.
	Committed bool `json:"committed,omitempty"`
	// InDoubt says that nobody knows whether it has: the child was ended from
	// outside while its pivot was on its way.
	InDoubt bool `json:"inDoubt,omitempty"`
	// Generation is the highest that one of its keys has.
	Generation int `json:"generation,omitempty"`
	// Entries are the compensations that are still armed, in the order of
	// completion. Of a child that was ended from outside those of the actions
	// that were on their way stand last.
	Entries []Entry `json:"entries,omitempty"`
	// Forced says that an operator has skipped or resolved something in it.
	Forced bool `json:"forced,omitempty"`
	// Lost says that the child was ended from outside and that the rest is not
	// known yet. Another report of the same child follows.
	Lost bool `json:"lost,omitempty"`
	// Children are the instance IDs of those of whose end an open saga has not heard.
	Children []string `json:"children,omitempty"`
}

// Entry is an armed compensation that a child hands up to its parent, which
// runs it as the child would have: with the same keys and the same input.
type Entry struct {
	Path       string `json:"path"`
	Key        string `json:"key"`
	ActionKey  string `json:"actionKey"`
	Generation int    `json:"generation,omitempty"`
	Input      any    `json:"input"`
	Attempts   int    `json:"attempts,omitempty"`
	Ambiguous  bool   `json:"ambiguous,omitempty"`
}

// child is a saga that a step has started.
type child struct {
	id         string
	generation int
	input      any     // frozen (S5)
	cancelled  bool    // it was asked to turn around
	report     *Report // of one that was ended from outside and waits for an operator
}

// childEffect is the effect of a child in its parent: one that may pass a point
// of no return decides, as a pivot does.
func childEffect(c *dsl.Child) dsl.Effect {
	if c.Plan.Decisive() {
		return dsl.EffectPivot
	}
	return dsl.EffectCompensatable
}

// beginChild checks what the child is to be started with and starts it.
func (m *Machine) beginChild(n *node) {
	spec := n.step.Child
	input, err := evalInput(spec.With, n.in.scope.env)
	if err != nil {
		m.failExpression(n, err)
		return
	}
	generation := m.firstGeneration()
	if n.child != nil { // another try: what the last one did has keys of its own
		generation = n.child.generation + 1
	}
	start, err := m.childStart(n, generation, input)
	if err != nil {
		m.failChildStart(n, err)
		return
	}
	if size := encodedSize(input); size > MaxPayload {
		m.fail(n, m.failure(n, CodeTooLarge, tooLarge("input", size)), StateRejected)
		return
	}
	n.child = &child{id: start.Start.ID, generation: generation, input: input}
	if n.decisive() && !m.committed {
		m.pivot = n
	}
	m.openLeaf(n)
	n.state = StateRunning
	m.flown++
	m.flights = append(m.flights, flight{id: m.flown, node: n})
	m.record(Record{Transition: TransitionScheduled, Path: n.path, Activity: spec.Plan.Saga, Child: n.child.id})
	m.out = append(m.out, Command{Kind: CommandStartChild, ID: m.flown, Path: n.path, Child: start})
}

// childStart gives a child as it is started.
func (m *Machine) childStart(n *node, generation int, input any) (*ChildStart, error) {
	plan := n.step.Child.Plan
	parent := Parent{Root: m.start.ID, StartedAt: m.startedAt, Prefix: n.path + "/", Generation: generation}
	if p := m.start.Parent; p != nil {
		parent.Root, parent.StartedAt = p.Root, p.StartedAt
	}
	start, search, err := prepareChild(plan, m.start, parent, input)
	if err != nil {
		return nil, err
	}
	return &ChildStart{Plan: plan, Start: start, Search: search}, nil
}

// failChildStart fails a step whose saga cannot be started. Nothing was done.
func (m *Machine) failChildStart(n *node, err error) {
	code := CodeExpression
	var refused *RefusedError
	if errors.As(err, &refused) && refused.What == refusedInput {
		code = CodeInvalidInput
	}
	m.fail(n, m.failure(n, code, clip(n.step.Child.Plan.Saga+" cannot be started: "+err.Error(), maxMessage)), StateRejected)
}

// cancelChild asks a running child to turn around, once.
func (m *Machine) cancelChild(n *node) {
	id := m.inFlight(n)
	if id == 0 || n.child.cancelled {
		return
	}
	n.child.cancelled = true
	m.out = append(m.out, Command{Kind: CommandCancelChild, ID: id})
}

// childReported takes in what became of a child.
func (m *Machine) childReported(id int, r *Report) {
	i := slices.IndexFunc(m.flights, func(f flight) bool { return f.id == id && f.op == 0 })
	if i < 0 {
		return
	}
	n := m.flights[i].node
	if r.Lost {
		if n.parked == nil {
			m.park(n, m.failure(n, CodeTerminated, n.child.id+" was ended from outside; its state is being read"), StateUnknown)
		}
		return
	}
	m.flights = slices.Delete(m.flights, i, i+1)
	m.unpark(n)
	m.childClosed(n, r)
}

// childClosed follows up on a child whose state is known.
func (m *Machine) childClosed(n *node, r *Report) {
	m.adopt(n, r)
	m.interventions += r.Result.Interventions
	m.forced = m.forced || r.Forced || r.Result.Outcome == OutcomeResolved
	n.child.generation = max(n.child.generation, r.Generation)
	switch {
	case r.Result.Outcome == OutcomeOrphaned && (r.Committed || r.InDoubt):
		n.child.report = r
		m.park(n, m.failure(n, CodeTerminated, n.child.id+" was ended from outside when it may have passed its point of no return"), StateUnknown)
	case r.Result.Outcome == OutcomeOrphaned:
		m.armAdopted(n, r)
		state := StateUnknown
		if m.committed { // it has decided nothing, and nothing else in it has an effect: it may be tried again
			state = StateRejected
		}
		m.fail(n, m.failure(n, CodeTerminated, n.child.id+" was ended from outside"), state)
	case r.Result.Direction == Backward:
		m.fail(n, m.childFailure(n, r), StateRejected)
	default:
		m.childSucceeded(n, r)
	}
}

// childFailure is the failure of a step whose saga has compensated itself.
func (m *Machine) childFailure(n *node, r *Report) Failure {
	if c := r.Result.Cause; c != nil {
		return m.failure(n, c.Code, c.Message)
	}
	return m.failure(n, CodeCancelled, n.child.id+" was turned around")
}

// childSucceeded closes the step of a child that completed.
func (m *Machine) childSucceeded(n *node, r *Report) {
	m.armAdopted(n, r)
	if n == m.pivot {
		m.pivot = nil
	}
	if r.Committed && !m.committed {
		m.commit()
	}
	if m.pending == nil {
		m.succeedLeaf(n, r.Output)
		return
	}
	// It came to its end without having decided anything: the cancel wins.
	m.closeLeaf(n)
	m.trace.add(n.path, markOK)
	n.state, n.done, n.closedAt = StateSucceeded, true, m.now
	m.record(Record{Transition: TransitionSucceeded, Path: n.path})
	m.cancelWins()
}

// adopt takes the steps of a child over into the parent's own: its trace, and a
// node for each.
func (m *Machine) adopt(n *node, r *Report) {
	for _, item := range r.Result.Trace {
		name := strings.TrimRight(item, "!?")
		m.trace.add(name, mark(item[len(name):]))
	}
	if len(n.blocks) > 0 { // of an earlier try
		m.nodes = slices.DeleteFunc(m.nodes, func(x *node) bool { return x.in != nil && x.in.owner == n })
		n.blocks = nil
	}
	b := &block{owner: n, role: roleBody}
	n.blocks = append(n.blocks, b)
	for _, s := range r.Result.Steps {
		step := n.step.Child.Plan.StepAt(strings.TrimPrefix(s.Path, n.path+"/"))
		if step == nil {
			continue // of another version of the plan; the trace has it
		}
		if r.Result.Outcome == OutcomeOrphaned && !m.settleLost(step, &s, r.Result.Trace) {
			continue
		}
		x := &node{step: step, in: b, path: s.Path, state: s.State, code: s.Code, done: true, scheduledAt: s.ScheduledAt, closedAt: s.ClosedAt, actedAt: s.ActedAt}
		if s.Child != "" {
			x.child = &child{id: s.Child}
		}
		if s.Key != "" {
			x.call = &call{key: s.Key, attempts: s.Attempts}
			if s.Compensation.Key != "" {
				x.call.entry = &entry{node: x, state: s.Compensation.State, key: s.Compensation.Key, attempts: s.Compensation.Attempts}
			}
		}
		m.nodes = append(m.nodes, x)
	}
}

// armAdopted arms what a child has handed up, in its order.
func (m *Machine) armAdopted(n *node, r *Report) {
	if len(r.Entries) == 0 {
		return
	}
	adopted := make(map[string]*node)
	for _, x := range m.nodes {
		if x.in != nil && x.in.owner == n {
			adopted[x.path] = x
		}
	}
	for _, e := range r.Entries {
		x := adopted[e.Path]
		if x == nil || x.step.Call == nil || x.step.Call.Compensate == nil {
			continue
		}
		if x.call == nil {
			x.call = &call{}
		}
		x.call.key = e.ActionKey
		x.call.entry = &entry{node: x, key: e.Key, generation: e.Generation, input: e.Input, attempts: e.Attempts, spent: e.Attempts, ambiguous: e.Ambiguous}
		m.arm(x.call.entry)
	}
}

// resolveChild takes an operator's word for what became of a child that was
// ended from outside.
func (m *Machine) resolveChild(n *node, o *Operator) (code string, err error) {
	r := n.child.report
	if r != nil && r.Committed && !*o.Applied {
		return RefusedNotPossible, errors.New(o.Path + " has passed its point of no return; resolve it as applied, with its output")
	}
	failure := n.parked.failure
	m.flights = slices.DeleteFunc(m.flights, func(f flight) bool { return f.node == n })
	m.unpark(n)
	if !*o.Applied {
		if r != nil {
			m.armAdopted(n, r)
		}
		m.fail(n, failure, StateUnknown)
		return "", nil
	}
	known := &Report{Output: o.Output, Committed: n.decisive()}
	if r != nil && !m.committed {
		known.Entries = r.Entries // which its pivot disarms
	}
	m.childSucceeded(n, known)
	return "", nil
}

// Report gives what the saga leaves to its parent, as it stands at the last
// event.
func (m *Machine) Report() Report {
	r := Report{Result: m.Result(), Output: m.output, Committed: m.committed, Forced: m.forced, Generation: m.firstGeneration()}
	r.InDoubt = !m.closed && m.pivot != nil && m.undecided(m.pivot)
	open := slices.Clone(m.armed)
	for _, n := range m.leaves { // in the order of opening
		if c := n.call; c != nil && c.entry != nil && (c.ambiguous || m.inFlight(n) != 0) && !slices.Contains(open, c.entry) {
			open = append(open, c.entry)
		}
		if n.child != nil && m.inFlight(n) != 0 {
			r.Children = append(r.Children, n.child.id)
		}
	}
	for _, e := range open {
		r.Entries = append(r.Entries, Entry{
			Path: e.node.path, Key: e.key, ActionKey: e.node.call.key, Generation: e.generation,
			Input: e.input, Attempts: e.attempts, Ambiguous: e.ambiguous || m.compensates(e),
		})
	}
	for _, n := range m.leaves {
		if n.child != nil && n.child.report != nil { // an operator was to decide
			r.Committed = r.Committed || n.child.report.Committed
			r.Entries = append(r.Entries, n.child.report.Entries...)
		}
	}
	for _, n := range m.nodes {
		if c := n.call; c != nil {
			r.Generation = max(r.Generation, c.generation)
			if c.entry != nil {
				r.Generation = max(r.Generation, c.entry.generation)
			}
		}
		if n.child != nil {
			r.Generation = max(r.Generation, n.child.generation)
		}
	}
	return r
}
