package dsl

import (
	"maps"
	"slices"
	"strings"
)

// schema compares two schemas of a definition; nil takes every value.
func (d *differ) schema(path string, old, new *Schema) {
	s := schemaDiffer{differ: d, seen: map[[2]string]bool{}}
	var was, is any = true, true
	if old != nil {
		was = old.doc
	}
	if new != nil {
		is = new.doc
	}
	s.old, s.new = was, is
	if (old == nil) != (new == nil) && equalData(was, is) {
		d.add(ChangeTexts, ChangeChanged, path, was, is, "that every value is taken is written out, or no longer")
		return
	}
	before := len(d.changes)
	s.compare(path, was, is)
	if len(d.changes) == before && !equalData(was, is) {
		d.add(ChangeTypes, ChangeChanged, path, was, is, "it is written otherwise")
	}
}

// schemaDiffer compares two JSON Schemas. What it says of a part holds for the
// whole: it goes only into keywords whose schemas may get stricter one by one.
type schemaDiffer struct {
	*differ
	old, new any                // the whole schemas, for references
	seen     map[[2]string]bool // pairs of references that are compared
}

// The keywords of JSON Schema by how they are compared.
var (
	schemaTexts = []string{"title", "description", "$comment", "default", "deprecated", "readOnly", "writeOnly", "examples",
		"$schema", "$id", "contentEncoding", "contentMediaType", "contentSchema"}
	schemaLower = []string{"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"} // larger is stricter
	schemaUpper = []string{"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"} // smaller is stricter
	schemaSets  = []string{"enum", "type", "required"}
	schemaWoven = []string{"patternProperties", "prefixItems", "minContains", "maxContains"} // they change what others mean
)

func (s *schemaDiffer) compare(path string, old, new any) {
	if equalData(old, new) && !hasRef(old) {
		return
	}
	a, aMap := schemaMap(old)
	b, bMap := schemaMap(new)
	switch {
	case !aMap || !bMap: // one takes nothing
		if equalData(old, new) {
			return
		}
		if aMap {
			s.add(ChangeTypes, ChangeStricter, path, old, new, "nothing is taken there any more")
		} else {
			s.add(ChangeTypes, ChangeLooser, path, old, new, "something is taken there now")
		}
		return
	case s.isReference(path, a, b):
		return
	}
	for _, key := range unionKeys(a, b) {
		was, had := a[key]
		is, has := b[key]
		s.keyword(path, key, a, b, was, is, had, has)
	}
}

// hasRef reports whether a schema refers to another: it may be a different one
// although the reference is the same.
func hasRef(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["$ref"]; ok {
			return true
		}
		for _, item := range v {
			if hasRef(item) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hasRef)
	}
	return false
}

// schemaMap gives a schema as a map; false has none.
func schemaMap(v any) (map[string]any, bool) {
	switch v := v.(type) {
	case map[string]any:
		return v, true
	case bool:
		return map[string]any{}, v
	}
	return map[string]any{}, true
}

// isReference compares two schemas of which one is only a reference.
func (s *schemaDiffer) isReference(path string, a, b map[string]any) bool {
	refA, okA := a["$ref"]
	refB, okB := b["$ref"]
	if !okA && !okB || okA && len(a) > 1 || okB && len(b) > 1 {
		return false
	}
	if okA && okB {
		return s.target(path, refA, refB)
	}
	var was, is any = a, b
	var fine bool
	if okA {
		was, fine = resolve(s.old, refA)
	} else {
		is, fine = resolve(s.new, refB)
	}
	if fine {
		s.compare(path, was, is)
	}
	return fine
}

// target compares what two references lead to, each pair once.
func (s *schemaDiffer) target(path string, a, b any) bool {
	was, fineA := resolve(s.old, a)
	is, fineB := resolve(s.new, b)
	if !fineA || !fineB {
		return false
	}
	pair := [2]string{a.(string), b.(string)}
	if !s.seen[pair] {
		s.seen[pair] = true
		s.compare(path, was, is)
	}
	return true
}

