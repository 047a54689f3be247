//go:build !noembed

package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Built tells whether this binary contains the Temporal server.
const Built = true

const (
	// readyTimeout is how long the started services may take to answer.
	readyTimeout = 30 * time.Second
	// startAttempts is how often a start is tried when another process takes one
	// of the ports that were free a moment ago.
	startAttempts = 3
	// checkpointTimeout bounds the last write to the database in Stop.
	checkpointTimeout = 10 * time.Second
)

// Server is a running Temporal server. Its methods are safe for concurrent use.
type Server struct {
	cfg      Config
	lock     *dirLock
	logger   *serverLogger
	temporal temporal.Server
	frontend string
	ui       *webUI
	stop     sync.Once
}

// Start runs a server on the data directory and returns when it serves: the
// namespace exists, its search attributes can be used, workflows can be started.
// The caller owns the server and stops it with Stop; when ctx ends later nothing
// happens to it. What the user can mend comes as a *SetupError.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	return startOn(ctx, cfg, storeConfig)
}

// startOn is Start on a store that a benchmark may choose.
func startOn(ctx context.Context, cfg Config, store func(path string) *config.SQL) (*Server, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(cfg)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, lock: lock, logger: newServerLogger(cfg.Logger)}
	if err := s.start(ctx, store(cfg.path(databaseFile))); err != nil {
		lock.abandon()
		return nil, err
	}
	return s, nil
}

// start does what needs the lock. On an error nothing of it is left running.
func (s *Server) start(ctx context.Context, store *config.SQL) error {
	if err := checkPorts(ctx, s.cfg); err != nil {
		return err
	}
	database := s.cfg.path(databaseFile)
	if err := prepareDatabase(ctx, database, s.lock.crashed); err != nil {
		return err
	}
	if err := prepareNamespace(ctx, s.cfg, store, s.logger); err != nil {
		return databaseError(database, err)
	}
	if err := s.startServices(ctx, store); err != nil {
		return databaseError(database, err)
	}
	if err := s.startUI(ctx); err != nil {
		s.stopServices()
		return err
	}
	s.logger.run.serving.Store(true)
	return nil
}

// Address is the frontend's host:port, for Temporal clients.
func (s *Server) Address() string { return s.frontend }

// UIAddress is the web UI's URL, empty if there is none.
func (s *Server) UIAddress() string {
	if s.ui == nil {
		return ""
	}
	return s.ui.url
}

// Stop ends the UI and the server, writes the database out and gives the data
// directory back. It waits until that is done, also when called again or by
// several at once. Stop workers first: their open polls end with errors otherwise.
func (s *Server) Stop() {
	s.stop.Do(func() {
		if s.ui != nil {
			s.ui.stop()
		}
		s.stopServices()
		ctx, cancel := context.WithTimeout(context.Background(), checkpointTimeout)
		defer cancel()
		if err := checkpoint(ctx, s.cfg.path(databaseFile)); err != nil {
			s.cfg.Logger.Warn("the write-ahead log of the embedded Temporal server stays beside its database", "error", err)
		}
		if err := s.lock.release(); err != nil {
			s.cfg.Logger.Warn("the lock of the data directory was not released in order", "error", err)
		}
	})
}

// checkPorts reports the ports asked for that are taken.
func checkPorts(ctx context.Context, cfg Config) error {
	if cfg.Port != 0 {
		if err := checkPort(ctx, cfg.address(cfg.Port), PortFlag); err != nil {
			return err
		}
	}
	if cfg.UIPort > 0 {
		return checkPort(ctx, cfg.address(cfg.UIPort), UIPortFlag)
	}
	return nil
}

// startServices brings the server up on ports that are free, on others if one of
// them is snatched away in between.
func (s *Server) startServices(ctx context.Context, store *config.SQL) error {
	var err error
	for range startAttempts {
		ports, portErr := servicePorts(ctx, s.cfg)
		if portErr != nil {
			return portErr
		}
		var taken *fatalError
		if err = s.tryStart(ctx, store, ports); !errors.As(err, &taken) {
			return err
		}
	}
	return fmt.Errorf("start the embedded Temporal server: %w", err)
}

