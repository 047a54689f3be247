package dsl

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
)

// Example gives a value that the schema allows, made of its constants, examples,
// defaults and bounds: what somebody would write down who knows nothing but the
// schema. A text is the name of its property, a list has one entry, every property
// is there. ok is false if no such value was found, as with a pattern that none of
// the usual texts has. Equal schemas give equal examples. A nil *Schema gives null.
func (s *Schema) Example() (value any, ok bool) {
	if s == nil {
		return nil, true
	}
	x := exampler{root: s.doc}
	value = x.value(s.doc, "value", 0)
	return value, s.Validate(value) == nil
}

// maxExampleDepth bounds an example of a schema that refers to itself: deeper
// inside only what is required is there.
const maxExampleDepth = 6

type exampler struct{ root any }

// value gives an example for a schema. name is that of the property.
func (x exampler) value(doc any, name string, depth int) any {
	schema, ok := doc.(map[string]any)
	if !ok || depth > 4*maxExampleDepth {
		return nil
	}
	if v, ok := given(schema); ok {
		return v
	}
	if ref, ok := schema["$ref"].(string); ok {
		return x.value(x.resolve(ref), name, depth+1)
	}
	for _, key := range []string{"oneOf", "anyOf"} {
		if choices, ok := schema[key].([]any); ok && len(choices) > 0 && schema["type"] == nil {
			return x.value(choices[0], name, depth+1)
		}
	}
	schema = x.merged(schema, depth)
	switch kindOfSchema(schema) {
	case "object":
		return x.object(schema, depth)
	case "array":
		return x.array(schema, name, depth)
	case "string":
		return exampleText(schema, name)
	case "integer":
		return int(exampleNumber(schema))
	case "number":
		n := exampleNumber(schema)
		if n == math.Trunc(n) {
			return int(n)
		}
		return n
	case "boolean":
		return false
	}
	return nil
}

// given gives the value that a schema itself names.
func given(schema map[string]any) (any, bool) {
	if v, ok := schema["const"]; ok {
		return v, true
	}
	for _, key := range []string{"enum", "examples"} {
		if list, ok := schema[key].([]any); ok && len(list) > 0 {
			return list[0], true
		}
	}
	v, ok := schema["default"]
	return v, ok
}

// resolve gives the part of the schema that a reference inside it names.
func (x exampler) resolve(ref string) any {
	pointer, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	doc := x.root
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if part == "" {
			continue
		}
		fields, _ := doc.(map[string]any)
		doc = fields[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
	}
	return doc
}

// merged gives a schema with what its allOf adds.
func (x exampler) merged(schema map[string]any, depth int) map[string]any {
	all, _ := schema["allOf"].([]any)
	if len(all) == 0 || depth > maxExampleDepth {
		return schema
	}
	whole := maps.Clone(schema)
	delete(whole, "allOf")
	for _, part := range all {
		more, _ := part.(map[string]any)
		if ref, ok := more["$ref"].(string); ok {
			more, _ = x.resolve(ref).(map[string]any)
		}
		for key, v := range x.merged(more, depth+1) {
			mine, _ := whole[key].(map[string]any)
			theirs, ok := v.(map[string]any)
			if key == "properties" && mine != nil && ok {
				both := maps.Clone(mine)
				maps.Copy(both, theirs)
				whole[key] = both
				continue
			}
			whole[key] = v
		}
	}
	return whole
}

// kindOfSchema gives the type that a schema asks for, the first one that is not
// null, or the one that its keywords are about.
func kindOfSchema(schema map[string]any) string {
	switch t := schema["type"].(type) {
	case string:
		return t
	case []any:
		for _, v := range t {
			if name, ok := v.(string); ok && name != "null" {
				return name
			}
		}
		return "null"
	}
	switch {
	case schema["properties"] != nil || schema["required"] != nil:
		return "object"
	case schema["items"] != nil:
		return "array"
	}
	return "null"
}

