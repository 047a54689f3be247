package docs_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/docs/diagnostics"
	"github.com/sagad/sagad/dsl"
)

var update = flag.Bool("update", false, "write what is printed into the pages of diagnostics")

// withoutExample are the codes that need something else than a definition.
var withoutExample = map[string]string{
	dsl.CodeFile: "the file itself is what cannot be read",
}

// Every code has a page. The first example of it gives that code and nothing
// else, and prints what the page says; the example with the mend gives nothing.
func TestDiagnosticPages(t *testing.T) {
	all := codes(t)
	for _, page := range diagnostics.Pages() {
		if !all[page.Code] {
			t.Errorf("docs/diagnostics/%s.md describes a code that dsl/codes.go does not have", page.Code)
		}
		if page.Severity == "" || page.Summary == "" || strings.Contains(page.Summary, "\n") || !strings.HasPrefix(page.Text, "# "+page.Code+"\n") {
			t.Errorf("docs/diagnostics/%s.md does not start with its code and `*Severity.* One line.`", page.Code)
		}
		delete(all, page.Code)
		t.Run(page.Code, func(t *testing.T) { checkPage(t, page) })
	}
	for code := range all {
		t.Errorf("there is no docs/diagnostics/%s.md: write what is wrong, why it is refused, an example and its mend", code)
	}
}

var printedForm = regexp.MustCompile("(?s)(```text printed\n)(.*?)(```)")

func checkPage(t *testing.T, page diagnostics.Page) {
	var manifests []dsl.Manifest
	if err := json.Unmarshal([]byte(read(t, "definitions/plugins.json")), &manifests); err != nil {
		t.Fatal(err)
	}
	name := "docs/diagnostics/" + page.Code + ".md"
	found, _ := blocks(t, name, page.Text)
	options := dsl.Options{Manifests: manifests, Sagas: sagasOf(found)}
	printed, want, shown, clean := "", "", 0, 0
	for _, b := range found {
		switch {
		case b.is("json", "manifests"):
			options.Manifests = nil
			if err := json.Unmarshal([]byte(b.text), &options.Manifests); err != nil {
				t.Fatal(err)
			}
		case b.is("yaml", "tenant"):
			tenant, ds := dsl.ParseTenant(dsl.Source{Name: "tenant.yaml", Data: []byte(b.text)}, func(string) bool { return true })
			if tenant == nil {
				t.Fatalf("%s:%d: %v", name, b.line, ds)
			}
			options.Tenants = append(options.Tenants, *tenant)
		case b.is("text", "printed"):
			want = b.text
		case b.is("yaml", "saga"):
			source := dsl.Source{Name: "saga.yaml", Data: []byte(b.text)}
			_, ds := dsl.Compile(source, options)
			code, shows := b.words["shows"]
			for _, d := range ds {
				if d.Code != code {
					t.Errorf("%s:%d: %v", name, b.line, d)
				}
			}
			switch {
			case shows && len(ds) == 0:
				t.Errorf("%s:%d: the example does not show %s", name, b.line, code)
			case code == page.Code:
				shown++
				printed = print(ds, source.Data)
			case !shows:
				clean++
			}
		}
	}
	if withoutExample[page.Code] != "" {
		return
	}
	if shown != 1 || clean == 0 {
		t.Errorf("%s has %d examples of its code and %d clean ones", name, shown, clean)
	}
	if *update {
		text := printedForm.ReplaceAllString(page.Text, "${1}"+strings.ReplaceAll(printed, "$", "$$")+"${3}")
		if err := os.WriteFile(filepath.Join(repository, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(want, printed); diff != "" {
		t.Errorf("%s: sagad lint prints something else (-page +sagad); go test ./docs -update:\n%s", name, diff)
	}
}

// print gives what `sagad lint --source` prints.
func print(ds dsl.Diagnostics, source []byte) string {
	var parts []string
	for _, d := range ds {
		parts = append(parts, d.String()+"\n"+dsl.NewExcerpt(d, source, 80).String())
	}
	return strings.Join(parts, "\n")
}
