package dsl

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/sagad/sagad/schemas"
)

// typeKind is the kind of a type.
type typeKind uint8

const (
	typeAny typeKind = iota
	typeNull
	typeBool
	typeInt
	typeNumber // an integer or a number with a fraction
	typeText
	typeList
	typeMap
)

var typeWords = [...]string{"any value", "null", "a boolean", "an integer", "a number", "text", "a list", "a map"}

// typ is what lint knows of a value: of data through its JSON Schema, of
// expressions through what they compute. Types serve messages only; no
// evaluation depends on them.
type typ struct {
	kind     typeKind
	null     bool            // may be null too: an optional property
	elem     *typ            // of a list; nil: any
	fields   map[string]*typ // of a map
	required map[string]bool // those of fields that are always there
	closed   bool            // a map without other fields
	rest     *typ            // type of the other fields of a map; nil: any

	schema  *Schema // where it comes from, for constants; may be nil
	pointer string

	absent *absence
}

// absence says that a value may not be there at all: the output of a step that
// may not have run, a variable that may not be set.
type absence struct {
	what     string // "steps.quote may not have run"
	from, to int    // place in the expression
	deflt    bool   // it must be given a default with ??
}

var (
	anyType  = &typ{}
	nullType = &typ{kind: typeNull}
	boolType = &typ{kind: typeBool}
	intType  = &typ{kind: typeInt}
	numType  = &typ{kind: typeNumber}
	textType = &typ{kind: typeText}
	listType = &typ{kind: typeList}
)

func (t *typ) String() string {
	if t.null && t.kind != typeAny && t.kind != typeNull {
		return typeWords[t.kind] + " or null"
	}
	return typeWords[t.kind]
}

func (t *typ) isNumber() bool { return t.kind == typeInt || t.kind == typeNumber }

// orNull returns the type with null.
func (t *typ) orNull() *typ {
	if t.null || t.kind == typeAny || t.kind == typeNull {
		return t
	}
	c := *t
	c.null = true
	return &c
}

// present returns the type without null and absence.
func (t *typ) present() *typ {
	if !t.null && t.absent == nil {
		return t
	}
	c := *t
	c.null, c.absent = false, nil
	return &c
}

func (t *typ) withAbsence(a *absence) *typ {
	c := *t
	c.absent = a
	return &c
}

// either returns the type of a value that is one or the other.
func either(a, b *typ) *typ { return eitherAt(a, b, 0) }

// maxTypeDepth bounds how deeply lists of lists are looked into.
const maxTypeDepth = 8

func eitherAt(a, b *typ, depth int) *typ {
	absent := a.absent
	if absent == nil {
		absent = b.absent
	}
	var t *typ
	switch {
	case a == b || a.kind == typeAny:
		t = a
	case b.kind == typeAny:
		t = b
	case a.kind == typeNull:
		t = b.orNull()
	case b.kind == typeNull:
		t = a.orNull()
	case a.isNumber() && b.isNumber() && a.kind != b.kind:
		t = &typ{kind: typeNumber, null: a.null || b.null}
	case a.kind != b.kind:
		t = anyType
	case a.kind == typeMap && !sameFields(a, b):
		t = &typ{kind: typeMap, null: a.null || b.null}
	case a.kind == typeList && a.elem != b.elem:
		t = &typ{kind: typeList, null: a.null || b.null}
		if a.elem != nil && b.elem != nil && depth < maxTypeDepth {
			t.elem = eitherAt(a.elem, b.elem, depth+1)
		}
	case b.null:
		t = a.orNull()
	default:
		t = a
	}
	if t.absent != absent {
		return t.withAbsence(absent)
	}
	return t
}

// sameFields reports whether two map types may stand for each other.
func sameFields(a, b *typ) bool {
	if len(a.fields) != len(b.fields) || a.closed != b.closed || a.schema != b.schema || a.pointer != b.pointer {
		return false
	}
	for name, t := range a.fields {
		if b.fields[name] != t {
			return false
		}
	}
	return true
}

