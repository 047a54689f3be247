package plugins

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// FuzzAccept compares the validator that is derived from a type with a JSON
// Schema validator on the schema that is derived from it, and both with
// encoding/json: what is accepted decodes.
func FuzzAccept(f *testing.F) {
	for _, seed := range []string{
		`{"name":"ab"}`, `null`, ``, `{"name":"abcde","count":10}`, `{"name":"ab","count":1.0,"big":1e3,"ratio":-2.5e-3}`,
		`{"name":"ab","list":[{"name":"ab"},{"name":"b","flag":true}],"pair":[1,2]}`, `{"name":"ab","byID":{"-1":"x"}}`,
		`{"name":"ab","byName":{"k":{"name":"cd"},"n":null},"free":{"a":[1,null]}}`, `{"name":"ab","when":"2026-11-23T10:00:00Z"}`,
		`{"name":"ab","when":"2026-11-23T10:00:00.123+01:00","blob":"aGk="}`, `{"name":"ab","small":255,"kind":"x"}`,
		`{"name":"ab","when":"2026-11-23t10:00:60z"}`, `{"name":"ab","labels":{"a":"b"}}`,
	} {
		f.Add([]byte(seed))
	}
	s := shapeOf[leaf](f, forInput)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat, compiler.AssertContent = true, true
	if err := compiler.AddResource("leaf.json", strings.NewReader(string(s.schema()))); err != nil {
		f.Fatal(err)
	}
	schema, err := compiler.Compile("leaf.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		tree, err := parse(raw)
		accepted, acceptErr := s.accept(raw)
		if acceptErr == nil {
			var v leaf
			if err := json.Unmarshal(accepted, &v); err != nil {
				t.Errorf("%s was accepted as %s, which does not decode: %v", raw, accepted, err)
			}
		}
		if err != nil || tree == nil || beyondSchemas(tree) {
			return
		}
		schemaErr := schema.Validate(tree)
		if (acceptErr == nil) != (schemaErr == nil) {
			t.Errorf("%s\naccept: %v\nschema: %v", raw, acceptErr, schemaErr)
		}
	})
}

// beyondSchemas finds what the SDK refuses and a schema cannot say, or two
// libraries read differently: numbers out of range, leap seconds, and the
// spelling of an instant or of base64.
func beyondSchemas(v any) bool {
	switch v := v.(type) {
	case json.Number:
		exponent := strings.IndexAny(string(v), "eE")
		if exponent >= 0 && len(v)-exponent > 4 {
			return true
		}
		r, ok := new(big.Rat).SetString(string(v))
		return !ok || r.Abs(r).Cmp(big.NewRat(MaxInteger, 1)) > 0
	case []any:
		return slices.ContainsFunc(v, beyondSchemas)
	case map[string]any:
		for key, value := range v {
			if text, ok := value.(string); ok && (key == "when" || key == "blob") && strings.ContainsAny(text, "tz:\r\n,") {
				return true
			}
			if beyondSchemas(value) {
				return true
			}
		}
	}
	return false
}
