package dsl

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExample(t *testing.T) {
	for _, c := range []struct{ schema, want string }{
		{`true`, `null`},
		{`{"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "n": {"type": "integer", "minimum": 5}, "ok": {"type": "boolean"}}}`, `{"a": "a", "n": 5, "ok": false}`},
		{`{"type": "string", "format": "date-time"}`, `"2026-01-15T10:00:00Z"`},
		{`{"properties": {"country": {"type": "string", "pattern": "^[A-Z]{2}$"}}}`, `{"country": "DE"}`},
		{`{"type": "array", "minItems": 2, "items": {"enum": ["x", "y"]}}`, `["x", "x"]`},
		{`{"type": ["null", "number"], "exclusiveMaximum": 1}`, `0`},
		{`{"type": "number", "multipleOf": 0.5, "maximum": 0.7}`, `0.5`},
		{`{"$defs": {"m": {"type": "object", "properties": {"c": {"const": "EUR"}}}}, "properties": {"m": {"$ref": "#/$defs/m"}}}`, `{"m": {"c": "EUR"}}`},
		{`{"allOf": [{"properties": {"a": {"default": 1}}}, {"required": ["b"], "properties": {"b": {"examples": [2]}}}]}`, `{"a": 1, "b": 2}`},
		{`{"oneOf": [{"type": "integer"}, {"type": "string"}]}`, `1`},
		{`{"$defs": {"t": {"type": "object", "required": ["v"], "properties": {"v": {"type": "integer"}, "sub": {"type": "array", "items": {"$ref": "#/$defs/t"}}}}}, "$ref": "#/$defs/t"}`, ``},
		{`{"type": "string", "minLength": 7, "maxLength": 7}`, `"valuexx"`},
	} {
		got, ok := exampleOf(t, c.schema)
		if !ok {
			t.Errorf("%s: %v breaks it", c.schema, got)
		}
		if c.want == "" {
			continue
		}
		want, err := ParseJSON([]byte(c.want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.schema, diff)
		}
	}
	if got, ok := exampleOf(t, `{"type": "string", "pattern": "^[0-9]{37}$"}`); ok {
		t.Errorf("%v does not have the pattern", got)
	}
}

func exampleOf(t *testing.T, text string) (any, bool) {
	t.Helper()
	doc, err := ParseJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSchema(doc, nil)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s.Example()
}

// Every schema of the shipped plugins has an example.
func TestExampleOfShippedManifests(t *testing.T) {
	text, err := os.ReadFile("../definitions/plugins.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifests []Manifest
	if err := json.Unmarshal(text, &manifests); err != nil {
		t.Fatal(err)
	}
	for _, m := range manifests {
		for _, a := range m.Activities {
			for _, schema := range []string{string(a.Input), string(a.Output)} {
				if schema == "" {
					continue
				}
				if got, ok := exampleOf(t, schema); !ok {
					t.Errorf("%s: %v breaks %s", a.Name, got, schema)
				}
			}
		}
	}
}

func TestExampleOfAwait(t *testing.T) {
	for _, c := range []struct{ where, want string }{
		{"", `null`},
		{"event.id == input.id", `{"id": "p-1"}`},
		{"input.id == event.payment.id && event.ok", `{"payment": {"id": "p-1"}, "ok": true}`},
		{`event.by in input.names and not event.refused`, `{"by": "Ada", "refused": false}`},
		{`event == "yes"`, `"yes"`},
		{`event?.id == input.id or false`, `{"id": "p-1"}`},
		{`event.n > 3`, ``},
		{`event.id == steps.x.output`, ``},
		{`event.list[0] == 1`, ``},
	} {
		a := &Await{Signal: "s"}
		if c.where != "" {
			e, _, err := newExpr(c.where)
			if err != nil {
				t.Fatal(err)
			}
			a.Where = e
		}
		got, ok := a.Example(Env{"input": map[string]any{"id": "p-1", "names": []any{"Ada"}}})
		if ok != (c.want != "") {
			t.Errorf("%s: %v, %t", c.where, got, ok)
		}
		if !ok {
			continue
		}
		want, err := ParseJSON([]byte(c.want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.where, diff)
		}
	}
}
