package dsl

import "fmt"

// Place is where an expression stands in a definition.
type Place struct {
	Step *Step  // nil: the saga itself
	Key  string // as it stands there: if, with.amount.minor, switch[0].when
	Expr *Expr
}

// Places gives every expression of the definition with its place, in document
// order, without those of child sagas.
func (p *Plan) Places() []Place {
	var w placeWalk
	w.expr("key", p.Key)
	w.delay("deadline", p.Deadline)
	for _, s := range p.Search {
		w.value("search."+s.Name, s.Value)
	}
	everyStep(p.Steps, w.stepAt)
	w.step = nil
	w.value("output", p.Output)
	return w.places
}

type placeWalk struct {
	step   *Step
	places []Place
}

func (w *placeWalk) expr(key string, e *Expr) {
	if e != nil {
		w.places = append(w.places, Place{Step: w.step, Key: key, Expr: e})
	}
}

func (w *placeWalk) delay(key string, d *Delay) {
	if d != nil {
		w.value(key, d.Expr)
	}
}

func (w *placeWalk) value(key string, v *Value) {
	if v == nil {
		return
	}
	w.expr(key, v.expr)
	for _, part := range v.parts {
		w.expr(key, part.expr)
	}
	for i, item := range v.list {
		w.value(fmt.Sprintf("%s[%d]", key, i), item)
	}
	for _, f := range v.fields {
		w.value(key+"."+f.name, f.value)
	}
}

func (w *placeWalk) stepAt(s *Step) {
	w.step = s
	w.expr("if", s.If)
	switch s.Kind {
	case KindCall:
		w.call(s.Call)
	case KindSaga:
		w.value("with", s.Child.With)
	case KindForeach:
		w.expr("in", s.Foreach.In)
		w.expr("key", s.Foreach.Key)
	case KindSwitch:
		for i, c := range s.Switch.Cases {
			w.expr(fmt.Sprintf("switch[%d].when", i), c.When)
		}
	case KindAwait:
		w.expr("where", s.Await.Where)
		w.delay("timeout", s.Await.Timeout)
	case KindSleep:
		w.expr("until", s.Sleep.Until)
		w.delay("sleep", s.Sleep.For)
	case KindSet:
		for _, a := range s.Set {
			w.value(a.Name, a.Value)
		}
	case KindFail:
		w.value("message", s.Fail.Message)
	case KindComplete:
		w.value("output", s.Complete.Output)
	}
}

func (w *placeWalk) call(c *Call) {
	w.value("with", c.With)
	if c.Compensate != nil {
		w.value("compensate.with", c.Compensate.With)
	}
	if c.Probe != nil {
		w.value("probe.with", c.Probe.With)
	}
}
