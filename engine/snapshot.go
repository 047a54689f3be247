package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sagad/sagad/dsl"
)

// state is a machine as plain data (S26). What follows from the plan, the start
// and the rest of the state is left out: the state of a long saga travels in
// every one of its runs. Nodes, blocks and scopes are named by their place in
// these lists; -1 is the saga itself.
type state struct {
	Semantics int     `json:"semantics"`
	Digest    string  `json:"digest"`
	StartedAt instant `json:"startedAt"`
	Now       instant `json:"now"`

	Root   nodeState    `json:"root"`
	Nodes  []nodeState  `json:"nodes,omitempty"`
	Blocks []blockState `json:"blocks,omitempty"`
	Scopes []scopeState `json:"scopes,omitempty"`

	Leaves  []int         `json:"leaves,omitempty"`
	Stalled []int         `json:"stalled,omitempty"`
	Armed   []int         `json:"armed,omitempty"`
	Undoing []int         `json:"undoing,omitempty"`
	Unwinds []int         `json:"unwinds,omitempty"`
	Flights []flightState `json:"flights,omitempty"`
	Timers  []timerState  `json:"timers,omitempty"`
	Flown   int           `json:"flown"`
	Timed   int           `json:"timed"`

	Pivot     *int          `json:"pivot,omitempty"`
	Committed bool          `json:"committed,omitempty"`
	Confirmed bool          `json:"confirmed,omitempty"`
	Pending   *pendingState `json:"pending,omitempty"`
	Deadline  int           `json:"deadline,omitempty"`
	Grace     int           `json:"grace,omitempty"`

	Waiting   []signalState     `json:"waiting,omitempty"`
	Seen      []string          `json:"seen,omitempty"`
	Trace     []string          `json:"trace,omitempty"`
	Reopened  []string          `json:"reopened,omitempty"`  // names that may stand in the trace again
	Commanded []string          `json:"commanded,omitempty"` // IDs, in old states
	Taken     map[string]string `json:"taken,omitempty"`     // commands by ID

	Interventions int     `json:"interventions,omitempty"`
	Forced        bool    `json:"forced,omitempty"`
	Closed        bool    `json:"closed,omitempty"`
	ClosedAt      instant `json:"closedAt,omitempty"`
	Output        data    `json:"output,omitzero"`
	OutputError   string  `json:"outputError,omitempty"`
}

type nodeState struct {
	Step      int           `json:"s"`           // Index in the plan; of an adopted node 0
	Path      string        `json:"p,omitempty"` // of an adopted node
	Block     int           `json:"b"`
	State     State         `json:"t"`
	Code      string        `json:"c,omitempty"`
	Done      bool          `json:"d,omitempty"`
	Handling  bool          `json:"h,omitempty"`
	Scheduled instant       `json:"a,omitempty"`
	Closed    instant       `json:"z,omitempty"`
	Acted     instant       `json:"w,omitempty"`
	Times     []int64       `json:"m,omitempty"` // of what has closed, in its place: scheduled since the start, and how long it took, in milliseconds
	Unwind    *unwindState  `json:"unwind,omitempty"`
	Call      *callState    `json:"call,omitempty"`
	Until     *instant      `json:"until,omitempty"` // a wait
	Child     *childState   `json:"child,omitempty"`
	Join      *joinState    `json:"join,omitempty"`
	Parked    *parkingState `json:"parked,omitempty"`
}

type unwindState struct {
	Failure    Failure `json:"failure"`
	Clause     int     `json:"clause"` // index of the catch; -1: the saga
	Recovering bool    `json:"recovering,omitempty"`
}

type callState struct {
	Key        string      `json:"k,omitempty"` // where it does not follow from the path
	Generation int         `json:"g,omitempty"`
	Attempts   int         `json:"n,omitempty"`
	Open       *openCall   `json:"open,omitempty"`
	Entry      *entryState `json:"e,omitempty"`
}

// openCall is what a call needs until its step has closed.
type openCall struct {
	Input      data    `json:"input,omitzero"`
	Probe      data    `json:"probe,omitzero"`
	Spent      int     `json:"spent,omitempty"`
	Since      instant `json:"since,omitempty"`
	Ambiguous  bool    `json:"ambiguous,omitempty"`
	Over       bool    `json:"over,omitempty"`
	Applied    bool    `json:"applied,omitempty"`
	Last       Failure `json:"last,omitzero"`
	Probing    bool    `json:"probing,omitempty"`
	ProbeSince instant `json:"probeSince,omitempty"`
}

