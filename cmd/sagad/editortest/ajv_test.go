package editortest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/schemas"
)

// exceptions are those of ajv's strict rules that the schemas break on purpose:
// what a condition is about stands beside the condition, not inside of it, and a
// key may be of several types.
var exceptions = map[string]any{"strictRequired": false, "strictTypes": false}

// verdict is what ajv says of a text.
type verdict struct {
	Data       json.RawMessage `json:"data"`
	Problems   []string        `json:"problems"`
	Unreadable string          `json:"unreadable"` // why it is no YAML
}

// validate gives for each text what ajv says of it.
func validate(t *testing.T, schema []byte, texts []string) []verdict {
	t.Helper()
	return ask(t, map[string]any{"schema": json.RawMessage(schema), "strict": exceptions, "texts": texts}, len(texts))
}

// ask has validate.cjs answer a request about n texts.
func ask(t *testing.T, what map[string]any, n int) []verdict {
	t.Helper()
	request, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "validate.cjs", filepath.Dir(modules(t)))
	var trouble bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(request), &trouble
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ajv: %v\n%s", err, trouble.String())
	}
	var found []verdict
	if err := json.Unmarshal(out, &found); err != nil || len(found) != n {
		t.Fatalf("ajv answers %s (%v)", out, err)
	}
	return found
}

// files gives the texts of the files that patterns match, in the repository.
func files(t *testing.T, patterns ...string) (names, texts []string) {
	t.Helper()
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(repository, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			names, texts = append(names, file), append(texts, string(text))
		}
	}
	return names, texts
}

// shipped gives the shipped files that a schema is for.
func shipped(t *testing.T, schema string) (names, texts []string) {
	switch schema {
	case "saga":
		all, docs := files(t, "definitions/examples/*/*.yaml", "dsl/testdata/agree/*.yaml")
		for i, name := range all {
			if !strings.HasSuffix(name, "_test.yaml") {
				names, texts = append(names, name), append(texts, docs[i])
			}
		}
		return names, texts
	case "test":
		return files(t, "definitions/examples/*/*_test.yaml", "cmd/sagad/editortest/testdata/*_test.yaml")
	case "tenant":
		return files(t, "definitions/tenants/*.yaml")
	case "config":
		return files(t, "cmd/sagad/editortest/testdata/sagad*.yaml")
	}
	t.Fatalf("there are no files for the schema %s", schema)
	return nil, nil
}

// ajv compiles every published schema in strict mode and accepts what is
// shipped; so it does for the schemas of the shipped plugins.
func TestShippedFilesAreValid(t *testing.T) {
	modules(t)
	special := map[string]func([]dsl.Manifest) ([]byte, error){"saga": dsl.SagaSchema, "test": dsl.TestSchema}
	for _, p := range schemas.All() {
		t.Run(p.Name, func(t *testing.T) {
			names, texts := shipped(t, p.Name)
			if len(names) == 0 {
				t.Fatal("no files")
			}
			for i, v := range validate(t, p.Bytes, texts) {
				if len(v.Problems) > 0 || v.Unreadable != "" {
					t.Errorf("%s: %s%s", names[i], strings.Join(v.Problems, "; "), v.Unreadable)
				}
			}
			if special[p.Name] == nil {
				return
			}
			text, err := special[p.Name](manifests(t))
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range validate(t, text, texts) {
				if len(v.Problems) > 0 && !strings.Contains(names[i], "dsl/testdata") { // its activities are made up
					t.Errorf("special: %s: %s", names[i], strings.Join(v.Problems, "; "))
				}
			}
		})
	}
}

