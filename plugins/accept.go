package plugins

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxViolations bounds how many mistakes of one text are told.
const maxViolations = 8

// accept checks a JSON text against the shape and returns it in the form Go
// reads: integers without a fraction, and [] or {} where Go wrote null for a
// nil slice or map. Its errors name places, never values, which may be secret.
func (s *shape) accept(raw []byte) ([]byte, error) {
	tree, err := parse(raw)
	if err != nil {
		return nil, err
	}
	c := &checker{changed: len(raw) == 0}
	if tree == nil && s.kind == structure && !s.nullable { // a call without input
		tree, c.changed = map[string]any{}, true
	}
	tree = c.check(s, tree, nil)
	if len(c.violations) > 0 {
		return nil, errors.New(strings.Join(c.violations, "; "))
	}
	if !c.changed {
		return raw, nil
	}
	return json.Marshal(tree)
}

// parse reads one JSON text, numbers as json.Number. No text at all is null.
func parse(raw []byte) (any, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not JSON: text after the first value")
	}
	return tree, nil
}

type checker struct {
	violations []string
	changed    bool
}

func (c *checker) fail(at *place, format string, args ...any) {
	if len(c.violations) < maxViolations {
		c.violations = append(c.violations, at.String()+" "+fmt.Sprintf(format, args...))
	}
}

// check returns v as Go reads it.
func (c *checker) check(s *shape, v any, at *place) any {
	if v == nil {
		return c.null(s, at)
	}
	switch s.kind {
	case anything:
		c.sizes(v, at)
	case boolean:
		if _, ok := v.(bool); !ok {
			c.mismatch("a boolean", v, at)
		}
	case integer, number:
		n, ok := v.(json.Number)
		if !ok {
			c.mismatch(map[kind]string{integer: "an integer", number: "a number"}[s.kind], v, at)
			return v
		}
		return c.number(s, n, at)
	case text, base64Text, instant:
		t, ok := v.(string)
		if !ok {
			c.mismatch("a string", v, at)
			return v
		}
		c.text(s, t, at)
	case array:
		list, ok := v.([]any)
		if !ok {
			c.mismatch("a list", v, at)
			return v
		}
		c.items(s, list, at)
	case mapping, structure:
		o, ok := v.(map[string]any)
		if !ok {
			c.mismatch("an object", v, at)
			return v
		}
		if s.kind == mapping {
			c.entries(s, o, at)
		} else {
			c.properties(s.object, o, at)
		}
	}
	return v
}

func (c *checker) null(s *shape, at *place) any {
	switch {
	case s.nullable || s.kind == anything:
	case s.fill != nil:
		c.changed = true
		return c.check(s, s.fill, at)
	default:
		c.fail(at, "must not be null")
	}
	return nil
}

func (c *checker) mismatch(want string, v any, at *place) {
	c.fail(at, "must be %s, but is %s", want, describeType(v))
}

func describeType(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "a list"
	default:
		return "an object"
	}
}

func (c *checker) number(s *shape, n json.Number, at *place) any {
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		c.fail(at, "is out of the range of a number")
		return n
	}
	if s.kind == integer {
		i, whole := wholeNumber(string(n))
		if !whole {
			c.fail(at, "must be an integer of at most 2^53-1 in size")
			return n
		}
		f = float64(i)
		if plain := strconv.FormatInt(i, 10); plain != string(n) {
			c.changed = true
			n = json.Number(plain)
		}
		if s.limits.enum != nil && !slices.Contains(s.limits.enum, any(i)) {
			c.fail(at, "must be one of %v", s.limits.enum)
		}
	} else {
		c.sizes(n, at)
	}
	if s.limits.minimum != nil && f < *s.limits.minimum {
		c.fail(at, "must be at least %v", strconv.FormatFloat(*s.limits.minimum, 'f', -1, 64))
	}
	if s.limits.maximum != nil && f > *s.limits.maximum {
		c.fail(at, "must be at most %v", strconv.FormatFloat(*s.limits.maximum, 'f', -1, 64))
	}
	return n
}

func (c *checker) text(s *shape, t string, at *place) {
	switch s.kind {
	case instant:
		if _, err := time.Parse(time.RFC3339, t); err != nil {
			c.fail(at, "must be an instant like 2026-11-23T10:00:00Z")
		}
		return
	case base64Text:
		if _, err := base64.StdEncoding.DecodeString(t); err != nil {
			c.fail(at, "must be base64")
		}
		return
	}
	length := utf8.RuneCountInString(t)
	if s.limits.minLength != nil && length < *s.limits.minLength {
		c.fail(at, "must have at least %d characters", *s.limits.minLength)
	}
	if s.limits.maxLength != nil && length > *s.limits.maxLength {
		c.fail(at, "must have at most %d characters", *s.limits.maxLength)
	}
	if s.limits.pattern != nil && !s.limits.pattern.MatchString(t) {
		c.fail(at, "must match %s", s.limits.pattern)
	}
	if s.limits.enum != nil && !slices.Contains(s.limits.enum, any(t)) {
		c.fail(at, "must be one of %v", s.limits.enum)
	}
}

func (c *checker) items(s *shape, list []any, at *place) {
	if s.limits.minItems != nil && len(list) < *s.limits.minItems {
		c.fail(at, "must have at least %d items", *s.limits.minItems)
	}
	if s.limits.maxItems != nil && len(list) > *s.limits.maxItems {
		c.fail(at, "must have at most %d items", *s.limits.maxItems)
	}
	for i := range list {
		list[i] = c.check(s.elem, list[i], at.item(i))
	}
}

func (c *checker) entries(s *shape, o map[string]any, at *place) {
	for _, key := range sortedKeys(o) {
		if s.keys != nil && !s.keys.MatchString(key) {
			c.fail(at, "must have integers as keys")
		}
		o[key] = c.check(s.elem, o[key], at.property(key))
	}
}

func (c *checker) properties(o *object, v map[string]any, at *place) {
	for _, f := range o.fields {
		value, there := v[f.name]
		switch {
		case there:
			v[f.name] = c.check(f.shape, value, at.property(f.name))
		case f.required:
			c.fail(at.property(f.name), "is required")
		}
	}
	if len(v) == 0 {
		return
	}
	for _, key := range sortedKeys(v) {
		if _, known := o.byName[key]; !known {
			c.fail(at.property(key), "is unknown; known are %s", o.names())
		}
	}
}

func (o *object) names() string {
	if len(o.fields) == 0 {
		return "no properties"
	}
	names := make([]string, len(o.fields))
	for i, f := range o.fields {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}

func sortedKeys(o map[string]any) []string {
	keys := make([]string, 0, len(o))
	for key := range o {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// sizes refuses integers over the limit anywhere in a value without a type.
func (c *checker) sizes(v any, at *place) {
	switch v := v.(type) {
	case json.Number:
		if strings.ContainsAny(string(v), ".eE") {
			if _, err := strconv.ParseFloat(string(v), 64); err != nil {
				c.fail(at, "is out of the range of a number")
			}
		} else if _, whole := wholeNumber(string(v)); !whole {
			c.fail(at, "must be at most 2^53-1 in size")
		}
	case []any:
		for i := range v {
			c.sizes(v[i], at.item(i))
		}
	case map[string]any:
		for _, key := range sortedKeys(v) {
			c.sizes(v[key], at.property(key))
		}
	}
}
