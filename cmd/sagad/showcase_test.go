package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sagad/sagad/dsl"
)

// shippedFiles are the shipped definitions, each once.
func shippedFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	root := filepath.Join(repository(t), "definitions", "examples")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && entry.Name() == "testdata" {
			return filepath.SkipDir
		}
		if err == nil && strings.HasSuffix(path, ".yaml") && !strings.HasSuffix(path, "_test.yaml") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// unwritten are keys of the language that the shipped definitions need not have.
var unwritten = map[string]string{
	"$secret": "there is no store of secrets yet: the step would fail",
}

// TestShippedDefinitionsShowEveryKey: whoever looks for an example of a key of
// the language finds one in the shipped definitions.
func TestShippedDefinitionsShowEveryKey(t *testing.T) {
	var all strings.Builder
	for _, file := range shippedFiles(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	raw, err := os.ReadFile(filepath.Join(repository(t), "schemas", "saga.v1.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	delete(schema["$defs"].(map[string]any), "schema") // keys of JSON Schema, which are not ours
	keys := map[string]bool{}
	collectKeys(schema, keys)
	if len(keys) < 50 {
		t.Fatalf("only %d keys were found in the schema", len(keys))
	}
	for key := range keys {
		shown := regexp.MustCompile(`(?m)(^ *|- |[{,] *)` + regexp.QuoteMeta(key) + `:`).MatchString(all.String())
		if _, excused := unwritten[key]; shown == excused {
			t.Errorf("key %s: shown by a shipped definition: %v, excused: %v", key, shown, excused)
		}
	}
}

// collectKeys adds the names of all properties in a JSON Schema.
func collectKeys(schema any, keys map[string]bool) {
	switch s := schema.(type) {
	case []any:
		for _, one := range s {
			collectKeys(one, keys)
		}
	case map[string]any:
		for name, one := range s {
			if properties, ok := one.(map[string]any); ok && name == "properties" {
				for key := range properties {
					keys[key] = true
				}
			}
			collectKeys(one, keys)
		}
	}
}

// TestShippedDefinitionsShowEveryConstruct walks the plans: every field of every
// part of a plan is set in one of them, and every kind, effect and way to end a
// block is there.
func TestShippedDefinitionsShowEveryConstruct(t *testing.T) {
	seen := map[string]bool{}
	for _, file := range shippedFiles(t) {
		d, err := readDefinition(file)
		if err != nil {
			t.Fatal(err)
		}
		manifests, _, err := new(manifestFiles).near(file)
		if err != nil {
			t.Fatal(err)
		}
		plan, ds := d.compile(&settings{}, manifests, true)
		if plan == nil || len(ds) > 0 {
			t.Errorf("%s: %v", file, ds)
			continue
		}
		note(reflect.ValueOf(plan), seen)
	}
	want := []string{"Step.Kind=call", "Step.Kind=parallel", "Step.Kind=foreach", "Step.Kind=switch", "Step.Kind=scope", "Step.Kind=await",
		"Step.Kind=sleep", "Step.Kind=set", "Step.Kind=fail", "Step.Kind=complete", "Step.Kind=saga",
		"Call.Effect=0", "Call.Effect=1", "Call.Effect=2", "Call.Effect=3",
		"Parallel.OnFailure=0", "Parallel.OnFailure=1", "Foreach.OnFailure=0", "Foreach.OnFailure=1", "Case.When=nil"}
	for _, part := range []any{dsl.Plan{}, dsl.SearchValue{}, dsl.Step{}, dsl.Catch{}, dsl.Call{}, dsl.Compensate{}, dsl.Probe{}, dsl.Retry{},
		dsl.Parallel{}, dsl.Branch{}, dsl.Foreach{}, dsl.Switch{}, dsl.Case{}, dsl.Scope{}, dsl.Await{}, dsl.Sleep{}, dsl.Assignment{},
		dsl.Fail{}, dsl.Complete{}, dsl.Child{}, dsl.Delay{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(part)) {
			if f.IsExported() {
				want = append(want, reflect.TypeOf(part).Name()+"."+f.Name)
			}
		}
	}
	for _, one := range want {
		if !seen[one] {
			t.Errorf("no shipped definition has %s", one)
		}
	}
	if len(want) < 90 {
		t.Errorf("only %d parts of plans are known", len(want))
	}
}

// leaves are the parts of a plan that are not looked into.
var leaves = []reflect.Type{reflect.TypeFor[dsl.Expr](), reflect.TypeFor[dsl.Value](), reflect.TypeFor[dsl.Schema]()}

// note writes down which fields are set, by type and name, in what v holds.
func note(v reflect.Value, seen map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && !slices.Contains(leaves, v.Type().Elem()) {
			note(v.Elem(), seen)
		}
	case reflect.Slice:
		for i := range v.Len() {
			note(v.Index(i), seen)
		}
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(v.Type()) {
			if !f.IsExported() {
				continue
			}
			name, value := v.Type().Name()+"."+f.Name, v.FieldByIndex(f.Index)
			switch {
			case name == "Step.Kind":
				seen[name+"="+value.Interface().(dsl.Kind).String()] = true
			case name == "Case.When" && value.IsNil():
				seen[name+"=nil"] = true
			case value.Kind() == reflect.Uint8:
				seen[name+"="+strconv.FormatUint(value.Uint(), 10)] = true
			}
			if !value.IsZero() {
				seen[name] = true
			}
			note(value, seen)
		}
	}
}

// The page of the shipped definitions says of every input how it ends.
func TestExamplesPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(repository(t), "docs", "examples.md"))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| `([a-z-]+)` \\| [^|]+ \\| ([^|]+) \\|$")
	rows := row.FindAllStringSubmatch(string(page), -1)
	if len(rows) != len(endings) {
		t.Errorf("%d rows for %d inputs", len(rows), len(endings))
	}
	for _, r := range rows {
		file := filepath.Join(repository(t), "definitions", "examples", r[1], "testdata", r[2]+".json")
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
		if want, says := endings[r[2]], strings.NewReplacer("`", "", ":", "").Replace(r[3]); says != want {
			t.Errorf("the page says of %s: %s, it ends %s", r[2], says, want)
		}
	}
}
