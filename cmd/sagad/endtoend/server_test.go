// Package endtoend tests the engine on the real server: embedded Temporal on
// SQLite, real time, real worker processes.
package endtoend

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/sagad/sagad/cmd/sagad/embedded"
	"github.com/sagad/sagad/engine/temporal"
)

const namespace = "sagad"

// startServer starts embedded Temporal in a temporary directory.
func startServer(t testing.TB) *embedded.Server { return startSuggesting(t, 0) }

// startSuggesting starts a server that suggests to workflows of so many events
// to continue as new; 0: as always.
func startSuggesting(t testing.TB, after int) *embedded.Server {
	t.Helper()
	server, err := embedded.Start(t.Context(), embedded.Config{
		Dir: t.TempDir(), UIPort: -1, SuggestAfter: after, Namespace: namespace, Retention: 24 * time.Hour,
		SearchAttributes: map[string]enumspb.IndexedValueType{
			temporal.AttributeTenant: enumspb.INDEXED_VALUE_TYPE_KEYWORD,
			temporal.AttributeSaga:   enumspb.INDEXED_VALUE_TYPE_KEYWORD,
			temporal.AttributeState:  enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server
}

var cache = flag.Bool("cache", true, "keep sagas in memory between tasks; without, each task replays its saga")

func TestMain(m *testing.M) {
	flag.Parse()
	if !*cache {
		worker.SetStickyWorkflowCacheSize(0)
	}
	os.Exit(m.Run())
}

func startWorker(t testing.TB, c client.Client, o temporal.WorkerOptions) {
	t.Helper()
	w := temporal.NewWorker(c, o)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
}

// dial connects to a server.
func dial(t testing.TB, address string) client.Client { return dialAs(t, address, "") }

// dialAs connects under a name that stands in histories.
func dialAs(t testing.TB, address, name string) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: address, Namespace: namespace, Identity: name, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// quiet keeps the SDK's notes out of the test's output, and shows its errors.
type quiet struct{}

var _ sdklog.Logger = quiet{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(message string, keyvals ...any) {
	if !strings.Contains(message, "Activity error") {
		fmt.Println("SDK:", message, keyvals)
	}
}
