package model

import (
	"slices"
	"strconv"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// ending is how a step came to its end.
type ending int

const (
	well    ending = iota // it succeeded
	skipped               // its condition did not hold
	passed                // an operator wants the saga to go on without it
	left                  // it, or what is around it, is being left
	again                 // an operator wants it to be started once more
)

// steps runs a list of steps of f and gives the output of the last that ran.
func (s *saga) steps(x *strand, f *frame, br *branch, in *scope, list []*dsl.Step) (last any, how ending) {
	for _, step := range list {
		if f.leaving() {
			return nil, left
		}
		inner := &frame{step: step, path: s.family.prefix + step.ID + in.keys, parent: f, branch: br, scope: in}
		s.frames = append(s.frames, inner)
		output, how := s.step(x, inner)
		if how == left || s.closed {
			return nil, left
		}
		if how != skipped {
			last = output
		}
	}
	if f.leaving() {
		return nil, left
	}
	return last, well
}

// step runs a step and, if its catch takes a failure, the handler (S10).
func (s *saga) step(x *strand, f *frame) (output any, how ending) {
	for how = again; how == again; {
		f.state = engine.StateRunning
		output, how = s.begin(x, f)
	}
	if f.failure != nil { // it was left for its own catch
		if !s.recover(x, f) {
			return nil, left
		}
		f.handling = true
		raised := map[string]any{"code": f.failure.Code, "message": f.failure.Message, "step": *f.failure.Step, "path": f.failure.Path}
		output, how = s.steps(x, f, f.branch, f.scope.with("error", raised), f.clause.Do)
	}
	switch how {
	case well:
		if !f.handling { // what was caught stays what it was
			f.state, f.code = engine.StateSucceeded, ""
		}
		f.scope.set(f.step.ID, output)
	case skipped, passed:
		f.state = engine.StateSkipped
		f.scope.set(f.step.ID, nil)
	}
	return output, how
}

// begin runs what a step is about, if its condition holds.
func (s *saga) begin(x *strand, f *frame) (any, ending) {
	if f.step.If != nil {
		holds, err := f.step.If.Bool(f.scope.env)
		if err != nil {
			return s.failExpression(x, f, err)
		}
		if !holds {
			return nil, skipped
		}
	}
	switch step := f.step; step.Kind {
	case dsl.KindCall:
		return s.call(x, f)
	case dsl.KindParallel:
		return s.parallel(x, f)
	case dsl.KindForeach:
		return s.foreach(x, f)
	case dsl.KindSwitch:
		return s.choose(x, f)
	case dsl.KindScope:
		return s.steps(x, f, f.branch, f.scope, step.Scope.Do)
	case dsl.KindAwait:
		return s.await(x, f)
	case dsl.KindSleep:
		return s.sleep(x, f)
	case dsl.KindSet:
		return s.set(x, f)
	case dsl.KindFail:
		message, err := step.Fail.Message.Eval(f.scope.env)
		if err != nil {
			return s.failExpression(x, f, err)
		}
		text, _ := message.(string)
		return s.fail(x, f, step.Fail.Code, text)
	case dsl.KindSaga:
		return s.nested(x, f)
	case dsl.KindComplete:
		s.note(f.path, "")
		f.state = engine.StateSucceeded
		s.complete(step.Complete.Output, f.scope)
		return nil, left
	}
	panic("model: step " + f.step.ID + " is of a kind that the model does not know")
}

// set sets variables. None of the values sees another.
func (s *saga) set(x *strand, f *frame) (any, ending) {
	values := make([]any, len(f.step.Set))
	for i, a := range f.step.Set {
		var err error
		if values[i], err = a.Value.Eval(f.scope.env); err != nil {
			return s.failExpression(x, f, err)
		}
	}
	for i, a := range f.step.Set {
		f.scope.vars[a.Name] = values[i]
	}
	s.note(f.path, "")
	return nil, well
}

// choose runs the first case that holds.
func (s *saga) choose(x *strand, f *frame) (any, ending) {
	for _, c := range f.step.Switch.Cases {
		holds := true
		if c.When != nil {
			var err error
			if holds, err = c.When.Bool(f.scope.env); err != nil {
				return s.failExpression(x, f, err)
			}
		}
		if holds {
			return s.steps(x, f, f.branch, f.scope, c.Do)
		}
	}
	return nil, well
}

// parallel runs all branches at the same time (S7).
func (s *saga) parallel(x *strand, f *frame) (any, ending) {
	branches := f.step.Parallel.Branches
	outputs := make(map[string]any, len(branches))
	s.fork(x, f, len(branches), len(branches), func(x *strand, br *branch) ending {
		b := branches[br.index]
		output, how := s.steps(x, f, br, f.scope, b.Do)
		outputs[b.Name] = output
		return how
	})
	if f.leaving() {
		return nil, left
	}
	return outputs, well
}

// foreach runs its steps for each item of a collection (S8).
func (s *saga) foreach(x *strand, f *frame) (any, ending) {
	each := f.step.Foreach
	value, err := each.In.Eval(f.scope.env)
	if err != nil {
		return s.failExpression(x, f, err)
	}
	items, isList := value.([]any)
	if !isList {
		return s.fail(x, f, engine.CodeExpression, "")
	}
	keys := make([]string, len(items))
	for i, item := range items {
		if each.Key == nil {
			keys[i] = strconv.Itoa(i)
			continue
		}
		key, err := each.Key.Eval(f.scope.with(each.As, item).env)
		if err != nil {
			return s.failExpression(x, f, err)
		}
		switch key := key.(type) {
		case string:
			keys[i] = escape(key, "[]/:%")
		case int:
			keys[i] = strconv.Itoa(key)
		default:
			return s.fail(x, f, engine.CodeExpression, "")
		}
		if slices.Contains(keys[:i], keys[i]) {
			return s.fail(x, f, engine.CodeDuplicateKey, "")
		}
	}
	outputs := make([]any, len(items))
	s.fork(x, f, len(items), each.Concurrency, func(x *strand, br *branch) ending {
		i := br.index
		output, how := s.steps(x, f, br, s.itemScope(f, items[i], keys[i]), each.Do)
		outputs[i] = output
		return how
	})
	if f.leaving() {
		return nil, left
	}
	return outputs, well
}

// itemScope is what an item of a foreach sees.
func (s *saga) itemScope(f *frame, item any, key string) *scope {
	own := f.scope.item(f.step.Foreach.As, item, key)
	if s.wrong == sharesVariables {
		own.vars = f.scope.vars
		own.env["vars"] = own.vars
	}
	return own
}

// fork runs n branches of f, at most limit at the same time, and waits until all
// that were started have ended. Once f is being left it starts no more.
func (s *saga) fork(x *strand, f *frame, n, limit int, run func(*strand, *branch) ending) {
	started, open, waiting := 0, 0, false
	for {
		for started < n && open < limit && !f.leaving() {
			br := &branch{block: f, index: started, outer: f.branch}
			started++
			open++
			s.spawn(func(own *strand) {
				run(own, br)
				open--
				if waiting {
					waiting = false
					x.wake()
				}
			})
		}
		if open == 0 {
			return
		}
		waiting = true
		x.wait()
	}
}
