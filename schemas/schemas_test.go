package schemas

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// data reads JSON the way callers do: integral numbers as ints.
func data(t testing.TB, text string) any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return ints(v)
}

func ints(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = ints(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = ints(v[k])
		}
	}
	return v
}

func TestValidate(t *testing.T) {
	v, err := Compile(data(t, `{
		"type": "object", "required": ["id", "amount"], "additionalProperties": false,
		"properties": {
			"id": {"type": "string", "minLength": 2, "maxLength": 4, "pattern": "^[a-z]+$"},
			"amount": {"$ref": "#/$defs/amount"},
			"when": {"type": "string", "format": "date-time"},
			"mail": {"type": "string", "format": "email"},
			"list": {"type": "array", "minItems": 1, "maxItems": 2, "uniqueItems": true, "items": {"type": ["integer", "null"]}},
			"kind": {"enum": ["a", "b", 3]},
			"fixed": {"const": {"x": 1}},
			"either": {"oneOf": [{"type": "string"}, {"type": "object", "required": ["q"]}]},
			"any": {"anyOf": [{"minimum": 3}, {"type": "string"}]},
			"all": {"allOf": [{"minimum": 3}, {"multipleOf": 2}]},
			"nope": false,
			"not": {"not": {"type": "string"}},
			"num": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1.5},
			"holds": {"contains": {"const": 1}},
			"few": {"minProperties": 1, "maxProperties": 1},
			"a/b~c": {"type": "boolean"}
		},
		"$defs": {"amount": {"type": "object", "required": ["minor"], "properties": {"minor": {"type": "integer", "minimum": 1, "maximum": 100}}}}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		`{"id": "ab", "amount": {"minor": 1}}`: "",
		`{"id": "ab", "amount": {"minor": 1}, "list": [1, null], "kind": 3, "either": {"q": 1}, "num": 0.5, "when": "2026-11-23T10:00:00Z", "a/b~c": true}`: "",
		`5`:                                   "must be an object, not an integer",
		`{}`:                                  "lacks the fields id, amount",
		`{"id": "ab"}`:                        "lacks the field amount",
		`{"id": 5, "amount": {"minor": 1}}`:   "/id must be text, not an integer",
		`{"id": "a", "amount": {"minor": 1}}`: "/id must have at least 2 characters",
		`{"id": "abcde", "amount": {"minor": 1}}`:                 "/id must have at most 4 characters",
		`{"id": "AB", "amount": {"minor": 1}}`:                    "/id does not match the pattern ^[a-z]+$",
		`{"id": "ab", "amount": {}}`:                              "/amount lacks the field minor",
		`{"id": "ab", "amount": {"minor": 0}}`:                    "/amount/minor must be at least 1",
		`{"id": "ab", "amount": {"minor": 101}}`:                  "/amount/minor must be at most 100",
		`{"id": "ab", "amount": {"minor": 1.5}}`:                  "/amount/minor must be an integer, not a number",
		`{"id": "ab", "amount": {"minor": 1}, "idd": 1, "x": 2}`:  "has the unknown field idd, x (it may have a/b~c, all, amount, any, either, few, fixed, holds, id, kind, list, mail, nope, not, num, when)",
		`{"id": "ab", "amount": {"minor": 1}, "when": "today"}`:   "/when is not a valid date-time",
		`{"id": "ab", "amount": {"minor": 1}, "mail": "x"}`:       "/mail is not a valid email",
		`{"id": "ab", "amount": {"minor": 1}, "list": []}`:        "/list must have at least 1 elements",
		`{"id": "ab", "amount": {"minor": 1}, "list": [1, 2, 3]}`: "/list must have at most 2 elements",
		`{"id": "ab", "amount": {"minor": 1}, "list": [1, 1]}`:    "/list must not contain the same element twice",
		`{"id": "ab", "amount": {"minor": 1}, "list": ["x"]}`:     "/list/0 must be an integer or null, not text",
		`{"id": "ab", "amount": {"minor": 1}, "kind": "c"}`:       `/kind must be one of ["a","b",3]`,
		`{"id": "ab", "amount": {"minor": 1}, "fixed": 1}`:        `/fixed must be {"x":1}`,
		`{"id": "ab", "amount": {"minor": 1}, "either": 1}`:       "/either matches not one of the alternatives of the schema",
		`{"id": "ab", "amount": {"minor": 1}, "any": 1}`:          "/any matches not one of the alternatives of the schema",
		`{"id": "ab", "amount": {"minor": 1}, "all": 1}`:          "/all must be a multiple of 2; /all must be at least 3",
		`{"id": "ab", "amount": {"minor": 1}, "nope": 1}`:         "/nope is not allowed",
		`{"id": "ab", "amount": {"minor": 1}, "not": "x"}`:        `/not breaks "not" of the schema`,
		`{"id": "ab", "amount": {"minor": 1}, "num": 0}`:          "/num must be more than 0",
		`{"id": "ab", "amount": {"minor": 1}, "num": 1.5}`:        "/num must be less than 1.5",
		`{"id": "ab", "amount": {"minor": 1}, "holds": [2]}`:      "/holds does not contain the element the schema asks for",
		`{"id": "ab", "amount": {"minor": 1}, "few": {}}`:         "/few must have at least 1 fields",
		`{"id": "ab", "amount": {"minor": 1}, "a/b~c": 1}`:        "/a~1b~0c must be a boolean, not an integer",
		`{"id": 1, "amount": {"minor": 0}}`:                       "/amount/minor must be at least 1; /id must be text, not an integer",
	} {
		err := v.Validate(data(t, value))
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", value, err)
			}
			continue
		}
		var broken *ValidationError
		if !errors.As(err, &broken) {
			t.Errorf("%s: %v; want %q", value, err, want)
			continue
		}
		if err.Error() != want {
			t.Errorf("%s:\n got %q\nwant %q", value, err, want)
		}
	}
}

// TestProblemsHideValues: what is said of a value ends up in logs.
func TestProblemsHideValues(t *testing.T) {
	const secret = "DE89370400440532013000"
	for _, schema := range []string{`{"type": "integer"}`, `{"pattern": "^x"}`, `{"maxLength": 3}`, `{"format": "email"}`, `{"enum": ["a"]}`, `{"const": 1}`,
		`{"not": {}}`, `false`, `{"oneOf": [{"type": "integer"}]}`, `{"type": "array"}`} {
		v, err := Compile(data(t, schema))
		if err != nil {
			t.Fatal(schema, err)
		}
		err = v.Validate(secret)
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", schema, err)
		}
	}
	v, err := Compile(data(t, `{"minimum": 5}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Validate(-4711); err == nil || strings.Contains(err.Error(), "4711") {
		t.Error(err)
	}
}

func TestValidateForeignValues(t *testing.T) {
	v, err := Compile(data(t, `{"type": "object"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []any{struct{}{}, func() {}, []string{"a"}} {
		if err := v.Validate(value); err == nil {
			t.Errorf("%T is valid", value)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for schema, want := range map[string]Error{
		`{"type": "strin"}`:                           {Pointer: "/type", What: "must be one of"},
		`{"properties": {"a": {"minimum": "x"}}}`:     {Pointer: "/properties/a/minimum", What: "expected number"},
		`{"pattern": "(?=x)"}`:                        {Pointer: "/pattern", What: "not valid 'regex'"},
		`{"$ref": "#/$defs/none"}`:                    {What: "#/$defs/none not found"},
		`{"$ref": "https://example.com/x.json"}`:      {What: "https://example.com/x.json is outside the schema"},
		`{"$ref": "file:///etc/passwd"}`:              {What: "is outside the schema"},
		`{"$schema": "https://example.com/my-draft"}`: {What: "is outside the schema"},
		`{"$ref": "#"}`:                               {What: "infinite loop"},
		`5`:                                           {What: "expected"},
	} {
		_, err := Compile(data(t, schema))
		var e *Error
		if !errors.As(err, &e) || e.Pointer != want.Pointer || !strings.Contains(e.What, want.What) {
			t.Errorf("%s: %#v; want %+v", schema, err, want)
		}
	}
}

func TestAt(t *testing.T) {
	v, err := Compile(data(t, `{"properties": {"a/b": {"$ref": "#/$defs/x y"}}, "$defs": {"x y": {"type": "integer", "minimum": 3}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, pointer := range []string{"/properties/a~1b", "/$defs/x y"} {
		part, err := v.At(pointer)
		if err != nil {
			t.Errorf("%s: %v", pointer, err)
			continue
		}
		if part.Validate(3) != nil || part.Validate(2) == nil {
			t.Errorf("the part at %s is another one", pointer)
		}
		if err := part.Validate(2); err.Error() != "must be at least 3" {
			t.Error(err)
		}
	}
	if _, err := v.At("/properties/none"); err == nil {
		t.Error("a part that does not exist compiles")
	}
}

func files(m map[string]string, t testing.TB) func(string) (any, error) {
	return func(name string) (any, error) {
		text, ok := m[name]
		if !ok {
			return nil, fmt.Errorf("no file %s", name)
		}
		return data(t, text), nil
	}
}

func TestBundle(t *testing.T) {
	fs := map[string]string{
		"payment.json":     `{"$id": "https://bank.example/payment.json", "$schema": "` + Draft + `", "properties": {"a": {"$ref": "parts/iban.json"}, "b": {"$ref": "#/$defs/own"}, "c": {"$ref": "parts/party.json#/$defs/p"}}, "$defs": {"own": {"const": 1}}}`,
		"parts/iban.json":  `{"type": "string", "pattern": "^[A-Z]{2}"}`,
		"parts/party.json": `{"$defs": {"p": {"properties": {"iban": {"$ref": "iban.json"}, "up": {"$ref": "../payment.json"}, "self": {"$ref": "#/$defs/p"}}}}}`,
	}
	before := data(t, `{"$ref": "payment.json", "properties": {"$ref": {"type": "integer"}, "const": {"const": {"$ref": "left alone"}}}}`)
	copied := data(t, `{"$ref": "payment.json", "properties": {"$ref": {"type": "integer"}, "const": {"const": {"$ref": "left alone"}}}}`)
	got, err := Bundle(before, files(fs, t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(copied, before); diff != "" {
		t.Errorf("Bundle changed its argument:\n%s", diff)
	}
	v, err := Compile(got)
	if err != nil {
		t.Fatal(err)
	}
	for value, ok := range map[string]bool{
		`{"a": "DE", "b": 1, "c": {"iban": "SE", "up": {"b": 1}, "self": {"iban": "FI"}}}`: true,
		`{"a": "de"}`:                       false,
		`{"b": 2}`:                          false,
		`{"c": {"iban": "x"}}`:              false,
		`{"c": {"up": {"b": 2}}}`:           false,
		`{"c": {"self": {"iban": "x"}}}`:    false,
		`{"$ref": "x"}`:                     false,
		`{"const": {"$ref": "left alone"}}`: true,
	} {
		if err := v.Validate(data(t, value)); (err == nil) != ok {
			t.Errorf("%s: %v", value, err)
		}
	}
	again, err := Bundle(got, nil)
	if diff := cmp.Diff(got, again); err != nil || diff != "" {
		t.Errorf("a bundle is not its own bundle: %v\n%s", err, diff)
	}
}

func TestBundleRefuses(t *testing.T) {
	many := map[string]string{"broken.json": `{"$ref": "gone.json"}`, "anchor.json": `{"$anchor": "x"}`}
	for i := range MaxFiles + 1 {
		many[fmt.Sprintf("f%d.json", i)] = fmt.Sprintf(`{"$ref": "f%d.json"}`, i+1)
	}
	for schema, want := range map[string]string{
		`{"$ref": "gone.json"}`:                                        "at /$ref: the file gone.json cannot be read: no file gone.json",
		`{"items": {"$ref": "broken.json"}}`:                           "at /items/$ref: the file broken.json is no usable schema: at /$ref: the file gone.json",
		`{"$ref": "../x.json"}`:                                        "leaves the folder",
		`{"$ref": "a/../../x.json"}`:                                   "leaves the folder",
		`{"$ref": "/etc/passwd"}`:                                      "leaves the folder",
		`{"$ref": "file:///etc/passwd"}`:                               "leaves the folder",
		`{"$ref": "https://example.com/x"}`:                            "leaves the folder",
		`{"$ref": "//example.com/x"}`:                                  "leaves the folder",
		`{"$ref": "#name"}`:                                            "names an anchor",
		`{"$ref": 5}`:                                                  "$ref is not text",
		`{"properties": {"a": {"$id": "x"}}}`:                          "at /properties/a/$id: $id is not supported",
		`{"allOf": [{"$dynamicRef": "#x"}]}`:                           "at /allOf/0/$dynamicRef: $dynamicRef is not supported",
		`{"$ref": "anchor.json"}`:                                      "$anchor is not supported",
		`{"$schema": "http://json-schema.org/draft-07/schema#"}`:       "the draft http://json-schema.org/draft-07/schema# is not supported",
		`{"$ref": "f0.json"}`:                                          "over 64 files",
		`{"$ref": "broken2.json", "$defs": {"file:broken2.json": {}}}`: "cannot be read",
	} {
		_, err := Bundle(data(t, schema), files(many, t))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", schema, err, want)
		}
	}
	if _, err := Bundle(data(t, `{"$ref": "x.json"}`), nil); err == nil || !strings.Contains(err.Error(), "cannot be read here") {
		t.Error(err)
	}
}

// TestPublishedSchema holds the published schema to have a title, and where it
// is not plain a description, for everything an editor shows.
func TestPublishedSchema(t *testing.T) {
	doc := data(t, string(Saga))
	if _, err := Compile(doc); err != nil {
		t.Fatal(err)
	}
	root := doc.(map[string]any)
	if root["title"] == nil || root["description"] == nil {
		t.Error("the schema has no title or description")
	}
	defs := root["$defs"].(map[string]any)
	for name, p := range root["properties"].(map[string]any) {
		property := p.(map[string]any)
		if property["title"] == nil {
			t.Errorf("%s has no title", name)
		}
		ref, _ := property["$ref"].(string)
		target, _ := defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		if property["description"] == nil && target["description"] == nil {
			t.Errorf("%s has no description", name)
		}
	}
}
