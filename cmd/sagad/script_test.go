package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.temporal.io/sdk/client"

	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/engine"
)

func TestScripts(t *testing.T) {
	root := repository(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TMPDIR", os.TempDir()) // sockets want short paths
			env.Setenv("EXAMPLES", filepath.Join(root, "definitions", "examples"))
			env.Setenv("REPOSITORY", root)
			env.Setenv("DEFINITIONS", filepath.Join(root, "definitions"))
			env.Setenv("HISTORIES", filepath.Join(root, "engine", "temporal", "testdata", "histories"))
			env.Setenv("PLUGINS", binaries)
			env.Setenv("USER", "tester")
			for name, definitions := range map[string]string{
				defaultConfig: filepath.Join(root, "definitions"), "patient.yaml": patient(filepath.Join(env.WorkDir, "patient")),
			} {
				config := fmt.Sprintf("plugins: %q\ndefinitions: %q\n", binaries, definitions)
				if err := os.WriteFile(filepath.Join(env.WorkDir, name), []byte(config), 0o600); err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"dev": devCmd, "code": codeCmd, "occupy": occupyCmd, "damage": damageCmd, "lists": repeatCmd("list"), "shows": repeatCmd("show"), "says": saysCmd, "began": beganCmd, "terminate": terminateCmd,
		},
	})
}

// patient makes a folder of definitions whose demo tenant waits a minute for a
// confirmation: long enough for several commands on a busy machine.
func patient(dir string) string {
	const tenant = "tenant: demo\ncountry: LU\ntimezone: Europe/Luxembourg\nregions: [eu-west-1]\nsettings: {scaTimeout: 1m}\n"
	if err := os.MkdirAll(filepath.Join(dir, tenantsFolder), 0o700); err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(dir, tenantsFolder, "demo.yaml"), []byte(tenant), 0o600); err != nil {
		panic(err)
	}
	return dir
}

// devCmd runs `sagad dev` beside a script: `dev start ARG...` waits until it is
// up, `dev stop` ends it as Ctrl-C does, `dev kill` as a power cut does. What it
// wrote is then in the file dev.out.
func devCmd(ts *testscript.TestScript, neg bool, args []string) {
	const key = "dev"
	if neg || len(args) == 0 {
		ts.Fatalf("usage: dev start ARG... | dev stop | dev kill")
	}
	switch args[0] {
	case "start":
		d, err := startDev(ts.Getenv("WORK"), append(os.Environ(), "TMPDIR="+os.TempDir()), args[1:]...)
		ts.Check(err)
		ts.Setenv(key, fmt.Sprint(d.cmd.Process.Pid))
		running.Store(d.cmd.Process.Pid, d)
		ts.Defer(func() { _ = d.stop(syscall.SIGKILL) }) // its error is the signal
	case "stop", "kill":
		var pid int
		_, err := fmt.Sscan(ts.Getenv(key), &pid)
		ts.Check(err)
		value, _ := running.Load(pid)
		d := value.(*devProcess)
		signal := syscall.SIGINT
		if args[0] == "kill" {
			signal = syscall.SIGKILL
		}
		if err := d.stop(signal); args[0] == "stop" {
			ts.Check(err)
		}
		ts.Logf("%s", d.output())
		ts.Check(os.WriteFile(ts.MkAbs("dev.out"), []byte(d.output()), 0o600))
	}
}

// running holds the `sagad dev` processes of scripts by process ID.
var running sync.Map

// devProcess is a `sagad dev` in a process of its own.
type devProcess struct {
	cmd  *exec.Cmd
	done chan error
	once sync.Once
	err  error

	mu   sync.Mutex
	out  bytes.Buffer
	news chan struct{} // gets a value after every line
}

// devReady is the last line of `sagad dev` before it only waits.
const devReady = "Ctrl-C stops it."

func startDev(dir string, env []string, args ...string) (*devProcess, error) {
	sagad, err := exec.LookPath("sagad") // testscript puts it on the path
	if err != nil {
		return nil, err
	}
	d := &devProcess{cmd: exec.Command(sagad, append([]string{"dev", "--ui-port", "0"}, args...)...), done: make(chan error, 1), news: make(chan struct{}, 1)}
	d.cmd.Dir, d.cmd.Env = dir, env
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	d.cmd.Stderr = d.cmd.Stdout
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	ready := make(chan struct{})
	go d.read(out, ready)
	select {
	case <-ready:
		return d, nil
	case err := <-d.done:
		return nil, fmt.Errorf("sagad dev ended: %w\n%s", err, d.output())
	case <-time.After(time.Minute):
		_ = d.stop(syscall.SIGKILL)
		return nil, fmt.Errorf("sagad dev is not up after a minute\n%s", d.output())
	}
}

