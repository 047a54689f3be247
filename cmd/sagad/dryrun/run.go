package dryrun

import (
	"slices"
	"strings"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
)

// Options say what stands in for the world.
type Options struct {
	// Manifests give the schemas that outputs are made up after.
	Manifests []dsl.Manifest
	// Answer gives what a mock answers to an attempt and how long it takes; ok is
	// false if there is none. Nil: there are none.
	Answer func(inv *engine.Invocation) (out engine.Outcome, took time.Duration, ok bool)
	// At gives events from outside. Without any, messages that the saga awaits are
	// made up where their schema and condition say enough.
	At []local.Timed
}

// Run plays a saga that starts at an instant. Equal arguments give equal reports.
func Run(plan *dsl.Plan, start *engine.Start, search map[string]any, at time.Time, o Options) Report {
	r := &run{
		options: o, sensitive: plan.SensitiveValues(start.Input), inputs: map[string]*dsl.Schema{}, outputs: map[string]*dsl.Schema{},
		sagas: map[string]*saga{}, steps: map[string]int{},
	}
	r.offered(o.Manifests)
	r.began(start.ID, "", plan)
	r.prepared(plan, start, search)
	script := local.Script{Answer: r.answer, At: o.At, Family: true, Observe: r.observe, Explain: r.explain}
	if o.At == nil {
		script.Message = r.message
	}
	result := local.Simulate(plan, start, at, script)
	return r.report(result)
}

// saga is one saga of the family.
type saga struct {
	plan   *dsl.Plan
	prefix string // of the paths of its steps
	places map[*dsl.Expr]dsl.Place
}

// run takes down what happens.
type run struct {
	options   Options
	sensitive []string
	inputs    map[string]*dsl.Schema // by activity
	outputs   map[string]*dsl.Schema
	sagas     map[string]*saga // by instance
	order     []*saga
	values    []Value
	way       []Step
	steps     map[string]int // index in way, by path
}

// offered takes in the schemas of the plugins.
func (r *run) offered(manifests []dsl.Manifest) {
	for _, m := range manifests {
		for _, a := range m.Activities {
			if s, err := dsl.ParseSchema(a.Input); err == nil && len(a.Input) > 0 {
				r.inputs[a.Name] = s
			}
			if s, err := dsl.ParseSchema(a.Output); err == nil && len(a.Output) > 0 {
				r.outputs[a.Name] = s
			}
		}
	}
}

func (r *run) began(id, prefix string, plan *dsl.Plan) {
	s := &saga{plan: plan, prefix: prefix, places: map[*dsl.Expr]dsl.Place{}}
	for _, p := range plan.Places() {
		s.places[p.Expr] = p
	}
	r.sagas[id] = s
	r.order = append(r.order, s)
}

// prepared takes down what was evaluated before the start.
func (r *run) prepared(plan *dsl.Plan, start *engine.Start, search map[string]any) {
	for _, p := range plan.Places() {
		if p.Step != nil {
			continue
		}
		if p.Key == "key" {
			r.values = append(r.values, r.value(p, start.Key, nil))
		}
		if name, ok := strings.CutPrefix(p.Key, "search."); ok {
			r.values = append(r.values, r.value(p, search[name], nil))
		}
	}
}

func (r *run) value(p dsl.Place, value any, err error) Value {
	v := Value{Key: p.Key, Expression: p.Expr.Source(), Value: engine.RedactValue(value, r.sensitive)}
	if err != nil {
		v.Error = engine.Redact(err.Error(), r.sensitive)
	}
	return v
}

// explain takes down what an expression gave.
func (r *run) explain(id string, e engine.Evaluation) {
	if e.Entered != "" {
		r.at(e.Entered)
		return
	}
	s := r.sagas[id]
	p, ok := s.places[e.Expr]
	if !ok {
		return
	}
	if s.plan.Derives(e.Expr) {
		r.derived(e.Value)
	}
	v := r.value(p, e.Value, e.Err)
	switch {
	case p.Step != nil:
		r.step(s.prefix+p.Step.ID+e.Keys, p.Step).take(v)
	case s.prefix == "":
		r.values = append(r.values, v)
	default: // of a child: it belongs to the step that has started it
		if step := r.at(strings.TrimSuffix(s.prefix, "/")); step != nil {
			step.take(v)
		}
	}
}

// derived takes texts in that are computed from a sensitive value: they are as
// sensitive, here and wherever they are read again.
func (r *run) derived(value any) {
	switch value := value.(type) {
	case string:
		if value != "" && !slices.Contains(r.sensitive, value) {
			r.sensitive = append(r.sensitive, value)
			slices.SortStableFunc(r.sensitive, func(a, b string) int { return len(b) - len(a) }) // no rest of a longer one is left
		}
	case []any:
		for _, item := range value {
			r.derived(item)
		}
	case map[string]any:
		for _, item := range value {
			r.derived(item)
		}
	}
}

