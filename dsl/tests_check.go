package dsl

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Check checks tests against the definition that they are about and what the
// plugins offer: that mocks, calls and paths name what there is, and that an
// activity could give what its mock does. It is called once.
func (t *Tests) Check(plan *Plan, manifests []Manifest) Diagnostics {
	k := newTestCheck(t.c, plan, manifests)
	for i := range t.Cases {
		k.mocks(t.Cases[i].Mocks)
		k.expect(&t.Cases[i].Expect)
	}
	return k.c.diags.sort()
}

// Check checks mocks that were parsed from src against the definition of the saga
// that they are for, and what the plugins offer.
func (m Mocks) Check(src Source, plan *Plan, manifests []Manifest) Diagnostics {
	c := newCompiler(src.Name, Options{})
	c.text = newSourceText(src.Data)
	k := newTestCheck(c, plan, manifests)
	k.mocks(m)
	return k.c.diags.sort()
}

func newTestCheck(c *compiler, plan *Plan, manifests []Manifest) *testCheck {
	k := &testCheck{c: c, plan: plan, calls: map[string]bool{}, outputs: map[string]*Schema{}, errors: map[string][]string{}, seen: map[*node]bool{}}
	k.c.diags = nil
	for _, p := range append([]*Plan{plan}, plan.Sagas()...) {
		for _, s := range p.EveryStep() {
			k.ids = append(k.ids, s.ID)
			for _, activity := range s.Activities() {
				k.calls[activity] = true
			}
		}
	}
	for _, m := range manifests {
		for _, a := range m.Activities {
			if s, err := ParseSchema(a.Output); err == nil && len(a.Output) > 0 {
				k.outputs[a.Name] = s
			}
			if len(a.Errors) > 0 {
				k.errors[a.Name] = a.Errors
			}
		}
	}
	return k
}

// Activities gives those that a step may call itself: of its action, compensation
// and probe.
func (s *Step) Activities() []string {
	if s.Call == nil {
		return nil
	}
	all := []string{s.Call.Activity}
	if s.Call.Compensate != nil {
		all = append(all, s.Call.Compensate.Activity)
	}
	if s.Call.Probe != nil {
		all = append(all, s.Call.Probe.Activity)
	}
	return all
}

type testCheck struct {
	c       *compiler
	plan    *Plan
	calls   map[string]bool
	outputs map[string]*Schema
	errors  map[string][]string // codes that activities fail with, of those that say so
	ids     []string            // of all steps, those of child sagas too
	seen    map[*node]bool      // mocks of all cases are checked once
}

func (k *testCheck) mocks(m Mocks) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		activity, path, atStep := strings.Cut(key, "@")
		list := m[key]
		if len(list) == 0 || k.seen[list[0].at] {
			continue
		}
		k.seen[list[0].at] = true
		if k.activity(list[0].at, activity, "the mock") && atStep {
			k.path(list[0].at, path)
		}
		for _, mock := range list {
			k.mock(activity, mock)
		}
	}
}

// mock checks one answer: an activity could give it.
func (k *testCheck) mock(activity string, mock Mock) {
	if known := k.errors[activity]; mock.Code != "" && known != nil && !contains(known, mock.Code) && !contains(callCodes, mock.Code) {
		k.c.warnNode(mock.at, CodeValue, fmt.Sprintf("%s never fails with %s", activity, mock.Code), didYouMean(mock.Code, known, "its codes are "+orList(known)))
	}
	if mock.Kind != MockOutput || mock.Invalid || k.outputs[activity] == nil {
		return
	}
	if err := k.outputs[activity].Validate(mock.Output); err != nil {
		k.c.errorNode(mock.at, CodeType, fmt.Sprintf("%s never gives this output: %v", activity, err), "correct it; with invalid: true it stands for an output that breaks the schema")
	}
}

// activity warns of an activity that the saga does not call.
func (k *testCheck) activity(n *node, activity, what string) bool {
	if k.calls[activity] {
		return true
	}
	names := slices.Sorted(maps.Keys(k.calls))
	k.c.warnNode(n, CodeUnknownActivity, fmt.Sprintf("%s names %s, which the saga %s never calls", what, activity, k.plan.Saga),
		didYouMean(activity, names, "it calls "+orList(names)))
	return false
}

// path reports a path that no step has.
func (k *testCheck) path(n *node, path string) {
	if k.plan.StepAt(path) != nil {
		return
	}
	var ids []string
	for _, s := range k.plan.EveryStep() {
		ids = append(ids, s.ID)
	}
	bare := withoutKeys(path)
	k.c.errorNode(n, CodeUnknownStep, fmt.Sprintf("no step has the path %s", path), didYouMean(bare, ids, "a path is STEP, STEP[KEY] for an item of a foreach, CHILD/STEP in a child saga"))
}

func (k *testCheck) expect(e *Expect) {
	if n := e.at["trace"]; n != nil && n.kind == nodeList {
		for _, item := range n.items {
			k.path(item, tracedPath(item.string()))
		}
	}
	if n := e.at["parked"]; n != nil && n.kind == nodeList {
		for _, item := range n.items {
			k.path(item, item.string())
		}
	}
	for _, key := range []string{"calls", "inputs"} {
		if n := e.at[key]; n != nil {
			for _, name := range n.keys {
				k.activity(name, name.string(), key)
			}
		}
	}
	if n := e.at["states"]; n != nil {
		for _, name := range n.keys {
			k.path(name, name.string())
		}
	}
	cause := e.at["cause"]
	if n := cause.get("path"); n.isText() {
		k.path(n, n.string())
	}
	if n := cause.get("step"); n.isText() && !contains(k.ids, n.string()) {
		k.c.errorNode(n, CodeUnknownStep, fmt.Sprintf("no step has the id %s", n.string()), didYouMean(n.string(), k.ids, "the steps are "+orList(k.ids)))
	}
}

// tracedPath gives the path that an entry of a trace is about.
func tracedPath(entry string) string {
	entry = strings.TrimPrefix(entry, "~")
	if strings.HasSuffix(entry, "!") || strings.HasSuffix(entry, "?") {
		entry = entry[:len(entry)-1]
	}
	return entry
}

// NoDefinition says that the definition of the tests was not found, at the name of
// the saga.
func (t *Tests) NoDefinition(err error) Diagnostic {
	at := t.c.text.spanOf(t.saga)
	summary, detail := fmt.Sprintf("the saga %s cannot be found: %v", t.Saga, err), ""
	var unknown *UnknownSagaError
	if errors.As(err, &unknown) {
		summary, detail = fmt.Sprintf("there is no saga %s", t.Saga), didYouMean(t.Saga, unknown.Names, unknown.Where)
	}
	return Diagnostic{
		File: t.File, Line: at.line, Column: at.column, EndLine: at.endLine, EndColumn: at.endColumn,
		Severity: SeverityError, Code: CodeUnknownSaga, Summary: summary, Detail: detail,
	}
}
