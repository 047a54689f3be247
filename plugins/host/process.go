package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/pluginpb"
)

// process is a plugin process that has started, described itself and been
// configured.
type process struct {
	child    *childProcess
	client   *plugin.Client
	conn     *grpc.ClientConn
	rpc      pluginpb.PluginClient
	manifest plugins.Manifest
	calls    sync.WaitGroup // under way, as the host sees it
	since    time.Time
	startup  time.Duration
}

// launch starts a process. It leaves none if it fails.
func (s *slot) launch(ctx context.Context) (*process, error) {
	if err := s.binary.check(); err != nil {
		return nil, err
	}
	dataDir := filepath.Join(s.host.config.DataDir, s.host.config.Tenant, s.host.config.Region, s.binary.Name)
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.host.config.StartTimeout)
	defer cancel()
	began := time.Now()
	p, err := s.connect(ctx, dataDir)
	if err != nil {
		return nil, err
	}
	if err := p.introduce(ctx, s, dataDir); err != nil {
		tail := p.child.tail.String()
		p.kill()
		return nil, fmt.Errorf("%w%s", err, tail)
	}
	p.since = time.Now()
	p.startup = p.since.Sub(began)
	return p, nil
}

// connect starts the process and the connection to it.
func (s *slot) connect(ctx context.Context, dataDir string) (*process, error) {
	p := &process{child: &childProcess{
		spawner: s.host.spawner, out: s.out, tail: &tail{}, exited: make(chan struct{}),
	}}
	p.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion: pluginpb.ProtocolVersion, MagicCookieKey: pluginpb.CookieKey, MagicCookieValue: pluginpb.CookieValue,
		},
		Plugins:          plugin.PluginSet{pluginpb.Name: wire{}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     s.host.config.StartTimeout,
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Off, Output: io.Discard}),
		SyncStdout:       s.out.writer(),
		SyncStderr:       s.out.writer(),
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: s.host.sockets.path},
		GRPCDialOptions: []grpc.DialOption{grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(s.host.config.MaxMessage), grpc.MaxCallSendMsgSize(pluginpb.MaxMessage),
		)},
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, sockets string) (runner.Runner, error) {
			p.child.sockets = sockets
			p.child.cmd = exec.Command(s.binary.Path)
			p.child.cmd.Dir = dataDir
			p.child.cmd.Env = append(slices.Clone(spec.Env), pluginpb.StdinVariable+"=1")
			for _, name := range sortedNames(s.binary.Env) {
				p.child.cmd.Env = append(p.child.cmd.Env, name+"="+s.binary.Env[name])
			}
			return p.child, nil
		},
	})
	// go-plugin waits without a context, also for a process that has stopped
	// answering. Killing it ends the wait.
	connected := make(chan error, 1)
	go func() { connected <- p.dial() }()
	select {
	case err := <-connected:
		return p, err
	case <-ctx.Done():
	}
	p.child.kill()
	err := <-connected
	if err == nil {
		p.kill()
		err = errors.New("it answered too late")
	}
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, errStopped
	}
	return nil, fmt.Errorf("it was not ready within %s: %w", s.host.config.StartTimeout, err)
}

// dial starts the process and connects to it, or leaves nothing.
func (p *process) dial() error {
	protocol, err := p.client.Client()
	if err != nil {
		p.kill()
		return err
	}
	client, ok := protocol.(*plugin.GRPCClient)
	if !ok { // only gRPC is allowed
		p.kill()
		return fmt.Errorf("go-plugin gave a %T", protocol)
	}
	p.conn, p.rpc = client.Conn, pluginpb.NewPluginClient(client.Conn)
	return nil
}

// introduce asks the process what it offers and tells it where it is.
func (p *process) introduce(ctx context.Context, s *slot, dataDir string) error {
	described, err := p.rpc.Describe(ctx, &pluginpb.DescribeRequest{})
	if err != nil {
		return fmt.Errorf("asking what it offers: %s", status.Convert(err).Message())
	}
	if p.manifest, err = readManifest(described, s.binary.Name); err != nil {
		return err
	}
	_, err = p.rpc.Configure(ctx, &pluginpb.ConfigureRequest{
		Tenant: s.host.config.Tenant, Region: s.host.config.Region, DataDir: dataDir,
	})
	if err != nil {
		return fmt.Errorf("it refused to start: %s", status.Convert(err).Message())
	}
	return nil
}