type entryState struct {
	State      State         `json:"t,omitempty"`
	Key        string        `json:"k,omitempty"` // where it does not follow from the path
	Generation int           `json:"g,omitempty"`
	Input      data          `json:"i,omitzero"`
	Attempts   int           `json:"n,omitempty"`
	Spent      int           `json:"spent,omitempty"`
	Since      instant       `json:"since,omitempty"`
	Ambiguous  bool          `json:"ambiguous,omitempty"`
	Last       Failure       `json:"last,omitzero"`
	Parked     *parkingState `json:"parked,omitempty"`
}

type childState struct {
	ID         string       `json:"id"`
	Generation int          `json:"generation,omitempty"`
	Input      data         `json:"input,omitzero"` // of one that is open
	Cancelled  bool         `json:"cancelled,omitempty"`
	Report     *reportState `json:"report,omitempty"`
}

// reportState is a Report whose data keeps its integers.
type reportState struct {
	Report
	Output  data          `json:"output,omitzero"`
	Entries []handedState `json:"entries,omitempty"`
}

type handedState struct {
	Entry
	Input data `json:"input,omitzero"`
}

type joinState struct {
	Open    int      `json:"open,omitempty"`
	Items   data     `json:"items,omitzero"`
	Keys    []string `json:"keys,omitempty"`
	Started int      `json:"started,omitempty"`
}

type parkingState struct {
	Op      Op      `json:"op"`
	Failure Failure `json:"failure"`
	State   State   `json:"state"`
	Since   instant `json:"since"`
}

type blockState struct {
	Owner   int       `json:"o"`
	Role    blockRole `json:"r,omitempty"`
	Index   int       `json:"i,omitempty"`
	Scope   int       `json:"s"` // -1: of an adopted block
	Next    int       `json:"n,omitempty"`
	Current int       `json:"c"`           // -1: none
	Last    string    `json:"l,omitempty"` // step whose output is the block's; empty: null
	Stopped bool      `json:"x,omitempty"`
}

type scopeState struct {
	Parent int    `json:"p"` // -1: the saga's own scope
	Keys   string `json:"k,omitempty"`
	As     string `json:"as,omitempty"`   // an item, or "error"
	Value  data   `json:"value,omitzero"` // of As
	Steps  data   `json:"steps,omitzero"` // outputs by step ID
	Vars   data   `json:"vars,omitzero"`
}

type flightState struct {
	ID   int `json:"id"`
	Op   Op  `json:"op,omitzero"`
	Node int `json:"node"`
}

type timerState struct {
	ID    int      `json:"id"`
	Use   timerUse `json:"use"`
	Node  *int     `json:"node,omitempty"`
	Entry bool     `json:"entry,omitempty"`
	At    instant  `json:"at"`
}

type pendingState struct {
	Cause    Failure  `json:"cause"`
	Requests []string `json:"requests,omitempty"`
}

type signalState struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Data data   `json:"data,omitzero"`
	Size int    `json:"size,omitempty"`
}

// instant is a time as nanoseconds since 1970; 0 is no time.
type instant int64

func at(t time.Time) instant {
	if t.IsZero() {
		return 0
	}
	return instant(t.UnixNano())
}

func (i instant) time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(i)).UTC()
}

// data is a value of the language: its integers stay integers.
type data struct{ value any }

// IsZero says whether the value is null.
func (d data) IsZero() bool { return d.value == nil }

// MarshalJSON gives the value in canonical form.
func (d data) MarshalJSON() ([]byte, error) { return dsl.MarshalCanonical(d.value) }

// UnmarshalJSON reads what MarshalJSON gives.
func (d *data) UnmarshalJSON(text []byte) (err error) {
	d.value, err = dsl.ParseJSON(text)
	return err
}

// SnapshotStart gives the instant at which the saga of a snapshot started, UTC.
func SnapshotStart(snapshot []byte) (time.Time, error) {
	var s struct {
		StartedAt instant `json:"startedAt"`
	}
	if err := json.Unmarshal(snapshot, &s); err != nil {
		return time.Time{}, fmt.Errorf("read state: %w", err)
	}
	return s.StartedAt.time(), nil
}

// Snapshot gives the machine's state between two steps, for Restore. It is JSON,
// the same for the same state, and names the semantics that wrote it (S24, S26).
// When steps that have closed were scheduled and closed is kept to the
// millisecond.
func (m *Machine) Snapshot() ([]byte, error) {
	w := &writer{m: m, nodes: make(map[*node]int, len(m.nodes)+1), blocks: map[*block]int{}, scopes: map[*scope]int{}}
	text, err := json.Marshal(w.state())
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	return text, nil
}

// writer numbers what a machine consists of and turns it into a state.
type writer struct {
	m         *Machine
	nodes     map[*node]int
	blocks    map[*block]int
	blockList []*block
	scopes    map[*scope]int
	scopeList []scopeState
}