// field returns the type of a field, and whether there can be such a field.
func (t *typ) field(name string) (*typ, bool) {
	f, ok := t.fields[name]
	switch {
	case ok && t.required[name]:
		return f, true
	case ok:
		return f.orNull(), true
	case t.closed:
		return anyType, false
	case t.rest != nil:
		return t.rest.orNull(), true
	default:
		return anyType, true
	}
}

// takes returns the type that a field must be given, and whether there can be
// such a field. An optional one may be left out, but not be null.
func (t *typ) takes(name string) (*typ, bool) {
	if f, ok := t.fields[name]; ok {
		return f, true
	}
	if t.rest != nil && !t.closed {
		return t.rest, true
	}
	return anyType, !t.closed
}

// typ returns the type of the values that a schema takes. A nil *Schema gives
// any.
func (s *Schema) typ() *typ {
	if s == nil {
		return anyType
	}
	d := deriver{schema: s, memo: map[string]*typ{}}
	return d.at("")
}

// deriver derives types from the parts of one schema. Schemas may refer to
// themselves; so may types.
type deriver struct {
	schema *Schema
	memo   map[string]*typ
}

func (d *deriver) at(pointer string) *typ {
	if t, ok := d.memo[pointer]; ok {
		return t
	}
	t := &typ{schema: d.schema, pointer: pointer}
	d.memo[pointer] = t
	part, _ := schemas.Lookup(d.schema.doc, pointer)
	m, ok := part.(map[string]any)
	if !ok {
		return t
	}
	if ref, ok := m["$ref"].(string); ok && m["type"] == nil {
		if target, err := url.PathUnescape(strings.TrimPrefix(ref, "#")); err == nil {
			t = d.at(target)
			d.memo[pointer] = t
		}
		return t
	}
	d.fill(t, m)
	return t
}

// fill sets a type from a schema. What it cannot express stays any.
func (d *deriver) fill(t *typ, m map[string]any) {
	d.kind(t, m)
	switch t.kind {
	case typeMap:
		d.object(t, m)
	case typeList:
		if _, tuple := m["prefixItems"]; !tuple && m["items"] != nil {
			t.elem = d.at(t.pointer + "/items")
		}
	}
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		if list, ok := m[keyword].([]any); ok {
			d.combine(t, keyword, len(list))
		}
	}
}

var schemaTypes = map[string]typeKind{
	"null": typeNull, "boolean": typeBool, "integer": typeInt, "number": typeNumber,
	"string": typeText, "array": typeList, "object": typeMap,
}

// kind sets the kind from type, const or enum, or from what only objects have.
func (d *deriver) kind(t *typ, m map[string]any) {
	var names []string
	switch v := m["type"].(type) {
	case string:
		names = []string{v}
	case []any:
		for _, n := range v {
			s, _ := n.(string)
			names = append(names, s)
		}
	case nil:
		values, _ := m["enum"].([]any)
		if c, ok := m["const"]; ok {
			values = []any{c}
		}
		for _, v := range values {
			names = append(names, typeOf(v))
		}
		if _, ok := m["properties"]; ok && len(values) == 0 {
			names = []string{"object"}
		}
	}
	if slices.Contains(names, "null") {
		t.null = true
		names = slices.DeleteFunc(names, func(n string) bool { return n == "null" })
		if len(names) == 0 {
			t.kind, t.null = typeNull, false
			return
		}
	}
	for i, n := range names {
		k := schemaTypes[n]
		switch {
		case i == 0 || k == t.kind:
			t.kind = k
		case k == typeInt && t.kind == typeNumber || k == typeNumber && t.kind == typeInt:
			t.kind = typeNumber
		default:
			t.kind, t.null = typeAny, false
			return
		}
	}
}

func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case int:
		return "integer"
	case float64:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	default:
		return "object"
	}
}

