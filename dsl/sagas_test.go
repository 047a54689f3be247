package dsl

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// family is a saga with children and a grandchild.
var family = Definitions{
	"batch": {Name: "batch.yaml", Data: []byte(`saga: batch
key: ${{ input.id }}
steps:
  - id: each
    foreach: {in: input.list, key: item.id, do: [{id: pay, saga: payout, with: {id: "${{ item.id }}"}}]}
  - id: last
    saga: finish
    with: "${{ input }}"
    catch: [{on: ["*"], do: [{id: note, saga: hold}]}]
output: ${{ steps.each.output }}
`)},
	"payout": {Name: "payout.yaml", Data: []byte(`saga: payout
key: ${{ input.id }}
input: {type: object, required: [id], properties: {id: {type: string}, iban: {type: string}}}
sensitive: [input.iban]
steps:
  - {id: h, saga: hold, with: {}}
output: {id: "${{ input.id }}"}
`)},
	"hold": {Name: "hold.yaml", Data: []byte(`saga: hold
key: ${{ input.id ?? "h" }}
steps:
  - {id: take, call: t.take, compensate: {call: t.give}}
`)},
	"finish": {Name: "finish.yaml", Data: []byte(`saga: finish
key: ${{ input.id }}
steps:
  - {id: settle, call: t.settle, effect: retriable}
`)},
}

// compileSaga compiles one of some definitions against all of them.
func compileSaga(t testing.TB, all Definitions, name string) *Plan {
	t.Helper()
	plan, diags := Compile(all[name], Options{Sagas: all})
	if plan == nil || len(diags) > 0 {
		t.Fatalf("%s: %v", name, diags)
	}
	return plan
}

