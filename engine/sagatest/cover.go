package sagatest

import (
	"fmt"
	"strings"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// Coverage takes down which steps, branches, catches and compensations of a
// definition the cases of a suite reach. Child sagas are covered by tests of their
// own. The zero value is ready to use; it is not safe for concurrent use.
type Coverage struct {
	entered     map[*dsl.Step]bool
	conditions  map[*dsl.Expr]map[bool]bool
	compensated map[*dsl.Step]bool
	plan        *dsl.Plan
}

// Covered is one thing that a case can reach.
type Covered struct {
	Kind string `json:"kind"` // step, branch, catch or compensation
	Step string `json:"step"` // id
	What string `json:"what"` // for people, such as "if is false"
	Hit  bool   `json:"hit"`
	Line int    `json:"line,omitempty"` // of the step, where it is known
}

// The kinds of what can be covered.
const (
	CoverStep         = "step"
	CoverBranch       = "branch"
	CoverCatch        = "catch"
	CoverCompensation = "compensation"
)

// NewCoverage gives the coverage of a definition, of which nothing was reached.
func NewCoverage(plan *dsl.Plan) *Coverage {
	return &Coverage{
		plan: plan, entered: map[*dsl.Step]bool{},
		conditions: map[*dsl.Expr]map[bool]bool{}, compensated: map[*dsl.Step]bool{},
	}
}

// explain takes down what the saga id evaluates and enters.
func (c *Coverage) explain(plan *dsl.Plan, id string) func(string, engine.Evaluation) {
	return func(saga string, e engine.Evaluation) {
		switch {
		case saga != id:
		case e.Entered != "":
			c.entered[plan.StepAt(e.Entered)] = true
		default:
			holds, ok := e.Value.(bool)
			if !ok {
				return
			}
			if c.conditions[e.Expr] == nil {
				c.conditions[e.Expr] = map[bool]bool{}
			}
			c.conditions[e.Expr][holds] = true
		}
	}
}

func (c *Coverage) observe(commands []engine.Command) {
	for _, cmd := range commands {
		if cmd.Kind != engine.CommandRecord || cmd.Record.Path == "" {
			continue
		}
		step := c.plan.StepAt(cmd.Record.Path)
		if cmd.Record.Transition != engine.TransitionCompensating || cmd.Record.Op != engine.OpCompensation {
			continue
		}
		c.compensated[step] = true
		if id, _, inside := strings.Cut(cmd.Record.Path, "/"); inside { // handed up by a child
			c.compensated[c.plan.StepAt(id)] = true
		}
	}
}

// List gives everything that can be covered, in document order.
func (c *Coverage) List() []Covered {
	var list []Covered
	for _, s := range c.plan.EveryStep() {
		add := func(kind, what string, hit bool) {
			list = append(list, Covered{Kind: kind, Step: s.ID, What: what, Hit: hit})
		}
		ran := c.entered[s] && (s.If == nil || c.conditions[s.If][true])
		add(CoverStep, "", ran)
		if s.If != nil {
			add(CoverBranch, "if is false", c.conditions[s.If][false])
		}
		c.cases(s, add)
		for _, catch := range s.Catch {
			add(CoverCatch, strings.Join(catch.On, ", "), c.any(catch.Do))
		}
		if s.Call != nil && s.Call.Compensate != nil {
			add(CoverCompensation, s.Call.Compensate.Activity, c.compensated[s])
		}
		if s.Child != nil && s.Child.Plan.Compensates() {
			add(CoverCompensation, "saga "+s.Child.Plan.Saga, c.compensated[s])
		}
	}
	return list
}

// cases adds the ways through a switch.
func (c *Coverage) cases(s *dsl.Step, add func(kind, what string, hit bool)) {
	if s.Switch == nil {
		return
	}
	var last *dsl.Expr
	for i, k := range s.Switch.Cases {
		if k.When == nil {
			add(CoverBranch, "else", c.any(k.Do))
			return
		}
		add(CoverBranch, fmt.Sprintf("case %d, %s", i+1, k.When.Source()), c.any(k.Do))
		last = k.When
	}
	add(CoverBranch, "no case holds", c.conditions[last][false])
}

// any says whether one of the steps was reached.
func (c *Coverage) any(steps []*dsl.Step) bool { return len(steps) > 0 && c.entered[steps[0]] }
