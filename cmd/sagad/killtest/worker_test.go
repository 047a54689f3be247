package killtest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"

	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/temporal"
)

// workerVariable holds the orders of a worker process: a copy of the test's own
// program, so that nothing in the product knows that it is killed.
const workerVariable = "SAGAD_TEST_WORKER"

// orders tell a worker process what to serve and when to die.
type orders struct {
	Address, Namespace, Tenant, Region, Data, Plugins string

	KillAt    int64 // boundary at which the process kills itself; 0: never
	Forgetful bool  // broken on purpose: keys change with the process
}

// killer counts the boundaries that pass over the connection to Temporal, and
// kills the process at one of them.
type killer struct {
	at, passed atomic.Int64
}

// boundary is one instant between two steps of a saga.
func (k *killer) boundary(name string) {
	n := k.passed.Add(1)
	fmt.Printf("boundary %s\n", name)
	if n == k.at.Load() {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
}

// intercept sees every call of the worker to the server.
func (k *killer) intercept(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	name := method[strings.LastIndexByte(method, '/')+1:]
	answers := strings.HasPrefix(name, "RespondWorkflowTaskCompleted") || strings.HasPrefix(name, "RespondActivityTask")
	if answers {
		k.boundary("before " + name)
	}
	err := invoke(ctx, method, req, reply, cc, opts...)
	if err != nil {
		return err
	}
	switch r := reply.(type) {
	case *workflowservice.PollWorkflowTaskQueueResponse:
		if len(r.GetTaskToken()) > 0 && r.GetQuery() == nil {
			k.boundary("after " + name)
		}
	case *workflowservice.PollActivityTaskQueueResponse:
		if len(r.GetTaskToken()) > 0 {
			k.boundary("after " + name)
		}
	}
	if answers {
		k.boundary("after " + name)
	}
	return nil
}

// work is the life of a worker process. It ends when its standard input does.
func work(text string) error {
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	ctx := context.Background()
	st, err := stack.Open(ctx, stack.Config{Data: o.Data, Temporal: o.Address, Namespace: o.Namespace, Tenant: o.Tenant, Region: o.Region, Plugins: o.Plugins})
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	if err := st.StartPlugins(ctx); err != nil {
		return err
	}
	k := &killer{}
	k.at.Store(o.KillAt)
	c, err := client.Dial(client.Options{
		HostPort: o.Address, Namespace: o.Namespace, Logger: quiet{},
		ConnectionOptions: client.ConnectionOptions{DialOptions: []grpc.DialOption{grpc.WithChainUnaryInterceptor(k.intercept)}},
	})
	if err != nil {
		return err
	}
	defer c.Close()
	invoker := st.Invoker()
	if o.Forgetful {
		invoker = forgetful{invoker}
	}
	w := temporal.NewWorker(c, temporal.WorkerOptions{Tenant: o.Tenant, Region: o.Region, Invoker: invoker})
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	fmt.Println("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // its end is the order to stop
	return nil
}

// forgetful is an engine that does not keep its keys.
type forgetful struct{ engine.Invoker }

func (f forgetful) Invoke(ctx context.Context, saga *engine.Identity, inv *engine.Invocation) engine.Outcome {
	changed := *inv
	suffix := fmt.Sprintf("%d", os.Getpid())
	if inv.Op == engine.OpAction { // and its path, which the barrier goes by
		changed.Key, changed.ActionKey, changed.Path = inv.Key+suffix, inv.ActionKey+suffix, inv.Path+suffix
	}
	return f.Invoker.Invoke(ctx, saga, &changed)
}

// process is a worker process.
type process struct {
	cmd   *exec.Cmd
	stdin interface{ Close() error }
	ready chan struct{} // closed when it serves
	done  chan struct{} // closed when it has ended

	passed atomic.Int64
	mu     sync.Mutex
	seen   []string // boundaries
}

// startWorker starts a worker process, which ends with the test at the latest.
func startWorker(t testing.TB, o orders) (*process, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(self), ready: make(chan struct{}), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), workerVariable+"="+string(text))
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = stdin
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if lines.Text() == "ready" {
				close(p.ready)
			}
			if name, ok := strings.CutPrefix(lines.Text(), "boundary "); ok {
				p.passed.Add(1)
				p.mu.Lock()
				p.seen = append(p.seen, name)
				p.mu.Unlock()
			}
		}
		_ = p.cmd.Wait() // killed or stopped, as ordered
	}()
	t.Cleanup(p.stop)
	return p, nil
}

// killed says whether the process, which has ended, was killed.
func (p *process) killed() bool {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signal() == syscall.SIGKILL
}

// stop ends the process and waits for its end.
func (p *process) stop() {
	_ = p.stdin.Close()
	<-p.done
}
