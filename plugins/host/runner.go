package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin/runner"

	"github.com/sagad/sagad/plugins/pluginpb"
)

// maxHandshake bounds the line in which a plugin tells where it listens. The
// certificate makes up most of it.
const maxHandshake = 8 << 10

// pipeGrace is how long the pipes of a process that has ended are read on, in
// case a process it started holds them open.
const pipeGrace = time.Second

// childProcess is a plugin's process: go-plugin's runner, with its own start,
// checks and end. go-plugin would believe whatever the process writes, and only
// ever kills the process itself.
type childProcess struct {
	cmd     *exec.Cmd
	spawner *spawner
	sockets string // the directory in which the plugin must listen
	out     *forwarder
	tail    *tail

	stdin          *os.File // held open as long as the host lives
	stdout, stderr *os.File
	handshake      chan string
	first          io.ReadCloser

	mu     sync.Mutex
	pid    int  // 0 before it has started
	killed bool // before or after it has started
	reaped bool
	exited chan struct{} // closed when the process is reaped and its logs are read
	err    error         // how it ended, once exited
}

var _ runner.Runner = (*childProcess)(nil)

// Start implements runner.Runner: it returns when the plugin has said where it
// listens, and leaves no process if it does not.
func (c *childProcess) Start(ctx context.Context) error {
	if err := c.launch(); err != nil {
		return err
	}
	line, err := c.await(ctx)
	if err == nil {
		err = checkHandshake(line, c.sockets)
	}
	if err != nil {
		c.kill()
		c.wait()
		return err
	}
	c.first = io.NopCloser(strings.NewReader(line + "\n"))
	return nil
}

func (c *childProcess) launch() error {
	var pipes [6]*os.File
	for i := 0; i < len(pipes); i += 2 {
		var err error
		if pipes[i], pipes[i+1], err = os.Pipe(); err != nil {
			closeAll(pipes[:i])
			return fmt.Errorf("making pipes: %w", err)
		}
	}
	c.cmd.Stdin, c.stdin = pipes[0], pipes[1]
	c.stdout, c.cmd.Stdout = pipes[2], pipes[3]
	c.stderr, c.cmd.Stderr = pipes[4], pipes[5]
	if err := c.spawner.start(c.cmd); err != nil {
		closeAll(pipes[:])
		return fmt.Errorf("starting %s: %w", c.cmd.Path, err)
	}
	closeAll([]*os.File{pipes[0], pipes[3], pipes[5]}) // the child's ends
	c.mu.Lock()
	c.pid = c.cmd.Process.Pid
	if c.killed {
		_ = syscall.Kill(-c.pid, syscall.SIGKILL)
	}
	c.mu.Unlock()

	c.handshake = make(chan string, 1)
	var pumps sync.WaitGroup
	pumps.Go(c.readStdout)
	pumps.Go(func() { c.out.copy(io.TeeReader(c.stderr, c.tail)) })
	go c.reap(&pumps)
	return nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close() // nothing was written
	}
}

// readStdout takes the first line as the handshake and logs the rest.
func (c *childProcess) readStdout() {
	r := bufio.NewReaderSize(c.stdout, maxHandshake)
	line, err := r.ReadSlice('\n')
	if err == nil || len(line) > 0 {
		c.handshake <- strings.TrimSpace(string(line))
	}
	close(c.handshake)
	c.out.copy(r)
}

// await returns the handshake. The process may be killed while it waits, by
// whoever does not want to wait as long.
func (c *childProcess) await(ctx context.Context) (string, error) {
	select {
	case line, ok := <-c.handshake:
		if ok {
			return line, nil
		}
	case <-ctx.Done():
	}
	c.mu.Lock()
	late := c.killed || ctx.Err() != nil
	c.mu.Unlock()
	c.kill() // if it still runs it has closed its standard output
	c.wait()
	if late {
		return "", fmt.Errorf("it did not say where it listens: call plugins.Serve as the last thing in main%s", c.tail)
	}
	return "", fmt.Errorf("the process ended before it was ready (%w)%s", c.err, c.tail)
}

