package local

import (
	"strings"
	"time"

	"github.com/sagad/sagad/engine"
)

// timer is a timer that has not fired.
type timer struct {
	id    int
	at    time.Time
	path  string
	clock *time.Timer
}

// before orders timers by their instant and, within one, by path (S6).
func (t *timer) before(other *timer) bool {
	if !t.at.Equal(other.at) {
		return t.at.Before(other.at)
	}
	return strings.Compare(t.path, other.path) < 0
}

// fire gives the machine the timers that are due, in their order, whichever
// clock rang first.
func (s *Saga) fire() {
	s.firing.Lock()
	defer s.firing.Unlock()
	for t := s.due(); t != nil; t = s.due() {
		if next := s.take(engine.Event{Kind: engine.EventTimer, ID: t.id}); next != nil {
			s.spawn(next)
		}
	}
}

// due takes the first timer whose instant has come, or gives nil.
func (s *Saga) due() (first *timer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for _, t := range s.timers {
		if !t.at.After(now) && (first == nil || t.before(first)) {
			first = t
		}
	}
	if first != nil {
		s.stopTimer(first.id)
	}
	return first
}

// stopTimer forgets a timer; the lock is held.
func (s *Saga) stopTimer(id int) {
	if t := s.timers[id]; t != nil {
		t.clock.Stop()
		delete(s.timers, id)
	}
}
