package plugins

import (
	"reflect"
	"slices"
	"strings"
)

// A jsonField is a struct field as encoding/json sees it.
type jsonField struct {
	field          reflect.StructField
	name           string
	path           []int // of the field and of the embedded structs above it
	omit           bool  // omitempty or omitzero
	quoted         bool  // the string option
	throughPointer bool  // promoted from an embedded pointer, which may be nil
	tagged         bool
}

// visibleFields returns the fields that encoding/json reads and writes, in the
// order of the source, with embedded structs taken apart. Of several fields of
// one name the shallowest wins, then the tagged one; a tie hides them all.
func visibleFields(t reflect.Type) []jsonField {
	all := collect(t, nil, false, map[reflect.Type]bool{})
	best := map[string][]jsonField{}
	for _, f := range all {
		best[f.name] = append(best[f.name], f)
	}
	return slices.DeleteFunc(all, func(f jsonField) bool {
		return !dominates(f, best[f.name])
	})
}

func dominates(f jsonField, rivals []jsonField) bool {
	beats := func(a, b jsonField) bool {
		return len(a.path) < len(b.path) || len(a.path) == len(b.path) && a.tagged && !b.tagged
	}
	for _, r := range rivals {
		if !slices.Equal(r.path, f.path) && !beats(f, r) {
			return false
		}
	}
	return true
}

func collect(t reflect.Type, above []int, throughPointer bool, open map[reflect.Type]bool) []jsonField {
	if open[t] {
		return nil
	}
	open[t] = true
	defer delete(open, t)
	var out []jsonField
	for i := range t.NumField() {
		sf := t.Field(i)
		path := append(slices.Clone(above), i)
		tag := sf.Tag.Get("json")
		if tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		target, pointer := sf.Type, false
		if target.Kind() == reflect.Pointer {
			target, pointer = target.Elem(), true
		}
		embedded := sf.Anonymous && name == "" && target.Kind() == reflect.Struct
		switch {
		case embedded && (sf.IsExported() || !pointer):
			out = append(out, collect(target, path, throughPointer || pointer, open)...)
			continue
		case !sf.IsExported():
			continue
		}
		f := jsonField{field: sf, name: name, path: path, tagged: name != "", throughPointer: throughPointer}
		if name == "" {
			f.name = sf.Name
		}
		for option := range strings.SplitSeq(options, ",") {
			f.omit = f.omit || option == "omitempty" || option == "omitzero"
			f.quoted = f.quoted || option == "string"
		}
		out = append(out, f)
	}
	return out
}
