// Package stack is sagad as one process: plugin processes, a Temporal server
// inside or elsewhere, the client and the worker, put together so that a
// command starts only the parts it needs and leaves nothing behind.
package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/sagad/sagad/cmd/sagad/embedded"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/temporal"
	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/host"
)

// Embedded, as Config.Temporal, is the server inside this process, or the one
// of a `sagad dev` that uses the same data directory.
const Embedded = "embedded"

// stopTime bounds how long Close waits for attempts that still run. What is cut
// off then is ambiguous, as after a crash.
const stopTime = 5 * time.Second

// Config says what a stack is made of.
type Config struct {
	Data      string // data directory: embedded Temporal and the plugins' data
	Temporal  string // Embedded or HOST:PORT
	Namespace string // Temporal namespace; empty: "default"
	Tenant    string
	Region    string
	Plugins   string // folder of the plugins' executables; it need not exist
	Search    map[string]dsl.SearchType

	Port, UIPort int // of the embedded server; see embedded.Config

	Logger *slog.Logger // nil discards
	// Observe is told of the transitions of sagas that run in this process.
	Observe func(id string, r engine.Record)
}

// Stack is the parts that have been started. Its methods are to be called from
// one goroutine; the parts themselves are safe for concurrent use.
type Stack struct {
	cfg     Config
	peer    *Endpoint // the process that serves the data directory, or nil
	host    *host.Host
	invoker *invoker
	server  *embedded.Server
	sdk     client.Client
	worker  worker.Worker
	claimed bool // the data directory is ours: an endpoint file in it is ours too
}

// Open looks who serves the data directory. It starts nothing.
func Open(ctx context.Context, cfg Config) (*Stack, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Namespace == "" {
		cfg.Namespace = embedded.DefaultNamespace
	}
	dir, err := filepath.Abs(cfg.Data)
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", cfg.Data, err)
	}
	cfg.Data = dir
	s := &Stack{cfg: cfg}
	if cfg.Temporal == Embedded {
		s.peer = findPeer(ctx, cfg.Data)
	}
	return s, nil
}

// Empty says whether there is nothing on the data directory yet that embedded
// Temporal could know: looking would only create it.
func (s *Stack) Empty() bool {
	if s.cfg.Temporal != Embedded || s.peer != nil {
		return false
	}
	_, err := os.Stat(filepath.Join(s.cfg.Data, temporalDatabase))
	return errors.Is(err, fs.ErrNotExist)
}

// temporalDatabase is the file of embedded Temporal in a data directory.
const temporalDatabase = "temporal.db"

// Peer is the running `sagad dev` that uses the data directory, or nil.
func (s *Stack) Peer() *Endpoint { return s.peer }

// Served says whether another process runs the sagas of this tenant and region.
func (s *Stack) Served() bool {
	return s.peer != nil && s.peer.Tenant == s.cfg.Tenant && s.peer.Region == s.cfg.Region
}

// Region makes the stack work for another region of its tenant. It has to be
// called before plugins and worker are started.
func (s *Stack) Region(region string) { s.cfg.Region = region }

// Working says whether sagas of this tenant and region run in this process.
func (s *Stack) Working() bool { return s.worker != nil }

// SDK is the Temporal client, nil before Connect.
func (s *Stack) SDK() client.Client { return s.sdk }

// Namespace is Temporal's, in which the sagas are.
func (s *Stack) Namespace() string { return s.cfg.Namespace }

// Client starts sagas and talks to them, nil before Connect.
func (s *Stack) Client() *temporal.Client {
	if s.sdk == nil {
		return nil
	}
	return temporal.NewClient(s.sdk)
}

// Host is the plugin host, nil before StartPlugins.
func (s *Stack) Host() *host.Host { return s.host }

// Invoker runs attempts through the plugin host, nil before StartPlugins.
func (s *Stack) Invoker() engine.Invoker {
	if s.invoker == nil {
		return nil
	}
	return s.invoker
}

// Address is where Temporal answers, empty before Connect.
func (s *Stack) Address() string {
	switch {
	case s.server != nil:
		return s.server.Address()
	case s.peer != nil:
		return s.peer.Address
	case s.sdk != nil:
		return s.cfg.Temporal
	}
	return ""
}

// UI is the URL of Temporal's web UI, empty if there is none or it is not known.
func (s *Stack) UI() string {
	switch {
	case s.server != nil:
		return s.server.UIAddress()
	case s.peer != nil:
		return s.peer.UI
	}
	return ""
}