func TestSagaStep(t *testing.T) {
	p := compileSaga(t, family, "batch")
	pay := p.Steps[0].Foreach.Do[0]
	if pay.Kind != KindSaga || pay.Child.Plan.Saga != "payout" || p.StepCount() != 4 {
		t.Errorf("the step is %+v, of %d", pay, p.StepCount())
	}
	if again := p.Steps[1].Catch[0].Do[0]; again.Child.Plan != pay.Child.Plan.Steps[0].Child.Plan {
		t.Error("the saga hold is compiled twice")
	}
	with, err := pay.Child.With.Eval(Env{"item": map[string]any{"id": "a"}})
	if diff := cmp.Diff(map[string]any{"id": "a"}, with); err != nil || diff != "" {
		t.Error(err, diff)
	}
	var names []string
	for _, s := range p.Sagas() {
		names = append(names, s.Saga)
	}
	if diff := cmp.Diff([]string{"finish", "hold", "payout"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestDecisive(t *testing.T) {
	for name, want := range map[string]bool{"batch": true, "payout": false, "hold": false, "finish": true} {
		if got := compileSaga(t, family, name).Decisive(); got != want {
			t.Errorf("%s is decisive: %v", name, got)
		}
	}
	if !payment(t).Decisive() {
		t.Error("a saga with a pivot is not decisive")
	}
}

func TestStepAt(t *testing.T) {
	p := compileSaga(t, family, "batch")
	for path, want := range map[string]string{
		"each": "each", "pay[3]": "pay", "pay": "pay", "pay[a]/h": "h", "pay[a]/h/take": "take", "last/settle": "settle", "note/take": "take",
		"": "", "take": "", "pay[a]/take": "", "each/pay": "", "last/settle/x": "", "/pay": "", "pay/": "",
	} {
		got := ""
		if s := p.StepAt(path); s != nil {
			got = s.ID
		}
		if got != want {
			t.Errorf("the step at %q is %q; want %q", path, got, want)
		}
	}
}

// TestSagasTravelWithThePlan: the canonical form of a plan holds those of its
// sagas, each once, and they are what they are alone.
func TestSagasTravelWithThePlan(t *testing.T) {
	p := compileSaga(t, family, "batch")
	if n := strings.Count(string(p.Canonical), "t.give"); n != 1 {
		t.Errorf("the saga hold stands in the canonical form %d times", n)
	}
	q, err := Load(p.Canonical)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, q, planOptions); diff != "" {
		t.Errorf("the loaded plan differs:\n%s", diff)
	}
	for i, s := range p.Sagas() {
		alone := compileSaga(t, family, s.Saga)
		for _, plan := range []*Plan{s, q.Sagas()[i]} {
			if plan.Digest != alone.Digest || string(plan.Canonical) != string(alone.Canonical) {
				t.Errorf("%s has the digest %s in another saga and %s alone", s.Saga, plan.Digest, alone.Digest)
			}
		}
	}
	other := maps.Clone(family)
	other["hold"] = Source{Data: []byte(strings.Replace(string(family["hold"].Data), "t.take", "t.grab", 1))}
	if compileSaga(t, other, "batch").Digest == p.Digest {
		t.Error("a change in the saga of a saga does not change the digest")
	}
}

func TestLoadRefusesBadSagas(t *testing.T) {
	good := string(compileSaga(t, family, "batch").Canonical)
	for name, c := range map[string]struct{ old, new, want string }{
		"a missing one":       {`"hold":{`, `"hole":{`, "the plan of the saga hold is missing"},
		"another name":        {`"saga":"hold","steps":[{"call"`, `"saga":"hole","steps":[{"call"`, "is of the saga hole"},
		"one too many":        {`"sagas":{`, `"sagas":{"a":{},`, "not in canonical form"},
		"no map":              {`"sagas":{`, `"sagas":1,"more":{`, "sagas is a whole number"},
		"itself":              {`"id":"h","saga":"hold"`, `"id":"h","saga":"payout"`, "would run itself: payout → payout"},
		"the outermost":       {`"id":"h","saga":"hold"`, `"id":"h","saga":"batch"`, "would run itself: batch → payout → batch"},
		"another language":    {`"language":1,"saga":"hold"`, `"language":2,"saga":"hold"`, "not in canonical form"},
		"sagas inside":        {`"language":1,"saga":"hold"`, `"language":1,"sagas":{},"saga":"hold"`, `no key "sagas"`},
		"a wrong one":         {`"call":"t.give"`, `"call":"give"`, "the definition of the saga hold has an error"},
		"a wrong place of it": {`"id":"pay","saga":"payout"`, `"id":"pay","saga":"finish"`, "the saga finish stands inside foreach"},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("the plan has no %s:\n%s", c.old, good)
		}
		_, err := Load([]byte(strings.Replace(good, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Load fails with %v; want %q", name, err, c.want)
		}
	}
}

// chainOf gives sagas of which each runs the next.
func chainOf(n int) Definitions {
	all := Definitions{}
	for i := range n {
		step := fmt.Sprintf("{id: next, saga: s%d}", i+1)
		if i == n-1 {
			step = "{id: rest, sleep: 1s}"
		}
		name := fmt.Sprintf("s%d", i)
		all[name] = Source{Name: name, Data: fmt.Appendf(nil, "saga: %s\nkey: ${{ input.id }}\nsteps: [%s]\n", name, step)}
	}
	return all
}

func TestDepthOfSagas(t *testing.T) {
	compileSaga(t, chainOf(MaxSagaDepth), "s0")
	all := chainOf(MaxSagaDepth + 1)
	if plan, diags := Compile(all["s0"], Options{Sagas: all}); plan != nil || !strings.Contains(diags.Error(), "over 8 deep") {
		t.Errorf("the chain is accepted: %v", diags)
	}
	// Its lower part is known already when the upper part comes to it.
	all["top"] = Source{Data: []byte("saga: top\nkey: ${{ input.id }}\nsteps: [{id: low, saga: s3}, {id: all, saga: s0}]\n")}
	plan, diags := Compile(all["top"], Options{Sagas: all})
	if plan != nil || !strings.Contains(diags.Error(), "over 8 deep") {
		t.Errorf("the chain is accepted: %v", diags)
	}
}

func TestNumberOfSagas(t *testing.T) {
	all := Definitions{}
	many := func(n int) Source {
		var b strings.Builder
		b.WriteString(head + "steps:\n")
		for i := range n {
			name := fmt.Sprintf("s%d", i)
			all[name] = Source{Data: []byte("saga: " + name + "\nkey: ${{ input.id }}\nsteps: [{id: rest, sleep: 1s}]\n")}
			fmt.Fprintf(&b, "  - {id: %s, saga: %s}\n", name, name)
		}
		return Source{Data: []byte(b.String())}
	}
	if plan, diags := Compile(many(MaxSagas), Options{Sagas: all}); plan == nil {
		t.Error(diags)
	}
	if plan, diags := Compile(many(MaxSagas+1), Options{Sagas: all}); plan != nil || !slices.ContainsFunc(diags, func(d Diagnostic) bool { return d.Code == CodeTooLarge }) {
		t.Errorf("%d sagas are accepted: %v", MaxSagas+1, diags)
	}
}

// folders are definitions that are found beside the one that runs them.
type folders map[string]string

func (f folders) Find(name, from string) (Definition, error) {
	dir, _, _ := strings.Cut(from, "/")
	file := dir + "/" + name
	text, ok := f[file]
	if !ok {
		return Definition{}, &UnknownSagaError{Where: "look in " + dir}
	}
	return Definition{Source: Source{Name: file, Data: []byte(text)}}, nil
}

// TestOneNameOneSaga: in one plan a name stands for one definition, so that a
// child is what it is alone.
func TestOneNameOneSaga(t *testing.T) {
	const leaf = "saga: leaf\nkey: ${{ input.id }}\nsteps: [{id: rest, sleep: 1s}]\n"
	all := folders{"a/leaf": leaf, "b/leaf": leaf, "b/middle": "saga: middle\nkey: ${{ input.id }}\nsteps: [{id: l, saga: leaf}]\n"}
	sagas := sagasFunc(func(name, from string) (Definition, error) {
		if from == "a/top" && name == "middle" {
			from = "b/"
		}
		return all.Find(name, from)
	})
	compile := func(steps string) string {
		_, diags := Compile(Source{Name: "a/top", Data: []byte(head + "steps: " + steps)}, Options{Sagas: sagas})
		return diags.Error()
	}
	if got := compile("[{id: m, saga: middle}]"); got != "" {
		t.Error(got)
	}
	want := "a/top:3:46: error[CHILD_SAGA]: two definitions are of the saga leaf: a/leaf and b/leaf; rename one of them"
	if got := compile("[{id: m, saga: middle}, {id: l, saga: leaf}]"); got != want {
		t.Errorf("the diagnostics are %s; want %s", got, want)
	}
	if got := compile("[{id: x, saga: nothing}]"); !strings.HasSuffix(got, "error[UNKNOWN_SAGA]: there is no saga nothing; look in a") {
		t.Error(got)
	}
	sagas = func(string, string) (Definition, error) { return Definition{}, errors.New("the disk is gone") }
	if got := compile("[{id: x, saga: leaf}]"); !strings.HasSuffix(got, "error[CHILD_SAGA]: the saga leaf cannot be used: the disk is gone") {
		t.Error(got)
	}
}

type sagasFunc func(name, from string) (Definition, error)

func (f sagasFunc) Find(name, from string) (Definition, error) { return f(name, from) }

// TestSchemasOfAChild: a child's $ref leads into its own folder.
func TestSchemasOfAChild(t *testing.T) {
	child := Definition{
		Source: Source{Name: "child", Data: []byte("saga: child\nkey: ${{ input.id }}\ninput: {$ref: in.json}\nsteps: [{id: rest, sleep: 1s}]\n")},
		Files:  fstest.MapFS{"in.json": {Data: []byte(`{"type": "object", "properties": {"id": {"type": "string"}}}`)}},
	}
	sagas := sagasFunc(func(string, string) (Definition, error) { return child, nil })
	plan, diags := Compile(Source{Data: []byte(head + "steps: [{id: c, saga: child, with: {id: a}}]")}, Options{Sagas: sagas})
	if plan == nil {
		t.Fatal(diags)
	}
	if _, err := Load(plan.Canonical); err != nil {
		t.Error(err)
	}
	_, diags = Compile(Source{Data: []byte(head + "steps: [{id: c, saga: child, with: {id: 1}}]")}, Options{Sagas: sagas})
	if want := "3:41: error[TYPE]: the value is an integer, not text; quote it if it is text"; diags.Error() != want {
		t.Error(diags)
	}
}
