package enginetest

import (
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/invariant"
	"github.com/sagad/sagad/engine/local"
)

// RunAll runs cases as subtests. unique gives each a suffix for its
// instance ID; nil: none. What except holds of is left to another runtime; nil:
// nothing is.
func RunAll(t *testing.T, cases []Case, unique func() string, except func(*Case) bool, run Runner) {
	for i := range cases {
		c := &cases[i]
		if except != nil && except(c) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			suffix := ""
			if unique != nil {
				suffix = unique()
			}
			s := c.Prepare(t, suffix)
			c.Check(t, s, run(t, s))
		})
	}
}

// Simulate runs a saga in virtual time.
func Simulate(_ *testing.T, s *Saga) Observed {
	replies := make([]engine.Reply, len(s.Outside))
	watch := invariant.NewWatch(&s.World.Recording, s.Start)
	script := local.Script{
		Answer: s.World.answer, Payloads: s.World,
		Observe: func(id string, ev engine.Event, commands []engine.Command) {
			watch.Observe(id, ev, commands)
			for _, c := range commands {
				if c.Kind != engine.CommandReply {
					continue
				}
				if i, err := strconv.Atoi(c.Reply.Request); err == nil {
					replies[i] = c.Reply
				}
			}
		},
	}
	for i, h := range s.Outside {
		script.At = append(script.At, local.Timed{After: h.After, Event: h.Event(strconv.Itoa(i))})
	}
	result := local.Simulate(s.Plan, s.Start, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), script)
	return Observed{Result: result, Replies: replies}
}

// Handle is a running saga, on whatever runtime.
type Handle interface {
	Signal(s engine.Signal) engine.Reply
	Cancel() engine.Reply
	Operate(o engine.Operator) engine.Reply
	Result() engine.Result
	Done() <-chan struct{}
}

// Drive plays what comes from outside to a running saga, each request at its
// time or, if the saga is late, once it stands as it does then in virtual time
// and as long after the request before it. It waits for the end, or for a park that
// nothing follows. changed tells of transitions: a value per record is enough.
func Drive(h Handle, s *Saga, changed <-chan struct{}) Observed {
	start, outside := time.Now(), s.Outside
	replies := make([]engine.Reply, len(outside))
	answered := make(chan struct{}, len(outside))
	before := make(chan struct{})
	close(before)
	late := time.Duration(0) // of the request before; who has been sent tells the next
	for i, happening := range outside {
		earlier, sent := before, make(chan struct{})
		before = sent
		go func() {
			<-earlier
			due := start.Add(happening.After)
			timer := time.NewTimer(time.Until(due.Add(late)))
			<-timer.C
			await(h, s.Stands[i])
			late = max(time.Since(due), 0)
			if happening.Cancel {
				close(sent) // and perhaps not answered for long
			}
			replies[i] = happening.send(h)
			if !happening.Cancel {
				close(sent) // only now, or the next could overtake it
			}
			answered <- struct{}{}
		}()
	}
	open := len(outside)
	for {
		select {
		case <-h.Done():
			for ; open > 0; open-- {
				<-answered
			}
			return Observed{Result: h.Result(), Replies: replies}
		case <-answered:
			open--
		case <-changed:
		}
		if r := h.Result(); open == 0 && r.Status == engine.StatusOpen && r.Outcome == engine.OutcomeParked && settled(r) {
			return Observed{Result: r, Replies: replies}
		}
	}
}

// latest is how long a saga on a busy machine may be late.
const latest = 10 * time.Second

// await waits until a saga stands as it should when something comes to it from
// outside, but not for ever: what comes may be too early on purpose.
func await(h Handle, stands map[string]engine.State) {
	late := time.NewTimer(latest)
	defer late.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case <-late.C:
			return
		case <-h.Done():
			return
		case <-again.C:
		}
		if maps.Equal(standing(h.Result()), stands) {
			return
		}
	}
}

// standing gives the states of the steps that were reached.
func standing(r engine.Result) map[string]engine.State {
	states := make(map[string]engine.State, len(r.Steps))
	for _, s := range r.Steps {
		if s.State != engine.StatePending {
			states[s.Path] = s.State
		}
	}
	return states
}

// simulateUntil gives a saga as it stands at a time after its start.
func simulateUntil(s *Saga, after time.Duration) engine.Result {
	script := local.Script{Answer: s.World.answer, Payloads: s.World, Until: max(after-1, 1), Family: true}
	for _, h := range s.Outside {
		script.At = append(script.At, local.Timed{After: h.After, Event: h.Event("")})
	}
	return local.Simulate(s.Plan, s.Start, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), script)
}

// settled says whether nothing moves any more in a parked saga.
func settled(r engine.Result) bool {
	for _, s := range r.Steps {
		if s.State == engine.StateRunning || s.State == engine.StateCompensating {
			return false
		}
	}
	return true
}

func (h Happening) send(to Handle) engine.Reply {
	switch {
	case h.Cancel:
		return to.Cancel()
	case h.Operator != nil:
		return to.Operate(*h.Operator)
	default:
		return to.Signal(*h.Signal)
	}
}