func (w *writer) state() *state {
	m := w.m
	w.number()
	s := &state{
		Semantics: SemanticsVersion, Digest: m.plan.Digest, StartedAt: at(m.startedAt), Now: at(m.now),
		Root: w.node(m.root), Leaves: w.indexes(m.leaves), Stalled: w.indexes(m.stalled), Unwinds: w.indexes(m.unwinds),
		Armed: w.owners(m.armed), Undoing: w.owners(m.undoing), Flown: m.flown, Timed: m.timed,
		Committed: m.committed, Confirmed: m.confirmed, Deadline: m.deadline, Grace: m.grace,
		Seen: slices.Sorted(maps.Keys(m.inbox.seen)), Trace: m.trace.strings(), Reopened: slices.Sorted(maps.Keys(m.trace.parked)),
		Taken: m.commanded, Interventions: m.interventions, Forced: m.forced,
		Closed: m.closed, ClosedAt: at(m.closedAt), Output: data{m.output}, OutputError: m.outputError,
	}
	for _, b := range w.blockList {
		s.Blocks = append(s.Blocks, w.block(b))
	}
	for _, n := range m.nodes {
		s.Nodes = append(s.Nodes, w.node(n))
	}
	s.Scopes = w.scopeList
	if m.pivot != nil {
		i := w.nodes[m.pivot]
		s.Pivot = &i
	}
	if m.pending != nil {
		s.Pending = &pendingState{m.pending.cause, m.pending.requests}
	}
	for _, f := range m.flights {
		s.Flights = append(s.Flights, flightState{f.id, f.op, w.nodes[f.node]})
	}
	for _, t := range m.timers {
		out := timerState{ID: t.id, Use: t.use, Entry: t.entry != nil, At: at(t.at)}
		if t.node != nil {
			i := w.nodes[t.node]
			out.Node = &i
		}
		s.Timers = append(s.Timers, out)
	}
	for _, signal := range m.inbox.waiting {
		s.Waiting = append(s.Waiting, signalState{signal.ID, signal.Name, data{signal.Data}, signal.Size})
	}
	return s
}

// number gives nodes and blocks their places, in order of creation.
func (w *writer) number() {
	w.nodes[w.m.root] = -1
	for i, n := range w.m.nodes {
		w.nodes[n] = i
	}
	add := func(n *node) {
		for _, b := range n.blocks {
			w.blocks[b] = len(w.blockList)
			w.blockList = append(w.blockList, b)
		}
	}
	add(w.m.root)
	for _, n := range w.m.nodes {
		add(n)
	}
}

func (w *writer) indexes(nodes []*node) []int {
	var list []int
	for _, n := range nodes {
		list = append(list, w.nodes[n])
	}
	return list
}

func (w *writer) owners(entries []*entry) []int {
	var list []int
	for _, e := range entries {
		list = append(list, w.nodes[e.node])
	}
	return list
}

func (w *writer) node(n *node) nodeState {
	s := nodeState{Block: -1, State: n.state, Code: n.code, Done: n.done, Handling: n.handling, Scheduled: at(n.scheduledAt), Closed: at(n.closedAt), Acted: at(n.actedAt), Parked: park(n.parked)}
	if n.in != nil {
		s.Step, s.Block = n.step.Index, w.blocks[n.in]
		if n.in.scope == nil { // adopted
			s.Step, s.Path = 0, n.path
		}
	}
	if started := w.m.startedAt; n.open == 0 && !n.closedAt.IsZero() && !n.scheduledAt.IsZero() {
		s.Scheduled, s.Closed = 0, 0
		s.Times = []int64{n.scheduledAt.Sub(started).Milliseconds(), n.closedAt.Sub(n.scheduledAt).Milliseconds()}
	}
	if u := n.unwind; u != nil {
		s.Unwind = &unwindState{Failure: u.failure, Clause: -1, Recovering: u.recovering}
		if u.handler != nil {
			s.Unwind.Clause = clauseIndex(n.step, u.handler)
		}
	}
	if n.call != nil {
		s.Call = w.call(n)
	}
	if n.wait != nil {
		until := at(n.wait.until)
		s.Until = &until
	}
	if c := n.child; c != nil {
		s.Child = &childState{ID: c.id, Generation: c.generation, Cancelled: c.cancelled, Report: reported(c.report)}
		if n.open > 0 {
			s.Child.Input = data{c.input}
		}
	}
	if j := n.join; j != nil && !n.done {
		s.Join = &joinState{Open: j.open, Keys: j.keys, Started: j.started}
		if n.step.Kind == dsl.KindForeach {
			s.Join.Items = data{j.items}
		}
	}
	return s
}

// clauseIndex gives the place of a catch of a step.
func clauseIndex(step *dsl.Step, clause *dsl.Catch) int {
	for i := range step.Catch {
		if &step.Catch[i] == clause {
			return i
		}
	}
	return -1
}

