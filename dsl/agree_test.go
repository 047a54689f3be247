package dsl

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/sagad/sagad/schemas"
)

// structural are the codes of what the published schema can know too.
var structural = map[string]bool{
	CodeUnknownKey: true, CodeMissingKey: true, CodeWrongType: true, CodeValue: true, CodeVersion: true, CodeDuration: true,
	CodeBackoff: true, CodeInvalidID: true, CodeStepKind: true, CodeEmpty: true, CodeEffect: true, CodeExprForm: true,
	CodeProbe: true, CodeRetry: true,
}

func publishedSchema(t testing.TB) *schemas.Validator {
	t.Helper()
	doc, err := ParseJSON(schemas.Saga)
	if err != nil {
		t.Fatal(err)
	}
	v, err := schemas.Compile(doc)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// agree compares what the compiler and the published schema say of the
// structure of a definition. It returns "" if they agree.
func agree(schema *schemas.Validator, doc any) string {
	text, err := yaml.Marshal(doc)
	if err != nil {
		return err.Error()
	}
	_, diags := Compile(Source{Data: text}, Options{SearchAttributes: map[string]SearchType{}})
	var found Diagnostics
	for _, d := range diags {
		if (structural[d.Code] || sensitiveForm(d)) && d.Severity == SeverityError && !beyondSchema(d) {
			found = append(found, d)
		}
	}
	broken := schema.Validate(doc)
	if (len(found) > 0) != (broken != nil) {
		return fmt.Sprintf("the compiler says:\n%v\nthe schema says:\n%v\nof\n%s", found, broken, text)
	}
	return ""
}

// beyondSchema picks out what has a structural code and is still known only to
// the compiler.
func beyondSchema(d Diagnostic) bool {
	for _, part := range []string{
		"over the limit of 3660d",                          // arithmetic
		"is text, not an expression",                       // a guess at what was meant
		"falls",                                            // a back-off from long to short
		"is taken by a foreach",                            // scopes
		"JSON Schema has no keyword", "values have no key", // inside data
	} {
		if strings.Contains(d.Summary, part) {
			return true
		}
	}
	// Durations inside expressions.
	return d.Code == CodeDuration && !strings.Contains(d.Summary, ": ") && strings.Contains(d.Summary, "is not a duration")
}

// sensitiveForm picks out what the schema knows of sensitive paths.
func sensitiveForm(d Diagnostic) bool {
	return d.Code == CodeSensitive && (strings.HasSuffix(d.Summary, "into the input") || strings.HasSuffix(d.Summary, "twice"))
}

// corpus is every definition of the tests that is YAML.
func corpus(t testing.TB) map[string]any {
	t.Helper()
	docs := map[string]any{}
	add := func(name string, data []byte) {
		c := newCompiler("", Options{})
		n := c.readYAML(data)
		if n == nil || c.diags.HasErrors() {
			return
		}
		docs[name] = n.data()
	}
	archives, _ := filepath.Glob("testdata/lint/*.txtar")
	for _, path := range archives {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			// The others are about JSON Schema itself, which has its own schema.
			if strings.HasSuffix(f.Name, ".yaml") && !strings.HasPrefix(f.Name, "schema") {
				add(filepath.Base(path)+"/"+f.Name, f.Data)
			}
		}
	}
	files, _ := filepath.Glob("testdata/agree/*.yaml")
	shipped, _ := filepath.Glob("../definitions/examples/*/*.yaml")
	for _, path := range append(files, shipped...) {
		if strings.HasSuffix(path, "_test.yaml") {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		add(filepath.Base(path), data)
	}
	if len(docs) < 40 {
		t.Fatalf("only %d definitions", len(docs))
	}
	return docs
}

func TestSchemaAndCompilerAgree(t *testing.T) {
	schema := publishedSchema(t)
	docs := corpus(t)
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		t.Run(name, func(t *testing.T) {
			if diff := agree(schema, docs[name]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSchemaAndCompilerAgreeOnMutants changes good definitions at random: a
// key is dropped, added, misspelt or moved, a value becomes another one.
func TestSchemaAndCompilerAgreeOnMutants(t *testing.T) {
	schema := publishedSchema(t)
	docs := corpus(t)
	seeds := []any{docs["everything.yaml"], docs["pivots.txtar/rails.yaml"], docs["flow.txtar/branches.yaml"]}
	rapid.Check(t, func(t *rapid.T) {
		doc := copyData(rapid.SampledFrom(seeds).Draw(t, "seed"))
		for range rapid.IntRange(1, 2).Draw(t, "mutations") {
			mutate(t, doc)
		}
		if diff := agree(schema, doc); diff != "" {
			t.Fatal(diff)
		}
	})
}

func copyData(v any) any {
	switch v := v.(type) {
	case []any:
		l := make([]any, len(v))
		for i := range v {
			l[i] = copyData(v[i])
		}
		return l
	case map[string]any:
		m := make(map[string]any, len(v))
		for k := range v {
			m[k] = copyData(v[k])
		}
		return m
	default:
		return v
	}
}

// opaque are keys whose values are data or schemas, where all is allowed.
var opaque = map[string]bool{"input": true, "schema": true, "output": true, "search": true}

// places returns all maps and lists of a definition with setters for their
// elements.
func collectMaps(v any, maps *[]map[string]any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			collectMaps(item, maps)
		}
	case map[string]any:
		*maps = append(*maps, v)
		for _, k := range canonicalKeys(v) {
			if !opaque[k] && !(k == "with" || k == "set") {
				collectMaps(v[k], maps)
			}
		}
	}
}

var replacements = []any{
	nil, true, false, 0, 1, -1, 1.5, 501, 10001, "", "x", "X", "3s", "0s", "1s..2s", "NO", "${{ input.id }}", " ${{ input.id }}", "a ${{ input.id }}",
	"none", "pivot", "drain", "parallel", "t.look", "a.b.c", "input.x", []any{}, []any{"A"}, []any{"a"}, []any{"*"}, map[string]any{}, map[string]any{"x": 1},
	[]any{map[string]any{"id": "zz", "set": map[string]any{"q": 1}}}, "CANCELLED", "steps", "7d",
}

func mutate(t *rapid.T, doc any) {
	var all []map[string]any
	collectMaps(doc, &all)
	m := rapid.SampledFrom(all).Draw(t, "map")
	keys := canonicalKeys(m)
	key := "x"
	if len(keys) > 0 {
		key = rapid.SampledFrom(keys).Draw(t, "key")
	}
	other := rapid.SampledFrom([]string{"id", "if", "call", "saga", "with", "effect", "compensate", "probe", "timeout", "retry", "catch", "sleep", "set", "fail",
		"complete", "do", "on", "when", "else", "in", "as", "key", "within", "every", "attempts", "ambiguous", "code", "output", "x-y", "name"}).Draw(t, "other")
	switch rapid.SampledFrom([]string{"delete", "rename", "add", "replace"}).Draw(t, "mutation") {
	case "delete":
		delete(m, key)
	case "rename":
		v := m[key]
		delete(m, key)
		m[other] = v
	case "add":
		m[other] = copyData(rapid.SampledFrom(replacements).Draw(t, "value"))
	case "replace":
		m[key] = copyData(rapid.SampledFrom(replacements).Draw(t, "value"))
	}
}
