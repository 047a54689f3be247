package schemas

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// collect adds what a tree of the library's errors says at its leaves. The
// alternatives of anyOf and oneOf, and the elements that contains does not
// take, are one problem.
func (v *Validator) collect(e *ValidationError, broken *jsonschema.ValidationError, value any) {
	_, pointer, _ := strings.Cut(broken.AbsoluteKeywordLocation, "#")
	keyword := pointer[strings.LastIndexByte(pointer, '/')+1:]
	if len(broken.Causes) > 0 && !slices.Contains(undivided, keyword) {
		for _, cause := range broken.Causes {
			v.collect(e, cause, value)
		}
		return
	}
	at, _ := Lookup(value, broken.InstanceLocation)
	p := v.problem(keyword, pointer, at)
	p.Pointer = broken.InstanceLocation
	e.Problems = append(e.Problems, p)
}

var undivided = []string{"anyOf", "oneOf", "contains", "minContains"}

// tidy puts the problems into the order of their places, since the library
// reports in the order of Go's maps, and drops repetitions and what is too
// much.
func (e *ValidationError) tidy() {
	slices.SortFunc(e.Problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.Pointer, b.Pointer), strings.Compare(a.What, b.What))
	})
	e.Problems = slices.Compact(e.Problems)
	if len(e.Problems) > MaxProblems {
		e.Problems = e.Problems[:MaxProblems]
	}
}

// comparisons are the keywords that compare with a number, as the rest of a
// sentence.
var comparisons = map[string]string{
	"minimum":          "must be at least %v",
	"maximum":          "must be at most %v",
	"exclusiveMinimum": "must be more than %v",
	"exclusiveMaximum": "must be less than %v",
	"multipleOf":       "must be a multiple of %v",
	"minLength":        "must have at least %v characters",
	"maxLength":        "must have at most %v characters",
	"minItems":         "must have at least %v elements",
	"maxItems":         "must have at most %v elements",
	"minProperties":    "must have at least %v fields",
	"maxProperties":    "must have at most %v fields",
	"maxContains":      "must contain at most %v such elements",
	"pattern":          "does not match the pattern %v",
	"format":           "is not a valid %v",
}

// problem puts a keyword that failed into words.
func (v *Validator) problem(keyword, pointer string, value any) Problem {
	arg, _ := Lookup(v.doc, unescapeFragment(pointer))
	if form, ok := comparisons[keyword]; ok {
		return Problem{What: fmt.Sprintf(form, arg)}
	}
	switch keyword {
	case "type":
		return Problem{What: fmt.Sprintf("must be %s, not %s", typeNames(arg), typeName(value))}
	case "required":
		return missing(arg, value)
	case "additionalProperties", "unevaluatedProperties":
		return v.unexpected(pointer, value)
	case "enum":
		return Problem{What: "must be one of " + jsonText(arg)}
	case "const":
		return Problem{What: "must be " + jsonText(arg)}
	case "uniqueItems":
		return Problem{What: "must not contain the same element twice"}
	case "anyOf", "oneOf":
		return Problem{What: "matches not one of the alternatives of the schema"}
	case "contains", "minContains":
		return Problem{What: "does not contain the element the schema asks for"}
	}
	if arg == false {
		return Problem{What: "is not allowed"}
	}
	return Problem{What: fmt.Sprintf("breaks %q of the schema", keyword)}
}

func missing(required, value any) Problem {
	names, _ := required.([]any)
	object, _ := value.(map[string]any)
	var absent []string
	for _, n := range names {
		name, _ := n.(string)
		if _, has := object[name]; !has {
			absent = append(absent, name)
		}
	}
	if len(absent) == 1 {
		return Problem{What: "lacks the field " + absent[0]}
	}
	return Problem{What: "lacks the fields " + strings.Join(absent, ", ")}
}

// unexpected names the fields that an object schema does not have.
func (v *Validator) unexpected(pointer string, value any) Problem {
	parent, _ := Lookup(v.doc, unescapeFragment(pointer[:strings.LastIndexByte(pointer, '/')]))
	schema, _ := parent.(map[string]any)
	known, _ := schema["properties"].(map[string]any)
	object, _ := value.(map[string]any)
	var extra []string
	for _, name := range sortedKeys(object) {
		if _, ok := known[name]; !ok {
			extra = append(extra, name)
		}
	}
	p := Problem{What: "has the unknown field " + strings.Join(extra, ", ")}
	if len(known) > 0 {
		p.Mend = "it may have " + strings.Join(sortedKeys(known), ", ")
	}
	return p
}

var jsonTypes = map[string]string{
	"null": "null", "boolean": "a boolean", "integer": "an integer", "number": "a number",
	"string": "text", "array": "a list", "object": "an object",
}

func typeNames(arg any) string {
	switch arg := arg.(type) {
	case string:
		return jsonTypes[arg]
	case []any:
		var names []string
		for _, t := range arg {
			s, _ := t.(string)
			names = append(names, jsonTypes[s])
		}
		return strings.Join(names, " or ")
	default:
		return "of another type"
	}
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case int:
		return "an integer"
	case float64:
		return "a number"
	case string:
		return "text"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	default:
		return fmt.Sprintf("a %T", v)
	}
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "something else"
	}
	return string(text)
}

// unescapeFragment turns the fragment of a URL into a JSON pointer.
func unescapeFragment(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}
