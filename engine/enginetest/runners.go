package enginetest

import (
	"strconv"
	"testing"
	"time"

	"github.com/sagad/sagad/engine"
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
	flights := map[string]map[int]*engine.Invocation{} // by saga
	script := local.Script{
		Answer: s.World.answer,
		Observe: func(id string, ev engine.Event, commands []engine.Command) {
			if ev.Kind == engine.EventClosed {
				s.World.close(flights[id][ev.ID])
			}
			for _, c := range commands {
				switch c.Kind {
				case engine.CommandInvoke:
					if flights[id] == nil {
						flights[id] = map[int]*engine.Invocation{}
					}
					flights[id][c.ID] = c.Invoke
				case engine.CommandReply:
					if i, err := strconv.Atoi(c.Reply.Request); err == nil {
						replies[i] = c.Reply
					}
				}
			}
		},
	}
	for i, h := range s.Outside {
		script.At = append(script.At, local.Timed{After: h.After, Event: h.event(strconv.Itoa(i))})
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
// time, and waits for the end, or for a park that nothing follows. changed tells
// of transitions: a value per record is enough.
func Drive(h Handle, outside Outside, changed <-chan struct{}) Observed {
	start := time.Now()
	replies := make([]engine.Reply, len(outside))
	answered := make(chan struct{}, len(outside))
	for i, happening := range outside {
		go func() {
			timer := time.NewTimer(time.Until(start.Add(happening.After)))
			<-timer.C
			replies[i] = happening.send(h)
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
