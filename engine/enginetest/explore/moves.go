package explore

import (
	"fmt"
	"slices"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/invariant"
)

// move is one thing that can happen next.
type move struct {
	who   int // index in the family
	label string
	event engine.Event

	invoke    *engine.Invocation // the attempt that ends; nil: none does
	effect    bool               // it has had its effect
	timer     *timer             // that fires
	outside   int                // one more than the index in Outside that comes
	fault     bool
	command   bool
	delivered bool // a child's close reaches its parent, or a parent's cancel its child
}

// moves gives all that can happen next.
func (x *explorer) moves(s *state) (list []move) {
	for who, m := range s.family {
		if m.closed() {
			if m.report != nil && who > 0 {
				list = append(list, move{
					who: m.parent, label: "the close of " + m.start.ID + " is reported", delivered: true,
					event: engine.Event{Kind: engine.EventChildClosed, ID: m.id, Child: m.report},
				})
			}
			continue
		}
		if !m.begun() {
			list = append(list, move{who: who, label: m.start.ID + " started", event: engine.Event{Kind: engine.EventStarted, Start: m.start}})
			continue
		}
		list = append(list, x.movesOf(s, who)...)
	}
	for i, ev := range x.Outside {
		if !s.sent[i] && !s.family[0].closed() {
			list = append(list, move{label: describe(ev), event: ev, outside: i + 1})
		}
	}
	return list
}

// movesOf gives what can happen next to one saga of the family.
func (x *explorer) movesOf(s *state, who int) (list []move) {
	m := s.family[who]
	for _, inv := range m.open {
		for _, a := range answers(s, m, inv) {
			if a.fault && s.faults >= x.Faults {
				continue
			}
			a.who, a.invoke = who, inv
			a.label = fmt.Sprintf("%s of %s, attempt %d: %s", inv.Op, inv.Path, inv.Attempt, a.label)
			a.event.Kind, a.event.ID = engine.EventClosed, inv.ID
			list = append(list, a)
		}
	}
	for i := range m.timers {
		t := &m.timers[i]
		list = append(list, move{who: who, label: fmt.Sprintf("timer %d of %q fires", t.id, t.path), timer: t, event: engine.Event{Kind: engine.EventTimer, ID: t.id}})
	}
	if m.cancelled {
		list = append(list, move{who: who, label: "cancel of " + m.start.ID, delivered: true, event: engine.Event{Kind: engine.EventCancel}})
	}
	if s.commands < x.Commands {
		for _, p := range m.result.Parked {
			for _, o := range fitting(s, m, p) {
				o.ID, o.Path, o.Actor, o.Reason = fmt.Sprintf("op-%d", s.commands), p.Path, "ops@example.com", "seen in the participant's records"
				ev := engine.Event{Kind: engine.EventOperator, Operator: &o, Request: "command"}
				list = append(list, move{who: who, label: describe(ev), event: ev, command: true})
			}
		}
	}
	return list
}

func class(c engine.Class, code string, final bool) engine.Event {
	return engine.Event{Outcome: engine.Outcome{Class: c, Code: code, Message: code, Final: final}}
}

func applied(output map[string]any) engine.Event {
	return engine.Event{Outcome: engine.Outcome{Class: engine.Applied, Output: output}}
}

// answers gives every way an attempt can end. Probes tell the truth, if anything.
func answers(s *state, m *member, inv *engine.Invocation) []move {
	if inv.Op == engine.OpProbe {
		there := slices.Contains(s.applied, inv.ActionKey)
		list := []move{
			{label: fmt.Sprintf("applied is %t", there), event: applied(map[string]any{"applied": there, "output": map[string]any{}})},
			{label: "cannot tell", event: applied(map[string]any{"applied": nil}), fault: true},
		}
		if there {
			unusable := engine.Outcome{Class: engine.Applied, Code: engine.CodeInvalidOutput, Message: "unusable", Probed: true}
			list = append(list, move{label: "applied, report unusable", event: engine.Event{Outcome: unusable}, fault: true})
		}
		return list
	}
	list := []move{
		{label: "applied", event: applied(map[string]any{}), effect: true},
		{label: "rejected", event: class(engine.Rejected, "REJECTED", false), fault: true},
		{label: "not sent", event: class(engine.NotSent, engine.CodeUnavailable, false), fault: true},
		{label: "ambiguous", event: class(engine.Ambiguous, engine.CodeTimeout, false), fault: true},
		{label: "final", event: class(engine.Ambiguous, "BROKEN", true), fault: true},
	}
	if inv.Op == engine.OpAction && !hasEffect(m, inv.Path) {
		return list
	}
	list = append(list,
		move{label: "ambiguous, with effect", event: class(engine.Ambiguous, engine.CodeTimeout, false), fault: true, effect: true},
		move{label: "final, with effect", event: class(engine.Ambiguous, "BROKEN", true), fault: true, effect: true})
	if inv.Op == engine.OpAction {
		list = append(list, move{label: "applied, output unusable", event: class(engine.Applied, engine.CodeInvalidOutput, false), fault: true, effect: true})
	}
	return list
}

