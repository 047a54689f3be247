package plugins

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/sagad/sagad/plugins/pluginpb"
)

// drainTime bounds how long a plugin that is asked to end by a signal, or has
// lost its host, waits for its running calls.
const drainTime = 10 * time.Second

// flushTime bounds how long the results of drained calls take to be sent.
const flushTime = time.Second

// Serve runs p as a plugin process until its host ends it. Call it from main,
// last. On SIGTERM, and when the host is gone, it refuses new calls, waits up
// to ten seconds for the running ones, runs the OnStop functions and returns.
//
// Run by hand with the argument --manifest the process prints its manifest as
// JSON; run in any other way without a host it says so and exits with status 2.
// It exits with status 2 too when p was made wrongly.
func Serve(p *Plugin) {
	if p.err != nil {
		fmt.Fprintf(os.Stderr, "This plugin is not well made:\n%v\n", p.err)
		os.Exit(2)
	}
	if len(os.Args) == 2 && os.Args[1] == "--manifest" {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(p.Manifest()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if os.Getenv(pluginpb.CookieKey) != pluginpb.CookieValue {
		fmt.Fprintf(os.Stderr, "This is the sagad plugin %s %s. A host starts it; name the file in the host's configuration.\nTo see what it offers, run it with --manifest.\n", p.name, p.version)
		os.Exit(2)
	}
	serve(p, os.Stderr)
}

// serve blocks until the gRPC server has been stopped: by go-plugin when the
// host says so, or by a signal or the end of standard input.
func serve(p *Plugin, logs *os.File) {
	slog.SetDefault(newLogger(logs))
	s := newService(p, logs)

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if os.Getenv(pluginpb.StdinVariable) == "1" {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  pluginpb.ProtocolVersion,
			MagicCookieKey:   pluginpb.CookieKey,
			MagicCookieValue: pluginpb.CookieValue,
		},
		Plugins: plugin.PluginSet{pluginpb.Name: &wire{service: s}},
		Logger:  hclog.New(&hclog.LoggerOptions{Name: "go-plugin", Level: hclog.Error, Output: logs, JSONFormat: true}),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			server := grpc.NewServer(append(opts, grpc.MaxRecvMsgSize(pluginpb.MaxMessage))...)
			go func() {
				<-ctx.Done()
				s.end()
				stopServer(server)
			}()
			return server
		},
	})
	s.end()
}

// stopServer lets the last results reach the host before the connection is cut.
// The host's own streams, which never end by themselves, hold it up for
// flushTime at most.
func stopServer(server *grpc.Server) {
	timer := time.AfterFunc(flushTime, server.Stop)
	defer timer.Stop()
	server.GracefulStop()
}

// end drains within the time a process has after it was told to end.
func (s *service) end() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	if err := s.drain(ctx); err != nil {
		s.logger.Warn("plugin ended before it was drained", "error", err.Error())
	}
}

// wire makes the service one of go-plugin's plugins.
type wire struct {
	plugin.NetRPCUnsupportedPlugin
	service *service
}

var _ plugin.GRPCPlugin = (*wire)(nil)

// GRPCServer implements plugin.GRPCPlugin.
func (w *wire) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	pluginpb.RegisterPluginServer(server, w.service)
	return nil
}

// GRPCClient implements plugin.GRPCPlugin; a plugin process has no clients.
func (w *wire) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, fmt.Errorf("plugin %s: a plugin process has no clients", w.service.plugin.name)
}
