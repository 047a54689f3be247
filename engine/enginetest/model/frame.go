package model

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// frame is a step that has been reached, or the saga itself (step is nil).
type frame struct {
	step   *dsl.Step
	path   string
	parent *frame
	branch *branch // the innermost branch or item in which it stands; nil: none
	scope  *scope

	// What its catch, or the saga, has to answer for. Once handling is set the
	// catch has been taken and its handler runs.
	failure  *engine.Failure
	clause   *dsl.Catch
	failed   int // which failure of the saga it was
	handling bool

	state  engine.State
	code   string
	action *action
	child  *child
	parked *parking
}

// branch is one of several lists of steps of a block that are not ordered among
// each other: a branch of a parallel or an item of a foreach.
type branch struct {
	block *frame
	index int
	outer *branch
}

// inside says whether f is t or stands in it.
func (f *frame) inside(t *frame) bool {
	for ; f != nil; f = f.parent {
		if f == t {
			return true
		}
	}
	return false
}

// leaving says whether the steps in f are being left: f, or something around it,
// has to answer for a failure and has not come to its handler.
func (f *frame) leaving() bool {
	for ; f != nil; f = f.parent {
		if f.failure != nil && !f.handling {
			return true
		}
	}
	return false
}

// stopped says whether the steps around f are being left: f starts nothing new.
func (f *frame) stopped() bool { return f.parent.leaving() }

// effect is the effect of f's action; what is neither a call nor a child has
// none. A child that may pass a point of no return is a pivot (S9).
func (f *frame) effect() dsl.Effect {
	switch {
	case f.step.Call != nil:
		return f.step.Call.Effect
	case f.step.Child == nil:
		return dsl.EffectNone
	case decides(f.step.Child.Plan):
		return dsl.EffectPivot
	default:
		return dsl.EffectCompensatable
	}
}

// decides says whether a plan has a pivot or a retriable step, its own or a
// child's.
func decides(plan *dsl.Plan) bool {
	return slices.ContainsFunc(everyStep(plan.Steps), func(step *dsl.Step) bool {
		return step.Call != nil && (step.Call.Effect == dsl.EffectPivot || step.Call.Effect == dsl.EffectRetriable) ||
			step.Child != nil && decides(step.Child.Plan)
	})
}

// decisive says whether f stands at or after the point of no return.
func (f *frame) decisive() bool {
	return f.effect() == dsl.EffectPivot || f.effect() == dsl.EffectRetriable
}

// leaf says whether f stands in traces.
func (f *frame) leaf() bool {
	return f.step.Parallel == nil && f.step.Foreach == nil && f.step.Switch == nil && f.step.Scope == nil
}

// apart gives the parallel or foreach in whose different branches two steps
// stand; nil if the flow orders them.
func apart(a, b *frame) *frame {
	outermostFirst := func(f *frame) (list []*branch) {
		for br := f.branch; br != nil; br = br.outer {
			list = append(list, br)
		}
		slices.Reverse(list)
		return list
	}
	one, two := outermostFirst(a), outermostFirst(b)
	for i := range min(len(one), len(two)) {
		if one[i] != two[i] {
			if one[i].block == two[i].block {
				return one[i].block
			}
			break
		}
	}
	return nil
}

// policy gives what a parallel or foreach does with the siblings of a branch
// that failed (S7).
func policy(block *frame) dsl.Drain {
	if block.step.Foreach != nil {
		return block.step.Foreach.OnFailure
	}
	return block.step.Parallel.OnFailure
}

// compensatesInParallel says whether the branches of a block compensate at the
// same time (S7).
func compensatesInParallel(block *frame) bool {
	if block.step.Foreach != nil {
		return block.step.Foreach.ParallelCompensation
	}
	return block.step.Parallel.ParallelCompensation
}

// scope is what expressions see.
type scope struct {
	env         dsl.Env
	steps, vars map[string]any
	keys        string // of each foreach around, outermost first
}

// outermost is the scope of the saga's own steps.
func outermost(start *engine.Start, at time.Time) *scope {
	in := &scope{steps: map[string]any{}, vars: map[string]any{}}
	settings := start.Settings
	if settings == nil {
		settings = map[string]any{}
	}
	in.env = dsl.Env{
		"input": start.Input, "steps": in.steps, "vars": in.vars, "tenant": settings,
		"saga": map[string]any{
			"id": start.ID, "key": start.Key, "tenant": start.Tenant, "region": start.Region,
			"startedAt": at.UTC().Format(time.RFC3339Nano),
		},
	}
	return in
}

// with gives a scope that sees one more name, and changes what in sees.
func (in *scope) with(name string, value any) *scope {
	more := *in
	more.env = maps.Clone(in.env)
	more.env[name] = value
	return &more
}

// item gives the scope of an item of a foreach. It sees what in sees, and what
// it sets stays in it (S8).
func (in *scope) item(as string, value any, key string) *scope {
	own := in.with(as, value)
	own.steps, own.vars = maps.Clone(in.steps), maps.Clone(in.vars)
	own.env["steps"], own.env["vars"] = own.steps, own.vars
	own.keys += "[" + key + "]"
	return own
}

// set makes the output of a step visible.
func (in *scope) set(id string, output any) { in.steps[id] = map[string]any{"output": output} }

// note adds an item to the trace, which lists leaves in order of closing. What
// was parked stands there until it closes.
func (s *saga) note(name, mark string) {
	if s.waiting[name] {
		delete(s.waiting, name)
		s.trace = slices.DeleteFunc(s.trace, func(item string) bool { return strings.TrimRight(item, "!?") == name })
	}
	s.trace = append(s.trace, name+mark)
}
