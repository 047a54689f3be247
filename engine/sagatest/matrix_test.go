package sagatest_test

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine/sagatest"
)

var update = flag.Bool("update", false, "write the goldens")

// suite compiles a definition and its test.
func suite(t *testing.T, definition, test string) *sagatest.Suite {
	t.Helper()
	plan, ds := dsl.Compile(dsl.Source{Name: "t.yaml", Data: []byte(definition)}, dsl.Options{})
	if plan == nil {
		t.Fatal(ds)
	}
	tests, ds := dsl.ParseTests(dsl.Source{Name: "t_test.yaml", Data: []byte(test)}, fstest.MapFS{})
	if tests == nil {
		t.Fatal(ds)
	}
	return &sagatest.Suite{Tests: tests, Plan: plan, Tenant: "demo", Region: "r"}
}

const everyPoint = `saga: t
key: ${{ input.id }}
deadline: 1h
steps:
  - {id: a, call: t.a, compensate: {call: t.undoA}}
  - {id: w, await: {signal: go, timeout: 1m}}
  - {id: s, sleep: 5s}
  - {id: p, call: t.p, effect: pivot, probe: {call: t.status, every: 1s, within: 1m}}
  - {id: r, call: t.r, effect: retriable}
`

const everyPointTest = `saga: t
mocks: {t.a: {output: {}}, t.p: {output: {}}, t.r: {output: {}}}
cases:
  - name: good
    input: {id: 1}
    signals: [{at: 2s, name: go, id: m-1}]
    expect: {outcome: completed}
`

// What goes wrong, and where, is known in advance: a fault that is no longer tried
// would not be missed by anybody.
func TestFaults(t *testing.T) {
	s := suite(t, everyPoint, everyPointTest)
	var names []string
	m := s.Matrix(&s.Tests.Cases[0], func(name string) bool {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		return true
	}, nil)
	for _, v := range m.Violations {
		t.Errorf("%s: %s", v.Fault, v.Rule)
	}
	if m.Runs != len(names) {
		t.Errorf("%d runs of %d faults", m.Runs, len(names))
	}
	got := strings.Join(names, "\n") + "\n"
	golden := filepath.Join("testdata", "faults.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// Mistakes that only a fault brings to light.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct{ steps, output, fault, want string }{
		"an expression of a handler": {
			steps:  "  - {id: a, call: t.a, effect: none, catch: [{on: [\"*\"], do: [{id: h, set: {x: \"${{ input.list[0].x }}\"}}]}]}\n",
			output: "{}", fault: "a rejected FAULT", want: "an expression of h fails",
		},
		"the output": {
			steps:  "  - {id: a, call: t.a, effect: none, catch: [{on: [\"*\"], do: [{id: h, set: {x: 1}}]}]}\n",
			output: "{x: \"${{ steps.a.output.list[0] }}\"}", fault: "a failed", want: "the output cannot be evaluated",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := suite(t, "saga: t\nkey: ${{ input.id }}\nsteps:\n"+c.steps+"output: "+c.output+"\n",
				"saga: t\nmocks: {t.a: {output: {list: [1]}}}\ncases: [{name: good, input: {id: 1}, expect: {outcome: completed}}]\n")
			if o := s.Run(&s.Tests.Cases[0]); !o.Passed() {
				t.Fatal(o.Failures)
			}
			m := s.Matrix(&s.Tests.Cases[0], func(fault string) bool { return fault == c.fault }, nil)
			if len(m.Violations) != 1 || !strings.Contains(m.Violations[0].Rule, c.want) {
				t.Errorf("%d runs, violations %+v, want %s", m.Runs, m.Violations, c.want)
			}
		})
	}
}

// The same tests give the same results.
func TestRepeatable(t *testing.T) {
	s := suite(t, everyPoint, everyPointTest)
	c := &s.Tests.Cases[0]
	if first, second := s.Run(c), s.Run(c); !reflect.DeepEqual(first, second) {
		t.Error(cmp.Diff(first, second))
	}
	if first, second := s.Matrix(c, nil, nil), s.Matrix(c, nil, nil); !reflect.DeepEqual(first, second) {
		t.Error(cmp.Diff(first, second))
	}
}

// A case that does not complete has no matrix.
func TestNoMatrix(t *testing.T) {
	s := suite(t, everyPoint, strings.Replace(everyPointTest, "t.p: {output: {}}", "t.p: {reject: {code: NO}}", 1))
	if m := s.Matrix(&s.Tests.Cases[0], nil, nil); m.Runs != 0 {
		t.Errorf("%d runs", m.Runs)
	}
}
