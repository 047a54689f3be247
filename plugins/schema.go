package plugins

import (
	"bytes"
	"encoding/json"
	"slices"
)

// An ordered is a JSON object that keeps the order in which it was made, so
// that schemas read like the types they come from.
type ordered struct {
	keys   []string
	values []any
}

func (o *ordered) set(key string, value any) {
	o.keys, o.values = append(o.keys, key), append(o.values, value)
}

// MarshalJSON implements json.Marshaler.
func (o *ordered) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, key := range o.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, part := range []any{key, o.values[i]} {
			if j > 0 {
				b.WriteByte(':')
			}
			encoded, err := json.Marshal(part)
			if err != nil {
				return nil, err
			}
			b.Write(encoded)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// schema writes the shape as a JSON Schema, draft 2020-12. Struct types are
// written in place, but for those that contain themselves, which are in $defs.
func (s *shape) schema() json.RawMessage {
	w := &schemaWriter{definitions: &ordered{}, written: map[*object]bool{}}
	root := w.write(s)
	if len(w.definitions.keys) > 0 {
		root.set("$defs", w.definitions)
	}
	encoded, err := json.Marshal(root)
	if err != nil {
		panic("plugins: a derived schema does not encode: " + err.Error()) // strings and numbers always do
	}
	return encoded
}

type schemaWriter struct {
	definitions *ordered
	written     map[*object]bool
}

var typeNames = map[kind]string{
	boolean: "boolean", integer: "integer", number: "number", text: "string", base64Text: "string",
	instant: "string", array: "array", mapping: "object", structure: "object",
}

func (w *schemaWriter) write(s *shape) *ordered {
	out := &ordered{}
	if s.kind == structure && s.object.recursive {
		w.define(s.object)
		ref := &ordered{}
		ref.set("$ref", "#/$defs/"+s.object.name)
		if s.nullable {
			null := &ordered{}
			null.set("type", "null")
			out.set("anyOf", []any{ref, null})
		} else {
			out = ref
		}
		w.annotate(out, s)
		return out
	}
	if name := typeNames[s.kind]; name != "" {
		if s.nullable {
			out.set("type", []string{name, "null"})
		} else {
			out.set("type", name)
		}
	}
	w.annotate(out, s)
	switch s.kind {
	case structure:
		w.properties(out, s.object)
	case array:
		out.set("items", w.write(s.elem))
	case mapping:
		out.set("additionalProperties", w.write(s.elem))
		if s.keys != nil {
			names := &ordered{}
			names.set("pattern", s.keys.String())
			out.set("propertyNames", names)
		}
	case instant:
		out.set("format", "date-time")
	case base64Text:
		out.set("contentEncoding", "base64")
	}
	limits := s.limits
	if s.nullable && limits.enum != nil {
		limits.enum = append(slices.Clone(limits.enum), nil)
	}
	limits.keywords(out)
	return out
}

func (w *schemaWriter) annotate(out *ordered, s *shape) {
	if s.description != "" {
		out.set("description", s.description)
	}
	if s.sensitive {
		out.set("sensitive", true)
	}
}

func (w *schemaWriter) properties(out *ordered, o *object) {
	properties, required := &ordered{}, []string{}
	for _, f := range o.fields {
		properties.set(f.name, w.write(f.shape))
		if f.required {
			required = append(required, f.name)
		}
	}
	out.set("properties", properties)
	if len(required) > 0 {
		out.set("required", required)
	}
	out.set("additionalProperties", false)
}

func (w *schemaWriter) define(o *object) {
	if w.written[o] {
		return
	}
	w.written[o] = true
	definition := &ordered{}
	definition.set("type", "object")
	w.properties(definition, o)
	w.definitions.set(o.name, definition)
}

// sensitivePaths lists the places of values marked sensitive, in the order of
// the type. Below a type that contains itself, the outermost places are listed.
func (s *shape) sensitivePaths() []string {
	var paths []string
	open := map[*object]bool{}
	var walk func(s *shape, path string)
	walk = func(s *shape, path string) {
		if s.sensitive {
			paths = append(paths, path)
			return
		}
		switch s.kind {
		case array:
			walk(s.elem, path+"[]")
		case mapping:
			walk(s.elem, join(path, "*"))
		case structure:
			if open[s.object] {
				return
			}
			open[s.object] = true
			for _, f := range s.object.fields {
				walk(f.shape, join(path, f.name))
			}
			delete(open, s.object)
		}
	}
	walk(s, "")
	return paths
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
