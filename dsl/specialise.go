package dsl

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/sagad/sagad/schemas"
)

// SagaSchema gives the published JSON Schema of definitions made special for
// the activities of manifests: call, in a step, a compensation and a probe, is
// one of their names, each with its description, and with has the fields of the
// activity that stands beside it. Every value may be an expression instead.
//
// It is for completion in editors, and lets pass what only the compiler can
// judge. What it gives is the same for the same manifests.
func SagaSchema(manifests []Manifest) ([]byte, error) {
	s, err := newSpecial("saga", schemas.Saga, manifests)
	if err != nil {
		return nil, err
	}
	s.defs["activity"] = s.names()
	for _, def := range []string{"step", "compensate", "probe"} {
		s.withOf(s.defs[def].(map[string]any))
	}
	return s.text()
}

// TestSchema gives the published JSON Schema of tests made special for the
// activities of manifests: mocks, calls and inputs have the activities as keys, and
// an output the fields of the activity that it stands for.
func TestSchema(manifests []Manifest) ([]byte, error) {
	s, err := newSpecial("test", schemas.Test, manifests)
	if err != nil {
		return nil, err
	}
	mocks := s.defs["mocks"].(map[string]any)
	expect := s.defs["expect"].(map[string]any)["properties"].(map[string]any)
	mocked, atStep, counted, called := map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}
	for _, a := range s.activities {
		mock := map[string]any{"title": a.Name, "description": s.about(a), "allOf": []any{
			map[string]any{"$ref": "#/$defs/answers"}, answers(s.schema(a.Output, false)),
		}}
		mocked[a.Name], atStep["^"+regexp.QuoteMeta(a.Name)+"@"] = mock, mock
		counted[a.Name] = map[string]any{"title": a.Name, "description": s.about(a), "type": "integer", "minimum": 0}
		called[a.Name] = map[string]any{"title": a.Name, "description": s.about(a)}
	}
	mocks["properties"], mocks["patternProperties"] = mocked, atStep
	expect["calls"].(map[string]any)["properties"] = counted
	expect["inputs"].(map[string]any)["properties"] = called
	return s.text()
}

// answers says of one mock or a list of them what their outputs are.
func answers(output any) map[string]any {
	one := map[string]any{
		"if":   map[string]any{"required": []any{"invalid"}, "properties": map[string]any{"invalid": map[string]any{"const": true}}},
		"else": map[string]any{"properties": map[string]any{"output": output}},
	}
	return map[string]any{"if": map[string]any{"type": "array"}, "then": map[string]any{"items": one}, "else": one}
}

// special is a published schema that is being made special.
type special struct {
	doc, defs  map[string]any
	activities []*ManifestActivity // by name
}

func newSpecial(name string, published []byte, manifests []Manifest) (*special, error) {
	doc, err := ParseJSON(published)
	if err != nil {
		return nil, fmt.Errorf("published schema of %ss: %w", name, err)
	}
	s := &special{doc: doc.(map[string]any)}
	s.defs = s.doc["$defs"].(map[string]any)
	delete(s.doc, "$id") // it is another schema
	s.doc["$comment"] = "Written by sagad schema " + name + " --manifests; write it again when the plugins change."
	byName := map[string]*ManifestActivity{}
	for i := range manifests {
		for j := range manifests[i].Activities {
			a := &manifests[i].Activities[j]
			byName[a.Name] = a
		}
	}
	if len(byName) == 0 {
		return nil, fmt.Errorf("the manifests name no activities")
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		s.activities = append(s.activities, byName[name])
	}
	return s, nil
}

