package editortest

import (
	"encoding/json"
	"strings"
	"testing"
)

// hooksSchema is what pre-commit wants of a repository with hooks.
const hooksSchema = `{"type": "array", "minItems": 3, "maxItems": 3, "items": {
	"type": "object", "required": ["id", "name", "entry", "language"], "additionalProperties": false,
	"properties": {
		"id": {"enum": ["sagad-lint", "sagad-fmt", "sagad-test"]}, "name": {"type": "string"}, "description": {"type": "string"},
		"entry": {"type": "string", "pattern": "^sagad [a-z]+$"}, "args": {"type": "array", "items": {"type": "string"}},
		"language": {"const": "system"}, "files": {"type": "string", "format": "regex"}, "pass_filenames": {"const": false}}}}`

// The file of hooks has the form that pre-commit reads.
func TestPreCommitFile(t *testing.T) {
	modules(t)
	if !json.Valid([]byte(hooksSchema)) {
		t.Fatal("the schema is no JSON")
	}
	_, texts := files(t, ".pre-commit-hooks.yaml")
	if len(texts) != 1 {
		t.Fatal("there is no file of hooks")
	}
	texts = append(texts, strings.Replace(texts[0], "language:", "langauge:", 1))
	found := validate(t, []byte(hooksSchema), texts)
	if len(found[0].Problems) > 0 || found[0].Unreadable != "" {
		t.Errorf("%v%s", found[0].Problems, found[0].Unreadable)
	}
	if len(found[1].Problems) == 0 {
		t.Error("a hook without a language is accepted")
	}
}
