package dsl

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"gopkg.in/yaml.v3"

	"github.com/sagad/sagad/schemas"
)

// agreeTests compares what the reading of tests and the published schema say of
// a test file. It returns "" if they agree.
func agreeTests(schema *schemas.Validator, doc any) string {
	text, err := yaml.Marshal(doc)
	if err != nil {
		return err.Error()
	}
	_, diags := ParseTests(Source{Data: text}, fstest.MapFS{})
	var found Diagnostics
	for _, d := range diags {
		if d.Severity == SeverityError && !beyondTestSchema(d) {
			found = append(found, d)
		}
	}
	broken := schema.Validate(doc)
	if (len(found) > 0) != (broken != nil) {
		return fmt.Sprintf("the reading says:\n%v\nthe schema says:\n%v\nof\n%s", found, broken, text)
	}
	return ""
}

// beyondTestSchema picks out what only the reading knows: what stands twice, what
// is in other files, arithmetic.
func beyondTestSchema(d Diagnostic) bool {
	for _, part := range []string{"stands twice", "cannot be read", "there is no file", "leads out of the folder", "over the limit of 3660d", "values have no key"} {
		if strings.Contains(d.Summary, part) {
			return true
		}
	}
	return d.Code == CodeWrongType && strings.HasPrefix(d.Summary, "$ref is")
}

func testCorpus(t testing.TB) (docs []any) {
	t.Helper()
	shipped, err := filepath.Glob("../definitions/examples/*/*_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(shipped, "testdata/agree/everything_test.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := newCompiler(file, Options{})
		n := c.readYAML(text)
		if n == nil || c.diags.HasErrors() {
			t.Fatal(c.diags)
		}
		docs = append(docs, n.data())
	}
	return docs
}

// The published schema of tests and their reading take the same files, the good
// ones and those in which one key is dropped, added, or has another value.
func TestTestSchemaAndReadingAgree(t *testing.T) {
	doc, err := ParseJSON(schemas.Test)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := schemas.Compile(doc)
	if err != nil {
		t.Fatal(err)
	}
	docs := testCorpus(t)
	for _, doc := range docs {
		if err := schema.Validate(doc); err != nil {
			t.Error(err)
		}
		if diff := agreeTests(schema, doc); diff != "" {
			t.Error(diff)
		}
	}
	good := docs[len(docs)-1]
	changed := 0
	for i := range testMaps(good) {
		try := func(change func(m map[string]any)) {
			doc := copyData(good)
			change(testMaps(doc)[i])
			changed++
			if diff := agreeTests(schema, doc); diff != "" {
				t.Error(diff)
			}
		}
		keys := canonicalKeys(testMaps(good)[i])
		for _, key := range keys {
			try(func(m map[string]any) { delete(m, key) })
			for _, word := range testWords {
				if _, isMap := word.(map[string]any); isMap || !opaqueTests[key] {
					try(func(m map[string]any) { m[key] = copyData(word) })
				}
			}
		}
		for _, key := range slices.Concat(testsKeys, caseKeys, expectKeys, mockKeys, failKeys, commandKeys, []string{"to", "a.b", "a.b@", "a.b@c", "A.b"}) {
			if !slices.Contains(keys, key) {
				try(func(m map[string]any) { m[key] = map[string]any{"code": "A"} })
			}
		}
	}
	if changed < 3000 {
		t.Errorf("only %d files were compared", changed)
	}
}

// The keys of tests in the schema are those that the reading knows.
func TestTestSchemaHasEveryKey(t *testing.T) {
	doc, err := ParseJSON(schemas.Test)
	if err != nil {
		t.Fatal(err)
	}
	keys := func(at any) []string {
		return canonicalKeys(at.(map[string]any)["properties"].(map[string]any))
	}
	defs := doc.(map[string]any)["$defs"].(map[string]any)
	same := func(what string, got []string, want []string) {
		want = slices.Sorted(slices.Values(want))
		if !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			t.Errorf("%s has the keys %v, its reading %v", what, got, want)
		}
	}
	same("a test file", keys(doc), testsKeys)
	same("a case", keys(defs["case"]), caseKeys)
	same("expect", keys(defs["expect"]), expectKeys)
	same("cause", keys(defs["expect"].(map[string]any)["properties"].(map[string]any)["cause"]), causeKeys)
	same("a mock", keys(defs["mock"]), mockKeys)
	same("reject", keys(defs["error"]), rejectKeys)
	same("fail", keys(defs["failure"]), failKeys)
	same("a command", keys(defs["command"]), commandKeys)
}

// opaqueTests are keys of tests whose values are data.
var opaqueTests = map[string]bool{"input": true, "output": true, "data": true, "tenant": true, "cause": true, "inputs": true}

var testWords = []any{
	nil, true, false, 0, 1, -1, 1.5, "", "x", "3s", "0s", "0ms", "soon", "completed", "CODE", "code", "retry", "2026-11-23T10:00:00Z", "a.b", []any{}, []any{"x"}, []any{1},
	map[string]any{}, map[string]any{"x": 1}, map[string]any{"a.b": 1}, map[string]any{"code": "A"}, map[string]any{"output": 1}, []any{map[string]any{"output": 1}}, map[string]any{"applied": true},
}

// testMaps gives the maps of a test file that are not data, always in the same
// order.
func testMaps(doc any) (all []map[string]any) {
	switch v := doc.(type) {
	case []any:
		for _, item := range v {
			all = append(all, testMaps(item)...)
		}
	case map[string]any:
		all = append(all, v)
		for _, key := range canonicalKeys(v) {
			if !opaqueTests[key] {
				all = append(all, testMaps(v[key])...)
			}
		}
	}
	return all
}
