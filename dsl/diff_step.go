package dsl

import (
	"slices"
	"strings"
	"time"
)

// step compares a step that both plans have, without the steps inside.
func (d *differ) step(path string, old, new *Step) {
	d.text(path+".name", old.Name, new.Name)
	d.text(path+".description", old.Description, new.Description)
	d.condition(path+".if", old.If, new.If)
	d.clauses(path+".catch", old, new)
	if old.Kind != new.Kind {
		d.add(ChangeOrder, ChangeChanged, path, does(old), does(new), "%s → %s", does(old), does(new))
		d.effects(path, old.Call, new.Call)
		return
	}
	switch new.Kind {
	case KindCall:
		d.call(path, old.Call, new.Call)
	case KindParallel:
		d.parallel(path+".parallel", old, new)
	case KindForeach:
		d.foreach(path+".foreach", old.Foreach, new.Foreach)
	case KindSwitch:
		d.switchCases(path+".switch", old, new)
	case KindAwait:
		d.await(path+".await", old.Await, new.Await)
	case KindSleep:
		d.delay(path+".sleep", old.Sleep.For, new.Sleep.For)
		d.bare(ChangeTiming, path+".sleep.until", old.Sleep.Until, new.Sleep.Until)
	case KindSet:
		d.data(ChangeTypes, path+".set", assignments(old.Set), assignments(new.Set))
	case KindFail:
		d.scalar(ChangeTypes, path+".fail.code", old.Fail.Code, new.Fail.Code)
		d.value(ChangeTexts, path+".fail.message", old.Fail.Message, new.Fail.Message)
	case KindComplete:
		d.value(ChangeTypes, path+".complete.output", old.Complete.Output, new.Complete.Output)
	case KindSaga:
		d.scalar(ChangeOrder, path+".saga", old.Child.Plan.Saga, new.Child.Plan.Saga)
		d.value(ChangeTypes, path+".with", old.Child.With, new.Child.With)
	}
}

func assignments(list []Assignment) map[string]any {
	m := map[string]any{}
	for _, a := range list {
		m[a.Name] = a.Value.source()
	}
	return m
}

func (d *differ) condition(path string, old, new *Expr) {
	was, is := sourceOf(old), sourceOf(new)
	switch {
	case was == is:
	case old == nil:
		d.add(ChangeOrder, ChangeAdded, path, nil, is, "runs only if %s; it always ran", short(is))
	case new == nil:
		d.add(ChangeOrder, ChangeRemoved, path, was, nil, "always runs; it ran only if %s", short(was))
	default:
		d.add(ChangeOrder, ChangeChanged, path, was, is, "runs if %s; it ran if %s", short(is), short(was))
	}
}

func (d *differ) clauses(path string, old, new *Step) {
	was, _ := clauseNames(old)
	is, _ := clauseNames(new)
	d.pairs(path, was, is, d.catch[old], d.catch[new],
		pairWords{"it no longer catches %s", "it catches %s now", "catches %s; it caught %s", "the clauses are looked at in another order, and the first that fits wins: %s"})
}

func (d *differ) switchCases(path string, old, new *Step) {
	was, _ := caseNames(old)
	is, _ := caseNames(new)
	d.pairs(path, was, is, d.cases[old], d.cases[new],
		pairWords{"%s is gone", "%s is new", "%s; it was %s", "the cases are looked at in another order, and the first that holds wins: %s"})
}

// pairWords say what became of a case, clause or branch.
type pairWords struct{ gone, fresh, changed, moved string }

// pairs compares the cases or clauses of a step: those that are gone, are new,
// are written otherwise, or are looked at in another order.
func (d *differ) pairs(path string, was, is []string, old, new pairing, words pairWords) {
	for i, name := range old {
		if !slices.Contains(new, name) {
			d.add(ChangeOrder, ChangeRemoved, path, was[i], nil, words.gone, short(was[i]))
		}
	}
	var order []int
	for j, name := range new {
		i := slices.Index(old, name)
		switch {
		case i < 0:
			d.add(ChangeOrder, ChangeAdded, path, nil, is[j], words.fresh, short(is[j]))
			continue
		case was[i] != is[j]:
			d.add(ChangeOrder, ChangeChanged, path, was[i], is[j], words.changed, short(is[j]), short(was[i]))
		}
		order = append(order, i)
	}
	if !slices.IsSorted(order) {
		d.add(ChangeOrder, ChangeMoved, path, encodeTexts(was), encodeTexts(is), words.moved, short(strings.Join(is, "; ")))
	}
}

func (d *differ) call(path string, old, new *Call) {
	if old.Activity != new.Activity {
		d.add(ChangeCompensation, ChangeChanged, path+".call", old.Activity, new.Activity, "%s → %s", old.Activity, new.Activity)
	}
	d.effects(path, old, new)
	d.value(ChangeTypes, path+".with", old.With, new.With)
	d.duration(path+".timeout", old.Timeout, new.Timeout)
	d.retry(path+".retry", old.Retry, new.Retry)
	if a, b := old.Compensate, new.Compensate; a != nil && b != nil {
		at := path + ".compensate"
		d.scalar(ChangeCompensation, at+".call", a.Activity, b.Activity)
		d.value(ChangeCompensation, at+".with", a.With, b.With)
		d.duration(at+".timeout", a.Timeout, b.Timeout)
		d.retry(at+".retry", a.Retry, b.Retry)
	}
	d.probe(path+".probe", old.Probe, new.Probe)
}

