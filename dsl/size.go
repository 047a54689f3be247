package dsl

import "strconv"

// Size gives about how many bytes v, which is JSON data, has when it is encoded.
// It is never less than the number of bytes of its texts and numbers.
func Size(v any) int {
	switch v := v.(type) {
	case string:
		return len(v) + 2
	case int:
		return len(strconv.Itoa(v))
	case float64:
		return 8
	case []any:
		n := 2
		for _, item := range v {
			n += Size(item) + 1
		}
		return n
	case map[string]any:
		n := 2
		for key, item := range v {
			n += len(key) + Size(item) + 4
		}
		return n
	}
	return 4
}
