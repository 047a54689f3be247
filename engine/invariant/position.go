package invariant

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sagad/sagad/dsl"
)

// enclosure is a list of steps that a step stands in: a branch, an item, a
// handler or the one body of its owner.
type enclosure struct {
	owner string    // path; empty: the saga
	step  *dsl.Step // owner; nil: the saga
	role  enclosureRole
	which string // branch, item, case or handler
}

type enclosureRole uint8

const (
	inBody enclosureRole = iota
	beside               // a branch or an item: not ordered with the others
	inHandler
)

// layout knows where the steps of a plan and of its child sagas stand.
type layout struct {
	plan  *dsl.Plan
	found map[string][]enclosure // by path
}

func newLayout(plan *dsl.Plan) *layout {
	return &layout{plan: plan, found: map[string][]enclosure{}}
}

// around gives the lists of steps around a path, outermost first.
func (l *layout) around(path string) []enclosure {
	list, seen := l.found[path]
	if !seen {
		list = locate(l.plan, path, "", []enclosure{{}})
		l.found[path] = list
	}
	return list
}

// locate finds path, which is relative to plan. prefix is the rest of the full
// path and outside what is around the plan.
func locate(plan *dsl.Plan, path, prefix string, outside []enclosure) []enclosure {
	part, rest, inChild := strings.Cut(path, "/")
	id, suffix, _ := strings.Cut(part, "[")
	s := spot{outside: outside}
	if suffix != "" {
		s.keys = strings.Split(strings.TrimSuffix(suffix, "]"), "][")
	}
	list := s.find(plan.Steps, id, prefix)
	if !inChild {
		return list
	}
	step := plan.StepAt(part)
	if step == nil || step.Child == nil {
		return list
	}
	list = slices.Concat(list, []enclosure{{owner: prefix + part, step: step}})
	return locate(step.Child.Plan, rest, prefix+part+"/", list)
}

// spot is a place in a plan on the way to a step.
type spot struct {
	outside []enclosure
	suffix  string   // keys of the items around it
	keys    []string // of the items that the way still leads into
}

// find looks for the step id in steps, and gives what is around it.
func (s spot) find(steps []*dsl.Step, id, prefix string) []enclosure {
	for _, step := range steps {
		if step.ID == id {
			return s.outside
		}
		for _, b := range blocksOf(step) {
			inner, e := s, enclosure{prefix + step.ID + s.suffix, step, b.role, b.which}
			if b.role == beside && step.Kind == dsl.KindForeach {
				if len(s.keys) == 0 {
					continue
				}
				e.which = s.keys[0]
				inner.suffix, inner.keys = s.suffix+"["+e.which+"]", s.keys[1:]
			}
			inner.outside = slices.Concat(s.outside, []enclosure{e})
			if list := inner.find(b.do, id, prefix); list != nil {
				return list
			}
		}
	}
	return nil
}

type blockOf struct {
	do    []*dsl.Step
	role  enclosureRole
	which string
}

// blocksOf gives the lists of steps directly inside a step.
func blocksOf(step *dsl.Step) (list []blockOf) {
	switch step.Kind {
	case dsl.KindParallel:
		for _, b := range step.Parallel.Branches {
			list = append(list, blockOf{b.Do, beside, b.Name})
		}
	case dsl.KindForeach:
		list = append(list, blockOf{step.Foreach.Do, beside, ""})
	case dsl.KindSwitch:
		for i, c := range step.Switch.Cases {
			list = append(list, blockOf{c.Do, inBody, strconv.Itoa(i)})
		}
	case dsl.KindScope:
		list = append(list, blockOf{step.Scope.Do, inBody, ""})
	}
	for i, c := range step.Catch {
		list = append(list, blockOf{c.Do, inHandler, strconv.Itoa(i)})
	}
	return list
}

// inside says whether the step at path is t or stands in its body, not in its
// handlers. t is the path of a step, or empty for the saga.
func (l *layout) inside(path, t string) bool {
	if path == t {
		return true
	}
	for _, e := range l.around(path) {
		if e.owner == t {
			return e.role != inHandler
		}
	}
	return false
}

// fork gives the parallel or foreach in which two paths stand in different
// branches or items; nil when the flow orders them.
func (l *layout) fork(a, b string) *dsl.Step {
	inA, inB := l.around(a), l.around(b)
	for i := range min(len(inA), len(inB)) {
		x, y := inA[i], inB[i]
		if x == y {
			continue
		}
		if x.owner == y.owner && x.role == beside && y.role == beside {
			return x.step
		}
		return nil
	}
	return nil
}

// compensatesInParallel says whether the branches or items of a block compensate
// at the same time.
func compensatesInParallel(fork *dsl.Step) bool {
	if fork == nil {
		return false
	}
	if fork.Kind == dsl.KindForeach {
		return fork.Foreach.ParallelCompensation
	}
	return fork.Parallel.ParallelCompensation
}
