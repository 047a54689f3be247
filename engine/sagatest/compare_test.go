package sagatest_test

import (
	"strings"
	"testing"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine/sagatest"
)

// What a case expects of causes without a step, of refused requests and of secrets.
func TestExpectations(t *testing.T) {
	const wait = `saga: s
key: ${{ input.id }}
steps:
  - {id: p, call: t.p, effect: pivot, with: {key: {$secret: rails/api-key}, n: 1}, probe: {call: t.q}}
  - {id: w, await: {signal: go, timeout: 1h}, catch: [{on: [TIMEOUT], do: [{id: late, set: {x: 1}}]}]}
`
	manifests := []dsl.Manifest{{Plugin: "t", Activities: []dsl.ManifestActivity{
		{Name: "t.p", Input: []byte(`{"type": "object", "properties": {"key": {"type": "string"}, "n": {"type": "integer"}}}`)}, {Name: "t.q"},
	}}}
	for name, c := range map[string]struct{ test, fails string }{
		"a cancel has no step":               {"mocks: {t.p: {reject: {code: NO}, delay: 10s}}, cancels: [{at: 1s}], expect: {cause: {kind: cancel, code: CANCELLED, step: null, path: null}}", ""},
		"cut: no step, no path":              {"mocks: {t.p: {fail: {code: NO, sent: false}}}, cancels: [{at: 500ms}], expect: {cause: {kind: cancel, step: null, path: null}}", ""},
		"a cancel that comes too late":       {"mocks: {t.p: {output: {}, delay: 10s}}, cancels: [{at: 2s}], expect: {outcome: completed, elapsed: 3610s}", ""},
		"and whoever cares":                  {"mocks: {t.p: {output: {}, delay: 10s}}, cancels: [{at: 2s}], expect: {replies: [accepted]}", "the replies are [COMMITTED]"},
		"a message at the start":             {"mocks: {t.p: {output: {}}}, signals: [{at: 0s, name: go, id: m, data: {}}], expect: {outcome: completed, elapsed: 0s}", ""},
		"a message that nobody awaits first": {"mocks: {t.p: {output: {}}}, signals: [{name: goo, id: m}], expect: {elapsed: 1s}", "the message m (goo) was refused"},
		"how long it took":                   {"mocks: {t.p: {output: {}}}, expect: {elapsed: 2h}", "it took 1h, not 2h"},
	} {
		t.Run(name, func(t *testing.T) {
			plan, ds := dsl.Compile(dsl.Source{Name: "s.yaml", Data: []byte(wait)}, dsl.Options{Manifests: manifests})
			if plan == nil {
				t.Fatal(ds)
			}
			tests, ds := dsl.ParseTests(dsl.Source{Name: "s_test.yaml", Data: []byte("saga: s\ncases: [{name: one, input: {id: k}, " + c.test + "}]\n")}, nil)
			if tests == nil {
				t.Fatal(ds)
			}
			o := (&sagatest.Suite{Tests: tests, Plan: plan, Manifests: manifests, Tenant: "demo", Region: "r"}).Run(&tests.Cases[0])
			switch {
			case c.fails == "" && !o.Passed():
				t.Errorf("%+v", o.Failures)
			case c.fails != "" && (o.Passed() || !strings.HasPrefix(o.Failures[0].Message, c.fails)):
				t.Errorf("%+v, want %s first", o.Failures, c.fails)
			}
		})
	}
}
