package dsl

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestDiff compares testdata/diff/base.yaml with what the cases of diff.txtar
// make of it.
func TestDiff(t *testing.T) {
	const path = "testdata/diff/diff.txtar"
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range archive.Files {
		want[f.Name] = string(f.Data)
	}
	old := diffPlan(t, "", "")
	var out []txtar.File
	for _, f := range archive.Files {
		name, ok := strings.CutSuffix(f.Name, ".edit")
		if !ok {
			continue
		}
		out = append(out, f)
		t.Run(name, func(t *testing.T) {
			new := diffPlan(t, name, string(f.Data))
			got := changesText(Diff(old, new))
			out = append(out, txtar.File{Name: name + ".want", Data: []byte(got)})
			if diff := cmp.Diff(want[name+".want"], got); diff != "" && !*update {
				t.Errorf("the changes differ (-want +got):\n%s", diff)
			}
			if (old.Digest == new.Digest) != (got == "") {
				t.Errorf("the digests are equal: %v; the changes: %s", old.Digest == new.Digest, got)
			}
		})
	}
	if *update {
		archive.Files = out
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func changesText(changes []Change) string {
	var b strings.Builder
	for _, c := range changes {
		path := c.Path
		if c.Saga != "pay" {
			path = c.Saga + ": " + path
		}
		fmt.Fprintf(&b, "%s %s %s: %s\n", c.Class, c.Kind, path, c.Text)
	}
	return b.String()
}

// diffPlan compiles base.yaml or its child gift.yaml with texts replaced.
func diffPlan(t *testing.T, name, edits string) *Plan {
	t.Helper()
	texts := map[string]string{}
	for _, file := range []string{"base", "gift"} {
		data, err := os.ReadFile("testdata/diff/" + file + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = string(data)
	}
	file := "base"
	if strings.HasPrefix(name, "gift") {
		file = "gift"
	}
	for edit := range strings.SplitSeq(strings.TrimSuffix(edits, "\n"), "\n;;\n") {
		from, to, _ := strings.Cut(edit, "\n=>\n")
		if from == "" {
			continue
		}
		if !strings.Contains(texts[file], from) {
			t.Fatalf("there is no %q", from)
		}
		texts[file] = strings.Replace(texts[file], from, to, 1)
	}
	plan, diags := Compile(Source{Name: "base.yaml", Data: []byte(texts["base"])},
		Options{Sagas: Definitions{"gift": Source{Name: "gift.yaml", Data: []byte(texts["gift"])}}})
	if plan == nil {
		t.Fatalf("%v\n%s", diags, texts["base"])
	}
	return plan
}

// Plans of different digests differ in something, and in something that has a
// name: every part of a plan is changed, one at a time.
func TestDiffFindsEverything(t *testing.T) {
	text, err := os.ReadFile("testdata/agree/everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	other := Definitions{"other": Source{Data: []byte("saga: other\nkey: ${{ input.id }}\nsteps:\n  - {id: a, call: t.a, compensate: {call: t.b}}\n")}}
	old, diags := Compile(Source{Data: text}, Options{Sagas: other})
	if old == nil {
		t.Fatal(diags)
	}
	if changes := Diff(old, old); len(changes) > 0 {
		t.Fatalf("a plan differs from itself: %v", changes)
	}
	doc, err := ParseJSON(old.Canonical)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	eachMutant(doc, func(v any) any { return v }, func(where string, changed any) {
		canonical, err := MarshalCanonical(changed)
		if err != nil {
			t.Fatal(err)
		}
		new, err := Load(canonical)
		if err != nil || new.Digest == old.Digest {
			return
		}
		count++
		for _, pair := range [][2]*Plan{{old, new}, {new, old}} {
			changes := Diff(pair[0], pair[1])
			if len(changes) == 0 || slices.ContainsFunc(changes, func(c Change) bool { return c.Path == "" }) {
				t.Errorf("no change is named after %s: %v", where, changes)
			}
		}
	})
	if count < 200 {
		t.Errorf("only %d plans were compared", count)
	}
}

// eachMutant calls f with a document for each part that is left out or replaced.
// rebuild makes the document of a part.
func eachMutant(v any, rebuild func(any) any, f func(where string, changed any)) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range canonicalKeys(v) {
			with := func(item any, keep bool) any {
				m := maps.Clone(v)
				if m[key] = item; !keep {
					delete(m, key)
				}
				return rebuild(m)
			}
			f("without "+key, with(nil, false))
			eachMutant(v[key], func(item any) any { return with(item, true) }, f)
		}
	case []any:
		for i := range v {
			f(fmt.Sprintf("without item %d", i), rebuild(slices.Delete(slices.Clone(v), i, i+1)))
			if i > 0 {
				swapped := slices.Clone(v)
				swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
				f(fmt.Sprintf("items %d and %d swapped", i-1, i), rebuild(swapped))
			}
			eachMutant(v[i], func(item any) any {
				list := slices.Clone(v)
				list[i] = item
				return rebuild(list)
			}, f)
		}
	case string:
		for _, other := range []string{"zz", "Z", "a.b", "2h", "9s..10s", "cancel", "parallel", "none", "pivot", "input.ok == false", "${{ input.id + \"x\" }}", "input.id", "object"} {
			f(fmt.Sprintf("%q for %q", other, v), rebuild(other))
		}
	case int:
		f(fmt.Sprintf("%d for %d", v+1, v), rebuild(v+1))
	case bool:
		f(fmt.Sprintf("%v for %v", !v, v), rebuild(!v))
	}
}

// Any two plans can be compared, whatever they have in common.
func TestDiffOfStrangers(t *testing.T) {
	var plans []*Plan
	repositoryYAML(t, func(_ string, text []byte) {
		if plan, _ := Compile(Source{Data: text}, Options{}); plan != nil {
			plans = append(plans, plan)
		}
	})
	if len(plans) < 50 {
		t.Fatalf("only %d plans", len(plans))
	}
	for i, old := range plans {
		for _, new := range plans[max(i-5, 0):min(i+5, len(plans))] {
			changes := Diff(old, new)
			if (len(changes) == 0) != (old.Digest == new.Digest) || slices.ContainsFunc(changes, func(c Change) bool { return c.Path == "" }) {
				t.Errorf("%s and %s: %v", old.Saga, new.Saga, changes)
			}
		}
	}
}
