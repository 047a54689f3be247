package dsl

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// caretsWidth is how many columns of a line the goldens show.
const caretsWidth = 80

// TestCarets compiles the definitions of the archives under testdata/carets and
// compares the diagnostics with their excerpts: what `sagad lint` prints. The
// archives are written as those of TestLint. There is one for each code, with
// its name, and some for the shapes of ranges.
func TestCarets(t *testing.T) {
	eachArchive(t, "testdata/carets", caretsArchive)
}

func caretsArchive(t *testing.T, path string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	opts := Options{Manifests: manifestsIn(t, "../definitions/plugins.json")}
	if strings.HasPrefix(string(archive.Comment), "blind") {
		opts = Options{}
	}
	files, want := fstest.MapFS{}, map[string]string{}
	for _, f := range archive.Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
		want[f.Name] = string(f.Data)
	}
	opts.Files = files
	besideArchive(t, archive, &opts)
	var out []txtar.File
	code := strings.TrimSuffix(filepath.Base(path), ".txtar")
	shown := code != strings.ToUpper(code)
	for _, f := range archive.Files {
		if !strings.HasSuffix(f.Name, ".want") {
			out = append(out, f)
		}
		name, ok := strings.CutSuffix(f.Name, ".yaml")
		if !ok || strings.Contains(name, "/") {
			continue
		}
		source := []byte(unescaped.Replace(string(f.Data)))
		_, diags := Compile(Source{Data: source}, opts)
		var got strings.Builder
		for _, d := range diags {
			shown = shown || d.Code == code
			got.WriteString(d.String() + "\n" + NewExcerpt(d, source, caretsWidth).String())
		}
		out = append(out, txtar.File{Name: name + ".want", Data: []byte(got.String())})
		if diff := cmp.Diff(want[name+".want"], got.String()); diff != "" && !*update {
			t.Errorf("what is printed of %s differs (-want +got):\n%s", f.Name, diff)
		}
	}
	if !shown {
		t.Errorf("%s does not show %s", path, code)
	}
	if *update {
		archive.Files = out
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// unescaped writes what an archive cannot hold, or an editor would change.
var unescaped = strings.NewReplacer("<CR>", "\r", "<TAB>", "\t", "<BOM>", "\ufeff")

// codesOfFile gives the codes of codes.go.
func codesOfFile(t *testing.T) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, code)
		}
		return true
	})
	return codes
}

// elsewhereShown are the codes that Compile does not report, or not with a
// place, and where they are tested.
var elsewhereShown = map[string]string{
	CodeManifest: "TestBrokenManifest",
	CodeFile:     "cmd/sagad: the script badfiles",
}

// TestEveryCodeHasCarets holds the goldens to show each code of codes.go with
// the lines that it is about.
func TestEveryCodeHasCarets(t *testing.T) {
	for _, code := range codesOfFile(t) {
		if elsewhereShown[code] != "" {
			continue
		}
		data, err := os.ReadFile(filepath.Join("testdata", "carets", code+".txtar"))
		if err != nil {
			t.Errorf("no golden shows the code %s with carets: %v", code, err)
		} else if !strings.Contains(string(data), "["+code+"]") || !strings.Contains(string(data), "^") {
			t.Errorf("testdata/carets/%s.txtar does not show %s with carets", code, code)
		}
	}
}
