package dsl

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestConformanceExpressions proves that the file of expressions that another
// implementation can evaluate is what this one is tested with.
func TestConformanceExpressions(t *testing.T) {
	const file = "../engine/conformance/expressions.yaml"
	var b strings.Builder
	write := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	json := func(v any) string {
		text, err := MarshalCanonical(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	write("env: %s\ngives:", json(map[string]any(exprEnv)))
	for _, source := range canonicalKeys(exprGives) {
		write("  - [%s, %s]", json(source), json(exprGives[source]))
	}
	write("fails:")
	var fails []string
	for source := range exprFails {
		fails = append(fails, source)
	}
	slices.Sort(fails)
	for _, source := range fails {
		write("  - %s", json(source))
	}
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), string(got)); diff != "" {
		t.Errorf("go test ./dsl -run ConformanceExpressions -update (-want +got):\n%s", diff)
	}
}
