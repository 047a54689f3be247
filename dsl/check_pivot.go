package dsl

import "fmt"

// side is the set of sides of the point of no return that a place may be on
// (S11).
type side uint8

const (
	sideBefore side = 1 << iota
	sideAfter
)

// pivotCheck proves S11. It goes over all ways through the definition at once,
// knowing on which sides of the point of no return each place may be. What it
// cannot rule out it takes for possible: conditions are not compared with each
// other.
type pivotCheck struct {
	c        *compiler
	inside   string // the block around that runs things at the same time; "" if none
	passedBy *Step  // a step that may have passed the point of no return
	found    childPivots
}

// passage is how a step or list is left: the sides on which what follows may
// begin (0: it never begins), and those on which a failure may leave it.
type passage struct{ normal, failed side }

func (c *compiler) checkPivots() {
	w := &pivotCheck{c: c}
	w.found.normal |= w.list(c.plan.Steps, sideBefore).normal
	c.pivots = w.found
}

func (w *pivotCheck) error(s *Step, code, summary, detail string) {
	w.c.errorNode(w.c.at[s].first(), code, summary, detail)
}

func (w *pivotCheck) list(steps []*Step, from side) passage {
	p := passage{normal: from}
	for _, s := range steps {
		if p.normal == 0 {
			break // never reached; reported elsewhere
		}
		next := w.step(s, p.normal)
		p = passage{next.normal, p.failed | next.failed}
	}
	return p
}

func (w *pivotCheck) step(s *Step, from side) passage {
	p := w.body(s, from)
	if s.If != nil { // it may be false, and it may fail
		p.normal |= from
		p.failed |= from
	}
	if len(s.Catch) > 0 {
		failed := side(0)
		everything := false
		for _, clause := range s.Catch {
			h := w.list(clause.Do, p.failed)
			p.normal |= h.normal
			failed |= h.failed
			everything = everything || contains(clause.On, "*")
		}
		if everything {
			p.failed = failed
		} else {
			p.failed |= failed
		}
	}
	return p
}

func (w *pivotCheck) body(s *Step, from side) passage {
	switch s.Kind {
	case KindCall:
		return w.call(s, from)
	case KindParallel, KindForeach:
		return w.concurrent(s, from)
	case KindSwitch:
		p := passage{failed: from}
		exhaustive := false
		for _, c := range s.Switch.Cases {
			exhaustive = exhaustive || c.When == nil
			one := w.list(c.Do, from)
			p.normal |= one.normal
			p.failed |= one.failed
		}
		if !exhaustive {
			p.normal |= from
		}
		return p
	case KindScope:
		return w.list(s.Scope.Do, from)
	case KindFail:
		if from&sideAfter != 0 {
			w.error(s, CodeFailAfterPivot, "fail stands after the point of no return"+w.passed(from), "after it nothing is compensated; go forward with retriable steps, or fail before")
		}
		note(&w.found.fail, s.ID)
		return passage{failed: from}
	case KindSaga:
		return w.child(s, from)
	case KindComplete:
		w.found.normal |= from
		return passage{} // it ends the saga even if its output cannot be evaluated (S25)
	default:
		return passage{normal: from, failed: from}
	}
}

// passed says which step may have passed the point of no return.
func (w *pivotCheck) passed(from side) string {
	if w.passedBy == nil {
		return ""
	}
	verb := "has passed"
	if from&sideBefore != 0 {
		verb = "may have passed"
	}
	return fmt.Sprintf(", which %s %s", w.passedBy.ID, verb)
}

func (w *pivotCheck) call(s *Step, from side) passage {
	switch s.Call.Effect {
	case EffectCompensatable:
		note(&w.found.compensatable, s.ID)
		if from&sideAfter != 0 {
			w.error(s, CodePivotOrder, "a compensatable step stands after the point of no return"+w.passed(from),
				"move it before, or make it retriable or effect-free")
		}
	case EffectPivot:
		note(&w.found.pivot, s.ID)
		switch {
		case w.inside != "":
			w.error(s, CodePivotInBlock, "a pivot stands inside "+w.inside, "move it after the block: what runs beside it could not be compensated any more")
		case from&sideAfter != 0:
			w.error(s, CodePivotOrder, "a pivot stands after the point of no return"+w.passed(from),
				"at most one pivot succeeds on any path: make it retriable, or put it into the catch of the first one")
		}
		w.passedBy = s
		return passage{normal: sideAfter, failed: sideBefore}
	case EffectRetriable:
		note(&w.found.retriable, s.ID)
		if w.inside != "" && from&sideBefore != 0 {
			w.error(s, CodePivotInBlock, fmt.Sprintf("a retriable step stands inside %s before the point of no return", w.inside),
				"move the pivot before the block, or the step after it")
		}
		if from&sideBefore != 0 {
			w.passedBy = s
		}
		return passage{normal: sideAfter, failed: from | sideAfter}
	}
	return passage{normal: from, failed: from}
}

// concurrent checks blocks whose lists run at the same time: on each of them
// only what all leave open may follow.
func (w *pivotCheck) concurrent(s *Step, from side) passage {
	outer := w.inside
	w.inside = "parallel"
	if s.Kind == KindForeach {
		w.inside = "foreach"
	}
	p := passage{normal: from, failed: from}
	for _, list := range s.bodies() {
		one := w.list(list, from)
		if one.normal == 0 && s.Kind == KindParallel {
			p.normal = 0
		}
		if p.normal != 0 {
			p.normal |= one.normal
		}
		p.failed |= one.failed
	}
	w.inside = outer
	return p
}
