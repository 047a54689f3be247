package engine

import (
	"time"

	"github.com/sagad/sagad/dsl"
)

// wait is an await or a sleep on its way.
type wait struct {
	until time.Time // zero: no limit
}

// beginAwait takes a message that has come before, or waits for one (S27).
func (m *Machine) beginAwait(n *node) {
	await := n.step.Await
	w := &wait{}
	if await.Timeout != nil {
		limit, err := await.Timeout.Eval(n.in.scope.env)
		if err != nil {
			m.failExpression(n, err)
			return
		}
		w.until = m.now.Add(limit)
	}
	n.wait = w
	m.openLeaf(n)
	if s := m.inbox.take(func(s *Signal) bool { return m.matches(n, s) }); s != nil {
		m.succeedLeaf(n, s.Data)
		return
	}
	m.record(Record{Transition: TransitionWaiting, Path: n.path, Signal: await.Signal, Until: w.until})
	if !w.until.IsZero() {
		m.startTimer(timer{use: timerWait, node: n}, w.until)
	}
}

// Awaited gives the await that is open at a path and what its condition sees beside
// event, or nil. The environment is the machine's: it is not to be changed or kept.
func (m *Machine) Awaited(path string) (*dsl.Await, dsl.Env) {
	for _, n := range m.leaves {
		if n.path == path && n.step.Kind == dsl.KindAwait {
			return n.step.Await, n.in.scope.env
		}
	}
	return nil, nil
}

// beginSleep waits for a time to pass, or for an instant.
func (m *Machine) beginSleep(n *node) {
	until, err := m.sleepUntil(n.step.Sleep, n.in.scope.env)
	if err != nil {
		m.failExpression(n, err)
		return
	}
	n.wait = &wait{until: until}
	m.openLeaf(n)
	if !until.After(m.now) {
		m.succeedLeaf(n, nil)
		return
	}
	m.record(Record{Transition: TransitionWaiting, Path: n.path, Until: until})
	m.startTimer(timer{use: timerWait, node: n}, until)
}

func (m *Machine) sleepUntil(s *dsl.Sleep, env dsl.Env) (time.Time, error) {
	if s.For != nil {
		d, err := s.For.Eval(env)
		return m.now.Add(d), err
	}
	value, err := s.Until.Eval(env)
	if err != nil {
		return time.Time{}, err
	}
	text, ok := value.(string)
	if !ok {
		return time.Time{}, errNotInstant
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, errNotInstant
	}
	return at.UTC(), nil
}

// waitOver follows up on the time limit of an await or the end of a sleep.
func (m *Machine) waitOver(n *node) {
	if n.step.Kind == dsl.KindSleep {
		m.succeedLeaf(n, nil)
		return
	}
	m.fail(n, m.failure(n, CodeTimeout, "no "+n.step.Await.Signal+" came in time"), StateFailed)
}
