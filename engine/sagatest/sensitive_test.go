package sagatest_test

import (
	"strings"
	"testing"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine/sagatest"
)

// A test may expect a sensitive value, which results hold redacted, and what it says
// of a failure shows none.
func TestSensitiveValues(t *testing.T) {
	plan, ds := dsl.Compile(dsl.Source{Name: "s.yaml", Data: []byte(`saga: s
key: ${{ input.id }}
input: {type: object, required: [id, iban], properties: {id: {type: string}, iban: {type: string}}}
sensitive: [input.iban]
steps:
  - {id: a, call: t.a, effect: none, with: {iban: "${{ input.iban }}"}}
  - {id: f, if: input.id == "fails", fail: {code: NO, message: "not ${{ input.iban }}"}}
output: {iban: "${{ input.iban }}"}
`)}, dsl.Options{})
	if plan == nil {
		t.Fatal(ds)
	}
	tests, ds := dsl.ParseTests(dsl.Source{Name: "s_test.yaml", Data: []byte(`saga: s
mocks: {t.a: {output: {}}}
cases:
  - {name: output, input: {id: k, iban: DE89370400440532013000}, expect: {output: {iban: DE89370400440532013000}, inputs: {t.a: {iban: DE89370400440532013000}}}}
  - {name: cause, input: {id: fails, iban: DE89370400440532013000}, expect: {cause: {message: not DE89370400440532013000}}}
  - {name: wrong, input: {id: k, iban: DE89370400440532013000}, expect: {output: {iban: DE1}, inputs: {t.a: {iban: DE1}}}}
`)}, nil)
	if tests == nil {
		t.Fatal(ds)
	}
	s := &sagatest.Suite{Tests: tests, Plan: plan, Tenant: "demo", Region: "r"}
	for i := range tests.Cases {
		o := s.Run(&tests.Cases[i])
		if want := tests.Cases[i].Name != "wrong"; o.Passed() != want {
			t.Errorf("%s: %+v", o.Name, o.Failures)
		}
		for _, f := range o.Failures {
			if got, _ := dsl.MarshalCanonical(f.Got); strings.Contains(f.Message+string(got), "DE8937") {
				t.Errorf("%s shows a sensitive value: %+v", o.Name, f)
			}
		}
	}
}
