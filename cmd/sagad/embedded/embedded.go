// Package embedded runs a complete Temporal server inside this process, on one
// SQLite file in a data directory, so that sagad works on a laptop or a single
// machine with nothing else installed.
//
// A data directory holds temporal.db (with its -wal and -shm files) and
// temporal.lock. One process at a time may use it. Sagas survive restarts and
// power cuts: what the server has acknowledged is synced to the disk.
//
// The server runs what sagad uses: workflows, activities, timers, signals,
// queries, updates, children, visibility and retention. It has no schedules and
// no batch operations.
//
// The server has no authentication: any process of this machine can reach it.
// That is why it listens on loopback addresses only.
//
// This is the one package that imports go.temporal.io/server and the Temporal
// web UI. Built with the tag noembed it compiles without them, and Start
// answers ErrNotBuilt.
package embedded

import (
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
)

const (
	// DefaultHost is the address the server and its web UI listen on.
	DefaultHost = "127.0.0.1"
	// DefaultNamespace is the Temporal namespace that sagas live in.
	DefaultNamespace = "default"
	// DefaultRetention is how long the history of a closed saga is kept. Until
	// then a second start under the same key answers with the first saga.
	DefaultRetention = 30 * 24 * time.Hour

	// NoUI as Config.UIPort means: no web UI.
	NoUI = -1

	// PortFlag and UIPortFlag are the command line flags that set Config.Port
	// and Config.UIPort; messages about an occupied port name them.
	PortFlag   = "--temporal-port"
	UIPortFlag = "--ui-port"
	// DirFlag is the command line flag that sets Config.Dir.
	DirFlag = "--data"

	// minRetention is the shortest retention the server accepts.
	minRetention = time.Hour

	databaseFile = "temporal.db"
	lockFile     = "temporal.lock"
)

// Config says where the server keeps its data and where it listens. Only Dir is
// required; the zero value of every other field is a sensible default.
type Config struct {
	// Dir is the data directory. It is created, with its parents, if missing.
	Dir string
	// Host is the loopback address to listen on, DefaultHost if empty.
	Host string
	// Port is the frontend's gRPC port. 0 picks a free one.
	Port int
	// UIPort is the web UI's HTTP port. 0 picks a free one, NoUI leaves the UI out.
	UIPort int
	// Namespace is created if missing; DefaultNamespace if empty.
	Namespace string
	// Retention is how long closed sagas are kept, at least an hour;
	// DefaultRetention if 0. Changing it applies to sagas that close afterwards.
	Retention time.Duration
	// SearchAttributes are the custom search attributes of the namespace, by
	// name. They can be used as soon as Start returns. A namespace has room for
	// 10 keywords and 3 of every other type. An attribute that a data directory
	// has once seen keeps its type there; one that is no longer listed stays.
	SearchAttributes map[string]enumspb.IndexedValueType
	// SuggestAfter is the number of events after which the server suggests to a
	// workflow to continue as new. 0: its own, 4,096.
	SuggestAfter int
	// Logger gets the server's warnings and errors. Nil discards them.
	Logger *slog.Logger
}

// complete returns cfg with its defaults filled in, or what is wrong with it.
func (cfg Config) complete() (Config, error) {
	if cfg.Dir == "" {
		return cfg, invalid(DirFlag, "the embedded Temporal server needs a data directory", "set "+DirFlag)
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return cfg, dirError(cfg.Dir, err)
	}
	cfg.Dir = dir
	if cfg.Host == "" || cfg.Host == "localhost" {
		cfg.Host = DefaultHost
	}
	addr, err := netip.ParseAddr(cfg.Host)
	if err != nil || !addr.IsLoopback() {
		return cfg, invalid(cfg.Host, "the embedded Temporal server listens on loopback addresses only, not on "+cfg.Host,
			"use "+DefaultHost+"; for a server on the network run Temporal by itself")
	}
	if cfg.Namespace == "" {
		cfg.Namespace = DefaultNamespace
	}
	if cfg.Retention == 0 {
		cfg.Retention = DefaultRetention
	}
	if cfg.Retention < minRetention {
		return cfg, invalid("retention", "a retention of "+cfg.Retention.String()+" is too short", "use at least "+minRetention.String())
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg, nil
}

// path names a file of the data directory.
func (cfg Config) path(file string) string { return filepath.Join(cfg.Dir, file) }

// address joins the configured host with a port.
func (cfg Config) address(port int) string {
	return net.JoinHostPort(cfg.Host, itoa(port))
}
