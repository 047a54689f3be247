//go:build !noembed

package embedded

import (
	"time"

	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
)

const (
	// historyShards bounds how many sagas the server can write at once. The
	// number is fixed for the life of a database.
	historyShards = 4

	// queuePollRPS is how often a second each shard may look for new work. It is
	// what the latency of a workflow hangs on: with the server's default of 20, a
	// task waits up to 50 ms until the queue that was just read is read again.
	queuePollRPS = 400

	// longPoll bounds how long a client waits for an event in one request. The
	// server's notifier drops an event when the one before has not been picked up
	// yet, which a busy machine makes happen about once in a thousand sagas; the
	// waiting client then learns of the end only with its next request. The
	// server's default would make that 20 s.
	longPoll = time.Second

	// storeName names the one database in the server's configuration.
	storeName = "sqlite"

	// requestRPS and storeQPS replace limits that protect a shared cluster from
	// its tenants. Here the only client is this machine, and a limit that is hit
	// shows as back-off in the middle of a saga.
	requestRPS = 100_000
	storeQPS   = 1_000_000
)

// services are the parts of a server that run, each with a port of its own. The
// fourth, the system worker, is left out: it serves schedules, batch operations,
// the deletion of namespaces and versioned deployments, none of which sagad has,
// and its open polls would hold up every stop by a second. Retention does not
// need it.
var services = []primitives.ServiceName{
	primitives.FrontendService,
	primitives.HistoryService,
	primitives.MatchingService,
}

// storeConfig describes the database file to the server.
func storeConfig(path string) *config.SQL {
	attributes := pragmas(syncCheckpoints)
	attributes["mode"] = "rwc"
	return &config.SQL{
		PluginName:        groupCommit,
		DatabaseName:      escapePath(path),
		ConnectAttributes: attributes,
	}
}

// serverConfig describes the whole server. ports holds one for each service.
func serverConfig(cfg Config, store *config.SQL, ports map[primitives.ServiceName]int) *config.Config {
	frontend := cfg.address(ports[primitives.FrontendService])
	conf := &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     storeName,
			VisibilityStore:  storeName,
			NumHistoryShards: historyShards,
			DataStores:       map[string]config.DataStore{storeName: {SQL: store}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		PublicClient:        config.PublicClient{HostPort: frontend},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: "disabled"},
			Visibility: config.VisibilityArchival{State: "disabled"},
		},
		NamespaceDefaults: config.NamespaceDefaults{
			Archival: config.ArchivalNamespaceDefaults{
				History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
				Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
			},
		},
		Services: map[string]config.Service{},
	}
	for service, port := range ports {
		conf.Services[string(service)] = config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: cfg.Host}}
	}
	return conf
}

// hosts tells every service where the others are, which spares the gossip
// protocol, its ports and its start-up time.
func hosts(cfg Config, ports map[primitives.ServiceName]int) map[primitives.ServiceName]static.Hosts {
	all := make(map[primitives.ServiceName]static.Hosts, len(ports)+1)
	for service, port := range ports {
		all[service] = static.SingleLocalHost(cfg.address(port))
	}
	all[primitives.WorkerService] = all[primitives.FrontendService] // must be named, is never called
	return all
}

// settings are the server's dynamic configuration.
func settings(cfg Config) dynamicconfig.StaticClient {
	all := dynamicconfig.StaticClient{
		// The server would ask a machine of its vendor for newer versions.
		dynamicconfig.EnableServerVersionCheck.Key(): false,

		// Latency.
		dynamicconfig.HistoryLongPollExpirationInterval.Key():   longPoll,
		dynamicconfig.TransferProcessorMaxPollRPS.Key():         queuePollRPS,
		dynamicconfig.TimerProcessorMaxPollRPS.Key():            queuePollRPS,
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key():       queuePollRPS,
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1, // one machine: forwarding between partitions only costs
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,

		// What sagad relies on; these are the server's defaults today.
		dynamicconfig.EnableEagerWorkflowStart.Key():                           true,
		dynamicconfig.EnableActivityEagerExecution.Key():                       true,
		dynamicconfig.FrontendEnableUpdateWorkflowExecution.Key():              true,
		dynamicconfig.FrontendEnableUpdateWorkflowExecutionAsyncAccepted.Key(): true,

		// What the system worker would do.
		dynamicconfig.EnableParentClosePolicyWorker.Key(): false,

		// Limits of shared clusters.
		dynamicconfig.FrontendRPS.Key():                                         requestRPS,
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():                  requestRPS,
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key():        requestRPS,
		dynamicconfig.FrontendMaxConcurrentLongRunningRequestsPerInstance.Key(): requestRPS,
		dynamicconfig.HistoryRPS.Key():                                          requestRPS,
		dynamicconfig.MatchingRPS.Key():                                         requestRPS,
		dynamicconfig.FrontendPersistenceMaxQPS.Key():                           storeQPS,
		dynamicconfig.HistoryPersistenceMaxQPS.Key():                            storeQPS,
		dynamicconfig.MatchingPersistenceMaxQPS.Key():                           storeQPS,
		dynamicconfig.VisibilityPersistenceMaxReadQPS.Key():                     storeQPS,
		dynamicconfig.VisibilityPersistenceMaxWriteQPS.Key():                    storeQPS,
	}
	if cfg.SuggestAfter > 0 {
		all[dynamicconfig.HistoryCountSuggestContinueAsNew.Key()] = cfg.SuggestAfter
		all[dynamicconfig.WorkflowIdReuseMinimalInterval.Key()] = time.Duration(0) // or it would wait a second before it continues
	}
	return all
}
