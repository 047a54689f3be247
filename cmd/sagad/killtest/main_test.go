package killtest

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	sdklog "go.temporal.io/sdk/log"

	"github.com/sagad/sagad/cmd/sagad/embedded"
	"github.com/sagad/sagad/engine/temporal"
)

const namespace = "sagad"

// binaries is the folder of the example plugins, built once.
var binaries string

func TestMain(m *testing.M) {
	if text := os.Getenv(workerVariable); text != "" {
		if err := work(text); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	os.Exit(prepared(m))
}

// prepared runs the tests with the plugins built.
func prepared(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sagad-kill-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binaries = dir
	for _, name := range []string{"compliance", "fx", "ledger", "rails", "shop"} {
		build := exec.Command("go", "build", "-o", filepath.Join(dir, name), "github.com/sagad/sagad/plugins/examples/"+name+"/cmd/"+name)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintf(os.Stderr, "build plugin %s: %v\n", name, err)
			return 1
		}
	}
	code := m.Run()
	if left := processes("exe", dir); len(left) > 0 {
		fmt.Fprintf(os.Stderr, "FAIL: plugin processes are left: %s\n", strings.Join(left, ", "))
		return 1
	}
	return code
}

func startServer(t *testing.T, suggestAfter int) *embedded.Server {
	t.Helper()
	keyword := enumspb.INDEXED_VALUE_TYPE_KEYWORD
	server, err := embedded.Start(t.Context(), embedded.Config{
		Dir: t.TempDir(), UIPort: embedded.NoUI, Namespace: namespace, Retention: 24 * time.Hour, SuggestAfter: suggestAfter,
		SearchAttributes: map[string]enumspb.IndexedValueType{
			temporal.AttributeTenant: keyword, temporal.AttributeSaga: keyword, temporal.AttributeState: keyword,
			"country_code": keyword, "clearing_batch_id": keyword,
		},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server
}

// names gives the boundaries that the process has passed, in order.
func (p *process) names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

// leftIn names the processes that still work in a folder some time after their
// parent has ended, with which the kernel ends them.
func leftIn(data string) []string {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(10 * time.Second); ; {
		left := processes("cwd", data)
		if len(left) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-limit:
			return left
		}
	}
}

// processes names the processes of which a link under /proc leads into a folder.
func processes(link, dir string) []string {
	var found []string
	links, _ := filepath.Glob("/proc/[0-9]*/" + link) // the pattern is well formed
	for _, l := range links {
		if target, err := os.Readlink(l); err == nil && strings.HasPrefix(target, dir+string(filepath.Separator)) {
			found = append(found, target+" "+filepath.Base(filepath.Dir(l)))
		}
	}
	return found
}

// repository is the root of the checkout.
func repository(t testing.TB) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// quiet keeps the SDK's notes out of the test's output.
type quiet struct{}

var _ sdklog.Logger = quiet{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
