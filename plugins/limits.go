package plugins

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// limits are the constraints of a shape. Nil means none.
type limits struct {
	minimum, maximum     *float64
	minLength, maxLength *int
	minItems, maxItems   *int
	pattern              *regexp.Regexp
	enum                 []any // strings or int64s
}

func (l *limits) between(low, high int64) {
	a, b := float64(low), float64(high)
	l.minimum, l.maximum = &a, &b
}

// constraintTags are the tags that constrain a value, with the kinds they are
// for. Schemas use the same words.
var constraintTags = []struct {
	name  string
	kinds []kind
	set   func(*shape, string) error
}{
	{"minimum", []kind{integer, number}, func(s *shape, v string) error { return s.bound(&s.limits.minimum, v) }},
	{"maximum", []kind{integer, number}, func(s *shape, v string) error { return s.bound(&s.limits.maximum, v) }},
	{"minLength", []kind{text}, func(s *shape, v string) error { return setCount(&s.limits.minLength, v) }},
	{"maxLength", []kind{text}, func(s *shape, v string) error { return setCount(&s.limits.maxLength, v) }},
	{"minItems", []kind{array}, func(s *shape, v string) error { return setCount(&s.limits.minItems, v) }},
	{"maxItems", []kind{array}, func(s *shape, v string) error { return setCount(&s.limits.maxItems, v) }},
	{"pattern", []kind{text}, func(s *shape, v string) (err error) { s.limits.pattern, err = regexp.Compile(v); return err }},
	{"enum", []kind{text, integer}, (*shape).setEnum},
}

// applyTags reads a field's tags. Constraints of values on a slice or a map
// hold for its elements.
func (s *shape) applyTags(tag reflect.StructTag) error {
	if text, ok := tag.Lookup("description"); ok {
		s.description = text
	}
	if text, ok := tag.Lookup("sensitive"); ok {
		sensitive, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("tag sensitive:%q: want true or false", text)
		}
		s.sensitive = sensitive
	}
	for _, c := range constraintTags {
		value, ok := tag.Lookup(c.name)
		if !ok {
			continue
		}
		target := s.target(c.kinds)
		if target == nil {
			return fmt.Errorf("tag %s:%q does not fit the field's type", c.name, value)
		}
		if err := c.set(target, value); err != nil {
			return fmt.Errorf("tag %s:%q: %w", c.name, value, err)
		}
	}
	return nil
}

// target is s or, below slices and maps, the element that has one of the kinds.
func (s *shape) target(kinds []kind) *shape {
	for ; s != nil; s = s.elem {
		for _, k := range kinds {
			if s.kind == k {
				return s
			}
		}
	}
	return nil
}

// bound sets a minimum or a maximum, but never loosens what the type allows.
func (s *shape) bound(limit **float64, value string) error {
	f, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return fmt.Errorf("want a number")
	}
	if s.kind == integer {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n > MaxInteger || n < -MaxInteger {
			return fmt.Errorf("want an integer of at most 2^53-1 in size")
		}
	}
	if low, high := s.limits.minimum, s.limits.maximum; low != nil && f < *low || high != nil && f > *high {
		return fmt.Errorf("outside of what the field's type or the other bound allows")
	}
	*limit = &f
	return nil
}

func setCount(limit **int, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return fmt.Errorf("want a count")
	}
	if *limit != nil {
		return fmt.Errorf("the field's type fixes it already")
	}
	*limit = &n
	return nil
}

func (s *shape) setEnum(value string) error {
	for option := range strings.SplitSeq(value, ",") {
		option = strings.TrimSpace(option)
		if s.kind == text {
			s.limits.enum = append(s.limits.enum, option)
			continue
		}
		n, err := strconv.ParseInt(option, 10, 64)
		if err != nil || n > MaxInteger || n < -MaxInteger {
			return fmt.Errorf("%q is not an integer", option)
		}
		s.limits.enum = append(s.limits.enum, n)
	}
	return nil
}

// keywords writes the constraints into a schema.
func (l *limits) keywords(schema *ordered) {
	if l.enum != nil {
		schema.set("enum", l.enum)
	}
	for _, k := range []struct {
		name  string
		bound *float64
	}{{"minimum", l.minimum}, {"maximum", l.maximum}} {
		if k.bound != nil {
			schema.set(k.name, json.Number(strconv.FormatFloat(*k.bound, 'f', -1, 64)))
		}
	}
	for _, k := range []struct {
		name  string
		count *int
	}{{"minLength", l.minLength}, {"maxLength", l.maxLength}, {"minItems", l.minItems}, {"maxItems", l.maxItems}} {
		if k.count != nil {
			schema.set(k.name, *k.count)
		}
	}
	if l.pattern != nil {
		schema.set("pattern", l.pattern.String())
	}
}
