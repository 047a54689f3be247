package dsl

import (
	"slices"
	"strings"
)

// steps compares the steps of two plans.
func (d *differ) steps(old, new *Plan) {
	d.names = renames(old, new)
	d.pairBlocks(old, new)
	d.was, d.is = d.spots(old), d.spots(new)
	d.findMoved()
	for _, s := range inOrder(new) {
		id := d.oldID(s)
		is, was := d.is[id], d.was[id]
		if was == nil {
			d.appears(is)
			continue
		}
		if s.ID != id {
			d.add(ChangeOrder, ChangeRenamed, "steps."+s.ID, id, s.ID, "renamed; it was %s: traces and commands use the new name", id)
		}
		if _, ok := d.moved[id]; ok {
			d.add(ChangeOrder, ChangeMoved, "steps."+s.ID, was.place(), is.place(), "stands %s; it stood %s", is.place(), was.place())
		}
		d.step("steps."+s.ID, was.step, s)
	}
	for _, s := range inOrder(old) {
		if d.is[s.ID] == nil {
			d.disappears(d.was[s.ID])
		}
	}
	d.wayBack(old, new)
}

// inOrder gives the steps of a plan at all depths.
func inOrder(p *Plan) []*Step {
	steps := make([]*Step, p.count)
	for _, s := range p.byID {
		steps[s.Index] = s
	}
	return steps
}

// appears tells of a step that is new, unless the block that it stands in is.
func (d *differ) appears(s *spot) {
	path := "steps." + s.step.ID
	if s.owner == nil || d.was[d.oldID(s.owner)] != nil {
		d.add(ChangeOrder, ChangeAdded, path, nil, map[string]any(s.step.encode()), "new, %s: %s", s.place(), does(s.step))
	}
	if c := s.step.Call; c != nil {
		switch c.Effect {
		case EffectCompensatable:
			d.add(ChangeCompensation, ChangeAdded, path+".compensate", nil, c.Compensate.Activity, "what it does is taken back by %s", c.Compensate.Activity)
		case EffectPivot:
			d.add(ChangeCompensation, ChangeAdded, path+".effect", nil, "pivot", "it is a point of no return")
		case EffectRetriable:
			d.add(ChangeCompensation, ChangeAdded, path+".effect", nil, "retriable", "it has an effect that is never taken back")
		}
	}
	if c := s.step.Child; c != nil && (c.Plan.decisive || c.Plan.compensates) {
		d.add(ChangeCompensation, ChangeAdded, path, nil, c.Plan.Saga, "the effects of the saga %s come with it", c.Plan.Saga)
	}
}

// disappears tells of a step that is gone.
func (d *differ) disappears(s *spot) {
	path := "steps." + s.step.ID
	if s.owner == nil || d.is[s.owner.ID] != nil {
		d.add(ChangeOrder, ChangeRemoved, path, map[string]any(s.step.encode()), nil, "gone; it stood %s: %s", s.place(), does(s.step))
	}
	if c := s.step.Call; c != nil && c.Effect != EffectNone {
		d.add(ChangeCompensation, ChangeRemoved, path+".effect", c.Effect.String(), nil, "its effect is gone with it (%s)", effectWords(c))
	}
	if c := s.step.Child; c != nil && (c.Plan.decisive || c.Plan.compensates) {
		d.add(ChangeCompensation, ChangeRemoved, path, c.Plan.Saga, nil, "the effects of the saga %s are gone with it", c.Plan.Saga)
	}
}

func effectWords(c *Call) string {
	switch c.Effect {
	case EffectCompensatable:
		return "taken back by " + c.Compensate.Activity
	case EffectPivot:
		return "the point of no return"
	default:
		return c.Effect.String()
	}
}

var kindNames = map[Kind]string{
	KindCall: "call", KindParallel: "parallel", KindForeach: "foreach", KindSwitch: "switch", KindScope: "scope", KindAwait: "await",
	KindSleep: "sleep", KindSet: "set", KindFail: "fail", KindComplete: "complete", KindSaga: "saga",
}

// does says what a step does.
func does(s *Step) string {
	switch s.Kind {
	case KindCall:
		return "call " + s.Call.Activity
	case KindSaga:
		return "saga " + s.Child.Plan.Saga
	case KindAwait:
		return "await " + s.Await.Signal
	case KindFail:
		return "fail " + s.Fail.Code
	}
	return kindNames[s.Kind]
}

// wayBack tells of another order of compensation, and of a point of no return
// that is reached at another time.
func (d *differ) wayBack(old, new *Plan) {
	var affected, decisive []string
	for _, s := range inOrder(new) {
		if _, ok := d.moved[d.oldID(s)]; ok {
			affected = append(affected, d.compensated(s)...)
			decisive = append(decisive, deciding(s)...)
		}
	}
	for _, id := range decisive {
		d.add(ChangeCompensation, ChangeMoved, "steps."+id, nil, nil, "the point of no return is reached at another place")
	}
	if len(affected) == 0 {
		return
	}
	was, is := d.back(old), d.back(new)
	if slices.Equal(was, is) {
		d.add(ChangeCompensation, ChangeMoved, "steps", encodeTexts(was), encodeTexts(is), "%s is taken back at another time", strings.Join(affected, ", "))
		return
	}
	d.add(ChangeCompensation, ChangeMoved, "steps", encodeTexts(was), encodeTexts(is), "the way back is %s; it was %s", short(strings.Join(is, " ")), short(strings.Join(was, " ")))
}

// back is the way back of a plan whose steps all ran, as a trace shows it.
func (d *differ) back(p *Plan) []string {
	var trace []string
	for _, s := range inOrder(p) {
		if takenBack(s) {
			trace = append(trace, "~"+s.ID)
		}
	}
	slices.Reverse(trace)
	return trace
}

func takenBack(s *Step) bool {
	return s.Call != nil && s.Call.Compensate != nil || s.Child != nil && s.Child.Plan.compensates
}

// compensated gives the steps in a step, itself included, that are taken back.
func (d *differ) compensated(s *Step) []string {
	var ids []string
	eachStep(s, func(s *Step) {
		if takenBack(s) {
			ids = append(ids, s.ID)
		}
	})
	return ids
}

// deciding gives the pivots in a step, itself included.
func deciding(s *Step) []string {
	var ids []string
	eachStep(s, func(s *Step) {
		if s.Call != nil && s.Call.Effect == EffectPivot || s.Child != nil && s.Child.Plan.decisive {
			ids = append(ids, s.ID)
		}
	})
	return ids
}

func eachStep(s *Step, f func(*Step)) {
	f(s)
	for _, list := range s.Blocks() {
		for _, inner := range list {
			eachStep(inner, f)
		}
	}
}
