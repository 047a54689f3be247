package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// binaries is the folder of the example plugins that the tests run, built once.
var binaries string

var examplePlugins = []string{"cards", "compliance", "fx", "ledger", "people", "rails", "shop", "travel"}

func TestMain(m *testing.M) {
	testscript.Main(prepared{m}, map[string]func(){"sagad": main})
}

// prepared builds the plugins before the tests and looks for processes that
// they left behind after them.
type prepared struct{ m *testing.M }

// Run runs the tests.
func (p prepared) Run() int {
	dir, err := os.MkdirTemp("", "sagad-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binaries = dir
	for _, name := range examplePlugins {
		build := exec.Command("go", "build", "-o", filepath.Join(dir, name), "github.com/sagad/sagad/plugins/examples/"+name+"/cmd/"+name)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintf(os.Stderr, "build plugin %s: %v\n", name, err)
			return 1
		}
	}
	code := p.m.Run()
	if left := processesOf(dir); len(left) > 0 {
		fmt.Fprintf(os.Stderr, "FAIL: plugin processes are left: %s\n", strings.Join(left, ", "))
		return 1
	}
	return code
}

// processesOf names the processes whose executable lies in a folder.
func processesOf(dir string) []string {
	var found []string
	links, _ := filepath.Glob("/proc/[0-9]*/exe") // the pattern is well formed
	for _, link := range links {
		if exe, err := os.Readlink(link); err == nil && strings.HasPrefix(exe, dir+string(filepath.Separator)) {
			found = append(found, exe+" "+filepath.Base(filepath.Dir(link)))
		}
	}
	return found
}

// repository is the root of the checkout.
func repository(t testing.TB) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return root
}
