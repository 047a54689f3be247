package dsl

import "fmt"

// flowCheck goes over the steps in the order of control flow. At each place it
// knows which steps ran and which variables are set, and checks the
// expressions there against it.
type flowCheck struct {
	c     *compiler
	names map[string]*typ // what all expressions of steps see besides steps and vars
}

// outcome is what a step or a list of steps comes to.
type outcome struct {
	flow  *flow
	falls bool // what follows may be reached
	typ   *typ // of its output
}

func (w *flowCheck) at(f *flow, s *Step) *names { return &names{flow: f, vars: w.names, step: s} }

// list checks steps that run one after the other.
func (w *flowCheck) list(steps []*Step, f *flow) outcome {
	out := outcome{flow: f, falls: true, typ: nullType}
	reported := false
	for _, s := range steps {
		if !out.falls && !reported {
			reported = true
			w.c.errorNode(w.c.at[s].first(), CodeUnreachable, "this step is never reached", "the steps before it end the saga or fail; remove one of them")
		}
		next := w.step(s, out.flow)
		if s.If != nil {
			next.typ = either(next.typ, out.typ)
		}
		out = outcome{next.flow, next.falls && out.falls, next.typ}
	}
	return out
}

// step checks one step with its condition and its handlers. It leaves before
// as it is.
func (w *flowCheck) step(s *Step, before *flow) outcome {
	if s.If != nil {
		w.condition(s.If, "if", w.at(before, s))
	}
	body := w.body(s, before.clone())
	var ways []*flow
	typ := (*typ)(nil)
	join := func(o outcome) {
		if !o.falls {
			return
		}
		ways = append(ways, o.flow)
		if typ == nil {
			typ = o.typ
		} else {
			typ = either(typ, o.typ)
		}
	}
	join(body)
	for i := range s.Catch {
		handler := before.clone()
		handler.doubt(s, body.flow)
		inner := *w
		inner.names = with(w.names, "error", errorType)
		join(inner.list(s.Catch[i].Do, handler))
	}
	falls := len(ways) > 0
	after := meet(ways, body.flow)
	if typ == nil {
		typ = nullType
	}
	w.c.outputs[s.ID] = typ
	after.ran[s.ID] = true
	if s.If != nil {
		skipped := before.clone()
		if falls {
			after = meet([]*flow{after, skipped}, nil)
		} else {
			after = skipped
		}
		after.ran[s.ID] = false
		return outcome{after, true, typ.orNull()}
	}
	return outcome{after, falls, typ}
}

// with returns names with one more.
func with(names map[string]*typ, name string, t *typ) map[string]*typ {
	out := make(map[string]*typ, len(names)+1)
	for k, v := range names {
		out[k] = v
	}
	out[name] = t
	return out
}

// body checks what a step does.
func (w *flowCheck) body(s *Step, f *flow) outcome {
	switch s.Kind {
	case KindCall:
		return outcome{f, true, w.call(s, f)}
	case KindParallel:
		return w.parallel(s, f)
	case KindForeach:
		return w.foreach(s, f)
	case KindSwitch:
		return w.switchBlock(s, f)
	case KindScope:
		return w.list(s.Scope.Do, f)
	case KindSaga:
		return w.child(s, f)
	case KindAwait:
		return outcome{f, true, w.await(s, f)}
	case KindSleep:
		w.sleep(s, f)
	case KindSet:
		w.set(s, f)
	case KindFail:
		w.text(s.Fail.Message, "message", w.at(f, s))
		return outcome{f, false, nullType}
	case KindComplete:
		w.c.ends(w.c.inferValue(s.Complete.Output, w.at(f, s)))
		return outcome{f, false, nullType}
	}
	return outcome{f, true, nullType}
}

func (w *flowCheck) parallel(s *Step, f *flow) outcome {
	out := outcome{flow: f.clone(), falls: true}
	t := &typ{kind: typeMap, closed: true, fields: map[string]*typ{}, required: map[string]bool{}}
	for _, b := range s.Parallel.Branches {
		o := w.list(b.Do, f)
		out.falls = out.falls && o.falls
		t.fields[b.Name], t.required[b.Name] = o.typ, true
		for id, certain := range o.flow.ran {
			out.flow.ran[id] = certain
		}
		for name, v := range o.flow.vars {
			if f.vars[name] != v {
				out.flow.vars[name] = v
			}
		}
	}
	out.typ = t
	return out
}

