package dsl

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/sagad/sagad/schemas"
)

// bankManifests have a schema with references, one that refers to itself, a
// choice, and an activity about which nothing is known.
var bankManifests = []Manifest{{Plugin: "bank", Activities: []ManifestActivity{
	{Name: "bank.pay", Description: "Pays.", Errors: []string{"POOR", "CLOSED"}, Input: json.RawMessage(`{
		"type": "object", "required": ["to"], "additionalProperties": false,
		"properties": {"to": {"$ref": "#/$defs/party", "description": "who gets it"}, "cents": {"type": "integer", "minimum": 1},
			"kind": {"enum": ["fast", "slow"]}, "token": {"type": "string", "maxLength": 8}, "tags": {"type": "array", "items": {"type": "string"}},
			"way": {"oneOf": [{"type": "integer"}, {"type": "boolean"}]}, "far": {"$ref": "https://example.com/far.json"}},
		"$defs": {"party": {"type": "object", "properties": {"iban": {"type": "string"}, "agent": {"$ref": "#/$defs/party"}}, "required": ["iban"], "additionalProperties": false}}}`),
		Output: json.RawMessage(`{"type": "object", "required": ["id", "fee"], "properties": {"id": {"type": "string"}, "fee": {"type": "integer"}}, "additionalProperties": false}`)},
	{Name: "bank.look"},
}}}

func validatorOf(t *testing.T, text []byte) *schemas.Validator {
	t.Helper()
	doc, err := ParseJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	v, err := schemas.Compile(doc)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func checkSpecial(t *testing.T, v *schemas.Validator, format string, cases map[string]bool) {
	t.Helper()
	for text, good := range cases {
		var doc any
		if err := yaml.Unmarshal([]byte(strings.Replace(format, "%", text, 1)), &doc); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if err := v.Validate(doc); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestSagaSchema(t *testing.T) {
	text, err := SagaSchema(bankManifests)
	if err != nil {
		t.Fatal(err)
	}
	v := validatorOf(t, text)
	checkSpecial(t, v, "saga: a\nkey: k\nsteps:\n- id: a\n  effect: none\n  %\n", map[string]bool{
		"call: bank.look":                                                                           true,
		"call: bank.loko":                                                                           false,
		"call: bank.look\n  with: {any: thing}":                                                     true,
		"call: bank.pay\n  with: {to: {iban: x}}":                                                   true,
		"call: bank.pay\n  with: {cents: 1}":                                                        false,
		"call: bank.pay\n  with: {to: {iban: x}, cent: 1}":                                          false,
		"call: bank.pay\n  with: {to: {iban: x}, cents: 0}":                                         false,
		"call: bank.pay\n  with: {to: {iban: x}, cents: one}":                                       false,
		"call: bank.pay\n  with: {to: {iban: x}, cents: \"${{ input.n }}\"}":                        true,
		"call: bank.pay\n  with: {to: \"${{ input.to }}\", kind: \"${{ 'fast' }}\"}":                true,
		"call: bank.pay\n  with: ${{ input }}":                                                      true,
		"call: bank.pay\n  with: {to: {iban: x}, kind: quick}":                                      false,
		"call: bank.pay\n  with: {to: {iban: x}, token: {$secret: bank/token}}":                     true,
		"call: bank.pay\n  with: {to: {iban: x}, cents: {$secret: bank/token}}":                     false,
		"call: bank.pay\n  with: {to: {iban: x}, token: much too long}":                             false,
		"call: bank.pay\n  with: {to: {iban: x}, tags: [a, \"${{ input.tag }}\"]}":                  true,
		"call: bank.pay\n  with: {to: {iban: x}, tags: [1]}":                                        false,
		"call: bank.pay\n  with: {to: {iban: x}, way: 3}":                                           true,
		"call: bank.pay\n  with: {to: {iban: x}, way: there}":                                       false,
		"call: bank.pay\n  with: {to: {iban: x}, far: anything}":                                    true,
		"call: bank.pay\n  with: {to: {iban: x, agent: {iban: y, agent: {iban: z}}}}":               true,
		"call: bank.pay\n  with: {to: {iban: x, agent: {iban: y, agent: {ibna: z}}}}":               false,
		"call: bank.pay\n  with: {to: {iban: x}}\n  probe: {call: bank.pay, with: {to: {iban: x}}}": false, // effect: none
	})
	checkSpecial(t, v, "saga: a\nkey: k\nsteps:\n- {id: a, call: bank.look, compensate: {%}}\n", map[string]bool{
		"call: bank.pay, with: {to: {iban: x}}": true, "call: bank.pay, with: {too: {iban: x}}": false, "call: bank.unpay": false,
	})
	for _, part := range []string{`"description": "Pays. Fails with POOR, CLOSED."`, `"description": "who gets it"`} {
		if !bytes.Contains(text, []byte(part)) {
			t.Errorf("%s is missing", part)
		}
	}
	if bytes.Contains(text, []byte(`"$id"`)) {
		t.Error("it has the $id of another schema")
	}
}

func TestTestSchema(t *testing.T) {
	text, err := TestSchema(bankManifests)
	if err != nil {
		t.Fatal(err)
	}
	checkSpecial(t, validatorOf(t, text), "saga: a\ncases: [{name: n, expect: {calls: {bank.pay: 1}}, mocks: {%}}]\n", map[string]bool{
		"bank.pay: {output: {id: x, fee: 1}}":                          true,
		"bank.pay: {output: {id: x}}":                                  false,
		"bank.pay: {output: {id: x}, invalid: true}":                   true,
		"bank.pay: [{fail: {code: A}}, {output: {id: x, fee: 1}}]":     true,
		"bank.pay: [{fail: {code: A}}, {output: {id: x, fee: large}}]": false,
		"bank.pay@first: {output: {id: x, fee: 1}}":                    true,
		"bank.pay@first: {output: {id: x, fee: large}}":                false,
		"bank.look: {output: anything}":                                true,
		"shop.buy: {output: anything}":                                 true, // of a plugin that is yet to come
	})
}

// The schemas of the shipped plugins are the same each time, and take the
// shipped definitions (which ajv and a language server check, too).
func TestSpecialSchemasAreStable(t *testing.T) {
	text, err := os.ReadFile("../definitions/plugins.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifests []Manifest
	if err := json.Unmarshal(text, &manifests); err != nil {
		t.Fatal(err)
	}
	for name, special := range map[string]func([]Manifest) ([]byte, error){"saga": SagaSchema, "test": TestSchema} {
		first, err := special(manifests)
		if err != nil {
			t.Fatal(err)
		}
		second, err := special(manifests)
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("the schema of %ss differs (%v)", name, err)
		}
		validatorOf(t, first)
		if _, err := special(nil); err == nil {
			t.Errorf("without activities the schema of %ss is made special", name)
		}
	}
	broken := []Manifest{{Activities: []ManifestActivity{{Name: "a.b", Input: json.RawMessage(`{"type":`)}, {Name: "a.c", Input: json.RawMessage(`{"$ref": "#"}`)}, {Name: "a.d", Input: json.RawMessage(`{"$ref": "#/$defs/x", "$defs": {"x": {"$ref": "#/$defs/x"}}}`)}}}}
	special, err := SagaSchema(broken)
	if err != nil {
		t.Fatal(err)
	}
	checkSpecial(t, validatorOf(t, special), "saga: a\nkey: k\nsteps: [{id: a, effect: none, call: %, with: {x: 1}}]\n", map[string]bool{"a.b": true, "a.c": true, "a.d": true})
}
