package dsl

import (
	"maps"
	"testing"

	"pgregory.net/rapid"
)

// randomSchema gives a schema over a few names and values.
func randomSchema(t *rapid.T, depth int) any {
	kinds := []string{"any", "text", "number", "object", "object", "list", "enum", "const", "bool", "types"}
	if depth > 0 {
		kinds = append(kinds, "anyOf", "not", "reference", "beside", "pattern", "prefix")
	}
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "any":
		return map[string]any{}
	case "bool":
		return rapid.Bool().Draw(t, "bool")
	case "text":
		return bounds(t, map[string]any{"type": "string"}, "minLength", "maxLength")
	case "number":
		kind := rapid.SampledFrom([]string{"integer", "number"}).Draw(t, "type")
		return bounds(t, map[string]any{"type": kind}, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
	case "enum":
		return map[string]any{"enum": rapid.SliceOfNDistinct(rapid.SampledFrom([]any{1, 2, "a", "ab", nil}), 1, 3, short).Draw(t, "enum")}
	case "const":
		return map[string]any{"const": rapid.SampledFrom([]any{1, "a", nil}).Draw(t, "const")}
	case "types":
		types := rapid.SliceOfNDistinct(rapid.SampledFrom([]any{"string", "integer", "number", "null", "object"}), 1, 3, func(v any) string { return v.(string) }).Draw(t, "types")
		return map[string]any{"type": types}
	case "list":
		s := bounds(t, map[string]any{"type": "array"}, "minItems", "maxItems")
		if rapid.Bool().Draw(t, "unique") {
			s["uniqueItems"] = rapid.Bool().Draw(t, "uniqueItems")
		}
		if depth > 0 && rapid.Bool().Draw(t, "items") {
			s["items"] = randomSchema(t, depth-1)
		}
		return s
	case "anyOf":
		return map[string]any{"anyOf": []any{randomSchema(t, depth-1), randomSchema(t, depth-1)}}
	case "not":
		return map[string]any{"not": randomSchema(t, depth-1)}
	case "reference":
		return map[string]any{"$ref": "#/$defs/d"}
	case "beside":
		return bounds(t, map[string]any{"$ref": "#/$defs/d"}, "minProperties", "maxProperties")
	case "pattern":
		return patterned(t, randomObject(t, depth), depth)
	case "prefix":
		return map[string]any{"prefixItems": []any{randomSchema(t, depth-1)}, "items": randomSchema(t, depth-1)}
	}
	return randomObject(t, depth)
}

func randomObject(t *rapid.T, depth int) map[string]any {
	s := map[string]any{"type": "object"}
	if rapid.IntRange(0, 5).Draw(t, "bounded") == 0 {
		s = bounds(t, s, "minProperties", "maxProperties")
	}
	properties, required := map[string]any{}, []any{}
	for _, name := range []string{"a", "b", "c"} {
		if depth > 0 && rapid.Bool().Draw(t, name) {
			properties[name] = randomSchema(t, depth-1)
		}
		if rapid.IntRange(0, 5).Draw(t, "required") == 0 {
			required = append(required, name)
		}
	}
	s["properties"], s["required"] = properties, required
	switch rapid.SampledFrom([]string{"open", "closed", "true", "schema"}).Draw(t, "more") {
	case "closed":
		s["additionalProperties"] = false
	case "true":
		s["additionalProperties"] = true
	case "schema":
		if depth > 0 {
			s["additionalProperties"] = randomSchema(t, depth-1)
		}
	}
	return s
}

func patterned(t *rapid.T, s map[string]any, depth int) map[string]any {
	s["patternProperties"] = map[string]any{"^a": randomSchema(t, depth-1)}
	return s
}

func bounds(t *rapid.T, s map[string]any, keys ...string) map[string]any {
	for _, key := range keys {
		if rapid.IntRange(0, 2).Draw(t, key) == 0 {
			s[key] = rapid.IntRange(1, 2).Draw(t, key)
		}
	}
	return s
}

// alter gives a schema in which something is different here and there.
func alter(t *rapid.T, v any, depth int) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for _, key := range canonicalKeys(v) {
			switch n := rapid.IntRange(0, 9).Draw(t, "alter "+key); {
			case n == 0 && key != "$ref":
			case n == 1 && key == "additionalProperties":
				out[key] = rapid.Bool().Draw(t, "open")
			case n == 2 && (key == "items" || key == "not" || key == "additionalProperties"):
				out[key] = randomSchema(t, max(depth-1, 0))
			default:
				out[key] = alter(t, v[key], depth-1)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = alter(t, v[i], depth-1)
		}
		return out
	case int:
		return max(v+rapid.IntRange(-1, 1).Draw(t, "by"), 1)
	}
	return v
}

func randomData(t *rapid.T, depth int) any {
	kinds := []string{"scalar", "scalar"}
	if depth > 0 {
		kinds = append(kinds, "map", "map", "list")
	}
	switch rapid.SampledFrom(kinds).Draw(t, "data") {
	case "map":
		m := map[string]any{}
		for _, name := range []string{"a", "b", "c", "ax"} {
			if rapid.Bool().Draw(t, "has "+name) {
				m[name] = randomData(t, depth-1)
			}
		}
		return m
	case "list":
		list := make([]any, rapid.IntRange(0, 3).Draw(t, "length"))
		for i := range list {
			list[i] = randomData(t, depth-1)
		}
		return list
	}
	return rapid.SampledFrom([]any{nil, true, 0, 1, 2, 3, 1.5, "", "a", "ab", "abc"}).Draw(t, "scalar")
}

// What is said of a schema holds: if no change is stricter, nothing that was
// taken is refused, and if none is looser, nothing is taken that was refused.
func TestDiffOfSchemasIsSound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		parts := []any{randomSchema(rt, 2), randomSchema(rt, 1)}
		switch rapid.IntRange(0, 3).Draw(rt, "root") {
		case 0:
			parts[0] = randomObject(rt, 2)
		case 1:
			parts[0] = patterned(rt, randomObject(rt, 2), 2)
		}
		altered := []any{alter(rt, parts[0], 2), alter(rt, parts[1], 1)}
		if rapid.IntRange(0, 3).Draw(rt, "another") == 0 {
			altered[0] = randomSchema(rt, 2)
		}
		old, new := wholeSchema(rt, parts), wholeSchema(rt, altered)
		d := &differ{}
		d.schema("input", old, new)
		kinds := map[ChangeKind]bool{}
		for _, c := range d.changes {
			if c.Class == ChangeTypes {
				kinds[c.Kind] = true
			}
		}
		if kinds[ChangeChanged] {
			return
		}
		for range 60 {
			value := randomData(rt, 2)
			was, is := old.Validate(value) == nil, new.Validate(value) == nil
			if was && !is && !kinds[ChangeStricter] || is && !was && !kinds[ChangeLooser] {
				rt.Fatalf("%s was taken: %v, is taken: %v\nold %s\nnew %s\n%s", short(value), was, is, old.JSON(), new.JSON(), changesText(d.changes))
			}
		}
	})
}

// wholeSchema makes a schema of two, of which the first may refer to the second.
func wholeSchema(t *rapid.T, parts []any) *Schema {
	doc, ok := parts[0].(map[string]any)
	if !ok {
		doc = map[string]any{}
	}
	doc = maps.Clone(doc)
	doc["$defs"] = map[string]any{"d": parts[1]}
	s, err := newSchema(doc, nil)
	if err != nil {
		t.Skip(err)
	}
	return s
}