// ajv and the validator of this repository say the same of every definition in
// the language's golden tests: both refuse it, or neither does.
func TestValidatorsAgree(t *testing.T) {
	modules(t)
	archives, err := filepath.Glob(filepath.Join(repository, "dsl", "testdata", "lint", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var names, texts []string
	for _, archive := range archives {
		a, err := txtar.ParseFile(archive)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if filepath.Ext(f.Name) == ".yaml" {
				names, texts = append(names, filepath.Base(archive)+"/"+f.Name), append(texts, string(f.Data))
			}
		}
	}
	doc, err := dsl.ParseJSON(schemas.Saga)
	if err != nil {
		t.Fatal(err)
	}
	own, err := schemas.Compile(doc)
	if err != nil {
		t.Fatal(err)
	}
	refused, compared := 0, 0
	for i, v := range validate(t, schemas.Saga, texts) {
		if v.Unreadable != "" {
			continue // no YAML
		}
		data, err := dsl.ParseJSON(v.Data)
		if err != nil {
			continue // no JSON: numbers that are too large
		}
		compared++
		broken := own.Validate(data)
		if (broken == nil) != (len(v.Problems) == 0) {
			t.Errorf("%s: ajv says %v, our validator %v", names[i], v.Problems, broken)
		}
		if broken != nil {
			refused++
		}
	}
	if refused < 10 || compared-refused < 10 {
		t.Errorf("%d of %d definitions were refused", refused, compared)
	}
}

// Bad files of every kind are refused, each for its reason.
func TestBadFilesAreRefused(t *testing.T) {
	modules(t)
	bad := map[string]map[string]string{
		"saga": {
			"saga: a\nkey: k\nsteps: []\n":                                                          "/steps must NOT have fewer than 1 items",
			"saga: a\nkey: k\nsteps: [{id: a, call: x.y}]\n":                                        "/steps/0 must match exactly one schema",
			"saga: a\nkey: k\nsteps: [{id: a, call: x.y, effect: none}]\ninput: {type: strin}\n":    "/input/type must be equal to one of the allowed values",
			"saga: a\nkey: k\nsteps: [{id: a, set: {b: 1}, sleep: 3s}]\n":                           "/steps/0 must match exactly one schema",
			"saga: a\nkey: k\nsteps: [{id: a, await: {signal: s, timeot: 3s}}]\n":                   "/steps/0/await must NOT have additional properties",
			"saga: a\nkey: k\nsteps: [{id: a, sleep: 3 seconds}]\n":                                 "/steps/0/sleep must match pattern",
			"saga: a\nkey: k\nsteps: [{id: a, call: x.y, effect: none, probe: {call: x.z}}]\n":      "/steps/0 must NOT be valid",
			"saga: a\nkey: k\nsteps: [{id: a, foreach: {in: input.l, do: [{id: b}]}}]\n":            "/steps/0/foreach/do/0 must match exactly one schema",
			"saga: A\nkey: k\nsteps: [{id: a, set: {b: 1}}]\n":                                      "/saga must match pattern",
			"saga: a\nkey: k\nsteps: [{id: a, switch: [{when: 'true', do: [{id: b, call: x}]}]}]\n": "/steps/0/switch/0/do/0/call must match pattern",
		},
		"test": {
			"saga: a\n": "/ must have required property 'cases'",
			"saga: a\ncases: [{name: n, expect: {outcom: completed}}]\n":                              "/cases/0/expect must NOT have additional properties",
			"saga: a\ncases: [{name: n, expect: {}, mocks: {x.y: {output: 1, reject: {code: A}}}}]\n": "/cases/0/mocks/x.y must match exactly one schema",
			"saga: a\ncases: [{name: n, expect: {}, mocks: {x.y: [{reject: {code: a}}]}}]\n":          "/cases/0/mocks/x.y/0/reject/code must match pattern",
			"saga: a\ncases: [{name: n, expect: {}, mocks: {x: {output: 1}}}]\n":                      "/cases/0/mocks property name must be valid",
			"saga: a\ncases: [{name: n, expect: {elapsed: soon}}]\n":                                  "/cases/0/expect/elapsed must match pattern",
			"saga: a\ncases: [{name: n, expect: {}, signals: [{name: s}]}]\n":                         "/cases/0/signals/0 must have required property 'id'",
		},
		"tenant": {
			"tenant: a\ncountry: se\ntimezone: Europe/Stockholm\nregions: [x]\n": "/country must match pattern",
			"tenant: a\ncountry: SE\ntimezone: Europe/Stockholm\nregions: []\n":  "/regions must NOT have fewer than 1 items",
		},
		"config": {
			"temporal: localhost\n":       "/temporal must match pattern",
			"search: {amount: integer}\n": "/search/amount must be equal to one of the allowed values",
			"definition: x\n":             "/ must NOT have additional properties",
		},
	}
	for _, p := range schemas.All() {
		t.Run(p.Name, func(t *testing.T) {
			var texts, want []string
			for text, reason := range bad[p.Name] {
				texts, want = append(texts, text), append(want, reason)
			}
			for i, v := range validate(t, p.Bytes, texts) {
				if !slices.ContainsFunc(v.Problems, func(s string) bool { return strings.HasPrefix(s, want[i]) }) {
					t.Errorf("ajv says %q%s, want %q, of\n%s", v.Problems, v.Unreadable, want[i], texts[i])
				}
			}
		})
	}
}
