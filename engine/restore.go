package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sagad/sagad/dsl"
)

// ErrSemantics says that a state was written by rules that this machine does
// not know.
var ErrSemantics = errors.New("the state follows semantics that this machine does not know; update it")

// Restore gives the machine that Snapshot was taken of. plan and start are those
// of that machine. The events that follow give the commands they would have
// given there; Resume gives those that are still to be carried out.
func Restore(plan *dsl.Plan, start *Start, snapshot []byte) (*Machine, error) {
	s := &state{}
	if err := json.Unmarshal(snapshot, s); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	switch {
	case s.Semantics > SemanticsVersion:
		return nil, fmt.Errorf("restore: %w", ErrSemantics)
	case s.Digest != plan.Digest:
		return nil, fmt.Errorf("restore: the state belongs to the plan %s, not to %s", s.Digest, plan.Digest)
	}
	r := &reader{m: New(plan), s: s, byIndex: make([]*dsl.Step, plan.StepCount())}
	r.m.identify(start, s.StartedAt.time())
	if err := r.read(); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	return r.m, nil
}

// reader builds a machine from a state.
type reader struct {
	m       *Machine
	s       *state
	byIndex []*dsl.Step
	nodes   []*node
	blocks  []*block
	scopes  []*scope
}

var errState = errors.New("the state is not one that Snapshot gives")

func (r *reader) read() error {
	r.index(r.m.plan.Steps)
	for range r.s.Nodes {
		r.nodes = append(r.nodes, &node{})
	}
	r.m.nodes = r.nodes
	for range r.s.Blocks {
		r.blocks = append(r.blocks, &block{})
	}
	for i := range r.s.Scopes {
		if err := r.scope(i); err != nil {
			return err
		}
	}
	if err := r.node(r.m.root, &r.s.Root); err != nil {
		return err
	}
	for i, n := range r.nodes {
		if err := r.place(n, &r.s.Nodes[i]); err != nil {
			return err
		}
	}
	for i, b := range r.blocks {
		if err := r.block(b, &r.s.Blocks[i]); err != nil {
			return err
		}
	}
	for i, n := range r.nodes {
		if err := r.name(n, &r.s.Nodes[i]); err != nil {
			return err
		}
		if err := r.node(n, &r.s.Nodes[i]); err != nil {
			return err
		}
	}
	for i, b := range r.blocks {
		r.gather(b, r.s.Blocks[i].Last)
	}
	return r.machine()
}

func (r *reader) index(steps []*dsl.Step) {
	for _, step := range steps {
		r.byIndex[step.Index] = step
		for _, inner := range step.Blocks() {
			r.index(inner)
		}
	}
}

func (r *reader) nodeAt(i int) (*node, error) {
	switch {
	case i == -1:
		return r.m.root, nil
	case i < -1 || i >= len(r.nodes):
		return nil, errState
	}
	return r.nodes[i], nil
}

// scope builds a scope; those around it stand before it.
func (r *reader) scope(i int) error {
	s := &r.s.Scopes[i]
	outputs, _ := s.Steps.value.(map[string]any)
	vars, _ := s.Vars.value.(map[string]any)
	var made *scope
	switch {
	case s.Parent == -1:
		made = rootScope(r.m.start, r.m.startedAt)
	case s.Parent < 0 || s.Parent >= i:
		return errState
	case s.As == "error":
		made = r.scopes[s.Parent].with(s.As, s.Value.value)
		made.keys = s.Keys
	default:
		around := r.scopes[s.Parent]
		made = around.item(s.As, s.Value.value, "")
		made.keys = s.Keys
	}
	for _, id := range slices.Sorted(maps.Keys(outputs)) {
		made.setOutput(id, outputs[id])
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		made.vars[name] = vars[name]
	}
	r.scopes = append(r.scopes, made)
	return nil
}