// take adds what an expression gave. The key of a foreach is evaluated for every
// item; of other expressions that are evaluated again, as a condition for every
// message, the last value counts.
func (s *Step) take(v Value) {
	i := slices.IndexFunc(s.Values, func(before Value) bool { return before.Key == v.Key && before.Expression == v.Expression })
	perItem := s.Kind == dsl.KindForeach.String() && v.Key == "key" && v.Error == ""
	if perItem {
		v.Value = []any{v.Value}
	}
	if i < 0 {
		s.Values = append(s.Values, v)
		return
	}
	if before, ok := s.Values[i].Value.([]any); ok && perItem {
		v.Value = slices.Concat(before, v.Value.([]any))
	}
	s.Values[i] = v
}

// step gives the entry of a step, a new one when it is reached.
func (r *run) step(path string, step *dsl.Step) *Step {
	i, ok := r.steps[path]
	if !ok {
		i = len(r.way)
		r.steps[path] = i
		r.way = append(r.way, newStep(path, step))
	}
	return &r.way[i]
}

// at gives the entry of a path, or nil of one that no saga of the family has.
func (r *run) at(path string) *Step {
	step := r.order[0].plan.StepAt(path)
	if step == nil {
		return nil
	}
	return r.step(path, step)
}

func newStep(path string, s *dsl.Step) Step {
	entry := Step{Path: path, Kind: s.Kind.String(), State: entered}
	switch {
	case s.Call != nil:
		entry.Calls = s.Call.Activity
	case s.Child != nil:
		entry.Calls = s.Child.Plan.Saga
	case s.Await != nil:
		entry.Awaits = s.Await.Signal
	}
	return entry
}

// observe follows the sagas of the family and the steps they reach.
func (r *run) observe(id string, _ engine.Event, commands []engine.Command) {
	for _, c := range commands {
		switch c.Kind {
		case engine.CommandStartChild:
			r.began(c.Child.Start.ID, c.Child.Start.Parent.Prefix, c.Child.Plan)
		case engine.CommandRecord:
			if c.Record.Path == "" {
				continue
			}
			if step := r.at(c.Record.Path); step != nil && c.Record.Transition == engine.TransitionSkipped {
				step.State = string(engine.StateSkipped)
			}
		}
	}
}

// answer stands in for an activity.
func (r *run) answer(inv *engine.Invocation) (engine.Outcome, time.Duration) {
	a := Answer{Op: inv.Op, Activity: inv.Activity, From: FromMock}
	var out engine.Outcome
	var took time.Duration
	known := false
	if r.options.Answer != nil {
		out, took, known = r.options.Answer(inv)
	}
	if !known {
		out, a.From = r.assumed(inv)
	}
	if _, secret := dsl.SecretIn(inv.Input); !secret {
		if err := r.inputs[inv.Activity].Validate(inv.Input); err != nil {
			out, took, a.From = engine.Outcome{Class: engine.Rejected, Code: engine.CodeInvalidInput, Message: err.Error()}, 0, FromSchema
		}
	}
	a.Output, a.Code = engine.RedactValue(out.Output, r.sensitive), out.Code
	if step := r.at(inv.Path); step != nil {
		step.Answers = append(step.Answers, a)
	}
	return out, took
}

// assumed is what an activity most likely answers: it succeeds.
func (r *run) assumed(inv *engine.Invocation) (engine.Outcome, string) {
	out := engine.Outcome{Class: engine.Applied, Output: map[string]any{}}
	schema := r.outputs[inv.Activity]
	if schema == nil {
		return out, FromNothing
	}
	value, ok := schema.Example()
	if !ok {
		return out, FromNothing
	}
	out.Output = value
	return out, FromSchema
}

// message makes up what an await waits for.
func (r *run) message(id string, path string, await *dsl.Await, env dsl.Env) (any, bool) {
	data, ok := await.Example(env)
	if step := r.at(path); ok && step != nil {
		step.Message, step.MadeUp = engine.RedactValue(data, r.sensitive), true
	}
	return data, ok
}

// report puts together what was taken down.
func (r *run) report(result engine.Result) Report {
	result.Output, result.OutputError = engine.RedactValue(result.Output, r.sensitive), engine.Redact(result.OutputError, r.sensitive)
	if result.Cause != nil {
		cause := *result.Cause
		cause.Message = engine.Redact(cause.Message, r.sensitive)
		result.Cause = &cause
	}
	rep := Report{Result: result, Values: r.values, Way: r.way, Unreached: []string{}}
	for _, s := range result.Steps {
		if i, ok := r.steps[s.Path]; ok && s.State != engine.StatePending {
			rep.Way[i].State, rep.Way[i].Code = string(s.State), s.Code
		}
	}
	reached := map[*dsl.Step]bool{}
	for path := range r.steps {
		reached[r.order[0].plan.StepAt(path)] = true
	}
	named := map[string]bool{}
	for _, s := range r.order {
		if named[s.plan.Saga] {
			continue
		}
		named[s.plan.Saga] = true
		for _, step := range s.plan.EveryStep() {
			if !reached[step] && len(step.Blocks()) == len(step.Catch) { // a block is reached with what is in it
				rep.Unreached = append(rep.Unreached, s.prefix+step.ID)
			}
		}
	}
	return rep
}
