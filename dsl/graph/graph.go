package graph

import (
	"slices"

	"github.com/sagad/sagad/dsl"
)

// Graph is the flow of a definition, ready to be drawn. It does not change once
// it is built.
type Graph struct {
	Saga        string
	Version     string // may be empty
	Description string // may be empty
	Key         string // the expression of the business key
	Deadline    string // empty: none
	Steps       List
	Run         *Run // how one saga stands; nil draws the definition alone
}

// List is units that follow each other.
type List []*Unit

// Unit is one step with what belongs to it.
type Unit struct {
	Gate     *Node  // its `if`; nil: always
	Node     *Node  // the step; of a block, its head
	Back     *Node  // its compensation; nil: none
	Block    *Block // what is inside; nil for a leaf
	Handlers []Lane // its catches
	Turn     Turn
}

// Turn says where the point of no return lies beside a unit (S11).
type Turn uint8

// The places of the point of no return.
const (
	NoTurn     Turn = iota // elsewhere, or nowhere
	TurnBefore             // sending the step passes it: a retriable step without a pivot
	TurnAfter              // the success of the step passes it
)

// Block is what stands inside a step. Its lanes run at the same time, or one of
// them does, or its one lane does.
type Block struct {
	Kind  dsl.Kind // parallel, foreach, switch, scope or saga
	Lanes []Lane
	// Open says that no case of a switch may hold: there is a way past the lanes.
	Open bool
}

// Lane is one branch, case, body or handler.
type Lane struct {
	Name  string // branch, condition or codes; empty for the one lane of a block
	Steps List
}

// Shape is what a node is.
type Shape uint8

// The shapes of nodes.
const (
	ShapeStep     Shape = iota // a step, or the head of a block
	ShapeGate                  // a condition
	ShapeBack                  // a compensation
	ShapeTerminal              // where the saga begins or ends
)

// Node is one box of a drawing.
type Node struct {
	ID    string // unique in the graph; letters, digits, "_", and "/" below child sagas
	Shape Shape
	Path  string   // of the step, without keys of items: `hold`, `batch/pay`
	Title string   // what people call it
	What  string   // what it does: an activity, a message, an expression; may be empty
	Notes []string // more that matters
	Kind  dsl.Kind
	// Effect is that of a call; of a child saga that decides it is EffectPivot.
	Effect dsl.Effect
}

// The terminals of every graph.
var (
	startNode       = Node{ID: "start", Shape: ShapeTerminal, Title: "start"}
	completedNode   = Node{ID: "completed", Shape: ShapeTerminal, Title: "completed"}
	compensatedNode = Node{ID: "compensated", Shape: ShapeTerminal, Title: "compensated"}
)

// back reports whether anything in the list can be compensated.
func (l List) back() bool { return slices.ContainsFunc(l, (*Unit).back) }

// back reports whether anything in the unit can be compensated.
func (u *Unit) back() bool {
	return u.Back != nil || u.Block != nil && lanesBack(u.Block.Lanes) || lanesBack(u.Handlers)
}

func lanesBack(lanes []Lane) bool {
	return slices.ContainsFunc(lanes, func(l Lane) bool { return l.Steps.back() })
}

// returns reports whether a way back begins in the list or leads through it:
// there is something to compensate, or a pivot that may be rejected.
func (l List) returns() (found bool) {
	l.each(func(u *Unit) { found = found || u.Back != nil || u.Node.pivot() })
	return found
}

func lanesReturn(lanes []Lane) bool {
	return slices.ContainsFunc(lanes, func(l Lane) bool { return l.Steps.returns() })
}

// each calls do with every unit at any depth, in document order.
func (l List) each(do func(*Unit)) {
	for _, u := range l {
		do(u)
		if u.Block != nil {
			for _, lane := range u.Block.Lanes {
				lane.Steps.each(do)
			}
		}
		for _, h := range u.Handlers {
			h.Steps.each(do)
		}
	}
}
