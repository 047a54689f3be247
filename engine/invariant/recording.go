package invariant

import (
	"slices"
	"sync"

	"github.com/sagad/sagad/engine"
)

// MomentKind says what a Moment tells of.
type MomentKind uint8

// The kinds of moments.
const (
	MomentBegan    MomentKind = iota + 1 // a participant took an attempt in; Invoke is set
	MomentEffect                         // what the attempt does took effect; Invoke is set
	MomentCut                            // the attempt was to be cut; Invoke is set
	MomentEnded                          // the attempt ended; Invoke and Outcome are set
	MomentRecorded                       // the saga told of a transition; Record is set
)

// Moment is one thing that was seen of a saga or of a child of it.
type Moment struct {
	Kind    MomentKind
	Invoke  *engine.Invocation
	Outcome engine.Outcome
	Record  engine.Record
}

// Recording takes down what is seen of a saga and its children, in order: by its
// participants, which see attempts, and by whoever is told of its transitions.
// The end of an attempt stands before the transition it leads to, and a
// transition before the attempts that follow from it. It is safe for concurrent
// use.
type Recording struct {
	mu      sync.Mutex
	moments []Moment
}

// Began notes that a participant took an attempt in.
func (r *Recording) Began(inv *engine.Invocation) { r.add(Moment{Kind: MomentBegan, Invoke: inv}) }

// Effect notes that an attempt had its effect.
func (r *Recording) Effect(inv *engine.Invocation) { r.add(Moment{Kind: MomentEffect, Invoke: inv}) }

// Cut notes that an attempt was to be cut.
func (r *Recording) Cut(inv *engine.Invocation) { r.add(Moment{Kind: MomentCut, Invoke: inv}) }

// Ended notes how an attempt ended.
func (r *Recording) Ended(inv *engine.Invocation, out engine.Outcome) {
	r.add(Moment{Kind: MomentEnded, Invoke: inv, Outcome: out})
}

// Recorded notes a transition, as it is told to whoever watches the saga at the
// top of the family.
func (r *Recording) Recorded(record engine.Record) {
	r.add(Moment{Kind: MomentRecorded, Record: record})
}

func (r *Recording) add(m Moment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.moments = append(r.moments, m)
}

// Moments gives what was taken down so far.
func (r *Recording) Moments() []Moment {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.moments)
}
