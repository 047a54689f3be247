package docs_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sagad/sagad/docs/diagnostics"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine/enginetest"
)

// codes gives the codes of diagnostics.
func codes(t *testing.T) map[string]bool {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(repository, "dsl", "codes.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			all[code] = true
		}
		return true
	})
	if len(all) < 10 {
		t.Fatalf("only %d codes were found", len(all))
	}
	return all
}

// The index of diagnostics has a line for every page, with what the page says.
func TestDiagnostics(t *testing.T) {
	index := read(t, "docs/diagnostics.md")
	for _, page := range diagnostics.Pages() {
		line := fmt.Sprintf("| [%s](diagnostics/%[1]s.md) | %s", page.Code, page.Summary)
		if page.Severity == "Warning" {
			line += " *Warning.*"
		}
		if !strings.Contains(index, "\n"+line+" |\n") {
			t.Errorf("docs/diagnostics.md lacks the line `%s |`", line)
		}
	}
}

// Every function of expressions stands in the reference as the code has it.
func TestFunctions(t *testing.T) {
	page := strings.ReplaceAll(read(t, "docs/language.md"), "`", "")
	for _, usage := range dsl.FunctionUsages() {
		if !strings.Contains(page, "\n- "+usage+"\n") {
			t.Errorf("docs/language.md lacks the line `- %s`", usage)
		}
	}
}

// Every key of definitions, tenants and the configuration stands in the
// reference.
func TestKeys(t *testing.T) {
	page := read(t, "docs/language.md")
	check := func(properties map[string]any) {
		if len(properties) == 0 {
			t.Error("a schema has no properties")
		}
		for key := range properties {
			if !strings.Contains(page, "`"+key+"`") {
				t.Errorf("docs/language.md does not describe the key %s", key)
			}
		}
	}
	for _, file := range []string{"saga.v1.json", "tenant.v1.json", "config.v1.json"} {
		var schema struct {
			Properties map[string]any `json:"properties"`
			Defs       map[string]struct {
				Properties map[string]any `json:"properties"`
			} `json:"$defs"`
		}
		if err := json.Unmarshal([]byte(read(t, "schemas/"+file)), &schema); err != nil {
			t.Fatal(err)
		}
		check(schema.Properties)
		for name, def := range schema.Defs {
			if name != "schema" && len(def.Properties) > 0 { // JSON Schema has pages of its own
				check(def.Properties)
			}
		}
	}
}

var (
	caseForm = regexp.MustCompile("`(S[0-9]+ [^`]*)`")
	ruleForm = regexp.MustCompile(`^S[0-9]+ `)
	testForm = regexp.MustCompile("`([a-z/]+): (Test[A-Za-z0-9]+)`")
)

// The rules name every case of the conformance suite that is about one, and only
// tests that there are.
func TestRules(t *testing.T) {
	page := strings.ReplaceAll(read(t, "docs/semantics.md"), "\n", " ")
	named := map[string]bool{}
	for _, m := range caseForm.FindAllStringSubmatch(page, -1) {
		named[m[1]] = true
	}
	for _, c := range slices.Concat(enginetest.Cases, enginetest.EdgeCases) {
		name := c.Name
		if isRule := ruleForm.MatchString(name); isRule && !named[name] {
			t.Errorf("docs/semantics.md does not name the case %q: add it under its rule", name)
		}
		delete(named, name)
	}
	// Those that only some runtimes run may be named.
	for _, c := range slices.Concat(enginetest.HeavyCases, enginetest.LongCases) {
		delete(named, c.Name)
	}
	for name := range named {
		t.Errorf("docs/semantics.md names %q, which is no case of engine/enginetest", name)
	}
	for _, m := range testForm.FindAllStringSubmatch(page, -1) {
		if !hasTest(t, m[1], m[2]) {
			t.Errorf("docs/semantics.md names %s, which %s does not have", m[2], m[1])
		}
	}
	for n := 1; n <= 28; n++ {
		if !strings.Contains(page, " ### S"+strconv.Itoa(n)+" ") {
			t.Errorf("docs/semantics.md has no rule S%d", n)
		}
	}
}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repository, filepath.FromSlash(folder), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
