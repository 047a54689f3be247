package schemas

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Draft is the draft of JSON Schema that is understood.
const Draft = "https://json-schema.org/draft/2020-12/schema"

// MaxFiles bounds the files that one schema may reach through $ref.
const MaxFiles = 64

// Bundle returns a copy of a schema that stands alone: every file that it
// reaches through $ref is under its $defs, named "file:" and its path, and
// every $ref points into the copy itself.
//
// References are relative to the file they stand in, the schema itself lying
// at the root. load returns the content of a file as JSON data; if it is nil,
// a reference to a file is an error. $id and $schema at the root of a file are
// left out; $schema may only name Draft. $anchor, $dynamicRef and an $id
// further inside are errors: a reference is a path, so that a reader can
// follow it.
//
// An error is an *Error that names the place in the schema.
func Bundle(schema any, load func(name string) (any, error)) (any, error) {
	b := bundler{load: load, files: map[string]any{}}
	out, err := b.document(schema, "")
	if err != nil {
		return nil, err
	}
	root, ok := out.(map[string]any)
	if len(b.files) == 0 || !ok {
		return out, nil
	}
	defs, _ := root["$defs"].(map[string]any)
	all := make(map[string]any, len(defs)+len(b.files))
	for name, def := range defs {
		all[name] = def
	}
	for name, file := range b.files {
		if _, taken := all[fileDef(name)]; taken {
			return nil, &Error{Pointer: "/$defs", What: fmt.Sprintf("%q is the name of a file's own definition", fileDef(name))}
		}
		all[fileDef(name)] = file
	}
	root["$defs"] = all
	return root, nil
}

// Error says what is wrong with a schema, and where.
type Error struct {
	Pointer string // JSON pointer into the schema; "" is the whole
	What    string
	Mend    string // may be empty
}

// Error returns the place and what is wrong there.
func (e *Error) Error() string {
	s := e.What
	if e.Pointer != "" {
		s = "at " + e.Pointer + ": " + s
	}
	if e.Mend != "" {
		s += "; " + e.Mend
	}
	return s
}

func fileDef(name string) string { return "file:" + name }

type bundler struct {
	load  func(name string) (any, error)
	files map[string]any // loaded files by path; nil while loading
}

// document bundles one file, or the schema itself with the name "".
func (b *bundler) document(doc any, name string) (any, error) {
	if m, ok := doc.(map[string]any); ok {
		if draft, has := m["$schema"]; has {
			if d, _ := draft.(string); strings.TrimSuffix(d, "#") != Draft {
				return nil, &Error{Pointer: "/$schema", What: fmt.Sprintf("the draft %v is not supported", draft), Mend: "use " + Draft}
			}
		}
		copied := make(map[string]any, len(m))
		for k, v := range m {
			if k != "$id" && k != "$schema" {
				copied[k] = v
			}
		}
		doc = copied
	}
	return b.schema(doc, name, "")
}