// object sets the fields of a map type. With properties it is closed unless
// additionalProperties says otherwise.
func (d *deriver) object(t *typ, m map[string]any) {
	properties, _ := m["properties"].(map[string]any)
	t.fields = make(map[string]*typ, len(properties))
	for _, name := range canonicalKeys(properties) {
		t.fields[name] = d.at(t.pointer + "/properties/" + escapePointer(name))
	}
	t.required = map[string]bool{}
	required, _ := m["required"].([]any)
	for _, r := range required {
		if name, ok := r.(string); ok {
			t.required[name] = true
			if t.fields[name] == nil && len(properties) == 0 {
				t.fields[name] = anyType
			}
		}
	}
	t.closed = properties != nil
	switch more := m["additionalProperties"].(type) {
	case bool:
		t.closed = !more
	case map[string]any:
		t.closed = false
		t.rest = d.at(t.pointer + "/additionalProperties")
	}
	if m["patternProperties"] != nil || m["$ref"] != nil {
		t.closed = false
	}
}

// combine takes allOf, anyOf and oneOf into a type.
func (d *deriver) combine(t *typ, keyword string, n int) {
	var all *typ
	for i := range n {
		part := d.at(t.pointer + "/" + keyword + "/" + strconv.Itoa(i))
		switch {
		case all == nil:
			all = part
		case keyword == "allOf":
			all = both(all, part)
		default:
			all = either(all, part)
		}
	}
	if all == nil {
		return
	}
	schema, pointer := t.schema, t.pointer
	if t.kind == typeAny {
		*t = *all
	} else if all.kind == typeMap && t.kind == typeMap {
		*t = *both(t, all)
	}
	t.schema, t.pointer = schema, pointer
}

// both returns the type of a value that is of two types at once.
func both(a, b *typ) *typ {
	switch {
	case a.kind == typeAny:
		return b
	case b.kind == typeAny:
		return a
	case a.kind != typeMap || b.kind != typeMap:
		return a
	}
	t := &typ{kind: typeMap, fields: map[string]*typ{}, required: map[string]bool{}, closed: a.closed && b.closed}
	for _, part := range []*typ{a, b} {
		for name, f := range part.fields {
			t.fields[name] = f
		}
		for name := range part.required {
			t.required[name] = true
		}
	}
	return t
}

func escapePointer(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
}

// mismatch says why a value of type t cannot be of type want, or returns "".
// What may be fine is fine.
func mismatch(t, want *typ) string {
	return (&matcher{seen: map[[2]*typ]bool{}}).compare(t, want)
}

// strictMismatch is mismatch for values that are handed to somebody: where an
// integer is wanted a number is refused, since one with a fraction would be
// found out only when it comes.
func strictMismatch(t, want *typ) string {
	return (&matcher{seen: map[[2]*typ]bool{}, strict: true}).compare(t, want)
}

// matcher compares types that may refer to themselves: each pair once.
type matcher struct {
	seen   map[[2]*typ]bool
	strict bool // a number is no integer, even if it may have no fraction
}

func (m *matcher) compare(t, want *typ) string {
	if t.kind == typeAny || want.kind == typeAny || m.seen[[2]*typ{t, want}] {
		return ""
	}
	m.seen[[2]*typ{t, want}] = true
	if t.kind == typeNull {
		if want.null || want.kind == typeNull {
			return ""
		}
		return "is null, not " + want.String()
	}
	if t.kind != want.kind && (!t.isNumber() || !want.isNumber()) {
		return "is " + t.present().String() + ", not " + want.String()
	}
	switch t.kind {
	case typeNumber:
		if m.strict && want.kind == typeInt {
			return "is a number that may have a fraction, not an integer"
		}
	case typeList:
		if t.elem != nil && want.elem != nil {
			if problem := m.compare(t.elem, want.elem); problem != "" {
				return "has an element that " + problem
			}
		}
	case typeMap:
		return m.fields(t, want)
	}
	return ""
}

func (m *matcher) fields(t, want *typ) string {
	for _, name := range canonicalKeys(want.required) {
		if _, ok := t.field(name); !ok {
			return "lacks the field " + name
		}
	}
	for _, name := range canonicalKeys(t.fields) {
		f, ok := want.takes(name)
		if !ok {
			if t.required[name] {
				return "has the unknown field " + name
			}
			continue
		}
		if problem := m.compare(t.fields[name], f); problem != "" {
			return "has a field " + name + " that " + problem
		}
	}
	return ""
}
