package explore

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/invariant"
)

// member is one saga of a family, between two events.
type member struct {
	plan   *dsl.Plan
	start  *engine.Start
	parent int // index in the family
	id     int // that its parent gave it; 0: the root

	events   *event // all it took so far, the last first
	snapshot []byte
	ready    *ready
	result   engine.Result

	open      []*engine.Invocation
	children  []child
	timers    []timer
	report    *engine.Report // has closed, and its parent does not know yet
	cancelled bool           // a cancel of its parent is on the way
}

// ready is a machine that was restored from the state of a member and has taken
// no event since: the first who needs one has it. Copies of a member share it.
type ready struct{ machine *engine.Machine }

// child is a saga that was started and whose close is not known to its parent.
type child struct {
	start     engine.Command
	cancelled bool
}

type timer struct {
	id   int
	at   time.Time
	path string
}

type event struct {
	before *event
	engine.Event
}

// all gives the events in order.
func (e *event) all() (list []engine.Event) {
	for ; e != nil; e = e.before {
		list = append(list, e.Event)
	}
	slices.Reverse(list)
	return list
}

// begin starts the root.
func (x *explorer) begin() (*state, string) {
	s := &state{label: "started", now: startedAt, sent: make([]bool, len(x.Outside))}
	s.family = []*member{{plan: x.Saga.Plan, start: x.Saga.Start}}
	return s, x.step(s, 0, engine.Event{Kind: engine.EventStarted, Start: x.Saga.Start})
}

// step lets one saga of the family take an event, and carries out what follows.
func (x *explorer) step(s *state, who int, ev engine.Event) (problem string) {
	m := *s.family[who]
	m.open, m.timers, m.children = slices.Clone(m.open), slices.Clone(m.timers), slices.Clone(m.children)
	s.family[who] = &m
	ev.At = s.now
	m.events = &event{m.events, ev}
	machine, commands, problem := m.stepEverywhere()
	if problem != "" {
		return problem
	}
	m.result = machine.Result()
	if x.spoil != nil {
		commands = x.spoil(commands)
	}
	for i := range commands {
		s.do(who, &commands[i])
	}
	if machine.Closed() {
		report := machine.Report()
		m.report, m.timers = &report, nil
	}
	return ""
}

// stepEverywhere takes the last event on a machine that is restored from the
// state before it, and on a new one that takes all events again.
func (m *member) stepEverywhere() (*engine.Machine, []engine.Command, string) {
	restored, problem := m.restored()
	if problem != "" {
		return nil, nil, problem
	}
	commands := slices.Clone(restored.Step(m.events.Event))
	replayed := engine.New(m.plan)
	var again []engine.Command
	for _, ev := range m.events.all() {
		again = replayed.Step(ev)
	}
	if diff := difference(commands, again); diff != "" {
		return nil, nil, "S24: commands (-restored +replayed)\n" + diff
	}
	snapshot, err := restored.Snapshot()
	if err != nil {
		return nil, nil, "S26: " + err.Error()
	}
	if other, err := replayed.Snapshot(); err != nil || !bytes.Equal(snapshot, other) {
		return nil, nil, fmt.Sprintf("S26: state (-restored +replayed) %v\n%s", err, cmp.Diff(string(snapshot), string(other)))
	}
	m.snapshot, m.ready = snapshot, nil
	return restored, commands, ""
}

// restored gives a machine as it was before the last event.
func (m *member) restored() (*engine.Machine, string) {
	switch {
	case m.snapshot == nil:
		return engine.New(m.plan), ""
	case m.ready != nil && m.ready.machine != nil:
		machine := m.ready.machine
		m.ready.machine = nil
		return machine, ""
	}
	machine, err := engine.Restore(m.plan, m.start, m.snapshot)
	if err != nil {
		return nil, "S26: " + err.Error()
	}
	return machine, ""
}

// samePlan compares plans, which are immutable, by digest.
var samePlan = cmp.Comparer(func(a, b *dsl.Plan) bool { return a.Digest == b.Digest })

func difference(a, b []engine.Command) string {
	if (len(a) == 0 && len(b) == 0) || reflect.DeepEqual(a, b) {
		return "" // much faster
	}
	return cmp.Diff(a, b, samePlan)
}

// do carries a command of one saga out.
func (s *state) do(who int, c *engine.Command) {
	m := s.family[who]
	switch c.Kind {
	case engine.CommandInvoke:
		m.open = append(m.open, c.Invoke)
		s.moments = append(s.moments, invariant.Moment{Kind: invariant.MomentBegan, Invoke: c.Invoke})
	case engine.CommandCut:
		if i := slices.IndexFunc(m.open, func(inv *engine.Invocation) bool { return inv.ID == c.ID }); i >= 0 {
			s.moments = append(s.moments, invariant.Moment{Kind: invariant.MomentCut, Invoke: m.open[i]})
		}
	case engine.CommandStartTimer:
		m.timers = append(m.timers, timer{c.ID, c.At, c.Path})
	case engine.CommandCancelTimer:
		m.timers = slices.DeleteFunc(m.timers, func(t timer) bool { return t.id == c.ID })
	case engine.CommandRecord:
		if told, ok := c.Record.ForRoot(m.start); ok {
			s.moments = append(s.moments, invariant.Moment{Kind: invariant.MomentRecorded, Record: told})
		}
	case engine.CommandStartChild:
		m.children = append(m.children, child{start: *c})
		s.family = append(s.family, &member{plan: c.Child.Plan, start: c.Child.Start, parent: who, id: c.ID})
	case engine.CommandCancelChild:
		s.cancelChild(who, c.ID)
	}
}

// cancelChild sends a cancel to a child on its way.
func (s *state) cancelChild(who, id int) {
	for i := range s.family[who].children {
		if c := &s.family[who].children[i]; c.start.ID == id {
			c.cancelled = true
		}
	}
	for i, m := range s.family {
		if i > 0 && m.parent == who && m.id == id {
			asked := *m
			asked.cancelled = true
			s.family[i] = &asked
		}
	}
}

// begun says whether a saga has taken its first event.
func (m *member) begun() bool { return m.events != nil }

func (m *member) closed() bool { return m.result.Status == engine.StatusClosed }
