package sagad_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMachineIsPure proves that the state of a saga depends on its definition,
// its input and the order of events alone: package engine has no clock, no
// randomness, no goroutine or channel, and nothing in the order of a map.
func TestMachineIsPure(t *testing.T) {
	exports := map[string]string{}
	var machine pkg
	for _, p := range list(t, "-deps", "-export", "./engine") {
		exports[p.ImportPath] = p.Export
		if p.local() == "engine" {
			machine = p
		}
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range machine.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(machine.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	for _, finding := range impurities(t, fset, files, exports) {
		t.Error(finding)
	}
}

// clock are the functions of package time that read the clock or wait for it.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// impurities type-checks a package and gives what is not pure in it. exports maps
// the import paths it needs to their compiled form.
func impurities(t *testing.T, fset *token.FileSet, files []*ast.File, exports map[string]string) []string {
	t.Helper()
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})}
	if _, err := config.Check(module+"/engine", fset, files, info); err != nil {
		t.Fatal(err)
	}
	p := purity{info: info}
	for _, file := range files {
		for node := range ast.Preorder(file) {
			if what := p.judge(node); what != "" {
				p.findings = append(p.findings, fmt.Sprintf("%s: %s", fset.Position(node.Pos()), what))
			}
		}
	}
	return p.findings
}

// purity walks over a package.
type purity struct {
	info     *types.Info
	sorted   []ast.Node // calls whose order does not matter: they are sorted at once
	findings []string
}

// judge says what is impure in a node, if anything. It sees a call before the
// calls among its arguments.
func (p *purity) judge(node ast.Node) string {
	switch node := node.(type) {
	case *ast.GoStmt:
		return "starts a goroutine"
	case *ast.SelectStmt, *ast.SendStmt, *ast.ChanType:
		return "uses a channel"
	case *ast.RangeStmt:
		if t := p.info.TypeOf(node.X); t != nil {
			if _, isMap := t.Underlying().(*types.Map); isMap {
				return "ranges over a map: range over slices.Sorted(maps.Keys(m))"
			}
		}
	case *ast.CallExpr:
		if name := p.called(node); strings.HasPrefix(name, "slices.Sorted") {
			p.sorted = append(p.sorted, node.Args[0])
		} else if slices.Contains([]string{"maps.Keys", "maps.Values", "maps.All"}, name) && !slices.Contains(p.sorted, ast.Node(node)) {
			return "takes the order of a map: wrap " + name + " in slices.Sorted"
		}
	case *ast.Ident:
		if f, ok := p.info.Uses[node].(*types.Func); ok && f.Pkg() != nil && f.Signature().Recv() == nil {
			if f.Pkg().Path() == "time" && slices.Contains(clock, f.Name()) {
				return "reads the clock with time." + f.Name()
			}
			if slices.Contains([]string{"math/rand", "math/rand/v2", "crypto/rand"}, f.Pkg().Path()) {
				return "is random"
			}
		}
	}
	return ""
}

// called names the function that a call calls, as in maps.Keys, "" if it is none
// of a package.
func (p *purity) called(call *ast.CallExpr) string {
	fun := call.Fun
	if index, ok := fun.(*ast.IndexExpr); ok { // slices.Sorted[string](...)
		fun = index.X
	}
	selector, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	f, ok := p.info.Uses[selector.Sel].(*types.Func)
	if !ok || f.Pkg() == nil || f.Signature().Recv() != nil {
		return ""
	}
	return f.Pkg().Path() + "." + f.Name()
}

// TestImpurities shows the check what it has to find.
func TestImpurities(t *testing.T) {
	exports := map[string]string{}
	for _, p := range list(t, "-deps", "-export", "maps", "slices", "time", "math/rand/v2") {
		exports[p.ImportPath] = p.Export
	}
	for statement, want := range map[string]string{
		`go func() {}()`:     "goroutine",
		`_ = make(chan int)`: "channel",
		`for range m {}`:     "ranges over a map",
		`type set map[string]bool; for range (set{}) {}`:          "ranges over a map",
		`for range maps.Keys(m) {}`:                               "order of a map",
		`_ = slices.Collect(maps.Values(m))`:                      "order of a map",
		`_ = time.Now()`:                                          "time.Now",
		`f := time.Since; _ = f`:                                  "time.Since",
		`_ = rand.Int()`:                                          "random",
		`for range slices.Sorted(maps.Keys(m)) {}`:                "",
		`for range []int{1} {}; _ = time.Time{}.Add(time.Second)`: "",
	} {
		source := "package engine\nimport (\"maps\"; \"math/rand/v2\"; \"slices\"; \"time\")\n" +
			"var _, _, _, _ = maps.Clone[map[string]int], (*rand.Rand)(nil), slices.Clip[[]int], time.Second\n" +
			"func f(m map[string]int) {\n" + statement + "\n}"
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "x.go", source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		findings := impurities(t, fset, []*ast.File{file}, exports)
		switch {
		case want == "" && len(findings) != 0:
			t.Errorf("%s: %q", statement, findings)
		case want != "" && (len(findings) == 0 || !strings.Contains(findings[0], want)):
			t.Errorf("%s: found %q, want %q", statement, findings, want)
		}
	}
}
