package dsl

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what the tests found into their goldens")

// testManifests are the plugins that lint tests know.
func testManifests(t testing.TB) []Manifest {
	t.Helper()
	return manifestsIn(t, "testdata/manifests.json")
}

func manifestsIn(t testing.TB, file string) []Manifest {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var m []Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestLint compiles the definitions of the archives under testdata/lint. In an
// archive NAME.yaml is a definition and NAME.want its diagnostics, in which the
// file is left out; other files can be referred to with $ref, and
// sagas/NAME.yaml is the definition of the saga NAME, for saga steps,
// tenants/NAME.yaml a tenant and manifests.json what plugins offer. Words on
// the first line of the archive's comment are options: manifests (those of
// testdata/manifests.json are known), require.
func TestLint(t *testing.T) {
	eachArchive(t, "testdata/lint", lintArchive)
}

// eachArchive runs a test for every archive of a folder.
func eachArchive(t *testing.T, folder string, run func(t *testing.T, path string)) {
	t.Helper()
	archives, err := filepath.Glob(filepath.Join(folder, "*.txtar"))
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { run(t, path) })
	}
}

func lintArchive(t *testing.T, path string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var opts Options
	words := strings.Fields(strings.SplitN(string(archive.Comment), "\n", 2)[0])
	if contains(words, "manifests") {
		opts.Manifests = testManifests(t)
	}
	opts.RequireActivities = contains(words, "require")
	files, want := fstest.MapFS{}, map[string]string{}
	for _, f := range archive.Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
		want[f.Name] = string(f.Data)
	}
	opts.Files = files
	besideArchive(t, archive, &opts)
	var out []txtar.File
	for _, f := range archive.Files {
		if !strings.HasSuffix(f.Name, ".want") {
			out = append(out, f)
		}
		name, ok := strings.CutSuffix(f.Name, ".yaml")
		if !ok || strings.Contains(name, "/") {
			continue
		}
		got := lint(t, f.Data, opts)
		out = append(out, txtar.File{Name: name + ".want", Data: []byte(got)})
		if !*update {
			t.Run(name, func(t *testing.T) {
				if diff := cmp.Diff(want[name+".want"], got); diff != "" {
					t.Errorf("diagnostics of %s differ (-want +got):\n%s", f.Name, diff)
				}
			})
		}
	}
	if *update {
		archive.Files = out
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// besideArchive sets what an archive holds beside its definitions.
func besideArchive(t *testing.T, archive *txtar.Archive, opts *Options) {
	t.Helper()
	if sagas := sagasOf(archive); len(sagas) > 0 {
		opts.Sagas = sagas
	}
	for _, f := range archive.Files {
		switch {
		case f.Name == "manifests.json":
			opts.Manifests = nil
			if err := json.Unmarshal(f.Data, &opts.Manifests); err != nil {
				t.Fatal(err)
			}
		case strings.HasPrefix(f.Name, "tenants/"):
			tenant, ds := ParseTenant(Source{Name: f.Name, Data: f.Data}, func(string) bool { return true })
			if tenant == nil {
				t.Fatal(ds)
			}
			opts.Tenants = append(opts.Tenants, *tenant)
		}
	}
}

// sagasOf gives the definitions of child sagas that an archive holds.
func sagasOf(archive *txtar.Archive) Definitions {
	sagas := Definitions{}
	for _, f := range archive.Files {
		if name, ok := strings.CutPrefix(f.Name, "sagas/"); ok {
			sagas[strings.TrimSuffix(name, ".yaml")] = Source{Name: name, Data: f.Data}
		}
	}
	return sagas
}

// lint compiles twice, since equal sources give equal diagnostics, and returns
// one line for each.
func lint(t *testing.T, data []byte, opts Options) string {
	t.Helper()
	plan, diags := Compile(Source{Data: data}, opts)
	if (plan == nil) != diags.HasErrors() {
		t.Errorf("plan is nil: %v, there are errors: %v", plan == nil, diags.HasErrors())
	}
	if _, again := Compile(Source{Data: data}, opts); !cmp.Equal(diags, again) {
		t.Errorf("the same source gives other diagnostics: %v", cmp.Diff(diags, again))
	}
	for _, d := range diags {
		if d.Line > 0 && (d.Column < 1 || d.EndLine < d.Line || d.EndLine == d.Line && d.EndColumn < d.Column) {
			t.Errorf("the range of %v ends at %d:%d", d, d.EndLine, d.EndColumn)
		}
	}
	if len(diags) == 0 {
		return ""
	}
	return diags.Error() + "\n"
}

// TestEveryCodeIsShown holds the goldens to show each code of codes.go with
// its line and column.
func TestEveryCodeIsShown(t *testing.T) {
	parsed, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	archives, _ := filepath.Glob("testdata/lint/*.txtar")
	shown := map[string]bool{CodeManifest: true, CodeFile: true} // have no place; see elsewhereShown
	placed := regexp.MustCompile(`(?m)^(\d+:\d+: )?(?:error|warning)\[([A-Z_]+)\]`)
	for _, path := range archives {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range placed.FindAllStringSubmatch(string(data), -1) {
			if m[1] != "" {
				shown[m[2]] = true
			}
		}
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			if !shown[code] {
				t.Errorf("no golden shows the code %s", code)
			}
		}
		return true
	})
}