// resolve finds what a reference within a schema leads to.
func resolve(doc, ref any) (any, bool) {
	text, _ := ref.(string)
	pointer, ok := strings.CutPrefix(text, "#")
	if !ok {
		return nil, false
	}
	at := doc
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer == "" {
			break
		}
		m, isMap := at.(map[string]any)
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(unescapePercent(part))
		if at, ok = m[part]; !isMap || !ok {
			return nil, false
		}
	}
	return at, true
}

// unescapePercent undoes the percent-encoding of a reference.
func unescapePercent(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			high, low := strings.IndexByte(hexDigits, lowerHex(s[i+1])), strings.IndexByte(hexDigits, lowerHex(s[i+2]))
			if high >= 0 && low >= 0 {
				b.WriteByte(byte(high<<4 | low))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func lowerHex(c byte) byte {
	if c >= 'A' && c <= 'F' {
		return c + 'a' - 'A'
	}
	return c
}

func (s *schemaDiffer) keyword(path, key string, a, b map[string]any, was, is any, had, has bool) {
	same := had && has && equalData(was, is)
	switch {
	case key == "properties":
		s.properties(path, a, b)
	case key == "items":
		s.part(path+"[]", was, is, had, has)
	case key == "additionalProperties" && onlyProperties(a, b):
		s.part(path+".*", was, is, had, has)
	case key == "$ref" && had && has && s.target(path, was, is): // beside other keywords
	case key == "$defs" || key == "definitions": // compared where they are referred to
	case same && !hasRef(was):
	case contains(schemaTexts, key) || strings.HasPrefix(key, "x-"):
		s.data(ChangeTexts, path+"."+key, was, is)
	case contains(schemaSets, key):
		s.set(path, key, was, is, had, has)
	case contains(schemaLower, key) || contains(schemaUpper, key):
		s.bound(path, key, was, is, had, has)
	case contains(schemaWoven, key):
		s.add(ChangeTypes, ChangeChanged, path, was, is, "%s %s → %s", key, shortOr(was, had), shortOr(is, has))
	case !had:
		s.add(ChangeTypes, ChangeStricter, path, nil, is, "%s %s is new", key, short(is))
	case !has:
		s.add(ChangeTypes, ChangeLooser, path, was, nil, "%s %s is gone", key, short(was))
	case key == "uniqueItems":
		s.add(ChangeTypes, stricterIf(is == true), path, was, is, "uniqueItems %v → %v", was, is)
	case same: // its references may lead elsewhere
		s.changedReference(path, key, was)
	default:
		s.add(ChangeTypes, ChangeChanged, path, was, is, "%s %s → %s", key, short(was), short(is))
	}
}

// changedReference tells of a keyword whose schemas refer to others, if any of
// those changed at all.
func (s *schemaDiffer) changedReference(path, key string, v any) {
	defs := func(doc any) any {
		m, _ := doc.(map[string]any)
		return map[string]any{"a": m["$defs"], "b": m["definitions"]}
	}
	if !equalData(defs(s.old), defs(s.new)) {
		s.add(ChangeTypes, ChangeChanged, path, v, v, "%s refers to schemas that may have changed", key)
	}
}

func stricterIf(yes bool) ChangeKind {
	if yes {
		return ChangeStricter
	}
	return ChangeLooser
}

// onlyProperties reports whether additionalProperties is about the same
// properties in both schemas.
func onlyProperties(a, b map[string]any) bool {
	names := func(m map[string]any) []string {
		properties, _ := m["properties"].(map[string]any)
		return canonicalKeys(properties)
	}
	return slices.Equal(names(a), names(b)) && a["patternProperties"] == nil && b["patternProperties"] == nil
}

// part compares schemas of which either may be missing.
func (s *schemaDiffer) part(path string, was, is any, had, has bool) {
	if !had {
		was = true
	}
	if !has {
		is = true
	}
	s.compare(path, was, is)
}

func (s *schemaDiffer) properties(path string, a, b map[string]any) {
	was, _ := a["properties"].(map[string]any)
	is, _ := b["properties"].(map[string]any)
	for _, name := range unionKeys(was, is) {
		old, had := was[name]
		new, has := is[name]
		at := path + "." + name
		switch {
		case had && has:
			s.compare(at, old, new)
		case has:
			s.newProperty(at, a, new)
		default:
			s.goneProperty(at, b, old)
		}
	}
}

func (s *schemaDiffer) newProperty(path string, a map[string]any, new any) {
	switch {
	case closed(a):
		s.add(ChangeTypes, ChangeLooser, path, nil, new, "a new property, which was refused before")
	case open(a):
		s.add(ChangeTypes, ChangeStricter, path, nil, new, "a new property: whoever sent anything of that name has to send what it takes")
	default:
		s.add(ChangeTypes, ChangeChanged, path, nil, new, "a new property")
	}
}

func (s *schemaDiffer) goneProperty(path string, b map[string]any, old any) {
	switch {
	case closed(b):
		s.add(ChangeTypes, ChangeStricter, path, old, nil, "gone, and refused now")
	case open(b):
		s.add(ChangeTypes, ChangeLooser, path, old, nil, "gone: anything of that name is taken now")
	default:
		s.add(ChangeTypes, ChangeChanged, path, old, nil, "gone")
	}
}

// closed reports whether a schema refuses properties that it does not name.
func closed(m map[string]any) bool {
	return m["additionalProperties"] == false && m["patternProperties"] == nil
}

// open reports whether a schema takes anything in properties that it does not
// name.
func open(m map[string]any) bool {
	more, limited := m["additionalProperties"]
	return (!limited || more == true) && m["patternProperties"] == nil && m["unevaluatedProperties"] == nil
}

// set compares type, enum and required.
func (s *schemaDiffer) set(path, key string, was, is any, had, has bool) {
	a, b := members(was), members(is)
	if key == "type" {
		a, b = numbers(a), numbers(b)
	}
	if maps.Equal(a, b) && had == has {
		s.add(ChangeTexts, ChangeChanged, path+"."+key, was, is, "the same ones, written otherwise")
		return
	}
	kind := ChangeChanged
	switch {
	case key == "required":
		s.required(path, a, b)
		return
	case !had || has && subset(b, a):
		kind = ChangeStricter
	case !has || subset(a, b):
		kind = ChangeLooser
	}
	s.add(ChangeTypes, kind, path, was, is, "%s %s → %s", key, shortOr(was, had), shortOr(is, has))
}

func shortOr(v any, there bool) string {
	if !there {
		return "any"
	}
	return short(v)
}

func (s *schemaDiffer) required(path string, a, b map[string]bool) {
	for _, name := range unionKeys(a, b) {
		at := path + "." + plainName(name)
		switch {
		case !a[name]:
			s.add(ChangeTypes, ChangeStricter, at, false, true, "required now")
		case !b[name]:
			s.add(ChangeTypes, ChangeLooser, at, true, false, "no longer required")
		}
	}
}

// plainName gives the text of a member that is one.
func plainName(member string) string {
	if v, err := ParseJSON([]byte(member)); err == nil {
		if s, ok := v.(string); ok {
			return s
		}
	}
	return member
}

// members gives the elements of a list, or a value alone, as canonical JSON.
func members(v any) map[string]bool {
	list, ok := v.([]any)
	if !ok && v != nil {
		list = []any{v}
	}
	m := make(map[string]bool, len(list))
	for _, item := range list {
		if text, err := MarshalCanonical(item); err == nil {
			m[string(text)] = true
		}
	}
	return m
}

// numbers adds the integers to the types that hold them.
func numbers(types map[string]bool) map[string]bool {
	if types[`"number"`] {
		types[`"integer"`] = true
	}
	return types
}

func subset(a, b map[string]bool) bool {
	for member := range a {
		if !b[member] {
			return false
		}
	}
	return true
}

func (s *schemaDiffer) bound(path, key string, was, is any, had, has bool) {
	kind := ChangeStricter
	if had && (!has || (boundOf(is) > boundOf(was)) != contains(schemaLower, key)) {
		kind = ChangeLooser
	}
	s.add(ChangeTypes, kind, path, was, is, "%s %s → %s", key, shortOr(was, had), shortOr(is, has))
}

func boundOf(v any) float64 {
	switch v := v.(type) {
	case int:
		return float64(v)
	case float64:
		return v
	}
	return 0
}
