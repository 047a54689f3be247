//go:build !noembed

package embedded

import (
	"slices"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/config"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
)

// BenchmarkFiveSteps runs workflows of five activities that do nothing, one
// workflow at a time, on our store and, in the same run, on the server's own
// plugin with a sync in every commit. It prints the median of a workflow on both
// and their ratio; both are durable.
func BenchmarkFiveSteps(b *testing.B) {
	ours := medianOf(b, storeConfig)
	servers := medianOf(b, func(path string) *config.SQL {
		store := storeConfig(path)
		store.PluginName = sqliteplugin.PluginName
		store.ConnectAttributes["synchronous"] = syncCommits
		return store
	})
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(ours.Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(servers.Microseconds())/1000, "p50-ms-sync-each")
	b.ReportMetric(float64(ours)/float64(servers), "ratio")
}

// medianOf gives the median time from a workflow's start to its result.
func medianOf(b *testing.B, store func(string) *config.SQL) time.Duration {
	s, err := startOn(b.Context(), Config{Dir: b.TempDir(), UIPort: NoUI}, store)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Stop()
	c := dial(b, s)
	defer work(b, c)()
	once := func() time.Duration {
		begin := time.Now()
		run, err := c.ExecuteWorkflow(b.Context(), client.StartWorkflowOptions{
			TaskQueue: taskQueue, EnableEagerStart: true,
			WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		}, fiveSteps)
		if err != nil {
			b.Fatal(err)
		}
		if err := run.Get(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
		return time.Since(begin)
	}
	for range 20 { // connections, caches and sticky queues
		once()
	}
	took := make([]time.Duration, max(b.N, 1))
	for i := range took {
		took[i] = once()
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// BenchmarkRestart starts the server on a data directory that exists.
func BenchmarkRestart(b *testing.B) {
	cfg := Config{Dir: b.TempDir(), UIPort: NoUI}
	for range b.N {
		s, err := Start(b.Context(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		s.Stop()
		b.StartTimer()
	}
}