func (d *devProcess) read(out io.Reader, ready chan struct{}) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		d.mu.Lock()
		d.out.WriteString(lines.Text() + "\n")
		d.mu.Unlock()
		select {
		case d.news <- struct{}{}:
		default: // who waits has not looked yet
		}
		if lines.Text() == devReady {
			close(ready)
		}
	}
	d.done <- d.cmd.Wait()
}

func (d *devProcess) output() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.out.String()
}

// stop ends the process and waits for its end.
func (d *devProcess) stop(signal syscall.Signal) error {
	d.once.Do(func() {
		_ = d.cmd.Process.Signal(signal) // it may have ended by itself
		d.err = <-d.done
	})
	return d.err
}

// codeCmd runs a command and wants its exit code: `code 2 sagad run ...`.
func codeCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND ARG...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// occupyCmd listens on a free port and puts its number into a variable.
func occupyCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: occupy VARIABLE")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = listener.Close() })
	ts.Setenv(args[0], fmt.Sprint(listener.Addr().(*net.TCPAddr).Port))
}

// damageCmd overwrites the beginning of a file.
func damageCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage FILE")
	}
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.WriteAt(bytes.Repeat([]byte("damaged "), 512), 0)
	ts.Check(err)
	ts.Check(f.Close())
}

// repeatCmd runs a command of sagad until it prints a text: visibility follows a
// saga with a small delay, and a saga goes on by itself.
func repeatCmd(command string) func(ts *testscript.TestScript, neg bool, args []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < 1 {
			ts.Fatalf("usage: %ss TEXT ARG...", command)
		}
		deadline := time.Now().Add(30 * time.Second)
		for {
			err := ts.Exec("sagad", append([]string{command}, args[1:]...)...) // a child may not be there yet
			out := ts.ReadFile("stdout")
			if err == nil && strings.Contains(out, args[0]) {
				return
			}
			if time.Now().After(deadline) {
				ts.Fatalf("sagad %s never showed %q: %v\n%s", command, args[0], err, out)
			}
		}
	}
}

// beganCmd wants `sagad list` and `sagad show` to agree on when a saga started, which
// is not when its run did: `began ID`.
func beganCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: began ID")
	}
	var rows []row
	ts.Check(ts.Exec("sagad", "list", "--children", "-o", "json"))
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &rows))
	var r engine.Result
	ts.Check(ts.Exec("sagad", "show", args[0], "-o", "json"))
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &r))
	for _, listed := range rows {
		if listed.ID == args[0] {
			if !listed.StartedAt.Equal(r.StartedAt) {
				ts.Fatalf("sagad list says that %s started at %s, sagad show at %s", r.ID, listed.StartedAt, r.StartedAt)
			}
			return
		}
	}
	ts.Fatalf("sagad list does not have %s", args[0])
}

// saysCmd waits until the running `sagad dev` of the script has printed a text:
// it tells of some things when it has asked for them.
func saysCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: says TEXT")
	}
	var pid int
	_, err := fmt.Sscan(ts.Getenv("dev"), &pid)
	ts.Check(err)
	value, _ := running.Load(pid)
	d := value.(*devProcess)
	for limit := time.After(30 * time.Second); !strings.Contains(d.output(), args[0]); {
		select {
		case <-d.news:
		case <-limit:
			ts.Fatalf("sagad dev never said %q:\n%s", args[0], d.output())
		}
	}
}

// terminateCmd ends a workflow with Temporal's means, on the server that the
// running `sagad dev` of the script has: `terminate ID`.
func terminateCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: terminate ID")
	}
	var endpoint stack.Endpoint
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(".sagad/endpoint.json")), &endpoint))
	c, err := client.Dial(client.Options{HostPort: endpoint.Address, Namespace: endpoint.Namespace})
	ts.Check(err)
	defer c.Close()
	ts.Check(c.TerminateWorkflow(context.Background(), args[0], "", "by hand"))
}