// fitting gives the operators' commands that fit something parked. Operators
// tell the truth, too.
func fitting(s *state, m *member, p engine.Parked) (list []engine.Operator) {
	there := slices.ContainsFunc(m.result.Steps, func(r engine.StepResult) bool {
		return r.Path == p.Path && r.Key != "" && slices.Contains(s.applied, r.Key)
	})
	if p.Op == engine.OpCompensation {
		there = !there
	}
	for _, name := range p.Commands {
		o := engine.Operator{Command: name}
		switch name {
		case engine.CommandResolve:
			o.Applied = &there
		case engine.CommandRetry:
			corrected := o
			corrected.Input = map[string]any{"corrected": true}
			list = append(list, corrected)
		}
		list = append(list, o)
	}
	return list
}

// take gives the state after a move, and what it breaks.
func (x *explorer) take(s *state, m move) (next *state, problem string) {
	next = &state{
		before: s, label: m.label, depth: s.depth + 1, now: s.now, family: slices.Clone(s.family),
		applied: s.applied, sent: s.sent, faults: s.faults, commands: s.commands,
	}
	next.account(m)
	if problem := x.step(next, m.who, m.event); problem != "" {
		return next, problem
	}
	return next, x.violations(next)
}

// account notes what a move does to the world.
func (s *state) account(m move) {
	actor := *s.family[m.who]
	s.family[m.who] = &actor
	switch {
	case m.invoke != nil:
		actor.open = slices.DeleteFunc(slices.Clone(actor.open), func(inv *engine.Invocation) bool { return inv == m.invoke })
		if m.effect {
			s.apply(m.invoke)
		}
		s.moments = append(s.moments, invariant.Moment{Kind: invariant.MomentEnded, Invoke: m.invoke, Outcome: m.event.Outcome})
	case m.timer != nil:
		actor.timers = slices.DeleteFunc(slices.Clone(actor.timers), func(t timer) bool { return t.id == m.timer.id })
		if m.timer.at.After(s.now) {
			s.now = m.timer.at
		}
	case m.event.Kind == engine.EventChildClosed:
		actor.children = slices.DeleteFunc(slices.Clone(actor.children), func(c child) bool { return c.start.ID == m.event.ID })
		for i, child := range s.family {
			if i > 0 && child.parent == m.who && child.id == m.event.ID {
				told := *child
				told.report = nil
				s.family[i] = &told
			}
		}
	case m.delivered:
		actor.cancelled = false
	case m.outside > 0:
		s.sent = slices.Clone(s.sent)
		s.sent[m.outside-1] = true
	}
	if m.fault {
		s.faults++
	}
	if m.command {
		s.commands++
	}
}

// apply lets an attempt have its effect.
func (s *state) apply(inv *engine.Invocation) {
	s.moments = append(s.moments, invariant.Moment{Kind: invariant.MomentEffect, Invoke: inv})
	s.applied = slices.DeleteFunc(slices.Clone(s.applied), func(key string) bool { return key == inv.ActionKey })
	if inv.Op == engine.OpAction {
		s.applied = append(s.applied, inv.ActionKey)
		slices.Sort(s.applied)
	}
}

func describe(ev engine.Event) string {
	switch ev.Kind {
	case engine.EventCancel:
		return "cancel"
	case engine.EventSignal:
		return fmt.Sprintf("message %s %s: %v", ev.Signal.ID, ev.Signal.Name, ev.Signal.Data)
	default:
		o := ev.Operator
		text := fmt.Sprintf("%s %s", o.Command, o.Path)
		if o.Applied != nil {
			text += fmt.Sprintf(" as applied %t", *o.Applied)
		}
		if o.Input != nil {
			text += " with another input"
		}
		return text
	}
}
