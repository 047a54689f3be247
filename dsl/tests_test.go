package dsl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestTests reads the test files of testdata/tests. NAME_test.yaml is one of them and
// NAME.want what is wrong with it, by itself or beside the definition saga.yaml.
func TestTests(t *testing.T) {
	const path = "testdata/tests/tests.txtar"
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files, want := fstest.MapFS{}, map[string]string{}
	for _, f := range archive.Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
		want[f.Name] = string(f.Data)
	}
	manifests := testManifests(t)
	plan, ds := Compile(Source{Data: []byte(want["saga.yaml"])}, Options{Manifests: manifests})
	if plan == nil {
		t.Fatal(ds)
	}
	for i, f := range archive.Files {
		name, ok := strings.CutSuffix(f.Name, "_test.yaml")
		if !ok {
			continue
		}
		tests, ds := ParseTests(Source{Data: f.Data}, files)
		if (tests == nil) != ds.HasErrors() {
			t.Errorf("%s: the tests are nil: %v; diagnostics:\n%v", name, tests == nil, ds)
		}
		if tests != nil {
			ds = append(ds, tests.Check(plan, manifests)...)
		}
		got := ""
		for _, d := range ds {
			got += strings.TrimSpace(d.String()) + "\n"
		}
		if *update {
			archive.Files[i+1].Data = []byte(got)
		} else if diff := cmp.Diff(want[name+".want"], got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f.Name, diff)
		}
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// What a case says of its own goes before what stands at the top.
func TestCasesTakeFromTheTop(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/tests/tests.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, f := range archive.Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	tests, ds := ParseTests(Source{Data: files["good_test.yaml"].Data}, files)
	if tests == nil {
		t.Fatal(ds)
	}
	c := tests.Cases[0]
	if diff := cmp.Diff(map[string]any{"limit": "6s"}, c.Tenant); diff != "" {
		t.Error(diff)
	}
	if want := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC); !c.Start.Equal(want) || c.Start.Location() != time.UTC {
		t.Errorf("start %v, want %v", c.Start, want)
	}
	if diff := cmp.Diff(map[string]any{"id": "a", "items": []any{}}, c.Input); diff != "" {
		t.Error(diff)
	}
	for _, look := range []struct {
		activity, path, key string
		kind                MockKind
	}{
		{"rails.submit", "submit", "rails.submit", MockUnknown},
		{"ledger.release", "hold[a]", "ledger.release", MockReject},
		{"ledger.hold", "hold[a]", "ledger.hold@hold[a]", MockFail},
		{"ledger.hold", "hold[b]", "ledger.hold", MockOutput},
	} {
		key, list := c.Mocks.For(look.activity, look.path)
		if key != look.key || len(list) == 0 || list[0].Kind != look.kind {
			t.Errorf("%s at %s has the mock %q %+v", look.activity, look.path, key, list)
		}
	}
	if first := c.Mocks["ledger.hold@hold[a]"][0]; !first.NotSent || first.Delay != 20*time.Millisecond || first.Message != "later" {
		t.Errorf("%+v", first)
	}
	if *c.Expect.Elapsed != 0 || !c.Expect.HasOutput || c.Expect.Output != nil {
		t.Errorf("%+v", c.Expect)
	}
}

// The tests of a file are read in the same way again and again, whatever is in it.
func FuzzParseTests(f *testing.F) {
	shipped, _ := filepath.Glob("../definitions/examples/*/*_test.yaml")
	for _, path := range shipped {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	archive, err := txtar.ParseFile("testdata/tests/tests.txtar")
	if err != nil {
		f.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, file := range archive.Files {
		files[file.Name] = &fstest.MapFile{Data: file.Data}
		if strings.HasSuffix(file.Name, "_test.yaml") {
			f.Add(file.Data)
		}
	}
	plan, ds := Compile(Source{Data: files["saga.yaml"].Data}, Options{})
	if plan == nil {
		f.Fatal(ds)
	}
	manifests := testManifests(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		tests, ds := ParseTests(Source{Data: data}, files)
		again, dsAgain := ParseTests(Source{Data: data}, files)
		if diff := cmp.Diff(ds, dsAgain); diff != "" {
			t.Fatal(diff)
		}
		if (tests == nil) != ds.HasErrors() || (again == nil) != (tests == nil) {
			t.Fatalf("the tests are nil: %v; diagnostics:\n%v", tests == nil, ds)
		}
		if tests != nil {
			_ = tests.Check(plan, manifests)
		}
		_, _ = ParseMocks(Source{Data: data}) // it only must not panic
	})
}

func TestStepLines(t *testing.T) {
	text := `saga: t
steps:
  - id: a
    switch:
      - when: "true"
        do: [{name: B, id: b}]
      - else:
          - id: c
    catch:
      - on: ["*"]
        do:
          - id: d
  - parallel:
      branches: {x: [{id: e}], y: 7}
    id: f
  - {id: g, foreach: {do: [{id: h, scope: {do: [{id: i}]}}]}}
  - {id: 7, set: {id: j}}
`
	want := map[string]int{"a": 3, "b": 6, "c": 8, "d": 12, "e": 14, "f": 13, "g": 16, "h": 16, "i": 16}
	if diff := cmp.Diff(want, StepLines(Source{Data: []byte(text)})); diff != "" {
		t.Error(diff)
	}
	for _, broken := range []string{"", "[", "steps: 7", "steps: {a: b}", "steps: [7, [], {catch: 7}, {switch: [7]}, {parallel: 7}]"} {
		if lines := StepLines(Source{Data: []byte(broken)}); len(lines) > 0 {
			t.Errorf("%q has steps %v", broken, lines)
		}
	}
}
