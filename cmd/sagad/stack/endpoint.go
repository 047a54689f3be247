package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/sagad/sagad/plugins"
)

// endpointFile stands in a data directory while a process serves it to others.
const endpointFile = "endpoint.json"

// Endpoint says how to reach the process that serves a data directory, and for
// whom it runs sagas.
type Endpoint struct {
	Address   string             `json:"address"` // Temporal, HOST:PORT
	UI        string             `json:"ui,omitempty"`
	Namespace string             `json:"namespace"`
	PID       int                `json:"pid"`
	Tenant    string             `json:"tenant"`
	Region    string             `json:"region"`
	Manifests []plugins.Manifest `json:"manifests"`
}

// Publish lets other commands that use the same data directory go through this
// process. The stack runs the embedded server and a worker.
func (s *Stack) Publish() error {
	if s.server == nil || s.worker == nil {
		return errors.New("publish: only a process with its own server and worker serves others")
	}
	data, err := json.Marshal(Endpoint{
		Address: s.server.Address(), UI: s.server.UIAddress(), Namespace: s.cfg.Namespace, PID: os.Getpid(),
		Tenant: s.cfg.Tenant, Region: s.cfg.Region, Manifests: s.host.Manifests(),
	})
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	path := filepath.Join(s.cfg.Data, endpointFile)
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// removeEndpoint takes the endpoint file away: its own at the end, or one that a
// process left that was killed. The caller holds the data directory.
func removeEndpoint(data string) error {
	err := os.Remove(filepath.Join(data, endpointFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// peerTimeout bounds the look whether anybody listens at an endpoint of this
// machine.
const peerTimeout = 2 * time.Second

// findPeer gives the process that serves the data directory, or nil. What a
// killed process left is ignored: its process is gone, or nobody listens.
func findPeer(ctx context.Context, data string) *Endpoint {
	text, err := os.ReadFile(filepath.Join(data, endpointFile))
	if err != nil {
		return nil
	}
	var e Endpoint
	if json.Unmarshal(text, &e) != nil || e.PID <= 0 || errors.Is(syscall.Kill(e.PID, 0), syscall.ESRCH) {
		return nil
	}
	dialer := net.Dialer{Timeout: peerTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", e.Address)
	if err != nil {
		return nil
	}
	_ = conn.Close() // nothing was sent
	return &e
}