// readManifest checks what a plugin says of itself.
func readManifest(d *pluginpb.Manifest, name string) (plugins.Manifest, error) {
	m := plugins.Manifest{Plugin: d.GetPlugin(), Version: d.GetVersion(), Protocol: int(d.GetProtocol())}
	if m.Plugin != name {
		return m, fmt.Errorf("the file is of a plugin that calls itself %.80q: configure it under that name, or correct the path", m.Plugin)
	}
	if m.Protocol != pluginpb.ProtocolVersion {
		return m, fmt.Errorf("it speaks version %d of the plugin protocol and this host version %d: build it against this release's plugins package", m.Protocol, pluginpb.ProtocolVersion)
	}
	seen := map[string]bool{}
	for _, a := range d.GetActivities() {
		switch {
		case !strings.HasPrefix(a.GetName(), name+"."):
			return m, fmt.Errorf("its activity %.80q is not named %s.SOMETHING", a.GetName(), name)
		case seen[a.GetName()]:
			return m, fmt.Errorf("it names the activity %s twice", a.GetName())
		case !json.Valid(a.GetInputSchema()) || !json.Valid(a.GetOutputSchema()):
			return m, fmt.Errorf("a schema of its activity %s is not JSON", a.GetName())
		}
		seen[a.GetName()] = true
		m.Activities = append(m.Activities, plugins.ActivityManifest{
			Name: a.GetName(), Description: a.GetDescription(),
			Input: a.GetInputSchema(), Output: a.GetOutputSchema(), Errors: a.GetErrors(),
			Sensitive: a.GetSensitiveInput(), SensitiveOutput: a.GetSensitiveOutput(), Regions: a.GetRegions(),
		})
	}
	return m, nil
}

// stopGrace is how long a drained process has to end by itself.
const stopGrace = 2 * time.Second

// stop drains the process until ctx ends, then ends it. It reports what had to
// be cut short.
func (p *process) stop(ctx context.Context) error {
	_, err := p.rpc.Drain(ctx, &pluginpb.DrainRequest{})
	if err == nil {
		p.settle()
		_ = p.conn.Close()        // with go-plugin's streams, which would hold it up
		_ = p.child.stdin.Close() // it may be closed already
		p.child.signal(syscall.SIGTERM)
	}
	if err == nil || status.Code(err) == codes.Unavailable { // it is ending, or ended on its own
		timer := time.NewTimer(stopGrace)
		defer timer.Stop()
		select {
		case <-p.child.exited:
			err = nil
		case <-timer.C:
			err = errors.Join(errors.New("killed because it did not end by itself"), err)
		}
	} else {
		err = fmt.Errorf("killed before it was drained: %s", status.Convert(err).Message())
	}
	p.kill()
	return err
}

// settle waits until the results of the drained calls have arrived: the answer
// to Drain may have overtaken them.
func (p *process) settle() {
	arrived := make(chan struct{})
	go func() { p.calls.Wait(); close(arrived) }()
	timer := time.NewTimer(stopGrace)
	defer timer.Stop()
	select {
	case <-arrived:
	case <-p.child.exited:
	case <-timer.C:
	}
}

// kill ends the process at once, with its group, and what go-plugin holds for
// it. It returns when the process is gone.
func (p *process) kill() {
	p.child.kill()
	p.child.wait()
	p.client.Kill() // with the process gone it only closes and cleans up
}

func sortedNames(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// wire makes go-plugin dial the service; the host makes its own client of the
// connection.
type wire struct{ plugin.NetRPCUnsupportedPlugin }

var _ plugin.GRPCPlugin = wire{}

// GRPCServer implements plugin.GRPCPlugin; a host serves no plugin.
func (wire) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("host: a host serves no plugin")
}

// GRPCClient implements plugin.GRPCPlugin.
func (wire) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return pluginpb.NewPluginClient(conn), nil
}