// place puts a node into its block, where its path comes from.
func (r *reader) place(n *node, s *nodeState) error {
	if s.Block < 0 || s.Block >= len(r.blocks) || s.Step < 0 || s.Step >= len(r.byIndex) {
		return errState
	}
	n.in, n.path = r.blocks[s.Block], s.Path
	if n.path == "" {
		n.step = r.byIndex[s.Step]
	}
	return nil
}

// block builds a block whose owner has its step.
func (r *reader) block(b *block, s *blockState) error {
	owner, err := r.nodeAt(s.Owner)
	if err != nil {
		return err
	}
	b.owner, b.role, b.index, b.next, b.stopped = owner, s.Role, s.Index, s.Next, s.Stopped
	owner.blocks = append(owner.blocks, b)
	if s.Current != -1 {
		if b.current, err = r.nodeAt(s.Current); err != nil {
			return err
		}
	}
	if s.Scope == -1 {
		return nil // of an adopted child
	}
	if s.Scope < 0 || s.Scope >= len(r.scopes) {
		return errState
	}
	b.scope = r.scopes[s.Scope]
	if b.steps = b.list(r.m.plan); b.steps == nil || b.next < 0 || b.next > len(b.steps) {
		return errState
	}
	return nil
}

// list gives the steps of a block.
func (b *block) list(plan *dsl.Plan) []*dsl.Step {
	step, i := b.owner.step, b.index
	switch {
	case step == nil:
		return plan.Steps
	case b.role == roleHandler && i < len(step.Catch):
		return step.Catch[i].Do
	case step.Kind == dsl.KindScope:
		return step.Scope.Do
	case step.Kind == dsl.KindForeach:
		return step.Foreach.Do
	case step.Kind == dsl.KindParallel && i < len(step.Parallel.Branches):
		return step.Parallel.Branches[i].Do
	case step.Kind == dsl.KindSwitch && i < len(step.Switch.Cases):
		return step.Switch.Cases[i].Do
	}
	return nil
}

// name gives a node its path, and an adopted one its step.
func (r *reader) name(n *node, s *nodeState) error {
	if n.step != nil {
		if n.in.scope == nil {
			return errState
		}
		n.path = r.m.prefix + n.step.ID + n.in.scope.keys
		return nil
	}
	owner := n.in.owner
	if owner.step == nil || owner.step.Child == nil {
		return errState
	}
	if owner.path == "" {
		owner.path = r.m.prefix + owner.step.ID + owner.in.scope.keys
	}
	if n.step = owner.step.Child.Plan.StepAt(strings.TrimPrefix(s.Path, owner.path+"/")); n.step == nil {
		return errState
	}
	return nil
}

// node fills in where a node stands.
func (r *reader) node(n *node, s *nodeState) error {
	n.state, n.code, n.done, n.handling = s.State, s.Code, s.Done, s.Handling
	n.scheduledAt, n.closedAt, n.actedAt, n.parked = s.Scheduled.time(), s.Closed.time(), s.Acted.time(), s.Parked.parking()
	if len(s.Times) == 2 {
		n.scheduledAt = r.m.startedAt.Add(time.Duration(s.Times[0]) * time.Millisecond)
		n.closedAt = n.scheduledAt.Add(time.Duration(s.Times[1]) * time.Millisecond)
	}
	if u := s.Unwind; u != nil {
		n.unwind = &unwind{failure: u.Failure, recovering: u.Recovering}
		if u.Clause >= 0 {
			if n.step == nil || u.Clause >= len(n.step.Catch) {
				return errState
			}
			n.unwind.handler = &n.step.Catch[u.Clause]
		}
	}
	if s.Call != nil {
		if n.step == nil || n.step.Call == nil {
			return errState
		}
		r.call(n, s.Call)
	}
	if s.Until != nil {
		n.wait = &wait{until: s.Until.time()}
	}
	if c := s.Child; c != nil {
		n.child = &child{id: c.ID, generation: c.Generation, input: c.Input.value, cancelled: c.Cancelled, report: c.Report.report()}
	}
	if j := s.Join; j != nil {
		n.join = &join{open: j.Open, keys: j.Keys, started: j.Started}
		n.join.items, _ = j.Items.value.([]any)
		size := len(n.join.items)
		if n.step != nil && n.step.Parallel != nil {
			size = len(n.step.Parallel.Branches)
		}
		n.join.outputs = make([]any, size)
	}
	return nil
}

