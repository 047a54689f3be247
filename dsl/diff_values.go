package dsl

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// text compares what only people read.
func (d *differ) text(path, old, new string) { d.scalar(ChangeTexts, path, old, new) }

// scalar compares two texts; an empty one is none.
func (d *differ) scalar(class ChangeClass, path, old, new string) {
	d.data(class, path, present(old), present(new))
}

func present(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// bare compares two expressions.
func (d *differ) bare(class ChangeClass, path string, old, new *Expr) {
	d.data(class, path, sourceOf(old), sourceOf(new))
}

func sourceOf(e *Expr) any {
	if e == nil {
		return nil
	}
	return e.source
}

func (d *differ) delay(path string, old, new *Delay) {
	var a, b any
	if old != nil {
		a = old.encode()
	}
	if new != nil {
		b = new.encode()
	}
	d.data(ChangeTiming, path, a, b)
}

func (d *differ) value(class ChangeClass, path string, old, new *Value) {
	var a, b any
	if old != nil {
		a = old.source()
	}
	if new != nil {
		b = new.source()
	}
	if (old == nil) != (new == nil) && a == nil && b == nil { // null, or nothing at all
		d.add(class, ChangeChanged, path, nil, nil, "null is written out, or no longer")
		return
	}
	d.data(class, path, a, b)
}

// data compares JSON data: maps key by key, anything else as a whole.
func (d *differ) data(class ChangeClass, path string, old, new any) {
	a, isMap := old.(map[string]any)
	b, areMaps := new.(map[string]any)
	if isMap && areMaps {
		for _, key := range unionKeys(a, b) {
			was, had := a[key]
			is, has := b[key]
			at := path + "." + key
			switch {
			case !has:
				d.add(class, ChangeRemoved, at, was, nil, "it was %s", short(was))
			case !had:
				d.add(class, ChangeAdded, at, nil, is, "%s", short(is))
			default:
				d.data(class, at, was, is)
			}
		}
		return
	}
	switch {
	case equalData(old, new):
	case old == nil:
		d.add(class, ChangeAdded, path, nil, new, "%s", short(new))
	case new == nil:
		d.add(class, ChangeRemoved, path, old, nil, "it was %s", short(old))
	default:
		d.add(class, ChangeChanged, path, old, new, "%s → %s", short(old), short(new))
	}
}

func unionKeys[V any](a, b map[string]V) []string {
	keys := canonicalKeys(a)
	for _, key := range canonicalKeys(b) {
		if _, twice := a[key]; !twice {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, compareUTF16)
	return keys
}

func equalData(a, b any) bool {
	x, errX := MarshalCanonical(a)
	y, errY := MarshalCanonical(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// maxShort is how much of a value a change shows.
const maxShort = 80

// short gives a value for people: a text as it is, anything else as JSON.
func short(v any) string {
	s, isText := v.(string)
	if !isText {
		text, err := MarshalCanonical(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		s = string(text)
	}
	s = strings.Join(strings.Fields(s), " ")
	if s == "" {
		return `""`
	}
	if r := []rune(s); len(r) > maxShort {
		s = string(r[:maxShort-1]) + "…"
	}
	return s
}