func (x exampler) object(schema map[string]any, depth int) any {
	properties, _ := schema["properties"].(map[string]any)
	names := slices.Sorted(maps.Keys(properties))
	required, _ := schema["required"].([]any)
	if depth >= maxExampleDepth {
		names = nil
	}
	for _, r := range required {
		if name, ok := r.(string); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	object := make(map[string]any, len(names))
	for _, name := range names {
		object[name] = x.value(properties[name], name, depth+1)
	}
	return object
}

// maxExampleItems bounds the lists of an example, whatever the schema asks for.
const maxExampleItems = 100

func (x exampler) array(schema map[string]any, name string, depth int) any {
	n := 1
	if least, ok := bound(schema["minItems"]); ok {
		n = max(n, min(int(least), maxExampleItems))
	}
	if depth >= maxExampleDepth {
		n--
	}
	list := make([]any, 0, n)
	for range n {
		list = append(list, x.value(schema["items"], name, depth+1))
	}
	return list
}

// exampleFormats are texts of the formats that JSON Schema names.
var exampleFormats = map[string]string{
	"date-time": "2026-01-15T10:00:00Z", "date": "2026-01-15", "time": "10:00:00Z", "duration": "PT5M",
	"email": "ada@example.com", "idn-email": "ada@example.com", "hostname": "example.com", "idn-hostname": "example.com",
	"ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "uri": "https://example.com/", "uri-reference": "/", "iri": "https://example.com/", "iri-reference": "/",
	"uuid": "00000000-0000-4000-8000-000000000000", "uri-template": "https://example.com/{id}", "json-pointer": "/a", "relative-json-pointer": "0", "regex": ".*",
}

// usualTexts are tried where a pattern asks for more than the name of a property:
// codes, numbers, an account number, an instant.
var usualTexts = []string{"DE", "EUR", "A", "a", "1", "12", "123", "1234", "a-1", "A1", "DE89370400440532013000", "COBADEFFXXX", "1.0.0",
	"2026-01", "2026-01-15", "2026-01-15T10:00:00Z", "ada@example.com", "+491234567", "00000000-0000-4000-8000-000000000000"}

func exampleText(schema map[string]any, name string) string {
	if format, ok := schema["format"].(string); ok && exampleFormats[format] != "" {
		return exampleFormats[format]
	}
	text := name
	if pattern, ok := schema["pattern"].(string); ok {
		if re, err := regexp.Compile(pattern); err == nil && !re.MatchString(text) {
			if i := slices.IndexFunc(usualTexts, re.MatchString); i >= 0 {
				text = usualTexts[i]
			}
		}
	}
	if least, ok := bound(schema["minLength"]); ok && len([]rune(text)) < int(least) && least < MaxTextBytes {
		text += strings.Repeat("x", int(least)-len([]rune(text)))
	}
	if most, ok := bound(schema["maxLength"]); ok && most >= 0 && len([]rune(text)) > int(most) {
		text = string([]rune(text)[:int(most)])
	}
	return text
}

// exampleNumber gives 1, or the number within the bounds that is nearest to it.
func exampleNumber(schema map[string]any) float64 {
	n := 1.0
	step, ok := bound(schema["multipleOf"])
	if !ok || step <= 0 {
		step = 1
	} else {
		n = step
	}
	if least, ok := bound(schema["minimum"]); ok && n < least {
		n = math.Ceil(least/step) * step
	}
	if least, ok := bound(schema["exclusiveMinimum"]); ok && n <= least {
		n = (math.Floor(least/step) + 1) * step
	}
	if most, ok := bound(schema["maximum"]); ok && n > most {
		n = math.Floor(most/step) * step
	}
	if most, ok := bound(schema["exclusiveMaximum"]); ok && n >= most {
		n = (math.Ceil(most/step) - 1) * step
	}
	return n
}

func bound(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