func (r *reader) call(n *node, s *callState) {
	c := &call{key: s.Key, generation: s.Generation, attempts: s.Attempts}
	if c.key == "" {
		c.key = r.m.operationKey(n.path, OpAction, c.generation)
	}
	if o := s.Open; o != nil {
		c.input, c.probeInput, c.spent, c.since = o.Input.value, o.Probe.value, o.Spent, o.Since.time()
		c.ambiguous, c.over, c.applied, c.last = o.Ambiguous, o.Over, o.Applied, o.Last
		c.probing, c.probeSince = o.Probing, o.ProbeSince.time()
	}
	if e := s.Entry; e != nil {
		c.entry = &entry{
			node: n, state: e.State, key: e.Key, generation: e.Generation, input: e.Input.value, attempts: e.Attempts,
			spent: e.Spent, since: e.Since.time(), ambiguous: e.Ambiguous, last: e.Last, parked: e.Parked.parking(),
		}
		if e.Key == "" {
			c.entry.key = r.m.operationKey(n.path, OpCompensation, e.Generation)
		}
	}
	n.call = c
}

func (s *parkingState) parking() *parking {
	if s == nil {
		return nil
	}
	return &parking{op: s.Op, failure: s.Failure, state: s.State, since: s.Since.time()}
}

func (s *reportState) report() *Report {
	if s == nil {
		return nil
	}
	r := s.Report
	r.Output = s.Output.value
	for _, e := range s.Entries {
		e.Entry.Input = e.Input.value
		r.Entries = append(r.Entries, e.Entry)
	}
	return &r
}

// gather sets what a block's last output is, and hands it to the join that
// waits for it.
func (r *reader) gather(b *block, id string) {
	if id != "" && b.scope != nil {
		for _, step := range b.steps {
			if step.ID == id {
				b.lastStep = step
			}
		}
		if kept, ok := b.scope.steps[id].(map[string]any); ok {
			b.last = kept["output"]
		}
	}
	if j := b.owner.join; j != nil && b.role == roleBranch && b.index < len(j.outputs) {
		j.outputs[b.index] = b.last
	}
}

// machine fills in what is not part of a node.
func (r *reader) machine() (err error) {
	m, s := r.m, r.s
	m.now, m.flown, m.timed = s.Now.time(), s.Flown, s.Timed
	m.committed, m.confirmed, m.deadline, m.grace = s.Committed, s.Confirmed, s.Deadline, s.Grace
	m.interventions, m.forced = s.Interventions, s.Forced
	m.closed, m.closedAt, m.output, m.outputError = s.Closed, s.ClosedAt.time(), s.Output.value, s.OutputError
	if m.root.unwind != nil {
		m.cause = &m.root.unwind.failure
	}
	for _, list := range []struct {
		from []int
		to   *[]*node
	}{{s.Leaves, &m.leaves}, {s.Stalled, &m.stalled}, {s.Unwinds, &m.unwinds}} {
		for _, i := range list.from {
			n, err := r.nodeAt(i)
			if err != nil {
				return err
			}
			*list.to = append(*list.to, n)
		}
	}
	for _, n := range m.leaves {
		for a := n; a != nil; a = a.parent() {
			a.open++
		}
		if n.parked != nil {
			m.parks++
		}
	}
	if err := r.entries(); err != nil {
		return err
	}
	if s.Pivot != nil {
		if m.pivot, err = r.nodeAt(*s.Pivot); err != nil {
			return err
		}
	}
	if s.Pending != nil {
		m.pending = &pending{s.Pending.Cause, s.Pending.Requests}
	}
	r.outside()
	return r.underway()
}

