package engine

import "github.com/sagad/sagad/dsl"

// pendingSteps gives the steps that an open saga may come to, in document order:
// leaves that have not been reached, without those of items, which are not
// known, of handlers, which only a failure reaches, and of cases that were not
// chosen.
func (m *Machine) pendingSteps() []StepResult {
	if m.closed || m.start == nil || m.root.unwind != nil {
		return nil
	}
	reached := make(map[*dsl.Step]bool, len(m.nodes))
	for _, n := range m.nodes {
		reached[n.step] = true
	}
	var list []StepResult
	var walk func(steps []*dsl.Step)
	walk = func(steps []*dsl.Step) {
		for _, s := range steps {
			switch s.Kind {
			case dsl.KindForeach:
			case dsl.KindScope:
				walk(s.Scope.Do)
			case dsl.KindParallel:
				for _, b := range s.Parallel.Branches {
					walk(b.Do)
				}
			case dsl.KindSwitch:
				if !reached[s] {
					for _, c := range s.Switch.Cases {
						walk(c.Do)
					}
				}
			default:
				if !reached[s] {
					list = append(list, StepResult{Path: m.prefix + s.ID, State: StatePending})
				}
			}
		}
	}
	walk(m.plan.Steps)
	return list
}
