package dsl

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const inspected = `saga: t
key: ${{ input.id }}
input: {type: object, required: [id, n], properties: {id: {type: string}, n: {type: integer}}}
steps:
  - id: look
    call: ledger.look
    effect: none
  - id: note
    set: {total: "${{ input.n + 1 }}"}
  - id: confirm
    if: vars.total > 2
    await: {signal: done, timeout: 1h}
output: {a: "${{ steps.look.output }}", t: "x ${{ vars.total }}"}
`

func TestInspect(t *testing.T) {
	i := Inspect(Source{Data: []byte(inspected)}, Options{Manifests: testManifests(t)})
	if i.Plan == nil || len(i.Diagnostics) > 0 {
		t.Fatal(i.Diagnostics)
	}
	want := []Symbol{
		{Kind: SymbolActivity, Name: "ledger.look", Used: []Range{{6, 11, 6, 22}}},
		{Kind: SymbolSignal, Name: "done", Used: []Range{{12, 21, 12, 25}}},
		{Kind: SymbolStep, Name: "confirm", Declared: []Range{{10, 9, 10, 16}}},
		{Kind: SymbolStep, Name: "look", Declared: []Range{{5, 9, 5, 13}}, Used: []Range{{13, 24, 13, 28}}},
		{Kind: SymbolStep, Name: "note", Declared: []Range{{8, 9, 8, 13}}},
		{Kind: SymbolVariable, Name: "total", Declared: []Range{{9, 11, 9, 16}}, Used: []Range{{11, 14, 11, 19}, {13, 56, 13, 61}}},
	}
	if diff := cmp.Diff(want, i.Symbols, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("symbols (-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		line, column int
		want         string
	}{
		{9, 23, "a map"}, {9, 29, "an integer"}, {9, 31, "an integer"}, {11, 14, "an integer"}, {11, 20, "a boolean"}, {2, 16, "text"}, {1, 1, ""},
	} {
		if got, at, _ := i.TypeAt(c.line, c.column); got != c.want {
			t.Errorf("the type at %d:%d is %q of %v, want %q", c.line, c.column, got, at, c.want)
		}
	}
	if s := i.SymbolAt(13, 25); s == nil || s.Name != "look" {
		t.Errorf("the symbol at 13:25 is %v", s)
	}
	if s := i.SymbolAt(1, 1); s != nil {
		t.Errorf("the symbol at 1:1 is %v", s)
	}
}

// What cannot be compiled is inspected as far as it is known.
func TestInspectUnfinished(t *testing.T) {
	for _, source := range []string{"", "saga: t\nsteps:\n  - id: a\n    call: x.y\n", inspected + "  u: ${{ vars.", "a: [", "steps: 5"} {
		i := Inspect(Source{Data: []byte(source)}, Options{})
		if i.Plan != nil || !i.Diagnostics.HasErrors() {
			t.Errorf("%q has a plan", source)
		}
	}
	i := Inspect(Source{Data: []byte("saga: t\nsteps:\n  - id: a\n    call: x.y\n    effect: none\n")}, Options{})
	if len(i.Symbols) != 2 {
		t.Errorf("symbols: %v", i.Symbols)
	}
}
