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
func (w *world) spawn(run func(*strand)) {
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
	w.strands = append(w.strands, x)
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
	saga  *saga // to which it happens; nil: to whom it may concern
	do    func()
}

// at makes an appointment.
func (s *saga) at(at time.Time, path string, do func()) *appointment {
	return s.world.at(s, at, path, do)
}

func (w *world) at(s *saga, at time.Time, path string, do func()) *appointment {
	w.appointed++
	a := &appointment{at: at, path: path, order: w.appointed, saga: s, do: do}
	w.agenda = append(w.agenda, a)
	return a
}

// cancelled takes an appointment back.
func (w *world) cancelled(a *appointment) {
	for i, other := range w.agenda {
		if other == a {
			w.agenda = append(w.agenda[:i], w.agenda[i+1:]...)
			return
		}
	}
}

// soonest takes the next appointment from the agenda: what comes first in time;
// of one instant what has the smaller path (S6); of one step what was appointed
// first. It gives nil when nothing more will happen.
func (w *world) soonest() *appointment {
	var first *appointment
	for _, a := range w.agenda {
		if first == nil || a.before(first) {
			first = a
		}
	}
	w.cancelled(first)
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
