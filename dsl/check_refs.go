package dsl

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// flow is what is known at one place of the definition about what came before:
// which steps ran and which variables are set.
type flow struct {
	ran  map[string]bool      // steps that may have run; true: certainly
	vars map[string]*variable // variables that may be set
}

// variable is what is known of a variable at one place.
type variable struct {
	certain bool
	typ     *typ
}

func newFlow() *flow { return &flow{ran: map[string]bool{}, vars: map[string]*variable{}} }

func (f *flow) clone() *flow {
	c := newFlow()
	for id, certain := range f.ran {
		c.ran[id] = certain
	}
	for name, v := range f.vars {
		c.vars[name] = v
	}
	return c
}

// meet returns what is known where several ways meet. With none of them, the
// place is never reached, and anything may be said.
func meet(flows []*flow, otherwise *flow) *flow {
	if len(flows) == 0 {
		return otherwise
	}
	out := flows[0].clone()
	for _, f := range flows[1:] {
		for id, certain := range out.ran {
			out.ran[id] = certain && f.ran[id]
		}
		for id := range f.ran {
			if _, known := out.ran[id]; !known {
				out.ran[id] = false
			}
		}
		out.mergeVars(f)
	}
	return out
}

func (f *flow) mergeVars(other *flow) {
	for name, v := range f.vars {
		o, ok := other.vars[name]
		switch {
		case !ok:
			f.vars[name] = &variable{false, v.typ}
		case o != v:
			f.vars[name] = &variable{v.certain && o.certain, either(v.typ, o.typ)}
		}
	}
	for name, o := range other.vars {
		if _, ok := f.vars[name]; !ok {
			f.vars[name] = &variable{false, o.typ}
		}
	}
}

// doubt makes everything inside a block that broke off somewhere a maybe of f:
// its steps, except those of a foreach, and the variables they set. other is
// what is known where the block ends.
func (f *flow) doubt(block *Step, other *flow) {
	if block.Kind == KindForeach {
		return
	}
	f.mergeVars(other)
	for _, list := range block.bodies() {
		for _, s := range list {
			f.doubtStep(s)
			f.doubt(s, newFlow())
			for _, c := range s.Catch {
				f.doubt(&Step{Kind: KindScope, Scope: &Scope{Do: c.Do}}, newFlow())
			}
		}
	}
}

func (f *flow) doubtStep(s *Step) {
	if _, known := f.ran[s.ID]; !known && s.ID != "" {
		f.ran[s.ID] = false
	}
	for _, a := range s.Set {
		if f.vars[a.Name] == nil {
			f.vars[a.Name] = &variable{false, anyType}
		}
	}
}

// stepRef infers steps.ID, a map with the one field output.
func (in *inference) stepRef(name *ast.StringNode) *typ {
	id := name.Value
	if in.c.steps[id] == nil {
		ids := canonicalKeys(in.names.flow.ran)
		return in.error(name, CodeUnknownStep, didYouMean(id, ids, in.c.stepsHint(ids)), "there is no step %s", id)
	}
	in.c.read[id] = true
	if l := name.Location(); in.c.seen != nil {
		in.c.seen.use(SymbolStep, id, in.c.exprSpan(in.use, l.From, l.To))
	}
	certain, visible := in.names.flow.ran[id]
	if !visible {
		problem, mend := in.c.orderProblem(id, in.names.step)
		return in.error(name, CodeStepOrder, mend, "%s", problem)
	}
	output := in.c.outputs[id]
	if output == nil {
		output = anyType
	}
	t := &typ{kind: typeMap, closed: true, fields: map[string]*typ{"output": output}, required: map[string]bool{"output": true}}
	if certain {
		return t
	}
	l := name.Location()
	a := &absence{what: fmt.Sprintf("the step %s may not have run", id), from: l.From, to: l.To, deflt: true}
	t.fields["output"] = output.orNull().withAbsence(a)
	return t.withAbsence(a)
}

func (c *compiler) stepsHint(ids []string) string {
	if len(ids) == 0 {
		return "no step runs before this place"
	}
	return "the steps before this place are " + orList(ids)
}

// orderProblem says why a step is not visible at another, and how to mend it.
func (c *compiler) orderProblem(id string, at *Step) (problem, mend string) {
	other := c.steps[id]
	block := c.foreachOf[other]
	switch {
	case other == at:
		return fmt.Sprintf("the step %s reads its own output", id), "its output is known only afterwards; a compensation reads self.output"
	case block != nil && (at == nil || !c.insideOf(at, block)):
		return fmt.Sprintf("the step %s is visible only inside the foreach %s", id, block.ID),
			fmt.Sprintf("read steps.%s.output, the list of the items' last outputs", block.ID)
	case c.within(at, other):
		return fmt.Sprintf("the step %s has no output yet, since this place is part of it", id), "read one of its steps, or in a handler error"
	case c.within(other, at):
		return fmt.Sprintf("the step %s is part of this one and has not run here", id), "read a step that runs before this one"
	case at != nil && other.Index > at.Index:
		return fmt.Sprintf("the step %s runs after this one", id), "move it before this one"
	default:
		return fmt.Sprintf("the step %s never runs before this place", id), "it stands in another branch, case or handler"
	}
}

// within reports whether a step stands inside a block or its handlers.
func (c *compiler) within(s, block *Step) bool {
	return s != nil && slices.ContainsFunc(c.branches[s], func(t turn) bool { return t.block == block })
}

// insideOf reports whether a step stands inside a foreach.
func (c *compiler) insideOf(s, block *Step) bool {
	for f := c.foreachOf[s]; f != nil; f = c.foreachOf[f] {
		if f == block {
			return true
		}
	}
	return false
}

// variable infers vars.NAME.
func (in *inference) variable(name *ast.StringNode) *typ {
	l := name.Location()
	in.c.varUses = append(in.c.varUses, varUse{name: name.Value, at: in.c.exprSpan(in.use, l.From, l.To), step: in.names.step})
	v := in.names.flow.vars[name.Value]
	switch {
	case v == nil && in.c.assigned[name.Value]:
		// checkVariables may have a better word for it.
		in.c.varUses[len(in.c.varUses)-1].unset = true
		return anyType
	case v == nil:
		names := canonicalKeys(in.c.assigned)
		return in.error(name, CodeVariable, didYouMean(name.Value, names, "set it in a set step before"), "the variable %s is never set", name.Value)
	case v.certain:
		return v.typ
	default:
		return v.typ.orNull().withAbsence(&absence{what: fmt.Sprintf("the variable %s may not be set", name.Value), from: l.From, to: l.To, deflt: true})
	}
}

// everyStep calls f for all steps at all depths, in document order.
func everyStep(steps []*Step, f func(*Step)) {
	for _, s := range steps {
		f(s)
		for _, list := range s.Blocks() {
			everyStep(list, f)
		}
	}
}
