package model

import (
	"iter"
	"time"
)

// strand is one line of control: the saga's own steps, a branch, an item, or a
// compensation. Only one strand runs at a time; it runs until it waits.
type strand struct {
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
}

// abandoned ends a strand that still waits when the saga is over.
type abandoned struct{}

// spawn starts a strand and comes back when it waits or has ended.
func (s *saga) spawn(run func(*strand)) {
	x := &strand{}
	x.next, x.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if r := recover(); r != nil && r != (abandoned{}) {
				panic(r)
			}
		}()
		x.yield = yield
		run(x)
	})
	s.strands = append(s.strands, x)
	x.next()
}

// wait gives control away until someone wakes the strand.
func (x *strand) wait() {
	if !x.yield(struct{}{}) {
		panic(abandoned{})
	}
}

// wake lets a waiting strand run and comes back when it waits again or has ended.
func (x *strand) wake() { x.next() }

// appointment is something that will happen at a time.
type appointment struct {
	at    time.Time
	path  string // of the step it is about; empty: of the saga
	order int
	do    func()
}

// at makes an appointment.
func (s *saga) at(at time.Time, path string, do func()) *appointment {
	s.appointed++
	a := &appointment{at: at, path: path, order: s.appointed, do: do}
	s.agenda = append(s.agenda, a)
	return a
}

// cancelled takes an appointment back.
func (s *saga) cancelled(a *appointment) {
	for i, other := range s.agenda {
		if other == a {
			s.agenda = append(s.agenda[:i], s.agenda[i+1:]...)
			return
		}
	}
}

// soonest takes the next appointment from the agenda: what comes first in time;
// of one instant what has the smaller path (S6); of one step what was appointed
// first. It gives nil when nothing more will happen.
func (s *saga) soonest() *appointment {
	var first *appointment
	for _, a := range s.agenda {
		if first == nil || a.before(first) {
			first = a
		}
	}
	s.cancelled(first)
	return first
}

func (a *appointment) before(b *appointment) bool {
	switch {
	case !a.at.Equal(b.at):
		return a.at.Before(b.at)
	case a.path != b.path:
		return a.path < b.path
	default:
		return a.order < b.order
	}
}