// entries restores the order of the armed compensations.
func (r *reader) entries() error {
	for _, i := range r.s.Armed {
		n, err := r.nodeAt(i)
		if err != nil || n.call == nil || n.call.entry == nil {
			return errState
		}
		e := n.call.entry
		was := e.state
		r.m.arm(e)
		e.state = was
		if e.parked != nil {
			r.m.parks++
		}
	}
	for _, i := range r.s.Undoing {
		n, err := r.nodeAt(i)
		if err != nil || n.call == nil || n.call.entry == nil {
			return errState
		}
		n.call.entry.running = true
		r.m.undoing = append(r.m.undoing, n.call.entry)
	}
	return nil
}

// outside restores what came from outside, and the trace.
func (r *reader) outside() {
	m, s := r.m, r.s
	for _, w := range s.Waiting {
		m.inbox.waiting = append(m.inbox.waiting, &Signal{ID: w.ID, Name: w.Name, Data: w.Data.value, Size: w.Size})
	}
	m.inbox.seen, m.trace.parked = set(s.Seen), set(s.Reopened)
	m.commanded = maps.Clone(s.Taken)
	for _, id := range s.Commanded {
		if m.commanded == nil {
			m.commanded = make(map[string]string)
		}
		m.commanded[id] = ""
	}
	m.trace.items = slices.Grow(m.trace.items, len(s.Trace))
	for _, item := range s.Trace {
		name := strings.TrimRight(item, "!?")
		m.trace.items = append(m.trace.items, traceItem{name, mark(item[len(name):])})
	}
}

func set(names []string) map[string]bool {
	if len(names) == 0 {
		return nil
	}
	all := make(map[string]bool, len(names))
	for _, name := range names {
		all[name] = true
	}
	return all
}

// underway restores invocations, children and timers.
func (r *reader) underway() error {
	for _, f := range r.s.Flights {
		n, err := r.nodeAt(f.Node)
		if err != nil || n.step == nil {
			return errState
		}
		made := flight{id: f.ID, op: f.Op, node: n}
		switch {
		case f.Op == 0 && n.child == nil, f.Op != 0 && n.call == nil, f.Op == OpCompensation && n.call.entry == nil:
			return errState
		case f.Op == OpCompensation:
			made.entry = n.call.entry
		}
		r.m.flights = append(r.m.flights, made)
	}
	for _, t := range r.s.Timers {
		made := timer{id: t.ID, use: t.Use, at: t.At.time()}
		if t.Node != nil {
			n, err := r.nodeAt(*t.Node)
			if err != nil {
				return err
			}
			made.node = n
			if t.Entry {
				if n.call == nil || n.call.entry == nil {
					return errState
				}
				made.entry = n.call.entry
			}
		}
		r.m.timers = append(r.m.timers, made)
	}
	return nil
}

// Resume gives the commands that a runtime has to carry out for a restored
// machine: every invocation that has not closed and every timer that has not
// fired. Invocations have their IDs, attempts and keys as before: they are sent
// for the first time if the runtime had held them back, and again otherwise.
// The same goes for children, which are started and, if they were asked to turn
// around, asked again.
func (m *Machine) Resume() []Command {
	m.out = m.out[:0]
	for _, f := range m.flights {
		if f.op == 0 {
			m.resumeChild(f)
			continue
		}
		m.out = append(m.out, Command{Kind: CommandInvoke, ID: f.id, Invoke: m.invocation(f)})
	}
	for _, t := range m.timers {
		m.out = append(m.out, t.command())
	}
	return m.out
}

func (m *Machine) resumeChild(f flight) {
	n := f.node
	start, err := m.childStart(n, n.child.generation, n.child.input)
	if err != nil {
		return // it gave a start before, and the same input gives the same
	}
	m.out = append(m.out, Command{Kind: CommandStartChild, ID: f.id, Path: n.path, Child: start})
	if n.child.cancelled {
		m.out = append(m.out, Command{Kind: CommandCancelChild, ID: f.id})
	}
}
