package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sagad/sagad/plugins"
)

// Host runs the plugin processes of one tenant in one region. Its methods may
// be called from many goroutines. It is started once; stopping it again does
// nothing.
type Host struct {
	config Config
	invoke Invoker
	slots  []*slot
	byName map[string]*slot // by plugin
	redact *redactor

	life context.Context // ends when the host is told to stop
	end  context.CancelFunc

	mu      sync.Mutex // of what follows, between Start and Stop
	spawner *spawner
	sockets *socketDir
}

// New checks the configuration. It starts nothing.
func New(config Config) (*Host, error) {
	if err := config.complete(); err != nil {
		return nil, fmt.Errorf("plugin host: %w", err)
	}
	dir, err := filepath.Abs(config.DataDir)
	if err != nil {
		return nil, fmt.Errorf("plugin host: data directory: %w", err)
	}
	config.DataDir = dir
	h := &Host{config: config, byName: make(map[string]*slot), redact: newRedactor()}
	h.life, h.end = context.WithCancel(context.Background())
	for _, b := range config.Plugins {
		s := newSlot(h, b)
		h.slots = append(h.slots, s)
		h.byName[b.Name] = s
	}
	h.invoke = chain(config.Middleware, h.dispatch)
	return h, nil
}

// Start starts every plugin at once, asks what it offers and configures it. If
// any fails it stops the others and returns an error that names each plugin at
// fault and how to mend it.
func (h *Host) Start(ctx context.Context) error {
	if err := h.open(); err != nil {
		return fmt.Errorf("plugin host: %w", err)
	}
	errs := make([]error, len(h.slots))
	var wg sync.WaitGroup
	for i, s := range h.slots {
		wg.Go(func() {
			if err := s.start(ctx); err != nil {
				errs[i] = fmt.Errorf("plugin %s: %w", s.binary.Name, err)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		stopped, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		return errors.Join(err, h.Stop(stopped))
	}
	return nil
}

// open makes what the processes need, unless the host has been stopped.
func (h *Host) open() (err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.life.Err() != nil {
		return errStopped
	}
	if h.sockets, err = makeSocketDir(); err != nil {
		return err
	}
	h.spawner = newSpawner()
	for _, s := range h.slots {
		s.open()
	}
	return nil
}

// Stop lets the plugins finish their running calls until ctx ends, then kills
// what is left, with its process group. When it returns no process is left;
// calls from then on are not sent. It may be called while Start is under way.
// The error says which plugins had to be killed.
func (h *Host) Stop(ctx context.Context) error {
	h.mu.Lock()
	h.end() // from here on open makes nothing
	h.mu.Unlock()
	errs := make([]error, len(h.slots))
	var wg sync.WaitGroup
	for i, s := range h.slots {
		wg.Go(func() {
			if err := s.stop(ctx); err != nil {
				errs[i] = fmt.Errorf("plugin %s: %w", s.binary.Name, err)
			}
		})
	}
	wg.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.spawner != nil {
		h.spawner.close()
	}
	if h.sockets != nil {
		errs = append(errs, h.sockets.remove())
	}
	return errors.Join(errs...)
}

// Manifests returns what the plugins offer, by plugin name. It is complete once
// Start has succeeded and does not change afterwards.
func (h *Host) Manifests() []plugins.Manifest {
	var all []plugins.Manifest
	for _, s := range h.slots {
		if m, ok := s.described(); ok {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b plugins.Manifest) int { return strings.Compare(a.Plugin, b.Plugin) })
	return all
}

// Process is the state of a plugin's process.
type Process struct {
	Plugin  string
	Version string
	// PID is 0 while no process runs.
	PID int
	// Since is when the process was ready; zero while none runs.
	Since time.Time
	// Startup is how long it took from the start of the process until it was
	// configured; zero while none runs.
	Startup time.Duration
	// Restarts counts the processes started after the first.
	Restarts int
	// Breaker is the circuit breaker's state: closed, half-open or open.
	Breaker string
}

// Processes returns the state of every plugin's process, by plugin name.
func (h *Host) Processes() []Process {
	all := make([]Process, 0, len(h.slots))
	for _, s := range h.slots {
		all = append(all, s.state())
	}
	slices.SortFunc(all, func(a, b Process) int { return strings.Compare(a.Plugin, b.Plugin) })
	return all
}

// logger tags lines with whom they are about.
func (h *Host) logger(plugin string) *slog.Logger {
	return h.config.Logger.With("plugin", plugin, "tenant", h.config.Tenant, "region", h.config.Region)
}
