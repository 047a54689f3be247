// Package sagad_test proves the rules of the house over the whole module: who may
// import whom, that the machine is pure, that every package says what it is.
package sagad_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sagad/sagad"

// pkg is what `go list` says about a package.
type pkg struct {
	ImportPath   string
	Name         string
	Doc          string
	Dir          string
	Export       string
	GoFiles      []string
	Imports      []string // of its code
	Deps         []string // of its code, direct and indirect
	TestImports  []string
	XTestImports []string
}

// local is the package's folder in the module, "." for the root.
func (p pkg) local() string {
	if p.ImportPath == module {
		return "."
	}
	return strings.TrimPrefix(p.ImportPath, module+"/")
}

// list runs `go list` with the arguments.
func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json"}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, failed.Stderr)
		}
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	var all []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// owners are the packages that alone may import a library, in code or in tests.
// Everything else goes through them.
var owners = []struct{ library, owner string }{
	{"go.temporal.io/server", "cmd/sagad/embedded"},
	{"github.com/temporalio/ui-server", "cmd/sagad/embedded"},
	{"gopkg.in/yaml.v3", "dsl"},
	{"github.com/expr-lang/expr", "dsl"},
}

// neighbours says which packages of the module a package's code may import
// directly. The first pattern that matches the importer decides; cmd, which
// comes last, sees everything.
var neighbours = []struct {
	importer string
	may      []string
}{
	{"schemas", nil},
	{"dsl", []string{"schemas"}},
	{"dsl/graph", []string{"dsl"}},
	{"engine", []string{"dsl"}},
	{"engine/enginetest", []string{"dsl", "engine", "engine/invariant", "engine/local"}},
	{"engine/enginetest/explore", []string{"dsl", "engine", "engine/enginetest", "engine/invariant"}},
	{"engine/sagatest", []string{"dsl", "engine", "engine/invariant", "engine/local"}},
	{"engine/...", []string{"dsl", "engine"}},
	{"plugins", []string{"plugins/pluginpb"}},
	{"plugins/pluginpb", nil},
	{"plugins/barrier", []string{"plugins"}},
	{"plugins/plugintest", []string{"plugins", "plugins/pluginpb", "plugins/barrier"}},
	{"plugins/host", []string{"plugins", "plugins/pluginpb"}},
	{"plugins/host/...", []string{"plugins", "plugins/pluginpb", "plugins/host"}},
	{"plugins/examples/...", []string{"plugins", "plugins/pluginpb", "plugins/barrier", "plugins/plugintest", "plugins/examples/..."}},
	{"definitions", []string{"dsl", "schemas"}},
	{"definitions/...", []string{"dsl", "schemas", "definitions"}},
	{"docs/diagnostics", nil},
	{"cmd/...", []string{"..."}},
	{".", nil},
}

// strangers are what a package's code may not depend on, directly or through
// others.
var strangers = []struct {
	importer string
	never    []string
	why      string
}{
	{"schemas", runtimes, "schemas are data"},
	{"dsl", runtimes, "the language knows no runtime"},
	{"dsl/graph", runtimes, "a drawing of a definition needs no runtime"},
	{"engine", runtimes, "the machine knows no runtime"},
	{"engine/local", runtimes, "the local runtime needs no server and no plugin processes"},
	{"plugins", engines, "who writes a plugin compiles neither Temporal nor the engine"},
	{"plugins/barrier", engines, "who writes a plugin compiles neither Temporal nor the engine"},
	{"plugins/plugintest", engines, "who writes a plugin compiles neither Temporal nor the engine"},
	{"plugins/examples/...", engines, "who writes a plugin compiles neither Temporal nor the engine"},
	{"plugins/host", []string{"go.temporal.io/..."}, "the plugin host knows no Temporal"},
	{"definitions", runtimes, "definitions are read and checked without a runtime"},
}

var (
	runtimes = []string{"go.temporal.io/...", "github.com/hashicorp/go-plugin", module + "/plugins/..."}
	engines  = []string{"go.temporal.io/...", module + "/dsl", module + "/engine/...", module + "/plugins/host/..."}
)

// outside are the packages of the standard library through which a program
// touches the world; pure packages do not import them, though what they import
// may (fmt needs os).
var outside = []string{"os/...", "net", "net/http/...", "net/rpc/...", "syscall/...", "plugin", "math/rand/...", "crypto/rand"}

var pure = []string{"dsl", "dsl/graph", "engine"}

func TestImports(t *testing.T) {
	for _, p := range list(t, "./...") {
		for _, finding := range checkImports(p) {
			t.Error(finding)
		}
	}
}

// TestNoEmbed proves that a worker can be built without the Temporal server.
func TestNoEmbed(t *testing.T) {
	for _, p := range list(t, "-tags", "noembed", "./cmd/...") {
		for _, dep := range p.Deps {
			if within(dep, "go.temporal.io/server/...") || within(dep, "github.com/temporalio/ui-server/...") {
				t.Errorf("%s depends on %s although it is built with -tags noembed", p.local(), dep)
				break
			}
		}
	}
}

