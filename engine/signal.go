package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sagad/sagad/dsl"
)

// Limits on messages from outside (S27): what is kept is part of the saga's
// state, and an outsider decides how much is sent.
const (
	MaxSignals     = 1000
	MaxSignalSize  = 256 << 10 // bytes of one message
	MaxSignalsSize = 4 << 20   // bytes of all that wait: a run of a workflow takes no more than some times that
	MaxSignalID    = 255       // bytes; IDs are kept for the life of the saga
)

var errNotInstant = errors.New("`until` must give an instant in RFC 3339, such as 2026-11-23T10:00:00Z")

// inbox keeps messages that no await has taken, oldest first.
type inbox struct {
	waiting []*Signal
	seen    map[string]bool // IDs of every message that was ever taken in
}

// take removes and gives the oldest message that matches, or nil.
func (b *inbox) take(matches func(*Signal) bool) *Signal {
	for i, s := range b.waiting {
		if matches(s) {
			b.waiting = slices.Delete(b.waiting, i, i+1)
			return s
		}
	}
	return nil
}

// size is how many bytes a message has.
func (s *Signal) size() int {
	if s.Size > 0 {
		return s.Size
	}
	return encodedSize(s.Data)
}

// room says why a message cannot be kept until an await takes it, or gives nil.
func (b *inbox) room(s *Signal) (code string, err error) {
	if len(b.waiting) >= MaxSignals {
		return RefusedLimit, fmt.Errorf("%d messages wait to be matched, which is the limit; send again later", MaxSignals)
	}
	size := s.size()
	for _, w := range b.waiting {
		size += w.size()
	}
	if size > MaxSignalsSize {
		return RefusedLimit, fmt.Errorf("the messages that wait to be matched would have %d bytes with this one, at most %d are allowed; send again later", size, MaxSignalsSize)
	}
	return "", nil
}

// Received says whether a message with this ID was taken in before.
func (m *Machine) Received(id string) bool { return m.inbox.seen[id] }

// CheckRoom says why a message would not be kept, or gives nil: no await takes it
// now, and too many wait. A runtime that remembers all it is told asks before it
// takes a message in.
func (m *Machine) CheckRoom(s *Signal) (code string, err error) {
	if code, err = m.inbox.room(s); err == nil {
		return "", nil
	}
	told := len(m.out)
	taker := m.taker(s)
	m.out = m.out[:told]
	if taker != nil {
		return "", nil
	}
	return code, err
}

// CheckSignal says why a message cannot be sent to a saga of plan, or gives
// nil. Senders call it before they send; the machine calls it again. The code
// is one of the Refused constants.
func CheckSignal(plan *dsl.Plan, s *Signal) (code string, err error) {
	if s.ID == "" || len(s.ID) > MaxSignalID {
		return RefusedNotPossible, fmt.Errorf("a message needs an ID of 1 to %d bytes", MaxSignalID)
	}
	if size := s.size(); size > MaxSignalSize {
		return RefusedTooLarge, fmt.Errorf("the message has %d bytes, at most %d are allowed", size, MaxSignalSize)
	}
	var names []string
	var broken error
	for _, await := range awaits(plan.Steps, nil) {
		if await.Signal != s.Name {
			if !slices.Contains(names, await.Signal) {
				names = append(names, await.Signal)
			}
			continue
		}
		if await.Schema == nil {
			return "", nil
		}
		if broken = await.Schema.Validate(s.Data); broken == nil {
			return "", nil
		}
	}
	if broken != nil {
		return RefusedSchema, fmt.Errorf("the message breaks the schema of %s: %w", s.Name, broken)
	}
	if len(names) == 0 {
		return RefusedNotAwaited, fmt.Errorf("%s awaits no signals", plan.Saga)
	}
	return RefusedNotAwaited, fmt.Errorf("%s does not await %s; it awaits %s", plan.Saga, s.Name, strings.Join(names, ", "))
}

// awaits gathers the awaits of steps at any depth.
func awaits(steps []*dsl.Step, found []*dsl.Await) []*dsl.Await {
	for _, step := range steps {
		if step.Kind == dsl.KindAwait {
			found = append(found, step.Await)
		}
		for _, inner := range step.Blocks() {
			found = awaits(inner, found)
		}
	}
	return found
}

// signalled takes in a message and hands it to the waiting await of the
// smallest path that it matches; otherwise it is kept.
func (m *Machine) signalled(s *Signal, request string) {
	if m.inbox.seen[s.ID] {
		m.reply(Reply{Request: request, Accepted: true, Message: "a message with this ID was received before"})
		return
	}
	code, err := CheckSignal(m.plan, s)
	var taker *node
	if err == nil {
		taker = m.taker(s)
	}
	if err == nil && taker == nil {
		code, err = m.inbox.room(s)
	}
	if err != nil {
		m.record(Record{Transition: TransitionRefused, Signal: s.Name, Code: code, Message: err.Error()})
		m.reply(Reply{Request: request, Code: code, Message: err.Error()})
		return
	}
	if m.inbox.seen == nil {
		m.inbox.seen = make(map[string]bool)
	}
	m.inbox.seen[s.ID] = true
	m.reply(Reply{Request: request, Accepted: true, Message: "received"})
	if taker != nil {
		m.stopTimers(taker)
		m.succeedLeaf(taker, s.Data)
		return
	}
	m.inbox.waiting = append(m.inbox.waiting, s)
}

// matches says whether n awaits s. A condition that fails on a message is no
// match: an outsider's message cannot fail a saga.
func (m *Machine) matches(n *node, s *Signal) bool {
	await := n.step.Await
	if await.Signal != s.Name || (await.Schema != nil && await.Schema.Validate(s.Data) != nil) {
		return false
	}
	if await.Where == nil {
		return true
	}
	env := n.in.scope.env
	env["event"] = s.Data
	defer delete(env, "event")
	holds, err := await.Where.Bool(env)
	if err != nil {
		m.record(Record{Transition: TransitionRefused, Path: n.path, Signal: s.Name, Code: CodeExpression, Message: err.Error()})
		return false
	}
	return holds
}

// taker gives the waiting await of the smallest path that s matches, or nil.
func (m *Machine) taker(s *Signal) *node {
	for _, n := range m.leavesWithin(m.root) {
		if n.step.Kind == dsl.KindAwait && n.parked == nil && m.matches(n, s) {
			return n
		}
	}
	return nil
}