// SchemaMaps, SchemaLists and SingleSchemas are the keywords whose values hold
// schemas: by name, in a list, alone.
var (
	schemaMaps    = []string{"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
	schemaLists   = []string{"allOf", "anyOf", "oneOf", "prefixItems"}
	singleSchemas = []string{"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
		"unevaluatedItems", "unevaluatedProperties", "contentSchema"}
	refused = []string{"$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$vocabulary"}
)

// schema bundles one schema of the file name.
func (b *bundler) schema(s any, name, pointer string) (any, error) {
	m, ok := s.(map[string]any)
	if !ok {
		return s, nil
	}
	out := make(map[string]any, len(m))
	for _, k := range sortedKeys(m) {
		v, at := m[k], pointer+"/"+escapePointer(k)
		var err error
		switch {
		case slices.Contains(refused, k):
			return nil, &Error{Pointer: at, What: k + " is not supported", Mend: "refer by path, such as {$ref: \"#/$defs/name\"}"}
		case k == "$ref":
			v, err = b.reference(v, name, at)
		case slices.Contains(schemaMaps, k):
			v, err = b.each(v, name, at)
		case slices.Contains(schemaLists, k):
			v, err = b.list(v, name, at)
		case slices.Contains(singleSchemas, k):
			v, err = b.schema(v, name, at)
		}
		if err != nil {
			return nil, err
		}
		out[k] = v
	}
	return out, nil
}

func (b *bundler) each(v any, name, pointer string) (any, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return v, nil
	}
	out := make(map[string]any, len(m))
	for _, k := range sortedKeys(m) {
		var err error
		if out[k], err = b.schema(m[k], name, pointer+"/"+escapePointer(k)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (b *bundler) list(v any, name, pointer string) (any, error) {
	l, ok := v.([]any)
	if !ok {
		return v, nil
	}
	out := make([]any, len(l))
	for i := range l {
		var err error
		if out[i], err = b.schema(l[i], name, fmt.Sprintf("%s/%d", pointer, i)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// reference rewrites a $ref and loads the file it names.
func (b *bundler) reference(v any, name, pointer string) (any, error) {
	ref, ok := v.(string)
	if !ok {
		return nil, &Error{Pointer: pointer, What: "$ref is not text"}
	}
	fail := func(what, mend string) (any, error) { return nil, &Error{Pointer: pointer, What: what, Mend: mend} }
	file, fragment, _ := strings.Cut(ref, "#")
	if fragment != "" && !strings.HasPrefix(fragment, "/") {
		return fail(fmt.Sprintf("the reference %q names an anchor", ref), "refer by path, such as #/$defs/name")
	}
	target := name
	if file != "" {
		u, err := url.Parse(file)
		if err != nil || u.IsAbs() || u.Host != "" || path.IsAbs(u.Path) {
			return fail(fmt.Sprintf("the reference %q leaves the folder of the definition", ref), "copy the schema beside the definition")
		}
		target = path.Join(path.Dir(name), u.Path)
		if !fs.ValidPath(target) {
			return fail(fmt.Sprintf("the reference %q leaves the folder of the definition", ref), "copy the schema beside the definition")
		}
		if err := b.file(target, pointer); err != nil {
			return nil, err
		}
	}
	if target == "" {
		return "#" + fragment, nil
	}
	return "#/$defs/" + url.PathEscape(escapePointer(fileDef(target))) + fragment, nil
}

// file loads a file once.
func (b *bundler) file(name, pointer string) error {
	if _, known := b.files[name]; known {
		return nil
	}
	if b.load == nil {
		return &Error{Pointer: pointer, What: fmt.Sprintf("the file %s cannot be read here", name), Mend: "write the schema inline"}
	}
	if len(b.files) == MaxFiles {
		return &Error{Pointer: pointer, What: fmt.Sprintf("the schema refers to over %d files", MaxFiles)}
	}
	b.files[name] = nil
	doc, err := b.load(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &Error{Pointer: pointer, What: "there is no file " + name, Mend: "name one in the folder of the definition or below it"}
	}
	if err != nil {
		return &Error{Pointer: pointer, What: fmt.Sprintf("the file %s cannot be read: %v", name, err)}
	}
	out, err := b.document(doc, name)
	if err != nil {
		return &Error{Pointer: pointer, What: fmt.Sprintf("the file %s is no usable schema: %v", name, err)}
	}
	b.files[name] = out
	return nil
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

var (
	pointerEscaper   = strings.NewReplacer("~", "~0", "/", "~1")
	pointerUnescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

func escapePointer(s string) string { return pointerEscaper.Replace(s) }

// Lookup follows a JSON pointer (RFC 6901) through JSON data.
func Lookup(v any, pointer string) (any, bool) {
	if pointer == "" {
		return v, true
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		part = pointerUnescaper.Replace(part)
		switch c := v.(type) {
		case map[string]any:
			next, ok := c[part]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i := 0
			if _, err := fmt.Sscanf(part, "%d", &i); err != nil || i < 0 || i >= len(c) {
				return nil, false
			}
			v = c[i]
		default:
			return nil, false
		}
	}
	return v, true
}