// servicePorts chooses a port for each service.
func servicePorts(ctx context.Context, cfg Config) (map[primitives.ServiceName]int, error) {
	free, err := freePorts(ctx, cfg.Host, len(services))
	if err != nil {
		return nil, err
	}
	ports := make(map[primitives.ServiceName]int, len(services))
	for i, service := range services {
		ports[service] = free[i]
	}
	if cfg.Port != 0 {
		ports[primitives.FrontendService] = cfg.Port
	}
	return ports, nil
}

// fatalError is a line with which the server wanted to end the process while it
// was starting; a port that cannot be listened on is what that happens for.
type fatalError struct{ line string }

func (e *fatalError) Error() string { return e.line }

// tryStart starts the services on the given ports and waits until they serve.
// They start on a goroutine of their own, because serverLogger.Fatal ends it.
func (s *Server) tryStart(ctx context.Context, store *config.SQL, ports map[primitives.ServiceName]int) error {
	s.logger.run.fatal.Store(nil)
	result := make(chan error, 1)
	go func() {
		err := errors.New("the start ended without a result")
		defer func() { result <- err }()
		err = s.runServices(store, ports)
	}()
	err := <-result
	if line := s.logger.run.fatal.Load(); line != nil {
		return &fatalError{line: *line}
	}
	if err != nil {
		return fmt.Errorf("start the embedded Temporal server: %w", err)
	}
	s.frontend = s.cfg.address(ports[primitives.FrontendService])
	if err := s.awaitReady(ctx); err != nil {
		s.stopServices()
		return fmt.Errorf("the embedded Temporal server does not answer on %s: %w", s.frontend, err)
	}
	return nil
}

// runServices builds the server and starts its services one after the other.
func (s *Server) runServices(store *config.SQL, ports map[primitives.ServiceName]int) error {
	names := make([]string, len(services))
	for i, service := range services {
		names[i] = string(service)
	}
	server, err := temporal.NewServer(
		temporal.WithConfig(serverConfig(s.cfg, store, ports)),
		temporal.ForServices(names),
		temporal.WithStaticHosts(hosts(s.cfg, ports)),
		temporal.WithDynamicConfigClient(settings(s.cfg)),
		temporal.WithLogger(s.logger),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithCustomMetricsHandler(metrics.NoopMetricsHandler),
	)
	if err != nil {
		return err
	}
	s.temporal = server
	return server.Start()
}

// awaitReady returns when the frontend serves the namespace.
func (s *Server) awaitReady(ctx context.Context) error {
	conn, err := grpc.NewClient(s.frontend, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	frontend := workflowservice.NewWorkflowServiceClient(conn)
	return poll(ctx, func() error {
		_, err := frontend.CountWorkflowExecutions(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: s.cfg.Namespace})
		return err
	})
}

// startUI serves the web UI unless it is not wanted.
func (s *Server) startUI(ctx context.Context) error {
	port := s.cfg.UIPort
	if port == NoUI {
		return nil
	}
	if port == 0 {
		free, err := freePorts(ctx, s.cfg.Host, 1)
		if err != nil {
			return err
		}
		port = free[0]
	}
	ui, err := startUI(ctx, s.cfg, port, s.frontend)
	s.ui = ui
	return err
}

// stopServices stops the server; from here on its complaints are expected.
func (s *Server) stopServices() {
	s.logger.run.serving.Store(false)
	if err := s.temporal.Stop(); err != nil {
		s.cfg.Logger.Warn("the embedded Temporal server did not stop in order", "error", err)
	}
}

const (
	pollFirst = time.Millisecond
	pollMost  = 20 * time.Millisecond
)

// poll calls f until it succeeds, with growing pauses, and gives its last error
// when ctx ends.
func poll(ctx context.Context, f func() error) error {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for wait := pollFirst; ; wait = min(2*wait, pollMost) {
		err := f()
		if err == nil {
			return nil
		}
		pause.Reset(wait)
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-pause.C:
		}
	}
}
