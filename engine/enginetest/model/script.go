package model

import (
	"strings"
	"time"

	"github.com/sagad/sagad/engine"
)

// Script is everything that happens to a saga from outside.
type Script struct {
	Input any
	// Answers holds what participants answer, one for each attempt; the last one
	// repeats. The name is the path of a step for its action, "~" and the path
	// for its compensation, "?" and the path for its probe. Where a path is not
	// named, the step's ID stands for it. What is not named at all is applied at
	// once, with an empty object as its output.
	Answers map[string][]Answer
	Outside []Happening
}

// Answer is how an attempt ends and how long it takes. One that takes as long as
// the attempt's timeout is lost.
type Answer struct {
	Outcome engine.Outcome
	Took    time.Duration
}

// Happening is a request to the saga at a time after its start. Exactly one of
// the last three fields is set.
type Happening struct {
	After    time.Duration
	Cancel   bool
	Signal   *engine.Signal
	Operator *engine.Operator
}

// Participants answer attempts by a script.
type Participants struct {
	script *Script
	asked  map[string]int
}

// NewParticipants gives participants that have not been asked anything yet.
func NewParticipants(script *Script) *Participants {
	return &Participants{script: script, asked: map[string]int{}}
}

// Answer gives the answer to the next attempt at an operation of a step, with
// what becomes of it when it takes too long.
func (p *Participants) Answer(op engine.Op, path string, timeout time.Duration) (engine.Outcome, time.Duration) {
	prefix := ""
	switch op {
	case engine.OpCompensation:
		prefix = "~"
	case engine.OpProbe:
		prefix = "?"
	}
	n := p.asked[prefix+path]
	p.asked[prefix+path]++
	list, ok := p.script.Answers[prefix+path]
	if !ok {
		list = p.script.Answers[prefix+stepOf(path)]
	}
	if len(list) == 0 {
		return engine.Outcome{Class: engine.Applied, Output: map[string]any{}}, 0
	}
	a := list[min(n, len(list)-1)]
	if a.Took >= timeout {
		return engine.Outcome{Class: engine.Ambiguous, Code: engine.CodeTimeout}, timeout
	}
	return a.Outcome, a.Took
}

// stepOf gives the ID of the step at a path: without the children that lead to it
// and without the keys of items.
func stepOf(path string) string {
	id, _, _ := strings.Cut(path[strings.LastIndexByte(path, '/')+1:], "[")
	return id
}