// effects compares what actions do to the world; either step may be none.
func (d *differ) effects(path string, old, new *Call) {
	var was, is Effect
	if old != nil {
		was = old.Effect
	}
	if new != nil {
		is = new.Effect
	}
	if was == is {
		return
	}
	add := func(kind ChangeKind, key, text string) {
		d.add(ChangeCompensation, kind, path+key, was.String(), is.String(), "%s", text)
	}
	switch was {
	case EffectCompensatable:
		add(ChangeRemoved, ".compensate", "its compensation is gone: what it does is no longer taken back (it was by "+old.Compensate.Activity+")")
	case EffectPivot:
		add(ChangeRemoved, ".effect", "it is no longer the point of no return")
	case EffectRetriable:
		add(ChangeRemoved, ".effect", "it is no longer retriable: it is not repeated until it succeeds")
	}
	switch is {
	case EffectCompensatable:
		add(ChangeAdded, ".compensate", "what it does is taken back by "+new.Compensate.Activity+" now")
	case EffectPivot:
		add(ChangeAdded, ".effect", "it is the point of no return now")
	case EffectRetriable:
		add(ChangeAdded, ".effect", "it is retriable now: it stands after the point of no return and is never taken back")
	}
}

func (d *differ) probe(path string, old, new *Probe) {
	switch {
	case old == nil && new == nil:
	case old == nil:
		d.add(ChangeCompensation, ChangeAdded, path, nil, new.Activity, "an attempt in doubt is asked about with %s now", new.Activity)
	case new == nil:
		d.add(ChangeCompensation, ChangeRemoved, path, old.Activity, nil, "an attempt in doubt is no longer asked about (it was with %s)", old.Activity)
	default:
		d.scalar(ChangeCompensation, path+".call", old.Activity, new.Activity)
		d.value(ChangeCompensation, path+".with", old.With, new.With)
		d.duration(path+".timeout", old.Timeout, new.Timeout)
		d.duration(path+".every", old.Every, new.Every)
		d.duration(path+".within", old.Within, new.Within)
	}
}

func (d *differ) duration(path string, old, new time.Duration) {
	d.scalar(ChangeTiming, path, FormatDuration(old), FormatDuration(new))
}

func (d *differ) retry(path string, old, new Retry) {
	if old.Ambiguous != new.Ambiguous {
		d.add(ChangeCompensation, ChangeChanged, path+".ambiguous", old.Ambiguous, new.Ambiguous, "%v → %v: whether it is repeated although it may have had its effect", old.Ambiguous, new.Ambiguous)
	}
	was, is := old.encode(), new.encode()
	delete(was, "ambiguous")
	delete(is, "ambiguous")
	d.data(ChangeTiming, path, was, is)
}

func (d *differ) parallel(path string, old, new *Step) {
	was, _ := caseNames(old)
	is, _ := caseNames(new)
	d.pairs(path+".branches", was, is, d.cases[old], d.cases[new],
		pairWords{"the branch %s is gone", "the branch %s is new", "the branch %s was called %s", "the branches start in another order: %s"})
	a, b := old.Parallel, new.Parallel
	d.block(path, a.OnFailure, b.OnFailure, a.ParallelCompensation, b.ParallelCompensation)
}

func (d *differ) foreach(path string, old, new *Foreach) {
	d.bare(ChangeOrder, path+".in", old.In, new.In)
	d.scalar(ChangeTypes, path+".as", old.As, new.As)
	d.bare(ChangeTypes, path+".key", old.Key, new.Key)
	d.data(ChangeTiming, path+".concurrency", old.Concurrency, new.Concurrency)
	d.block(path, old.OnFailure, new.OnFailure, old.ParallelCompensation, new.ParallelCompensation)
}

// block compares what parallel and foreach have in common.
func (d *differ) block(path string, wasDrain, isDrain Drain, wasParallel, isParallel bool) {
	word := func(cancel bool, no, yes string) string {
		if cancel {
			return yes
		}
		return no
	}
	d.scalar(ChangeOrder, path+".onFailure", word(wasDrain == DrainCancel, "drain", "cancel"), word(isDrain == DrainCancel, "drain", "cancel"))
	d.scalar(ChangeCompensation, path+".compensation", word(wasParallel, "reverse", "parallel"), word(isParallel, "reverse", "parallel"))
}

func (d *differ) await(path string, old, new *Await) {
	d.scalar(ChangeTypes, path+".signal", old.Signal, new.Signal)
	d.schema(path+".schema", old.Schema, new.Schema)
	d.bare(ChangeTypes, path+".where", old.Where, new.Where)
	d.delay(path+".timeout", old.Timeout, new.Timeout)
}
