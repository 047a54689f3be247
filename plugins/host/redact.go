package host

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// redacted stands where a sensitive value stood.
const redacted = "[redacted]"

// linger is how long a call's values stay redacted after it ended: lines that
// went to standard error during the call are read a little after its result.
const linger = 5 * time.Second

// shortValue is the length in bytes below which a value is replaced only where
// it stands alone, so that a sensitive "7" does not eat every 7.
const shortValue = 4

// redactor replaces the sensitive values of the calls under way. It finds a
// value as it was given to the call, not in another spelling of it.
type redactor struct {
	mu     sync.RWMutex
	counts map[string]int
	values []string // longest first, so that a part does not hide a whole
}

func newRedactor() *redactor { return &redactor{counts: map[string]int{}} }

// secrets are the values of one call.
type secrets struct {
	r      *redactor
	values []string
}

// hold redacts the values until release and a little longer.
func (r *redactor) hold(values []string) secrets {
	s := secrets{r: r}
	for _, v := range values {
		if v = strings.TrimSpace(v); v == "" {
			continue
		}
		s.values = append(s.values, v)
		if strings.ContainsRune(v, '\n') { // text logs break it into lines
			s.values = append(s.values, strings.FieldsFunc(v, func(c rune) bool { return c == '\n' || c == '\r' })...)
		}
	}
	if len(s.values) > 0 {
		r.count(s.values, 1)
	}
	return s
}

func (s secrets) release() {
	if len(s.values) > 0 {
		time.AfterFunc(linger, func() { s.r.count(s.values, -1) })
	}
}

func (r *redactor) count(values []string, by int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range values {
		before := r.counts[v]
		r.counts[v] = before + by
		switch {
		case before == 0:
			at, _ := slices.BinarySearchFunc(r.values, v, longestFirst)
			r.values = slices.Insert(r.values, at, v)
		case before+by == 0:
			delete(r.counts, v)
			if at, found := slices.BinarySearchFunc(r.values, v, longestFirst); found {
				r.values = slices.Delete(r.values, at, at+1)
			}
		}
	}
}

func longestFirst(a, b string) int {
	if len(a) != len(b) {
		return len(b) - len(a)
	}
	return strings.Compare(a, b)
}

// text returns t without sensitive values.
func (r *redactor) text(t string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, v := range r.values {
		if !strings.Contains(t, v) {
			continue
		}
		if len(v) < shortValue {
			t = replaceAlone(t, v)
		} else {
			t = strings.ReplaceAll(t, v, redacted)
		}
	}
	return t
}

// replaceAlone replaces v where no letter or digit touches it.
func replaceAlone(t, v string) string {
	var b strings.Builder
	done := 0 // t[:done] is in b
	for from := 0; ; {
		i := strings.Index(t[from:], v)
		if i < 0 {
			b.WriteString(t[done:])
			return b.String()
		}
		start, end := from+i, from+i+len(v)
		before, _ := utf8.DecodeLastRuneInString(t[:start])
		after, _ := utf8.DecodeRuneInString(t[end:])
		if !wordRune(before) && !wordRune(after) {
			b.WriteString(t[done:start] + redacted)
			done = end
		}
		from = end
	}
}

func wordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// tree returns decoded JSON without sensitive values, in keys and numbers too.
func (r *redactor) tree(v any) any {
	switch v := v.(type) {
	case string:
		return r.text(v)
	case json.Number:
		if t := r.text(string(v)); t != string(v) {
			return t
		}
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = r.tree(v[i])
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for key, value := range v {
			object[r.text(key)] = r.tree(value)
		}
		return object
	}
	return v
}

// decode reads JSON with numbers as they are written.
func decode(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var tree any
	err := d.Decode(&tree)
	return tree, err
}

// valuesAt returns the scalars at and below the paths of a manifest's sensitive
// list, as text.
func valuesAt(input json.RawMessage, paths []string) []string {
	if len(paths) == 0 {
		return nil
	}
	tree, err := decode(input)
	if err != nil {
		return nil
	}
	var values []string
	for _, path := range paths {
		values = append(values, valuesBelow(tree, strings.Split(strings.ReplaceAll(path, "[]", ".[]"), "."))...)
	}
	return values
}

func valuesBelow(v any, path []string) []string {
	if len(path) > 0 && path[0] == "" { // the root, or a list at it
		return valuesBelow(v, path[1:])
	}
	var below []any
	rest := path
	switch v := v.(type) {
	case string:
		return []string{v}
	case json.Number:
		return []string{string(v)}
	case []any:
		below = v
		if len(path) > 0 && path[0] == "[]" {
			rest = path[1:]
		}
	case map[string]any:
		if len(path) > 0 && path[0] != "*" {
			return valuesBelow(v[path[0]], path[1:])
		}
		for _, value := range v {
			below = append(below, value)
		}
		if len(path) > 0 {
			rest = path[1:]
		}
	}
	var values []string
	for _, value := range below {
		values = append(values, valuesBelow(value, rest)...)
	}
	return values
}