// Manifests are what the plugins offer: this process's, or those of the
// process that serves the sagas. Nil before StartPlugins if there is neither.
func (s *Stack) Manifests() []plugins.Manifest {
	switch {
	case s.host != nil:
		return s.host.Manifests()
	case s.Served():
		return s.peer.Manifests
	}
	return nil
}

// Connect connects to Temporal, starting the embedded server if it is that.
// Doing it again does nothing.
func (s *Stack) Connect(ctx context.Context) error {
	if s.sdk != nil {
		return nil
	}
	address := s.cfg.Temporal
	switch {
	case s.peer != nil:
		address = s.peer.Address
	case address == Embedded:
		if err := s.startServer(ctx); err != nil {
			return err
		}
		address = s.server.Address()
	}
	sdk, err := dial(ctx, address, s.cfg, s.cfg.Temporal == Embedded)
	var unreachable *UnreachableError
	if s.peer != nil && errors.As(err, &unreachable) {
		unreachable.Mend = "it is the one of a `sagad dev`, which may just be stopping; try again"
	}
	if err != nil {
		return err
	}
	s.sdk = sdk
	if s.cfg.Temporal != Embedded {
		return registerSearch(ctx, sdk, s.cfg)
	}
	return nil
}

// startServer claims the data directory and starts the embedded server on it.
func (s *Stack) startServer(ctx context.Context) error {
	server, err := embedded.Start(ctx, embedded.Config{
		Dir: s.cfg.Data, Port: s.cfg.Port, UIPort: s.cfg.UIPort, Namespace: s.cfg.Namespace,
		SearchAttributes: indexed(s.cfg.Search), Logger: s.cfg.Logger,
	})
	if err != nil {
		return lockedAdvice(err)
	}
	s.server, s.claimed = server, true
	return removeEndpoint(s.cfg.Data)
}

// lockedAdvice adds what else helps when another process has the data
// directory and is no `sagad dev` that could be used.
func lockedAdvice(err error) error {
	if errors.Is(err, embedded.ErrLocked) {
		return fmt.Errorf("%w; to run several sagas at the same time start `sagad dev` once and leave it running", err)
	}
	return err
}

// StartWorker makes this process run the sagas of its tenant and region, unless
// another one does. It connects and starts all plugins first: a worker takes
// up every open saga of its tenant and region.
func (s *Stack) StartWorker(ctx context.Context) error {
	if s.worker != nil || s.Served() {
		return nil
	}
	if err := s.StartPlugins(ctx); err != nil {
		return err
	}
	if err := s.Connect(ctx); err != nil {
		return err
	}
	return s.work(temporal.WorkerOptions{Invoker: s.invoker, Observe: s.cfg.Observe, StopTimeout: stopTime})
}

// StartLooking makes this process answer how sagas of its tenant and region
// stand, unless another one does. It calls no plugin: an attempt that is due
// waits for a worker that does.
func (s *Stack) StartLooking(ctx context.Context) error {
	if s.worker != nil || s.Served() {
		return nil
	}
	if err := s.Connect(ctx); err != nil {
		return err
	}
	return s.work(temporal.WorkerOptions{LookOnly: true})
}

func (s *Stack) work(o temporal.WorkerOptions) error {
	o.Tenant, o.Region = s.cfg.Tenant, s.cfg.Region
	w := temporal.NewWorker(s.sdk, o)
	if err := w.Start(); err != nil {
		return fmt.Errorf("start the worker of %s in %s: %w", s.cfg.Tenant, s.cfg.Region, err)
	}
	s.worker = w
	return nil
}

// Close stops what was started, the worker first and the server last. When it
// returns no process is left. Closing a stack again does nothing.
func (s *Stack) Close() error {
	var errs []error
	if s.worker != nil {
		s.worker.Stop()
		s.worker = nil
	}
	if s.host != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		errs = append(errs, s.host.Stop(ctx))
		s.host, s.invoker = nil, nil
	}
	if s.sdk != nil {
		s.sdk.Close()
		s.sdk = nil
	}
	if s.claimed {
		errs = append(errs, removeEndpoint(s.cfg.Data))
		s.claimed = false
	}
	if s.server != nil {
		s.server.Stop()
		s.server = nil
	}
	return errors.Join(errs...)
}
