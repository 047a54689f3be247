package schemas

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// Validator checks values against one schema. It is safe for concurrent use.
type Validator struct {
	doc      any
	compiled *jsonschema.Schema
}

// resource is the URL under which a schema is compiled. Nothing is ever loaded
// from it.
const resource = "mem:///schema.json"

// Compile compiles a schema that stands alone, as Bundle returns it: JSON data
// made of nil, bool, int, float64, string, []any and map[string]any. Formats
// are asserted; patterns are RE2 and so linear in the text they match. An
// error is an *Error.
func Compile(schema any) (*Validator, error) {
	compiled, err := compile(schema, "")
	if err != nil {
		return nil, err
	}
	return &Validator{doc: schema, compiled: compiled}, nil
}

// At returns a validator for the part of the schema at a JSON pointer, such as
// /properties/amount.
func (v *Validator) At(pointer string) (*Validator, error) {
	compiled, err := compile(v.doc, pointer)
	if err != nil {
		return nil, err
	}
	return &Validator{doc: v.doc, compiled: compiled}, nil
}

func compile(schema any, pointer string) (_ *jsonschema.Schema, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &Error{What: fmt.Sprintf("the schema cannot be compiled: %v", r)}
		}
	}()
	text, err := json.Marshal(schema)
	if err != nil {
		return nil, &Error{What: "the schema is not JSON: " + err.Error()}
	}
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft2020
	c.AssertFormat = true
	c.LoadURL = func(u string) (io.ReadCloser, error) {
		return nil, fmt.Errorf("%s is outside the schema", u)
	}
	if err := c.AddResource(resource, strings.NewReader(string(text))); err != nil {
		return nil, &Error{What: err.Error()}
	}
	address := resource
	if pointer != "" {
		address += "#" + (&url.URL{Path: pointer}).EscapedPath()
	}
	compiled, err := c.Compile(address)
	if err != nil {
		return nil, compileError(schema, err)
	}
	return compiled, nil
}

// compileError says where a schema breaks the rules of JSON Schema.
func compileError(schema any, err error) error {
	var broken *jsonschema.ValidationError
	if errors.As(err, &broken) {
		leaf := broken
		for len(leaf.Causes) > 0 {
			leaf = leaf.Causes[0]
		}
		// A schema holds no secrets: the library's words may be shown.
		return &Error{Pointer: leaf.InstanceLocation, What: leaf.Message}
	}
	what := err.Error()
	var s *jsonschema.SchemaError
	if errors.As(err, &s) && s.Err != nil {
		what = s.Err.Error()
	}
	what = strings.ReplaceAll(strings.TrimPrefix(what, "jsonschema: "), resource, "")
	return &Error{What: what}
}

// Validate checks a value of JSON data. The error is a *ValidationError.
func (v *Validator) Validate(value any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &ValidationError{Problems: []Problem{{What: fmt.Sprintf("the value cannot be checked: %v", r)}}}
		}
	}()
	err = v.compiled.Validate(value)
	if err == nil {
		return nil
	}
	var broken *jsonschema.ValidationError
	if !errors.As(err, &broken) {
		return &ValidationError{Problems: []Problem{{What: "the value cannot be checked: " + err.Error()}}}
	}
	e := &ValidationError{}
	v.collect(e, broken, value)
	e.tidy()
	return e
}

// ValidationError says what of a value breaks its schema.
type ValidationError struct {
	Problems []Problem // at least one, at most MaxProblems, by place
}

// MaxProblems bounds what is said of one value.
const MaxProblems = 20

// Problem is one place of a value that breaks the schema. It does not repeat
// the value.
type Problem struct {
	Pointer string // JSON pointer into the value; "" is the whole
	What    string
	Mend    string // may be empty
}

// String returns the place and what is wrong there.
func (p Problem) String() string {
	s := p.What
	if p.Pointer != "" {
		s = p.Pointer + " " + s
	}
	if p.Mend != "" {
		s += " (" + p.Mend + ")"
	}
	return s
}

// Error returns all problems in one line.
func (e *ValidationError) Error() string {
	parts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		parts[i] = p.String()
	}
	return strings.Join(parts, "; ")
}
