package dsl

import "fmt"

// childPivots is what S11 has to know of a saga that others run as a child: on
// which sides of its point of no return it may complete, and by their paths the
// first steps of each sort that count in its parent.
type childPivots struct {
	normal        side
	compensatable string
	pivot         string
	retriable     string
	fail          string
}

// note keeps the path of the first step of a sort.
func note(kept *string, path string) {
	if *kept == "" {
		*kept = path
	}
}

// noteChild takes over what a child saga has.
func (p *childPivots) noteChild(s *Step, child childPivots) {
	for _, sort := range []struct {
		kept *string
		path string
	}{{&p.compensatable, child.compensatable}, {&p.pivot, child.pivot}, {&p.retriable, child.retriable}, {&p.fail, child.fail}} {
		if sort.path != "" {
			note(sort.kept, s.ID+"/"+sort.path)
		}
	}
}

// decisive is the path of the step that makes a child a pivot in its parent,
// or "".
func (p childPivots) decisive() string {
	if p.pivot != "" {
		return p.pivot
	}
	return p.retriable
}

// child checks a step that runs another saga. Its steps count as if they stood
// here, in a scope, with two differences: complete ends only the child, and a
// failure leaves a child only where nothing that it did is final.
func (w *pivotCheck) child(s *Step, from side) passage {
	face := w.c.childFace(s)
	if face == nil {
		return passage{normal: from, failed: from}
	}
	child := face.pivots
	w.found.noteChild(s, child)
	w.placeOfChild(s, child, from)
	p := passage{failed: from}
	if from&sideBefore != 0 {
		p.normal |= child.normal
		if child.normal&sideAfter != 0 {
			w.passedBy = s
		}
	}
	if from&sideAfter != 0 && child.normal != 0 {
		p.normal |= sideAfter
	}
	return p
}

// placeOfChild reports a child that cannot stand where it stands.
func (w *pivotCheck) placeOfChild(s *Step, child childPivots, from side) {
	saga := s.Child.Plan.Saga
	switch step := child.decisive(); {
	case step != "" && w.inside != "" && from&sideBefore != 0:
		w.error(s, CodePivotInBlock, fmt.Sprintf("the saga %s stands inside %s, and its step %s decides", saga, w.inside, step),
			"move it after the block: what runs beside it could not be compensated any more")
		return
	case from&sideAfter == 0:
		return
	}
	after := "stands after the point of no return" + w.passed(from)
	switch {
	case child.pivot != "":
		w.error(s, CodePivotOrder, fmt.Sprintf("the saga %s, whose step %s is a pivot, %s", saga, child.pivot, after),
			"at most one pivot succeeds on any path: make it retriable, or put the saga into the catch of the first pivot")
	case child.compensatable != "":
		w.error(s, CodePivotOrder, fmt.Sprintf("the saga %s, whose step %s is compensatable, %s", saga, child.compensatable, after),
			"move it before, or run a saga of retriable and effect-free steps")
	case child.fail != "":
		w.error(s, CodeFailAfterPivot, fmt.Sprintf("the saga %s, whose step %s fails, %s", saga, child.fail, after),
			"after it nothing is compensated; run it before")
	}
}