func (w *flowCheck) foreach(s *Step, f *flow) outcome {
	fe := s.Foreach
	over := w.c.infer(fe.In, w.at(f, s))
	elem := anyType
	switch {
	case over.kind == typeList && over.elem != nil:
		elem = over.elem
	case over.kind != typeAny && over.kind != typeList:
		w.c.errorExpr(fe.In, CodeType, fmt.Sprintf("in is %s, not a list", over), "")
	}
	if _, taken := w.names[fe.As]; taken {
		place := w.c.at[fe].get("as")
		if place == nil {
			place = w.c.at[fe].first()
		}
		w.c.errorNode(place, CodeInvalidID, fmt.Sprintf("the name %s is taken by a foreach around this one", fe.As), "choose another name with as")
	}
	inner := *w
	inner.names = with(w.names, fe.As, elem)
	if fe.Key != nil {
		t := w.c.infer(fe.Key, inner.at(f, s))
		if t.kind != typeAny && t.kind != typeText && t.kind != typeInt {
			w.c.errorExpr(fe.Key, CodeType, fmt.Sprintf("key is %s, not text or an integer", t), "")
		}
	}
	o := inner.list(fe.Do, f)
	return outcome{f, true, &typ{kind: typeList, elem: o.typ}}
}

func (w *flowCheck) switchBlock(s *Step, f *flow) outcome {
	var ways []*flow
	var t *typ
	exhaustive := false
	for _, c := range s.Switch.Cases {
		if c.When != nil {
			w.condition(c.When, "when", w.at(f, s))
		} else {
			exhaustive = true
		}
		o := w.list(c.Do, f)
		if o.falls {
			ways = append(ways, o.flow)
			if t == nil {
				t = o.typ
			} else {
				t = either(t, o.typ)
			}
		}
	}
	if t == nil {
		t = nullType
	}
	if !exhaustive {
		ways = append(ways, f)
		t = t.orNull()
	}
	return outcome{meet(ways, f), len(ways) > 0, t}
}

func (w *flowCheck) await(s *Step, f *flow) *typ {
	a := s.Await
	message := a.Schema.typ()
	if a.Where != nil {
		n := w.at(f, s)
		w.condition(a.Where, "where", n.with("event", message))
	}
	w.c.delayType(a.Timeout, w.at(f, s))
	return message
}

func (w *flowCheck) sleep(s *Step, f *flow) {
	w.c.delayType(s.Sleep.For, w.at(f, s))
	if s.Sleep.Until != nil {
		t := w.c.infer(s.Sleep.Until, w.at(f, s))
		if t.kind != typeAny && t.kind != typeText {
			w.c.errorExpr(s.Sleep.Until, CodeType, fmt.Sprintf("until is %s, not text", t), "it is an instant such as 2026-11-23T10:00:00Z")
		}
	}
}

func (w *flowCheck) set(s *Step, f *flow) {
	set := map[string]*variable{}
	for _, a := range s.Set {
		set[a.Name] = &variable{true, w.c.inferValue(a.Value, w.at(f, s))}
		at := w.c.text.spanOf(w.c.at[assignmentKey{a.Value}])
		w.c.varUses = append(w.c.varUses, varUse{name: a.Name, at: at, step: s, set: true})
	}
	for name, v := range set {
		f.vars[name] = v
	}
}

// condition checks an expression that must be a boolean.
func (w *flowCheck) condition(e *Expr, what string, n *names) {
	t := w.c.infer(e, n)
	if t.kind != typeAny && t.kind != typeBool {
		w.c.errorExpr(e, CodeType, fmt.Sprintf("%s is %s, not a boolean", what, t), "compare it with something")
	}
}

// text checks a value that must be text.
func (w *flowCheck) text(v *Value, what string, n *names) {
	if v == nil {
		return
	}
	t := w.c.inferValue(v, n)
	if t.kind != typeAny && t.kind != typeText {
		w.c.errorNode(w.c.at[v], CodeType, fmt.Sprintf("%s is %s, not text", what, t), "")
	}
}
