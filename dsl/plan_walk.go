package dsl

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// index fills in what is derived from the steps of a plan whose child sagas
// are sealed.
func (p *Plan) index() {
	p.byID = map[string]*Step{}
	p.height = 1
	sagas := map[string]*Plan{}
	everyStep(p.Steps, func(s *Step) {
		p.byID[s.ID] = s
		switch {
		case s.Call != nil:
			p.decisive = p.decisive || s.Call.Effect == EffectPivot || s.Call.Effect == EffectRetriable
			p.compensates = p.compensates || s.Call.Compensate != nil
		case s.Child != nil:
			child := s.Child.Plan
			p.decisive = p.decisive || child.decisive
			p.compensates = p.compensates || child.compensates
			p.height = max(p.height, 1+child.height)
			sagas[child.Saga] = child
			for _, g := range child.sagas {
				sagas[g.Saga] = g
			}
		}
	})
	if len(sagas) > 0 {
		p.sagas = slices.SortedFunc(maps.Values(sagas), func(a, b *Plan) int { return cmp.Compare(a.Saga, b.Saga) })
	}
}

// Sagas gives the plans of all child sagas at any depth, each once, by name.
// The result belongs to the plan.
func (p *Plan) Sagas() []*Plan { return p.sagas }

// Decisive reports whether a saga of this plan may pass the point of no return
// (S11): it has a pivot or a retriable step, at any depth and in any child
// saga. To a saga that runs it as a child such a plan is a pivot (S9).
func (p *Plan) Decisive() bool { return p.decisive }

// EveryStep gives the steps at any depth, in document order, without those of child
// sagas.
func (p *Plan) EveryStep() []*Step {
	all := make([]*Step, 0, p.count)
	everyStep(p.Steps, func(s *Step) { all = append(all, s) })
	return all
}

// Compensates reports whether a saga of this plan may have something to compensate,
// at any depth and in any child saga.
func (p *Plan) Compensates() bool { return p.compensates }

// StepAt gives the step with a path, or nil. Each part of the path is the id of
// a step, with the keys of the foreach blocks around it; all parts but the last
// are steps that run a child saga: `hold`, `take[c]`, `batch/pay[3]`. The keys
// may be left out.
func (p *Plan) StepAt(path string) *Step {
	for {
		part, rest, more := strings.Cut(path, "/")
		id, _, _ := strings.Cut(part, "[")
		s := p.byID[id]
		switch {
		case s == nil || !more:
			return s
		case s.Child == nil:
			return nil
		}
		p, path = s.Child.Plan, rest
	}
}
