package editortest

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/sagad/sagad/cmd/sagad/sarif"
	"github.com/sagad/sagad/dsl"
)

// What lint prints as SARIF fits the schema of the standard, with the problems of
// every golden test of the language.
func TestSARIFIsValid(t *testing.T) {
	modules(t)
	archives, err := filepath.Glob(filepath.Join(repository, "dsl", "testdata", "lint", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	shipped := manifests(t)
	var all dsl.Diagnostics
	for _, archive := range archives {
		a, err := txtar.ParseFile(archive)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			_, ds := dsl.Compile(dsl.Source{Name: "/srv/flows/" + f.Name, Data: f.Data}, dsl.Options{Manifests: shipped})
			all = append(all, ds...)
		}
	}
	if len(all) < 100 {
		t.Fatalf("only %d problems", len(all))
	}
	all = append(all, dsl.Diagnostic{Severity: dsl.SeverityError, Code: dsl.CodeManifest, Summary: "without a place"})
	logOf := func(ds dsl.Diagnostics) string {
		var out bytes.Buffer
		if err := sarif.Write(&out, sarif.Run{Version: "1", Folder: "/srv", Diagnostics: ds}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	many, none := logOf(all), logOf(dsl.Diagnostics{})
	texts := []string{many, none, strings.Replace(none, `"results": []`, `"results": [{"level": "fatal"}]`, 1)}
	found := ask(t, map[string]any{"sarif": true, "texts": texts}, len(texts))
	for i, v := range found[:2] {
		if len(v.Problems) > 0 || v.Unreadable != "" {
			t.Errorf("log %d: %s%s", i, strings.Join(v.Problems, "\n"), v.Unreadable)
		}
	}
	if len(found[2].Problems) == 0 {
		t.Error("a broken log is valid")
	}
	var log struct {
		Runs []struct {
			Results []json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(many), &log); err != nil || len(log.Runs[0].Results) != len(all) {
		t.Errorf("not every problem is a result (%v)", err)
	}
}
