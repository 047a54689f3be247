// Package explore runs a saga in every order in which things can happen to it.
//
// A state is a saga with its children, what its participants have done and what
// may still come from outside. From each state every event is tried that could be
// the next: each attempt on its way ends in each of its classes, each timer fires,
// each message, cancel and operator's command comes. States that were reached
// before are not tried again. Breadth first, so that what is found is as short as
// it can be.
//
// Every step is taken by three machines: one that is restored from its state
// before every event, one that is new and fed all events from the beginning, and
// one that is restored afterwards and says what is open. They have to agree in
// commands and state at every cut. The invariants of enginetest hold of every
// run, and no saga is ever stuck.
package explore

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
	"github.com/sagad/sagad/engine/invariant"
)

// Scenario is a saga and what may happen to it. What comes from outside comes at
// most once each, at any time and in any order.
type Scenario struct {
	Saga    *enginetest.Saga
	Outside []engine.Event // signals, cancels, operators' commands
	Bounds

	spoil func([]engine.Command) []engine.Command // breaks a runtime on purpose; nil: it does what it is told
}

// Bounds keep what may happen in one run finite.
type Bounds struct {
	Faults   int // attempts that end in another way than well and at once
	Commands int // operators' commands to what is parked
	States   int // states that are looked at; 0: all
}

// Report is what came of exploring.
type Report struct {
	States int     // different ones
	Events int     // tried
	Runs   float64 // different orders of events from the start to an end
	Depth  int     // events of the longest run
	Cut    bool    // Bounds.States was reached
	// Problem is the first violation, with the shortest script that leads to
	// it. Empty: there is none.
	Problem string
}

// startedAt is when all sagas start.
var startedAt = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// Explore runs a scenario in every order.
func Explore(sc *Scenario) (r Report) {
	x := &explorer{Scenario: sc, seen: map[[sha256.Size]byte]*state{}}
	x.run.Plan, x.run.Start = sc.Saga.Plan, sc.Saga.Start
	first, problem := x.begin()
	queue := []*state{first}
	x.seen[first.key()] = first
	for len(queue) > 0 && problem == "" {
		s := queue[0]
		queue = queue[1:]
		r.Depth = max(r.Depth, s.depth)
		for _, m := range x.moves(s) {
			r.Events++
			next, broken := x.take(s, m)
			if broken != "" {
				problem = broken + "\n" + next.script()
				break
			}
			key := next.key()
			if known := x.seen[key]; known != nil {
				s.next = append(s.next, known)
				continue
			}
			if broken := x.check(next); broken != "" {
				problem = broken + "\n" + next.script()
				break
			}
			if sc.States > 0 && len(x.seen) >= sc.States {
				r.Cut = true
				continue
			}
			x.seen[key] = next
			s.next = append(s.next, next)
			queue = append(queue, next)
		}
	}
	r.States, r.Problem = len(x.seen), problem
	r.Runs = first.runs()
	return r
}

type explorer struct {
	*Scenario
	seen map[[sha256.Size]byte]*state
	run  invariant.Run // that is checked at the moment
}

// state is a node of what is explored. States are not changed once they are
// made.
type state struct {
	before *state
	label  string // of the event that led here
	depth  int
	next   []*state
	count  float64 // runs from here; 0: not counted yet

	now     time.Time
	family  []*member          // the root first, each after its parent
	moments []invariant.Moment // of the event that led here

	// Of the world.
	applied  []string // keys of actions whose effect is there, sorted
	sent     []bool   // of Outside
	faults   int
	commands int
}

// key identifies what can still happen.
func (s *state) key() (key [sha256.Size]byte) {
	h := sha256.New()
	fmt.Fprintln(h, s.now.UnixNano(), s.applied, s.sent, s.faults, s.commands)
	for _, m := range s.family {
		fmt.Fprintln(h, m.report != nil, m.cancelled, len(m.snapshot))
		h.Write(m.snapshot)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// runs counts the ways from s to an end.
func (s *state) runs() float64 {
	if s.count == 0 {
		for _, n := range s.next {
			s.count += n.runs()
		}
		s.count = max(s.count, 1)
	}
	return s.count
}

// path gives the states from the start to s.
func (s *state) path() (list []*state) {
	for ; s != nil; s = s.before {
		list = append(list, s)
	}
	slices.Reverse(list)
	return list
}

// script lists the events that lead to s.
func (s *state) script() string {
	var b strings.Builder
	for i, p := range s.path() {
		fmt.Fprintf(&b, "%3d %-8s %s\n", i, p.now.Sub(startedAt), p.label)
	}
	root := s.family[0].result
	fmt.Fprintf(&b, "%s %v\n", root.Outcome, root.Trace)
	return b.String()
}
