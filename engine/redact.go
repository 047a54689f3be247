package engine

import (
	"maps"
	"slices"
	"strings"
)

// Redacted stands where a sensitive value is not shown.
const Redacted = "[redacted]"

// minRedacted is the shortest value that is looked for inside longer text.
// Shorter ones would black out unrelated words; they are hidden only where they
// stand alone.
const minRedacted = 4

// Redact replaces sensitive values in a text.
func Redact(text string, sensitive []string) string {
	for _, s := range sensitive {
		switch {
		case text == s:
			return Redacted
		case len(s) >= minRedacted:
			text = strings.ReplaceAll(text, s, Redacted)
		}
	}
	return text
}

func (m *Machine) redact(text string) string { return Redact(text, m.sensitive) }

// RedactValue gives JSON data with sensitive values replaced in every text. It is
// copied, never changed.
func RedactValue(v any, sensitive []string) any {
	return redactValue(v, func(text string) string { return Redact(text, sensitive) })
}

// redactValue gives JSON data with every text passed through redact. It is
// copied, never changed.
func redactValue(v any, redact func(string) string) any {
	switch v := v.(type) {
	case string:
		return redact(v)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = redactValue(item, redact)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			object[k] = redactValue(v[k], redact)
		}
		return object
	}
	return v
}
