package schemas

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Completion and hover in editors are as good as what the schemas say: every
// key has a title, a description and something to start from.
func TestEveryPropertyExplainsItself(t *testing.T) {
	for _, p := range All() {
		t.Run(p.Name, func(t *testing.T) {
			var doc map[string]any
			if err := json.Unmarshal(p.Bytes, &doc); err != nil {
				t.Fatal(err)
			}
			d := described{t: t, root: doc}
			d.walk(doc, "")
			if d.keys < 5 {
				t.Errorf("only %d keys were looked at", d.keys)
			}
		})
	}
}

// described looks for keys without explanation.
type described struct {
	t    *testing.T
	root map[string]any
	keys int
}

func (d *described) walk(v any, path string) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			d.walk(item, path)
		}
	case map[string]any:
		for key, value := range v {
			switch {
			case slices.Contains([]string{"examples", "const", "enum", "default", "if", "then", "else", "not"}, key): // data, or no place for words
			case key == "properties" && !strings.HasSuffix(path, "/properties"):
				for name, property := range value.(map[string]any) {
					d.check(property.(map[string]any), path+"/"+name)
					d.walk(property, path+"/"+name)
				}
			default:
				d.walk(value, path+"/"+key)
			}
		}
	}
}

func (d *described) check(property map[string]any, path string) {
	d.keys++
	has := map[string]bool{}
	for at := property; at != nil; at = d.target(at) {
		for key := range at {
			has[key] = true
		}
	}
	if !has["title"] || !has["description"] {
		d.t.Errorf("%s has no title or no description", path)
	}
	// Of what holds steps the keys are example enough: editors show nested lists badly.
	if !has["examples"] && !has["enum"] && !has["const"] && !has["default"] && !has["properties"] && !has["additionalProperties"] {
		d.t.Errorf("%s has no examples", path)
	}
}

// target is what a schema refers to in its own document; nil if nothing.
func (d *described) target(s map[string]any) map[string]any {
	ref, _ := s["$ref"].(string)
	pointer, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil
	}
	at := d.root
	for _, key := range strings.Split(pointer, "/") {
		at = at[key].(map[string]any)
	}
	return at
}

// All leaves none of the folder's schemas out, and each says where it lives.
func TestAllArePublished(t *testing.T) {
	files, err := filepath.Glob("*.json")
	if err != nil || len(files) != len(All()) {
		t.Errorf("%v are the files of %d schemas (%v)", files, len(All()), err)
	}
	for _, p := range All() {
		text, err := os.ReadFile(p.File)
		if err != nil || string(text) != string(p.Bytes) {
			t.Errorf("%s is not the schema %s (%v)", p.File, p.Name, err)
		}
		var doc struct {
			ID string `json:"$id"`
		}
		if err := json.Unmarshal(p.Bytes, &doc); err != nil || !strings.HasSuffix(doc.ID, "/schemas/"+p.File) {
			t.Errorf("%s has the $id %q (%v)", p.File, doc.ID, err)
		}
	}
}
