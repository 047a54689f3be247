//go:build !noembed

package embedded

import (
	"context"
	"fmt"
	"net"
)

// checkPort reports whether an address that the user asked for can be listened
// on. The server itself would end the whole process if it could not.
func checkPort(ctx context.Context, address, flag string) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return portError(address, flag, err)
	}
	return listener.Close()
}

// freePorts finds n ports of the host that nobody uses.
//
// The server takes numbers, not listeners, so between choosing a port and
// listening on it another process could get it. Closing an accepted connection
// from the listening side leaves the port in TIME_WAIT: for a minute the kernel
// gives it to nobody who asks for any port, yet lets us listen on it by number
// (Go sets SO_REUSEADDR). All n listeners are open at once, so the ports differ.
func freePorts(ctx context.Context, host string, n int) ([]int, error) {
	ports := make([]int, 0, n)
	for range n {
		var lc net.ListenConfig
		listener, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			return nil, fmt.Errorf("find a free port on %s: %w", host, err)
		}
		defer func() { _ = listener.Close() }()
		if err := reserve(ctx, listener); err != nil {
			return nil, fmt.Errorf("reserve %s: %w", listener.Addr(), err)
		}
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// reserve leaves a connection of the listener's port in TIME_WAIT.
func reserve(ctx context.Context, listener net.Listener) error {
	var dialer net.Dialer
	client, err := dialer.DialContext(ctx, "tcp", listener.Addr().String())
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	server, err := listener.Accept()
	if err != nil {
		return err
	}
	return server.Close()
}
