package dsl

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"
)

// otherSaga is a saga that tests may run as a child.
var otherSaga = Definitions{"other": {Name: "other.yaml", Data: []byte(`saga: other
key: ${{ input.id }}
steps:
  - {id: take, call: t.take, compensate: {call: t.give}}
`)}}

// mustCompile compiles a definition that has no errors.
func mustCompile(t testing.TB, source string) *Plan {
	t.Helper()
	plan, diags := Compile(Source{Name: "saga.yaml", Data: []byte(source)}, Options{Sagas: otherSaga})
	if plan == nil {
		t.Fatalf("%v\n%s", diags, source)
	}
	return plan
}

func payment(t testing.TB) *Plan {
	t.Helper()
	data, err := os.ReadFile("testdata/payment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	plan, diags := Compile(Source{Name: "payment.yaml", Data: data}, Options{})
	if plan == nil || len(diags) > 0 {
		t.Fatal(diags)
	}
	return plan
}

// head is the start of a definition to which tests add steps.
const head = "saga: t\nkey: ${{ input.id }}\n"

func TestPlanOfThePayment(t *testing.T) {
	p := payment(t)
	if p.Saga != "cross-border-payment" || p.Version != "1.2.0" || p.StepCount() != 8 || p.Language != LanguageVersion {
		t.Errorf("the head of the plan is %q %q, %d steps, language %d", p.Saga, p.Version, p.StepCount(), p.Language)
	}
	if p.Deadline.Fixed != 30*time.Minute || p.CancelGrace != 30*time.Second {
		t.Errorf("deadline %v, grace %v", p.Deadline, p.CancelGrace)
	}
	var ids []string
	everyStep(p.Steps, func(s *Step) {
		if s.Index != len(ids) {
			t.Errorf("step %s has index %d; want %d", s.ID, s.Index, len(ids))
		}
		ids = append(ids, s.ID)
	})
	if diff := cmp.Diff([]string{"screen", "blocked", "confirm", "prepare", "hold", "quote", "submit", "settle"}, ids); diff != "" {
		t.Error(diff)
	}
	hold := p.Steps[2].Parallel.Branches[0].Do[0].Call
	want := Retry{Attempts: 5, Initial: time.Second, Max: 30 * time.Second}
	if !cmp.Equal(hold.Retry, want) || hold.Timeout != 20*time.Second || hold.Effect != EffectCompensatable {
		t.Errorf("hold: %+v", hold)
	}
	wantComp := Retry{Initial: time.Second, Max: 10 * time.Minute, Within: 24 * time.Hour}
	if !cmp.Equal(hold.Compensate.Retry, wantComp) {
		t.Errorf("its compensation: %+v", hold.Compensate.Retry)
	}
	env := Env{
		"input": map[string]any{"amount": map[string]any{"minor": 1}},
		"steps": map[string]any{"quote": map[string]any{"output": map[string]any{"quoteId": "q"}}},
	}
	got, err := p.Steps[3].Call.With.Eval(env)
	if diff := cmp.Diff(map[string]any{"quote": "q", "amount": map[string]any{"minor": 1}}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	limit, err := p.Steps[1].Await.Timeout.Eval(Env{"tenant": map[string]any{"scaTimeout": "3s"}})
	if err != nil || limit != 3*time.Second {
		t.Errorf("the limit is %v, %v", limit, err)
	}
}

// TestRetryDefaults checks which policy applies where.
func TestRetryDefaults(t *testing.T) {
	const s, m, h = time.Second, time.Minute, time.Hour
	for _, c := range []struct {
		name, defaults, step string
		want                 Retry
	}{
		{"nothing", "", "effect: none", Retry{Attempts: 3, Initial: s, Max: 30 * s}},
		{"a retriable", "", "effect: retriable", Retry{Initial: s, Max: 5 * m, Within: 72 * h}},
		{"a pivot", "", "effect: pivot", Retry{Attempts: 3, Initial: s, Max: 30 * s}},
		{"defaults", "retry: {attempts: 7}", "effect: none", Retry{Attempts: 7, Initial: s, Max: 30 * s}},
		{"defaults of a retriable", "retry: {attempts: 7, backoff: 2s..4s}", "effect: retriable", Retry{Attempts: 7, Initial: 2 * s, Max: 4 * s}},
		{"its own over defaults", "retry: {attempts: 7, backoff: 2s..4s}", "effect: none\n    retry: {attempts: 2}", Retry{Attempts: 2, Initial: 2 * s, Max: 4 * s}},
		{"within alone", "", "effect: none\n    retry: {within: 1h}", Retry{Initial: s, Max: 30 * s, Within: h}},
		{"within over attempts of defaults", "retry: {attempts: 7}", "effect: none\n    retry: {within: 1h}", Retry{Initial: s, Max: 30 * s, Within: h}},
		{"both", "", "effect: none\n    retry: {attempts: 4, within: 1h}", Retry{Attempts: 4, Initial: s, Max: 30 * s, Within: h}},
		{"back-off alone", "", "effect: retriable\n    retry: {backoff: 2s..4s}", Retry{Initial: 2 * s, Max: 4 * s, Within: 72 * h}},
		{"never", "retry: {never: [A]}", "effect: none\n    retry: {attempts: 9}", Retry{Attempts: 9, Initial: s, Max: 30 * s, Never: []string{"A"}}},
		{"never of its own", "retry: {never: [A]}", "effect: none\n    retry: {never: [B]}", Retry{Attempts: 3, Initial: s, Max: 30 * s, Never: []string{"B"}}},
		{"ambiguous", "", "effect: pivot\n    retry: {ambiguous: true}", Retry{Attempts: 3, Initial: s, Max: 30 * s, Ambiguous: true}},
	} {
		p := mustCompile(t, fmt.Sprintf("%sdefaults: {%s}\nsteps:\n  - id: a\n    call: t.a\n    %s\n", head, c.defaults, c.step))
		if diff := cmp.Diff(c.want, p.Steps[0].Call.Retry); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

func TestCompensationAndProbeDefaults(t *testing.T) {
	p := mustCompile(t, head+`defaults: {timeout: 7s, retry: {attempts: 9, backoff: 9s..9s}, compensation: {retry: {within: 2h}}}
steps:
  - id: a
    call: t.a
    compensate: {call: t.b, retry: {backoff: 3s..4s}}
    probe: {call: t.c}
`)
	c := p.Steps[0].Call
	if diff := cmp.Diff(Retry{Initial: 3 * time.Second, Max: 4 * time.Second, Within: 2 * time.Hour}, c.Compensate.Retry); diff != "" {
		t.Error(diff)
	}
	if c.Probe.Every != ProbeEvery || c.Probe.Within != ProbeWithin || c.Probe.Timeout != 7*time.Second || c.Compensate.Timeout != 7*time.Second {
		t.Errorf("probe %+v, compensation %+v", c.Probe, c.Compensate)
	}
}

// plans are all definitions of the tests that compile.
func plans(t testing.TB) map[string]*Plan {
	t.Helper()
	out := map[string]*Plan{"payment": payment(t)}
	for name, doc := range corpus(t) {
		text, err := yaml.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if p, _ := Compile(Source{Data: text}, Options{Sagas: otherSaga}); p != nil {
			out[name] = p
		}
	}
	if len(out) < 8 {
		t.Fatalf("only %d plans", len(out))
	}
	return out
}

// planOptions compare plans by what they say.
var planOptions = cmp.Options{
	cmp.Comparer(func(a, b *Expr) bool { return a == b || a != nil && b != nil && a.source == b.source }),
	cmp.Comparer(func(a, b *Value) bool { return cmp.Equal(a.source(), b.source()) }),
	cmp.Comparer(func(a, b *Schema) bool { return a == b || a != nil && b != nil && cmp.Equal(a.doc, b.doc) }),
	cmp.AllowUnexported(Plan{}),
}

func TestLoadGivesThePlanBack(t *testing.T) {
	all := plans(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		p := all[name]
		q, err := Load(p.Canonical)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(p, q, planOptions); diff != "" {
			t.Errorf("%s: the loaded plan differs:\n%s", name, diff)
		}
	}
}

// TestLoadRefuses bytes that are not the canonical form of a sound plan.
func TestLoadRefuses(t *testing.T) {
	good := string(payment(t).Canonical)
	replace := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the plan has no %s", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"nothing":            {"", "ends too early"},
		"no object":          {"[]", "not an object"},
		"another language":   {replace(`"language":1`, `"language":2`), "language version 2"},
		"no language":        {replace(`"language":1,`, ``), "language version <nil>"},
		"white space":        {good + " ", "not in canonical form"},
		"a default left out": {replace(`"cancelGrace":"30s",`, ``), "not in canonical form"},
		"an unknown key":     {replace(`"language":1`, `"language":1,"more":2`), `no key "more"`},
		"two of an id":       {replace(`"id":"quote"`, `"id":"hold"`), "two steps have the id hold"},
		"a bad expression":   {replace(`steps.screen.output.scaRequired`, `now() == 1`), "no function now"},
		"an unknown step":    {replace(`steps.quote.output`, `steps.quota.output`), "no step quota"},
		"a wrong order":      {replace(`"effect":"retriable"`, `"effect":"pivot"`), "a pivot stands after the point of no return"},
		"a bad timeout":      {replace(`"timeout":"20s"`, `"timeout":"20"`), "not a duration"},
		"a bad schema":       {replace(`"type":"integer"`, `"type":"int"`), "value must be one of"},
		"too much":           {strings.Repeat("[", MaxPlanBytes+1), "over the limit"},
	} {
		_, err := Load([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Load fails with %v; want %q", name, err, c.want)
		}
	}
}

// TestDigest shows what changes the digest of a definition and what does not.
func TestDigest(t *testing.T) {
	const source = `saga: t
key: ${{ input.id }}
steps:
  - id: a
    call: t.a
    with: {x: 1, y: "${{ input.y }}"}
    compensate: {call: t.b}
  - id: b
    set: {p: 1, q: 2}
`
	want := mustCompile(t, source).Digest
	same := map[string]string{
		"comments":            "# why\n" + strings.ReplaceAll(source, "id: a", "id: a # because"),
		"order of keys":       strings.Replace(source, "saga: t\nkey: ${{ input.id }}\n", "key: ${{ input.id }}\nsaga: t\n", 1),
		"order of data":       strings.Replace(source, `{x: 1, y: "${{ input.y }}"}`, `{y: "${{ input.y }}", x: 1}`, 1),
		"order of variables":  strings.Replace(source, `{p: 1, q: 2}`, `{q: 2, p: 1}`, 1),
		"block style":         strings.Replace(source, `{p: 1, q: 2}`, "\n      p: 1\n      q: 2", 1),
		"quotes":              strings.Replace(source, `"${{ input.y }}"`, `'${{ input.y }}'`, 1),
		"space in braces":     strings.Replace(source, "${{ input.id }}", "${{input.id}}", 1),
		"another form of 1":   strings.Replace(source, "x: 1", "x: 1.0", 1),
		"a default spelt out": strings.Replace(source, "key:", "cancelGrace: 30s\ndefaults: {timeout: 30s}\nkey:", 1),
		"an equal duration":   strings.Replace(source, "key:", "cancelGrace: 30000ms\nkey:", 1),
		"line ends":           strings.ReplaceAll(source, "\n", "\r\n"),
		"a byte order mark":   "\ufeff" + source,
	}
	for name, s := range same {
		if got := mustCompile(t, s).Digest; got != want {
			t.Errorf("%s change the digest", name)
		}
	}
	for name, s := range map[string]string{
		"saga":           strings.Replace(source, "saga: t", "saga: u", 1),
		"version":        strings.Replace(source, "key:", "version: \"2\"\nkey:", 1),
		"expression":     strings.Replace(source, "input.y", "input.z", 1),
		"data":           strings.Replace(source, "x: 1", "x: 2", 1),
		"type":           strings.Replace(source, "x: 1", `x: "1"`, 1),
		"timeout":        strings.Replace(source, "key:", "defaults: {timeout: 31s}\nkey:", 1),
		"order of steps": strings.Replace(source, "steps:\n", "steps:\n  - {id: z, sleep: 1s}\n", 1),
		"input":          strings.Replace(source, "key:", "input: {type: object}\nkey:", 1),
	} {
		if got := mustCompile(t, s).Digest; got == want {
			t.Errorf("another %s does not change the digest", name)
		}
	}
	branches := head + "steps: [{id: p, parallel: {branches: {%s}}}]"
	one := mustCompile(t, fmt.Sprintf(branches, "x: [{id: a, sleep: 1s}], y: [{id: b, sleep: 1s}]"))
	two := mustCompile(t, fmt.Sprintf(branches, "y: [{id: b, sleep: 1s}], x: [{id: a, sleep: 1s}]"))
	if one.Digest == two.Digest {
		t.Error("the order of branches, which is the order of their steps, does not change the digest")
	}
}

// TestFrozenDigest guards the canonical form: sagas that run name their plan by
// it. If it has to change, LanguageVersion does too.
func TestFrozenDigest(t *testing.T) {
	const want = "sha256:677086f8d0540c981fda9eb5d08f7d225433161f925cf93f8a58fed51e5e09b5"
	if got := payment(t).Digest; got != want {
		t.Errorf("the digest of testdata/payment.yaml is %s; it was %s", got, want)
	}
}

// TestMutantsRoundTrip: whatever compiles is loaded again, with all its
// parts, and nothing makes the compiler panic.
func TestMutantsRoundTrip(t *testing.T) {
	docs := corpus(t)
	seeds := []any{docs["everything.yaml"], docs["pivots.txtar/rails.yaml"], docs["flow.txtar/variables.yaml"]}
	manifests := testManifests(t)
	rapid.Check(t, func(t *rapid.T) {
		doc := copyData(rapid.SampledFrom(seeds).Draw(t, "seed"))
		for range rapid.IntRange(0, 3).Draw(t, "mutations") {
			mutate(t, doc)
		}
		text, err := yaml.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		plan, diags := Compile(Source{Data: text}, Options{Manifests: manifests, Sagas: otherSaga})
		if (plan == nil) != diags.HasErrors() {
			t.Fatalf("the plan is nil: %v; diagnostics:\n%v", plan == nil, diags)
		}
		if plan == nil {
			return
		}
		again, err := Load(plan.Canonical)
		if err != nil {
			t.Fatalf("%v\n%s", err, plan.Canonical)
		}
		if diff := cmp.Diff(plan, again, planOptions); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzCompile(f *testing.F) {
	archives, _ := filepath.Glob("testdata/*/*.yaml")
	for _, path := range append(archives, "testdata/payment.yaml") {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, doc := range corpus(f) {
		text, err := yaml.Marshal(doc)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	opts := Options{Catalog: NewCatalog(testManifests(f)), Sagas: otherSaga, Tenants: []Tenant{{Name: "t", Regions: []string{"eu-west-1"}}}}
	f.Fuzz(func(t *testing.T, data []byte) {
		plan, diags := Compile(Source{Data: data}, opts)
		if _, again := Compile(Source{Data: data}, opts); !slices.Equal(diags, again) {
			t.Fatalf("the same source gives other diagnostics:\n%v\n%v", diags, again)
		}
		for _, d := range diags {
			for _, l := range NewExcerpt(d, data, 80).Lines {
				if l.Number > 0 && !strings.Contains(l.Mark, "^") {
					t.Fatalf("%v has no mark in line %d", d, l.Number)
				}
			}
		}
		if (plan == nil) != diags.HasErrors() {
			t.Fatalf("the plan is nil: %v; diagnostics:\n%v", plan == nil, diags)
		}
		if plan == nil {
			return
		}
		if _, err := Load(plan.Canonical); err != nil {
			t.Fatalf("%v\n%s", err, plan.Canonical)
		}
	})
}

func FuzzLoad(f *testing.F) {
	for _, p := range plans(f) {
		f.Add(p.Canonical)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Load(data)
		if err == nil && string(p.Canonical) != string(data) {
			t.Fatalf("%s is loaded as %s", data, p.Canonical)
		}
	})
}

func TestBrokenManifest(t *testing.T) {
	m := []Manifest{{Plugin: "p", Version: "1", Activities: []ManifestActivity{
		{Name: "p.a", Input: json.RawMessage(`{"type": "strin"}`)},
		{Name: "p.b", Output: json.RawMessage(`{`)},
		{Name: "p.c", Output: json.RawMessage(`{"$ref": "other.json"}`)},
	}}}
	plan, diags := Compile(Source{Data: []byte(head + "steps: [{id: a, sleep: 1s}]")}, Options{Manifests: m})
	if plan != nil || len(diags) != 3 {
		t.Fatalf("three broken schemas give %v", diags)
	}
	for _, d := range diags {
		if d.Code != CodeManifest || !strings.Contains(d.Summary, "plugin p 1: the ") {
			t.Error(d)
		}
	}
}

func TestUnknownActivities(t *testing.T) {
	source := Source{Data: []byte(head + "steps: [{id: a, call: t.a, effect: none}]")}
	for _, c := range []struct {
		name string
		opts Options
		want string
	}{
		{"nothing is known", Options{}, ""},
		{"no plugin is there", Options{Manifests: []Manifest{}}, "3:23: warning[UNKNOWN_ACTIVITY]"},
		{"it must be there", Options{RequireActivities: true}, "3:23: error[UNKNOWN_ACTIVITY]"},
	} {
		_, diags := Compile(source, c.opts)
		if got := diags.Error(); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q; want %q", c.name, got, c.want)
		}
	}
}

func TestSearchTypes(t *testing.T) {
	declared := map[string]SearchType{"n": SearchInt, "b": SearchBool, "at": SearchInstant, "k": SearchKeyword}
	_, diags := Compile(Source{Data: []byte(head + `search: {n: 1, b: true, at: "2026-01-01T00:00:00Z", k: x}
steps: [{id: a, sleep: 1s}]`)}, Options{SearchAttributes: declared})
	if len(diags) > 0 {
		t.Error(diags)
	}
	_, diags = Compile(Source{Data: []byte(head + `search: {n: x, b: 1, at: 5, k: true, country_code: DE}
steps: [{id: a, sleep: 1s}]`)}, Options{SearchAttributes: declared})
	if len(diags) != 5 {
		t.Error(diags)
	}
}

func TestLimits(t *testing.T) {
	steps := func(n int) string {
		var b strings.Builder
		b.WriteString(head + "steps:\n")
		for i := range n {
			fmt.Fprintf(&b, "  - {id: s%d, sleep: 1s}\n", i)
		}
		return b.String()
	}
	mustCompile(t, steps(MaxSteps))
	for name, source := range map[string]string{
		"steps":      steps(MaxSteps + 1),
		"bytes":      head + "description: " + strings.Repeat("x", MaxSourceBytes),
		"levels":     head + "steps: " + strings.Repeat("[", 300),
		"expression": head + "steps: [{id: a, set: {x: \"${{ " + strings.Repeat("1+", MaxExprLength) + "1 }}\"}}]",
	} {
		if plan, diags := Compile(Source{Data: []byte(source)}, Options{}); plan != nil || len(diags) == 0 {
			t.Errorf("too many %s are accepted", name)
		}
	}
}

// TestDeepDefinition compiles steps nested as deeply as the source allows.
func TestDeepDefinition(t *testing.T) {
	var b strings.Builder
	b.WriteString(head + "steps: ")
	const depth = 48
	for i := range depth {
		fmt.Fprintf(&b, "[{id: s%d, scope: {do: ", i)
	}
	b.WriteString("[{id: end, sleep: 1s}]")
	b.WriteString(strings.Repeat("}}]", depth))
	p := mustCompile(t, b.String())
	if p.StepCount() != depth+1 {
		t.Errorf("%d steps", p.StepCount())
	}
}

func TestSensitiveValues(t *testing.T) {
	p := mustCompile(t, head+`sensitive: [input.debtor.iban, "input.items[*].iban", input.person, "input.codes[*]", input.missing.x]
steps: [{id: a, sleep: 1s}]`)
	input, err := ParseJSON([]byte(`{"id": "x", "debtor": {"iban": "DE1", "name": "n"}, "items": [{"iban": "DE2"}, {"iban": "DE1"}, {"other": 1}, 5],
		"person": {"name": "Ada", "age": 36, "vip": true, "note": "", "none": null, "more": [1.5]}, "codes": ["a", 7]}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"DE1", "DE2", "36", "1.5", "Ada", "a", "7"}, p.SensitiveValues(input)); diff != "" {
		t.Error(diff)
	}
	for _, input := range []any{nil, 5, []any{}, map[string]any{"items": "x"}} {
		if got := p.SensitiveValues(input); len(got) > 0 {
			t.Errorf("%v has the sensitive values %v", input, got)
		}
	}
}

func TestDiagnosticString(t *testing.T) {
	for want, d := range map[string]Diagnostic{
		"a.yaml:3:7: error[TYPE]: wrong; mend it": {File: "a.yaml", Line: 3, Column: 7, Severity: SeverityError, Code: "TYPE", Summary: "wrong", Detail: "mend it"},
		"a.yaml: warning[X]: odd":                 {File: "a.yaml", Severity: SeverityWarning, Code: "X", Summary: "odd"},
		"error[X]: odd":                           {Severity: SeverityError, Code: "X", Summary: "odd"},
	} {
		if got := d.String(); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
	text, err := json.Marshal(Diagnostic{File: "a", Line: 1, Column: 2, EndLine: 3, EndColumn: 4, Severity: SeverityError, Code: "C", Summary: "s", Detail: "d"})
	if want := `{"file":"a","line":1,"column":2,"endLine":3,"endColumn":4,"severity":"error","code":"C","summary":"s","detail":"d"}`; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
}

func TestSuggest(t *testing.T) {
	names := []string{"timeout", "retry", "compensate", "call", "do"}
	for s, want := range map[string]string{"timout": "timeout", "tiemout": "timeout", "Timeout": "timeout", "cal": "call", "compensat": "compensate", "x": "", "banana": "", "": "", "od": "do"} {
		if got := Suggest(s, names); got != want {
			t.Errorf("Suggest(%q) = %q; want %q", s, got, want)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	data, err := os.ReadFile("testdata/payment.yaml")
	if err != nil {
		b.Fatal(err)
	}
	canonical := payment(b).Canonical
	b.Run("compile", func(b *testing.B) {
		for b.Loop() {
			if plan, diags := Compile(Source{Data: data}, Options{}); plan == nil {
				b.Fatal(diags)
			}
		}
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			if _, err := Load(canonical); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkValue(b *testing.B) {
	p := mustCompile(b, head+`steps:
  - id: a
    call: t.a
    effect: none
    with: {account: "${{ input.debtor.iban }}", amount: "${{ input.amount }}", kind: transfer}
  - id: b
    call: t.b
    effect: none
    with: {kind: constant, list: [1, 2, 3]}
`)
	env := Env{"input": map[string]any{"debtor": map[string]any{"iban": "DE"}, "amount": map[string]any{"minor": 1}}}
	for i, name := range []string{"three fields", "constant"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Steps[i].Call.With.Eval(env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestPlanSchemas(t *testing.T) {
	p := payment(t)
	input := map[string]any{"paymentId": "p", "amount": map[string]any{"minor": 0, "currency": "EUR"}, "debtor": map[string]any{"iban": "DE"}}
	err := p.Input.Validate(input)
	want := "lacks the field creditor; /amount/minor must be at least 1; /debtor lacks the field country"
	var broken *SchemaError
	if !errors.As(err, &broken) || err.Error() != want {
		t.Errorf("%v; want %s", err, want)
	}
	var none *Schema
	if err := none.Validate(5); err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(string(p.Input.JSON()), `{"properties":{"amount":`) {
		t.Errorf("%s", p.Input.JSON())
	}
}

func TestEncoding(t *testing.T) {
	for name, c := range map[string]struct{ source, want string }{
		"latin-1":        {"saga: t\nkey: gr\xf6sse", "2:8: error[YAML]: the file is not UTF-8"},
		"UTF-16":         {"\xff\xfes\x00a\x00", "1:1: error[YAML]: the file is not UTF-8"},
		"line separator": {"saga: t\nkey: 'a\u2028b'", "2:8: error[YAML]: the line break U+2028"},
		"next line":      {"saga: t\u0085key: a", "1:8: error[YAML]: the line break U+0085"},
	} {
		_, diags := Compile(Source{Data: []byte(c.source)}, Options{})
		if got := diags.Error(); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
	}
}

func TestDiagnosticsAsError(t *testing.T) {
	_, diags := Compile(Source{Name: "a.yaml", Data: []byte("saga: T\nsteps: []\n")}, Options{})
	if err := diags.Err(); err == nil || strings.Count(err.Error(), "a.yaml:") != 3 {
		t.Errorf("%v", diags.Err())
	}
	_, diags = Compile(Source{Data: []byte("saga: t\nkey: x\nsteps: [{id: a, sleep: 1s}]")}, Options{})
	if len(diags) != 1 || diags.Err() != nil {
		t.Errorf("a warning is the error %v", diags.Err())
	}
}

// TestManyProblems: the number of diagnostics is bounded.
func TestManyProblems(t *testing.T) {
	// Warnings never hide that there is an error.
	var b strings.Builder
	b.WriteString(head + "steps:\n")
	for i := range MaxDiagnostics {
		fmt.Fprintf(&b, "  - {id: s%d, call: t.unknown, effect: none}\n", i)
	}
	b.WriteString("  - {id: last, set: {x: \"${{ input.a + true }}\"}}\n")
	if plan, diags := Compile(Source{Data: []byte(b.String())}, Options{Manifests: testManifests(t)}); plan != nil || !diags.HasErrors() {
		t.Errorf("the error after %d warnings is lost", MaxDiagnostics)
	}

	source := head + "steps:\n" + strings.Repeat("  - {id: a, cal: x}\n", 600)
	if _, diags := Compile(Source{Data: []byte(source)}, Options{}); len(diags) != MaxDiagnostics {
		t.Errorf("%d diagnostics", len(diags))
	}
}

// TestPlansAreConcurrent evaluates the expressions of one plan from many
// goroutines; it is of use with -race.
func TestPlansAreConcurrent(t *testing.T) {
	p := mustCompile(t, head+`steps: [{id: a, set: {x: "${{ map(input.list, # * input.n) }}", y: "${{ input.n + 1 }}-${{ input.list[0] }}"}}]`)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			env := Env{"input": map[string]any{"n": n, "list": []any{n, n + 1}}}
			for range 200 {
				x, err := p.Steps[0].Set[0].Value.Eval(env)
				y, err2 := p.Steps[0].Set[1].Value.Eval(env)
				if err != nil || err2 != nil || !cmp.Equal(x, []any{n * n, n * (n + 1)}) || y != fmt.Sprintf("%d-%d", n+1, n) {
					t.Errorf("%d: %v %v %v %v", n, x, y, err, err2)
					return
				}
			}
		})
	}
	wg.Wait()
}