// checkHandshake refuses what a plugin may not make the host do: dial an
// address of its choice, speak another protocol, or go without TLS.
func checkHandshake(line, sockets string) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%s: build it with plugins.Serve, and let it write nothing to standard output before", fmt.Sprintf(format, args...))
	}
	parts := strings.Split(line, "|")
	if len(parts) < 6 {
		return bad("the process wrote %.80q where its handshake should be", line)
	}
	if parts[0] != "1" || parts[4] != "grpc" || len(parts[5]) < 100 {
		return bad("the process does not speak go-plugin's gRPC with TLS")
	}
	if parts[1] != strconv.Itoa(pluginpb.ProtocolVersion) {
		return fmt.Errorf("it speaks version %.20q of the plugin protocol and this host version %d: build it against this release's plugins package", parts[1], pluginpb.ProtocolVersion)
	}
	info, err := os.Lstat(parts[3])
	if parts[2] != "unix" || filepath.Dir(filepath.Clean(parts[3])) != filepath.Clean(sockets) || err != nil || info.Mode().Type() != os.ModeSocket {
		return bad("the process listens at %.20q %.100q instead of a socket in the directory it was given", parts[2], parts[3])
	}
	return nil
}

// reap waits for the process to end and ends what it leaves behind: its group is
// killed, if possible while the group's number cannot be another's, and its logs
// are read to the end.
func (c *childProcess) reap(pumps *sync.WaitGroup) {
	var err error
	group := -c.cmd.Process.Pid
	if awaitExit(-group) {
		c.mu.Lock()
		_ = syscall.Kill(group, syscall.SIGKILL) // most often nothing is left
		err = c.cmd.Wait()
	} else {
		err = c.cmd.Wait()
		c.mu.Lock()
		_ = syscall.Kill(group, syscall.SIGKILL)
	}
	c.reaped = true
	c.mu.Unlock()
	deadline := time.Now().Add(pipeGrace)
	_ = c.stdout.SetReadDeadline(deadline) // a pipe that has none is read to its end
	_ = c.stderr.SetReadDeadline(deadline)
	pumps.Wait()
	closeAll([]*os.File{c.stdin, c.stdout, c.stderr})
	if err == nil {
		err = errors.New("exit status 0")
	}
	c.err = err
	close(c.exited)
}

// kill ends the whole process group at once, or as soon as there is one. It
// does not wait.
func (c *childProcess) kill() {
	c.mu.Lock()
	c.killed = true
	c.mu.Unlock()
	c.signal(syscall.SIGKILL)
}

func (c *childProcess) signal(s syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pid != 0 && !c.reaped {
		_ = syscall.Kill(-c.pid, s) // it may be gone already
	}
}

// wait returns when there is no process.
func (c *childProcess) wait() {
	c.mu.Lock()
	started := c.pid != 0
	c.mu.Unlock()
	if started {
		<-c.exited
	}
}

// Stdout implements runner.Runner: only the handshake, which has been checked.
func (c *childProcess) Stdout() io.ReadCloser { return c.first }

// Stderr implements runner.Runner: the host reads the logs itself.
func (c *childProcess) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Wait implements runner.AttachedRunner.
func (c *childProcess) Wait(context.Context) error {
	c.wait()
	return nil
}

// Kill implements runner.AttachedRunner.
func (c *childProcess) Kill(context.Context) error {
	c.kill()
	c.wait()
	return nil
}

// Name implements runner.Runner.
func (c *childProcess) Name() string { return c.cmd.Path }

// ID implements runner.AttachedRunner.
func (c *childProcess) ID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pid == 0 {
		return ""
	}
	return strconv.Itoa(c.pid)
}

// Diagnose implements runner.Runner.
func (c *childProcess) Diagnose(context.Context) string { return "" }

// PluginToHost implements runner.AddrTranslator.
func (c *childProcess) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin implements runner.AddrTranslator.
func (c *childProcess) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
