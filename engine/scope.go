package engine

import (
	"maps"
	"time"

	"github.com/sagad/sagad/dsl"
)

// scope is what expressions in a block see. Blocks share it unless they have
// names of their own.
type scope struct {
	env   dsl.Env
	steps map[string]any // by step ID: {"output": ...}
	vars  map[string]any
	keys  string // "[key]" of each enclosing foreach, outermost first
	tell  func(Evaluation)
}

// Evaluation is one evaluation of an expression of a saga, or a step that the saga
// has reached: then Entered alone is set.
type Evaluation struct {
	Keys string // "[key]" of each foreach around it, outermost first
	dsl.Evaluation
	Entered string // path of the step
}

// Explain makes the machine tell of every step that it reaches and every expression
// that it evaluates, in order, beginning with its first event. tell is called from inside Step and is not to change
// anything that it is given. A machine that was restored tells of nothing.
func (m *Machine) Explain(tell func(Evaluation)) { m.explain = tell }

// explain makes evaluations in the scope tell of themselves.
func (s *scope) explain(tell func(Evaluation)) {
	if s.tell = tell; tell != nil {
		keys := s.keys
		s.env.Observe(func(e dsl.Evaluation) { tell(Evaluation{Keys: keys, Evaluation: e}) })
	}
}

// rootScope is the scope of the saga's own steps.
func rootScope(s *Start, startedAt time.Time) *scope {
	settings := s.Settings
	if settings == nil {
		settings = map[string]any{}
	}
	steps, vars := make(map[string]any), make(map[string]any)
	return &scope{
		steps: steps,
		vars:  vars,
		env: dsl.Env{
			"input":  s.Input,
			"steps":  steps,
			"vars":   vars,
			"tenant": settings,
			"saga": map[string]any{
				"id": s.ID, "key": s.Key, "tenant": s.Tenant, "region": s.Region,
				"startedAt": startedAt.UTC().Format(time.RFC3339Nano),
			},
		},
	}
}

// extend gives env with one more name.
func extend(env dsl.Env, name string, value any) dsl.Env {
	inner := maps.Clone(env)
	inner[name] = value
	return inner
}

// with gives a scope that sees one more name. Outputs and variables are shared.
func (s *scope) with(name string, value any) *scope {
	inner := *s
	inner.env = extend(s.env, name, value)
	return &inner
}

// item gives the scope of one item of a foreach: it sees what s sees, and what
// it sets stays in it (S8).
func (s *scope) item(as string, value any, key string) *scope {
	inner := &scope{
		env:   extend(s.env, as, value),
		steps: maps.Clone(s.steps),
		vars:  maps.Clone(s.vars),
		keys:  s.keys + "[" + key + "]",
	}
	inner.env["steps"], inner.env["vars"] = inner.steps, inner.vars
	inner.explain(s.tell)
	return inner
}

// setOutput makes a step's output visible to the expressions that follow.
func (s *scope) setOutput(id string, output any) {
	s.steps[id] = map[string]any{"output": output}
}
