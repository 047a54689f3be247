package docs_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/sagad/sagad/dsl"
)

// Every definition on a page compiles against the example plugins.
func TestDefinitions(t *testing.T) {
	var manifests []dsl.Manifest
	if err := json.Unmarshal([]byte(read(t, "definitions/plugins.json")), &manifests); err != nil {
		t.Fatal(err)
	}
	compiled := 0
	for _, page := range pages(t) {
		if strings.HasPrefix(page, "docs/diagnostics/") { // see TestDiagnosticPages
			continue
		}
		found, _ := blocks(t, page, read(t, page))
		sagas := sagasOf(found)
		for _, b := range found {
			switch {
			case b.is("yaml", "saga"):
			case b.is("yaml", "steps"):
				b.text = "saga: page\nkey: ${{ input.id }}\nsteps:\n  " + strings.ReplaceAll(strings.TrimSuffix(b.text, "\n"), "\n", "\n  ") + "\n"
			default:
				continue
			}
			compiled++
			_, diagnostics := dsl.Compile(dsl.Source{Name: page, Data: []byte(b.text)}, dsl.Options{Manifests: manifests, Sagas: sagas})
			checkDiagnostics(t, page, b, diagnostics)
		}
	}
	if compiled < 10 {
		t.Errorf("only %d definitions were found", compiled)
	}
}

var sagaForm = regexp.MustCompile(`(?m)^saga: ([a-z0-9-]+)`)

// sagasOf gives the definitions of a page, which steps on it may run.
func sagasOf(page []block) dsl.Definitions {
	sagas := dsl.Definitions{}
	for _, b := range page {
		if m := sagaForm.FindStringSubmatch(b.text); m != nil && b.is("yaml", "saga") {
			sagas[m[1]] = dsl.Source{Name: m[1], Data: []byte(b.text)}
		}
	}
	return sagas
}

// checkDiagnostics wants the one diagnostic that a block is said to show, or no
// error.
func checkDiagnostics(t *testing.T, page string, b block, diagnostics dsl.Diagnostics) {
	t.Helper()
	want, shows := b.words["shows"]
	if !shows {
		if diagnostics.HasErrors() {
			t.Errorf("%s:%d: the definition does not compile:\n%v", page, b.line, diagnostics)
		}
		return
	}
	for _, d := range diagnostics {
		if d.Code == want {
			return
		}
	}
	t.Errorf("%s:%d: the definition is to show %s and gives:\n%v", page, b.line, want, diagnostics)
}
