package dsl

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// valueOf compiles one value of a set step.
func valueOf(t testing.TB, yaml string) *Value {
	t.Helper()
	return mustCompile(t, head+"steps: [{id: a, set: {x: "+yaml+"}}]").Steps[0].Set[0].Value
}

func TestValueEval(t *testing.T) {
	env := Env{"input": map[string]any{"n": 7, "f": 0.5, "s": "text", "b": true, "l": []any{1}}}
	for source, want := range map[string]any{
		`text`:                                 "text",
		`5`:                                    5,
		`~`:                                    nil,
		`[1, {a: b}]`:                          []any{1, map[string]any{"a": "b"}},
		`"${{ input.n }}"`:                     7,
		`"  ${{ input.n }}"`:                   "  7",
		`"${{ input.l }}"`:                     []any{1},
		`"a ${{ input.n }} b ${{ input.s }}!"`: "a 7 b text!",
		`"${{ input.f }}/${{ input.b }}"`:      "0.5/true",
		`"${{input.n}}${{input.n}}"`:           "77",
		`"$${{ input.n }}"`:                    "${{ input.n }}",
		`"$$${{ ${{ input.n }}"`:               "$${{ 7",
		`"${{ '}}' }}"`:                        "}}",
		`"${{ {a: {b: 1}}}}"`:                  map[string]any{"a": map[string]any{"b": 1}},
		`[{a: "${{ input.n }}"}, "x${{ input.s }}"]`: []any{map[string]any{"a": 7}, "xtext"},
		`""`: "",
	} {
		got, err := valueOf(t, source).Eval(env)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s = %#v, %v; want %#v", source, got, err, want)
		}
	}
	var none *Value
	if v, err := none.Eval(env); v != nil || err != nil {
		t.Errorf("no value is %v, %v", v, err)
	}
}

func TestValueFails(t *testing.T) {
	env := Env{"input": map[string]any{"l": []any{1}, "o": map[string]any{}, "long": strings.Repeat("x", MaxTextBytes)}}
	for source, want := range map[string]string{
		`"a ${{ input.missing }}"`:          "null stands inside text",
		`"a ${{ input.l }}"`:                "a list stands inside text",
		`"a ${{ input.o }}"`:                "a map stands inside text",
		`"a ${{ input.long }}"`:             "grows over the limit",
		`{a: ["${{ input.missing.x.y }}"]}`: "is read from null",
	} {
		v, err := valueOf(t, source).Eval(env)
		var e *EvalError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s = %v, %v; want the error %q", source, v, err, want)
		}
	}
}

// TestEvalErrorsHideData: errors end up in logs, values may be sensitive.
func TestEvalErrorsHideData(t *testing.T) {
	const secret = "DE89370400440532013000"
	env := Env{"input": map[string]any{"s": secret, "l": []any{secret}, "m": map[string]any{secret: secret}}}
	for _, source := range []string{"input.s + 1", "input.s.x", "input.l.x", "input.m[0]", "input.s && true", "int(input.s)", "float(input.s)", "fromJSON(input.s)",
		"fromBase64(input.s)", "after(input.s, '1h')", "after('2026-01-01T00:00:00Z', input.s)", "div(1, input.s)", "sort([input.s, 1])", "sortBy(input.l, #, input.s)", "input.l[input.s]", "-input.s", "map(input.s, #)",
		"input.s < 1", "upper([input.s])", "input.s ? 1 : 2", "fromJSON(toJSON({a: input.s}) + 'x')", "fromJSON('{\"' + input.s + '\": 1, \"' + input.s + '\": 1}')"} {
		_, err := evalText(t, source, env)
		if err == nil {
			t.Errorf("%s does not fail", source)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error shows the data: %v", source, err)
		}
	}
}

func TestConstantsAreEvaluatedOnce(t *testing.T) {
	v := valueOf(t, `{a: [1, 2], b: {c: d}}`)
	if n := testing.AllocsPerRun(10, func() { _, _ = v.Eval(nil) }); n != 0 {
		t.Errorf("a constant allocates %v times", n)
	}
	if c, ok := v.Constant(); !ok || !cmp.Equal(c, map[string]any{"a": []any{1, 2}, "b": map[string]any{"c": "d"}}) {
		t.Errorf("Constant = %v, %v", c, ok)
	}
}

func TestDelayEval(t *testing.T) {
	p := mustCompile(t, head+`steps:
  - {id: a, sleep: "${{ input.d }}"}
  - {id: b, sleep: "${{ input.n }}s"}
  - {id: c, sleep: 3s}
`)
	delay := func(i int) *Delay { return p.Steps[i].Sleep.For }
	for _, c := range []struct {
		step int
		d, n any
		want time.Duration
		err  string
	}{
		{0, "5m", nil, 5 * time.Minute, ""},
		{1, nil, 7, 7 * time.Second, ""},
		{2, nil, nil, 3 * time.Second, ""},
		{0, "soon", nil, 0, "not a duration such as"},
		{0, 5, nil, 0, "the duration is an integer"},
		{0, nil, nil, 0, "the duration is null"},
		{1, nil, -7, 0, "not a duration"},
		{1, nil, nil, 0, "null stands inside text"},
	} {
		got, err := delay(c.step).Eval(Env{"input": map[string]any{"d": c.d, "n": c.n}})
		var e *EvalError
		if got != c.want || (err != nil) != (c.err != "") || err != nil && (!errors.As(err, &e) || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%+v: %v, %v", c, got, err)
		}
	}
	var none *Delay
	if d, err := none.Eval(nil); d != 0 || err != nil {
		t.Errorf("no delay is %v, %v", d, err)
	}
}

func TestBusinessKey(t *testing.T) {
	for source, want := range map[string]any{
		"${{ input.id }}":                    "p-1",
		"${{ input.n }}":                     7,
		"pay-${{ input.id }}/${{ input.n }}": "pay-p-1/7",
		`'"${{ input.id }}\'`:                `"p-1\`,
		"fixed":                              "fixed",
	} {
		p := mustCompile(t, "saga: t\nkey: "+source+"\nsteps: [{id: a, sleep: 1s}]")
		q, err := Load(p.Canonical)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []*Expr{p.Key, q.Key} {
			got, err := key.Eval(Env{"input": map[string]any{"id": "p-1", "n": 7}})
			if err != nil || got != want {
				t.Errorf("key: %s gives %#v, %v; want %#v", source, got, err, want)
			}
		}
	}
}