func (s *special) text() ([]byte, error) {
	text, err := json.MarshalIndent(s.doc, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(text, '\n'), nil
}

// names is the schema of an activity's name.
func (s *special) names() map[string]any {
	var choice []any
	for _, a := range s.activities {
		choice = append(choice, map[string]any{"const": a.Name, "title": a.Name, "description": s.about(a)})
	}
	return map[string]any{"title": "Activity", "type": "string", "anyOf": choice}
}

// about describes an activity in a few words.
func (s *special) about(a *ManifestActivity) string {
	text := a.Description
	if len(a.Errors) > 0 {
		text = strings.TrimSpace(text + " Fails with " + strings.Join(a.Errors, ", ") + ".")
	}
	return text
}

// withOf makes with the input of the activity in call, in what has both.
func (s *special) withOf(of map[string]any) {
	rules, _ := of["allOf"].([]any)
	for _, a := range s.activities {
		if len(a.Input) == 0 {
			continue
		}
		rules = append(rules, map[string]any{
			"if":   map[string]any{"required": []any{"call"}, "properties": map[string]any{"call": map[string]any{"const": a.Name}}},
			"then": map[string]any{"properties": map[string]any{"with": map[string]any{"$ref": "#/$defs/with " + a.Name}}},
		})
		s.defs["with "+a.Name] = s.schema(a.Input, true)
	}
	of["allOf"] = rules
}

// schema gives the part of an activity's schema that helps who types. With
// computed an expression may stand for every value.
func (s *special) schema(text json.RawMessage, computed bool) any {
	doc, err := ParseJSON(text)
	if err != nil {
		return true // lint reports manifests that cannot be used
	}
	p := partial{root: doc, computed: computed}
	return p.of(doc, 0)
}

// partial takes from a schema what helps who types, and leaves the rest to the
// compiler: what it gives lets pass more. With computed an expression may stand
// for every value.
type partial struct {
	root     any
	computed bool
}

// Keywords that are taken as they are.
var plainKeywords = []string{
	"title", "description", "default", "examples", "type", "enum", "const", "required", "minimum", "maximum", "exclusiveMinimum",
	"exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "format", "minItems", "maxItems", "minProperties", "maxProperties",
}

// Keywords that stay outside of the choice between a value and an expression,
// because they are about both.
var aboutKeywords = []string{"title", "description", "default", "examples"}

// partialDepth bounds schemas that refer to themselves: deeper than this nobody
// types a value.
const partialDepth = 12

func (p *partial) of(v any, depth int) any {
	schema, ok := p.resolve(v).(map[string]any)
	if !ok || depth > partialDepth {
		return true
	}
	out := map[string]any{}
	for _, key := range plainKeywords {
		if value, ok := schema[key]; ok {
			out[key] = value
		}
	}
	if properties, ok := schema["properties"].(map[string]any); ok {
		inner := map[string]any{}
		for name, property := range properties {
			inner[name] = p.of(property, depth+1)
		}
		out["properties"] = inner
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if _, isSchema := schema[key].(map[string]any); isSchema {
			out[key] = p.of(schema[key], depth+1)
		} else if value, ok := schema[key]; ok {
			out[key] = value
		}
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if list, ok := schema[key].([]any); ok {
			var inner []any
			for _, item := range list {
				inner = append(inner, p.of(item, depth+1))
			}
			out["anyOf"] = inner // an expression fits every one
		}
	}
	if !p.computed {
		return out
	}
	return orComputed(out)
}

// resolve follows references inside the schema. What stands elsewhere can be
// anything.
func (p *partial) resolve(v any) any {
	for range partialDepth {
		schema, ok := v.(map[string]any)
		ref, isRef := schema["$ref"].(string)
		if !ok || !isRef {
			return v
		}
		pointer, inside := strings.CutPrefix(ref, "#/")
		if !inside {
			return true
		}
		v = p.root
		for _, key := range strings.Split(pointer, "/") {
			m, _ := v.(map[string]any)
			v = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(key)]
		}
		if target, ok := v.(map[string]any); ok { // what stands beside a reference is said of this place
			merged := maps.Clone(target)
			for _, key := range aboutKeywords {
				if value, ok := schema[key]; ok {
					merged[key] = value
				}
			}
			v = merged
		}
	}
	return true
}

// orComputed lets an expression stand for a value; for text also a secret.
func orComputed(schema map[string]any) map[string]any {
	out := map[string]any{}
	for _, key := range aboutKeywords {
		if value, ok := schema[key]; ok {
			out[key] = value
			delete(schema, key)
		}
	}
	choice := []any{schema, map[string]any{"type": "string", "pattern": `\$\{\{`}}
	if schema["type"] == "string" {
		choice = append(choice, map[string]any{"type": "object", "required": []any{"$secret"}, "properties": map[string]any{"$secret": map[string]any{"type": "string"}}, "additionalProperties": false})
	}
	out["anyOf"] = choice
	return out
}
