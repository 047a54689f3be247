package local

import (
	"context"
	"slices"
	"time"

	"github.com/sagad/sagad/engine"
)

// take gives the machine an event and carries out what follows. Of the attempts
// among it the first is given back, for the caller to play; the others have
// goroutines of their own.
func (s *Saga) take(ev engine.Event) (next *attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended && (ev.Request == "" || !s.machine.Closed()) {
		return nil // stopped: nothing moves any more
	}
	ev.At = time.Now().UTC()
	switch ev.Kind {
	case engine.EventStarted:
		ev.At = s.startedAt
	case engine.EventClosed:
		s.attempts = slices.DeleteFunc(s.attempts, func(a *attempt) bool { return a.inv.ID == ev.ID })
	case engine.EventChildClosed:
		delete(s.children, ev.ID)
	}
	for _, c := range s.machine.Step(ev) {
		if c.Kind != engine.CommandInvoke {
			s.do(c)
			continue
		}
		a := &attempt{Context: s.ctx, inv: c.Invoke}
		s.attempts = append(s.attempts, a)
		if next == nil {
			next = a
		} else {
			s.spawn(a)
		}
	}
	if s.machine.Closed() && !s.ended {
		s.end(nil)
		close(s.done)
	}
	return next
}

// play runs an attempt and whatever follows from it, one after the other.
func (s *Saga) play(a *attempt) {
	for a != nil {
		out := s.invoker.Invoke(a, &s.identity, a.inv)
		a = s.take(engine.Event{Kind: engine.EventClosed, ID: a.inv.ID, Outcome: out})
	}
}

// spawn plays an attempt in a goroutine of its own.
func (s *Saga) spawn(a *attempt) {
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		s.play(a)
	}()
}

// do carries out a command that takes no time.
func (s *Saga) do(c engine.Command) {
	switch c.Kind {
	case engine.CommandCut:
		for _, a := range s.attempts {
			if a.inv.ID == c.ID {
				a.cut(context.Canceled)
			}
		}
	case engine.CommandStartTimer:
		if s.timers == nil {
			s.timers = make(map[int]*timer)
		}
		s.timers[c.ID] = &timer{id: c.ID, at: c.At, path: c.Path, clock: time.AfterFunc(time.Until(c.At), s.fire)}
	case engine.CommandCancelTimer:
		s.stopTimer(c.ID)
	case engine.CommandRecord:
		if r, ok := c.Record.ForRoot(s.start); ok && s.options.Observe != nil {
			s.options.Observe(r)
		}
	case engine.CommandStartChild:
		s.startChild(c)
	case engine.CommandCancelChild:
		s.children[c.ID].turnAround()
	case engine.CommandReply:
		if answer := s.replies[c.Reply.Request]; answer != nil {
			answer <- c.Reply
			delete(s.replies, c.Reply.Request)
		}
	}
}

// startChild runs a child saga beside this one and reports its end; the lock is
// held.
func (s *Saga) startChild(c engine.Command) {
	child := newSaga(s.ctx, c.Child.Plan, c.Child.Start, s.options)
	if s.children == nil {
		s.children = make(map[int]*Saga)
	}
	s.children[c.ID] = child
	first := child.take(begin(child.start)) // before a cancel that may come with it
	s.running.Add(1)
	child.running.Add(1)
	go func() {
		defer s.running.Done()
		child.play(first)
		child.running.Done()
		if _, err := child.Wait(); err != nil {
			return // stopped with this one
		}
		report := child.report()
		if next := s.take(engine.Event{Kind: engine.EventChildClosed, ID: c.ID, Child: &report}); next != nil {
			s.spawn(next)
		}
	}()
}

// report gives what a closed child leaves to its parent.
func (s *Saga) report() engine.Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.machine.Report()
}

// turnAround passes the parent's cancel on to a child, which may refuse it.
func (s *Saga) turnAround() {
	if next := s.take(engine.Event{Kind: engine.EventCancel}); next != nil {
		s.spawn(next)
	}
}

// end stops what still waits or runs; the lock is held.
func (s *Saga) end(err error) {
	s.ended, s.err = true, err
	if s.release != nil {
		s.release()
	}
	for _, t := range s.timers {
		t.clock.Stop()
	}
	for _, a := range s.attempts {
		a.cut(context.Canceled)
	}
}

// stop ends a saga whose context has ended, once its attempts have.
func (s *Saga) stop() {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.end(ErrStopped)
	s.mu.Unlock()
	s.running.Wait()
	close(s.done)
}
