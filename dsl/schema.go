package dsl

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"

	"github.com/sagad/sagad/schemas"
)

// Schema is a JSON Schema (draft 2020-12) of a definition, with the files it
// refers to. It is immutable and safe for concurrent use.
type Schema struct {
	doc       any // stands alone
	validator *schemas.Validator

	mu    sync.Mutex
	parts map[string]*schemas.Validator // of its parts, by pointer; nil: there is none
}

// part gives what validates the values of a part of the schema, or nil.
func (s *Schema) part(pointer string) *schemas.Validator {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, known := s.parts[pointer]
	if !known {
		v, _ = s.validator.At(pointer)
		if s.parts == nil {
			s.parts = map[string]*schemas.Validator{}
		}
		s.parts[pointer] = v
	}
	return v
}

// SchemaError says what of a value breaks a schema: for each problem a JSON
// pointer into the value, what is wrong and how to mend it. It never repeats
// the value.
type SchemaError = schemas.ValidationError

// Validate checks a value of JSON data. The error is a *SchemaError. A nil
// *Schema takes every value.
func (s *Schema) Validate(v any) error {
	if s == nil {
		return nil
	}
	return s.validator.Validate(v)
}

// JSON returns the schema as canonical JSON.
func (s *Schema) JSON() []byte {
	text, err := MarshalCanonical(s.doc)
	if err != nil {
		return []byte("true")
	}
	return text
}

// ParseSchema compiles a JSON Schema that stands alone, such as one of a manifest.
func ParseSchema(text []byte) (*Schema, error) {
	doc, err := ParseJSON(text)
	if err != nil {
		return nil, err
	}
	return newSchema(doc, nil)
}

// newSchema compiles a schema given as JSON data. The error is a
// *schemas.Error.
func newSchema(doc any, files fs.FS) (*Schema, error) {
	var load func(string) (any, error)
	if files != nil {
		load = func(name string) (any, error) {
			data, err := fs.ReadFile(files, name)
			if err != nil {
				return nil, err
			}
			return ParseJSON(data)
		}
	}
	bundled, err := schemas.Bundle(doc, load)
	if err != nil {
		return nil, err
	}
	v, err := schemas.Compile(bundled)
	if err != nil {
		return nil, err
	}
	return &Schema{doc: bundled, validator: v}, nil
}

// schema reads a JSON Schema of the definition.
func (c *compiler) schema(n *node, what string) *Schema {
	if n.kind != nodeMap && n.kind != nodeBool {
		c.errorNode(n, CodeWrongType, fmt.Sprintf("%s is %s, not a JSON Schema", what, n.kind), "write {type: object, properties: {...}} or {$ref: file.schema.json}")
		return nil
	}
	before := len(c.diags)
	if !c.canon {
		c.checkKeywords(n)
	}
	if len(c.diags) > before && c.diags.HasErrors() {
		return nil
	}
	s, err := newSchema(n.data(), c.opts.Files)
	if err != nil {
		at := n
		what := err.Error()
		detail := ""
		var e *schemas.Error
		if errors.As(err, &e) {
			at, what, detail = n.pointer(e.Pointer), e.What, e.Mend
		}
		c.errorNode(at, CodeSchema, what, detail)
		return nil
	}
	c.at[s] = n
	return s
}

// pointer returns the node at a JSON pointer, or the last one on the way.
func (n *node) pointer(pointer string) *node {
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		next := n.get(part)
		if n.kind == nodeList {
			if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < len(n.items) {
				next = n.items[i]
			}
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// The keywords of JSON Schema, by what their values hold.
var (
	schemaMapKeywords  = []string{"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
	schemaListKeywords = []string{"allOf", "anyOf", "oneOf", "prefixItems"}
	schemaKeywords     = []string{"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
		"unevaluatedItems", "unevaluatedProperties", "contentSchema"}
	otherKeywords = []string{"$id", "$schema", "$ref", "$comment", "$anchor", "$dynamicRef", "$dynamicAnchor", "type", "enum", "const",
		"multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength", "pattern",
		"maxItems", "minItems", "uniqueItems", "maxContains", "minContains", "maxProperties", "minProperties", "required",
		"dependentRequired", "format", "contentEncoding", "contentMediaType", "title", "description", "default", "deprecated",
		"readOnly", "writeOnly", "examples"}
	allKeywords = append(append(append(append([]string{}, otherKeywords...), schemaMapKeywords...), schemaListKeywords...), schemaKeywords...)
)

// checkKeywords reports keywords that JSON Schema does not have. It would
// ignore them, and with them what their author meant. Keywords that start with
// x- are left alone.
func (c *compiler) checkKeywords(n *node) {
	if n.kind != nodeMap {
		return
	}
	c.checkRequired(n)
	for i, k := range n.keys {
		v := n.items[i]
		switch name := k.string(); {
		case contains(schemaMapKeywords, name) && v.kind == nodeMap:
			for j, item := range v.items {
				if name == "properties" {
					c.checkMoney(v.keys[j], item)
				}
				c.checkKeywords(item)
			}
		case contains(schemaListKeywords, name) && v.kind == nodeList:
			for _, item := range v.items {
				c.checkKeywords(item)
			}
		case contains(schemaKeywords, name):
			c.checkKeywords(v)
		case !contains(allKeywords, name) && !strings.HasPrefix(name, "x-"):
			c.errorNode(k, CodeUnknownKey, fmt.Sprintf("JSON Schema has no keyword %q", name),
				didYouMean(name, allKeywords, "a property is named under properties; a keyword of your own starts with x-"))
		}
	}
}

// checkRequired warns of a field that has to be there and is no property: most
// often one of the two is mistyped.
func (c *compiler) checkRequired(n *node) {
	required, properties := n.get("required"), n.get("properties")
	if required == nil || required.kind != nodeList || properties == nil || properties.kind != nodeMap || n.get("patternProperties") != nil || n.get("additionalProperties") != nil {
		return
	}
	var names []string
	for _, k := range properties.keys {
		names = append(names, k.string())
	}
	for _, item := range required.items {
		if item.isText() && !contains(names, item.string()) {
			c.warnNode(item, CodeSchema, fmt.Sprintf("%s is required and is no property", item.string()),
				didYouMean(item.string(), names, "add it under properties, or take it out of required"))
		}
	}
}