func park(p *parking) *parkingState {
	if p == nil {
		return nil
	}
	return &parkingState{p.op, p.failure, p.state, at(p.since)}
}

func reported(r *Report) *reportState {
	if r == nil {
		return nil
	}
	s := &reportState{Report: *r, Output: data{r.Output}}
	s.Report.Output, s.Report.Entries = nil, nil
	for _, e := range r.Entries {
		input := e.Input
		e.Input = nil
		s.Entries = append(s.Entries, handedState{e, data{input}})
	}
	return s
}

func (w *writer) call(n *node) *callState {
	c := n.call
	s := &callState{Generation: c.generation, Attempts: c.attempts}
	if c.key != w.m.operationKey(n.path, OpAction, c.generation) {
		s.Key = c.key
	}
	open := n.open > 0 && !n.handling // its own leaf, not one of its handler
	if open {
		s.Open = &openCall{
			Input: data{c.input}, Probe: data{c.probeInput}, Spent: c.spent, Since: at(c.since), Ambiguous: c.ambiguous,
			Over: c.over, Applied: c.applied, Last: c.last, Probing: c.probing, ProbeSince: at(c.probeSince),
		}
	}
	if e := c.entry; e != nil {
		s.Entry = &entryState{State: e.state, Generation: e.generation, Attempts: e.attempts}
		if e.key != w.m.operationKey(n.path, OpCompensation, e.generation) {
			s.Entry.Key = e.key
		}
		if open || e.state == StateArmed || e.state == StateCompensating || e.state == StateParked {
			s.Entry.Input, s.Entry.Spent, s.Entry.Since = data{e.input}, e.spent, at(e.since)
			s.Entry.Ambiguous, s.Entry.Last, s.Entry.Parked = e.ambiguous, e.last, park(e.parked)
		}
	}
	return s
}

func (w *writer) block(b *block) blockState {
	s := blockState{Owner: w.nodes[b.owner], Role: b.role, Index: b.index, Scope: -1, Next: b.next, Current: -1, Stopped: b.stopped}
	if b.scope != nil {
		s.Scope = w.scope(b)
	}
	if b.current != nil {
		s.Current = w.nodes[b.current]
	}
	if b.lastStep != nil {
		s.Last = b.lastStep.ID
	}
	return s
}

// live says whether an expression may yet be evaluated in b's own scope.
func (b *block) live() bool {
	return b.next < len(b.steps) || (b.current != nil && (!b.current.done || b.current.open > 0))
}

// scope gives the place of b's scope. Of an item that has ended only its keys
// and its output are kept.
func (w *writer) scope(b *block) int {
	if i, known := w.scopes[b.scope]; known {
		return i
	}
	s := scopeState{Parent: -1, Keys: b.scope.keys}
	if b.owner.in == nil {
		s.Steps, s.Vars = w.outputs(b.scope, nil, nil), data{b.scope.vars}
	} else {
		s.Parent = w.scope(b.owner.in)
		each := b.owner.step.Foreach
		switch {
		case b.role == roleHandler:
			s.As, s.Value = "error", data{b.scope.env["error"]}
		case b.live():
			s.As, s.Value = each.As, data{b.scope.env[each.As]}
			s.Steps, s.Vars = w.outputs(b.scope, b.owner.step, nil), data{b.scope.vars}
		default:
			s.As, s.Steps = each.As, w.outputs(b.scope, b.owner.step, b.lastStep)
		}
	}
	w.scopes[b.scope] = len(w.scopeList)
	w.scopeList = append(w.scopeList, s)
	return len(w.scopeList) - 1
}

// outputs gives the outputs of the steps that a scope has beyond those of the
// scope around it: of a foreach those inside it, or of one step alone.
func (w *writer) outputs(s *scope, each, only *dsl.Step) data {
	list := map[string]any{}
	add := func(id string) {
		if kept, ok := s.steps[id].(map[string]any); ok {
			list[id] = kept["output"]
		}
	}
	switch {
	case only != nil:
		add(only.ID)
	case each == nil:
		for _, id := range slices.Sorted(maps.Keys(s.steps)) {
			add(id)
		}
	default:
		for _, id := range w.inside(each) {
			add(id)
		}
	}
	if len(list) == 0 {
		return data{}
	}
	return data{list}
}

// inside gives the IDs of the steps at any depth inside a foreach.
func (w *writer) inside(each *dsl.Step) []string {
	var ids []string
	var walk func(steps []*dsl.Step)
	walk = func(steps []*dsl.Step) {
		for _, s := range steps {
			ids = append(ids, s.ID)
			for _, inner := range s.Blocks() {
				walk(inner)
			}
		}
	}
	walk(each.Foreach.Do)
	return ids
}