// TestPackageComments asks every package to say what it is.
func TestPackageComments(t *testing.T) {
	for _, p := range list(t, "./...") {
		if len(p.GoFiles) == 0 {
			continue
		}
		start := "Package " + p.Name + " "
		if p.Name == "main" {
			start = "Command " + path.Base(p.ImportPath) + " "
		}
		if !strings.HasPrefix(p.Doc, start) {
			t.Errorf("the comment of package %s does not begin with %q", p.local(), start)
		}
	}
}

// checkImports gives what a package imports against the rules.
func checkImports(p pkg) []string {
	var findings []string
	report := func(imported, why string) {
		findings = append(findings, p.local()+" must not depend on "+strings.TrimPrefix(imported, module+"/")+": "+why)
	}
	for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
		for _, o := range owners {
			if within(imported, o.library+"/...") && p.local() != o.owner {
				report(imported, "only "+o.owner+" does")
			}
		}
	}
	for _, imported := range p.Imports {
		if within(imported, "github.com/santhosh-tekuri/jsonschema/...") && p.local() != "schemas" {
			report(imported, "only schemas does") // a test may compare ours with it
		}
		if within(imported, module+"/...") && !mayImport(p.local(), strings.TrimPrefix(imported, module+"/")) {
			report(imported, "it is not among its neighbours")
		}
		if slices.Contains(pure, p.local()) && withinAny(imported, outside) {
			report(imported, "it is pure")
		}
	}
	for _, s := range strangers {
		if !within(p.local(), s.importer) {
			continue
		}
		first := slices.IndexFunc(p.Deps, func(dep string) bool {
			return withinAny(dep, s.never) && !within(dep, p.ImportPath+"/...")
		})
		if first >= 0 {
			report(p.Deps[first], s.why)
		}
	}
	return findings
}

// mayImport consults neighbours; a package that they do not know may not import
// any other, so that a new one has to be given its place.
func mayImport(importer, imported string) bool {
	for _, n := range neighbours {
		if within(importer, n.importer) {
			return withinAny(imported, n.may)
		}
	}
	return false
}

// within tells whether a path matches a pattern: itself, or a tree if the pattern
// ends in "/...".
func within(name, pattern string) bool {
	tree, ok := strings.CutSuffix(pattern, "...")
	if !ok {
		return name == pattern
	}
	return name == strings.TrimSuffix(tree, "/") || strings.HasPrefix(name, tree)
}

func withinAny(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return within(name, pattern) })
}

// TestCheckImports breaks each rule once.
func TestCheckImports(t *testing.T) {
	imports := func(importer string, imported ...string) pkg {
		return pkg{ImportPath: module + "/" + importer, Imports: imported, Deps: imported}
	}
	for _, p := range []pkg{
		imports("cmd/sagad", "go.temporal.io/server/temporal"),
		imports("cmd/sagad", "github.com/temporalio/ui-server/v2/server"),
		imports("definitions", "gopkg.in/yaml.v3"),
		imports("engine", "github.com/expr-lang/expr/vm"),
		imports("dsl", "github.com/santhosh-tekuri/jsonschema/v5"),
		imports("dsl", module+"/engine"),
		imports("engine", module+"/schemas"),
		imports("engine/local", module+"/engine/temporal"),
		imports("engine", "os"),
		imports("engine", "math/rand/v2"),
		imports("dsl", "net/http"),
		imports("dsl", "os/exec"),
		imports("plugins/host", module+"/engine"),
		imports("newcomer", module+"/dsl"),
		{ImportPath: module + "/plugins", Deps: []string{"go.temporal.io/api/common/v1"}},
		{ImportPath: module + "/plugins/examples/fx", Deps: []string{module + "/engine"}},
		{ImportPath: module + "/engine", Deps: []string{"github.com/hashicorp/go-plugin"}},
		{ImportPath: module + "/engine", XTestImports: []string{"gopkg.in/yaml.v3"}},
		{ImportPath: module + "/engine", TestImports: []string{"go.temporal.io/server/temporaltest"}},
	} {
		if len(checkImports(p)) == 0 {
			t.Errorf("nothing wrong with %+v", p)
		}
	}
	for _, p := range []pkg{
		imports("cmd/sagad/embedded", "go.temporal.io/server/temporal"),
		imports("cmd/sagad/stack", module+"/plugins/host", module+"/engine/temporal", "go.temporal.io/sdk/client"),
		imports("engine/temporal", "go.temporal.io/sdk/workflow", module+"/engine"),
		imports("engine", "net/url", "time", module+"/dsl"),
		imports("plugins/host", "github.com/hashicorp/go-plugin", "os", module+"/plugins/pluginpb"),
	} {
		if findings := checkImports(p); len(findings) != 0 {
			t.Errorf("wrong: %q", findings)
		}
	}
}
