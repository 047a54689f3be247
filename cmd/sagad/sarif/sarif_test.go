package sarif

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/dsl"
)

var update = flag.Bool("update", false, "write what the tests compare with")

func TestWrite(t *testing.T) {
	ds := dsl.Diagnostics{
		{File: "flows/a b.yaml", Line: 2, Column: 1, EndLine: 2, EndColumn: 5, Severity: dsl.SeverityError, Code: dsl.CodeUnknownKey, Summary: "there is no <key>", Detail: "write another one"},
		{File: "/srv/c:d.yaml", Line: 3, Column: 2, EndLine: 4, EndColumn: 1, Severity: dsl.SeverityWarning, Code: dsl.CodeUnknownActivity, Summary: "nobody offers it"},
		{File: "../other/e.yaml", Line: 1, Column: 1, EndLine: 1, EndColumn: 1, Severity: dsl.SeverityError, Code: dsl.CodeUnknownKey, Summary: "outside"},
		{File: "..f.yaml", Severity: dsl.SeverityError, Code: dsl.CodeSyntax, Summary: "no line"},
		{Severity: dsl.SeverityError, Code: dsl.CodeManifest, Summary: "no file"},
	}
	var out bytes.Buffer
	if err := Write(&out, Run{Version: "1.2.3", Folder: "/srv", Diagnostics: ds}); err != nil {
		t.Fatal(err)
	}
	// The pages of diagnostics have tests of their own.
	rules, rest, _ := strings.Cut(out.String(), `"invocations"`)
	page := regexp.MustCompile(`("text": |"markdown": ).*[^"]"`)
	if n := len(page.FindAllString(rules, -1)); n != 3*4 {
		t.Errorf("%d texts of pages, want 3 for each of 4 codes", n)
	}
	got := page.ReplaceAllString(rules, `$1"of the page"`) + `"invocations"` + rest
	const golden = "testdata/all.sarif"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
