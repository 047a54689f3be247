package killtest

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/sagad/sagad/cmd/sagad/embedded"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/temporal"
)

const region = "eu-west-1"

// runTimeout bounds a saga with its workers. A lost attempt takes eleven seconds.
const runTimeout = 3 * time.Minute

// room bounds how many sagas run at the same time.
var room = sync.OnceValue(func() chan struct{} { return make(chan struct{}, *atime) })

// rig runs one campaign on a server, each time for a tenant of its own.
type rig struct {
	name     string
	server   *embedded.Server
	client   client.Client
	plan     *dsl.Plan
	input    any
	together *regexp.Regexp
	cancelAt time.Duration
	tenants  atomic.Int64
	prefix   string
}

// ended is what came of a run.
type ended struct {
	result     map[string]string
	boundaries int64
	names      []string
	killed     bool
	problems   []string
}

func (e *ended) problem(format string, args ...any) {
	e.problems = append(e.problems, fmt.Sprintf(format, args...))
}

var rigs atomic.Int64

func newRig(t *testing.T, server *embedded.Server, c *campaign) *rig {
	t.Helper()
	file := filepath.Join(repository(t), filepath.FromSlash(c.definition))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	plan, problems := dsl.Compile(dsl.Source{Name: file, Data: hurried(text)}, dsl.Options{Files: os.DirFS(filepath.Dir(file)), Sagas: folder(filepath.Dir(file))})
	if plan == nil {
		t.Fatal(problems)
	}
	r := &rig{name: c.name, server: server, plan: plan, together: pattern(c.together), cancelAt: c.cancelAt, prefix: fmt.Sprintf("k%d", rigs.Add(1))}
	inputs := filepath.Join(filepath.Dir(file), "testdata")
	if filepath.Base(filepath.Dir(file)) == "testdata" {
		inputs = filepath.Dir(file)
	}
	data, err := os.ReadFile(filepath.Join(inputs, c.input+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if r.input, err = dsl.ParseJSON(data); err != nil {
		t.Fatal(err)
	}
	if r.client, err = client.Dial(client.Options{HostPort: server.Address(), Namespace: namespace, Logger: quiet{}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.client.Close)
	return r
}

// hurried gives attempts a second: the server gives a lost one up ten seconds
// later.
func hurried(text []byte) []byte {
	return []byte(strings.Replace(string(text), "timeout: 5s", "timeout: 1s", 1))
}

// folder finds the definitions of child sagas by the names of their files.
type folder string

func (f folder) Find(name, _ string) (dsl.Definition, error) {
	file := filepath.Join(string(f), name+".yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		return dsl.Definition{}, fs.ErrNotExist
	}
	return dsl.Definition{Source: dsl.Source{Name: file, Data: hurried(text)}, Files: os.DirFS(string(f))}, nil
}

// kill runs a saga for each boundary and compares how it
// ends. It gives the number of workers that were killed.
func (r *rig) kill(t testing.TB, at []int64, forgetful bool, whole *ended) int {
	var killed atomic.Int64
	var wg sync.WaitGroup
	for _, i := range at {
		wg.Go(func() {
			got := r.run(t, orders{KillAt: i, Forgetful: forgetful})
			for again := 0; again < 2 && !got.killed && len(got.problems) == 0; again++ {
				got = r.run(t, orders{KillAt: i, Forgetful: forgetful})
			}
			where := fmt.Sprintf("not killed at boundary %d of %d, which did not come", i, whole.boundaries)
			if got.killed {
				killed.Add(1)
				where = fmt.Sprintf("killed at boundary %d of %d (%s)", i, whole.boundaries, got.names[len(got.names)-1])
			}
			for _, p := range append(got.problems, differences(whole.result, got.result)...) {
				t.Errorf("%s: %s", where, p)
			}
			if testing.Verbose() {
				fmt.Printf("  %s, %s: %v\n", r.name, where, got.result["outcome"])
			}
		})
	}
	wg.Wait()
	return int(killed.Load())
}

// run runs the saga with a worker that is killed as ordered, and with another one
// after it.
func (r *rig) run(t testing.TB, o orders) *ended {
	got := &ended{}
	o.Address, o.Namespace, o.Region = r.server.Address(), namespace, region
	o.Tenant, o.Data, o.Plugins = fmt.Sprintf("%s-%d", r.prefix, r.tenants.Add(1)), t.TempDir(), binaries
	room() <- struct{}{}
	defer func() { <-room() }()
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	worker, err := startWorker(t, o)
	if err != nil {
		got.problem("start a worker: %v", err)
		return got
	}
	result, err := r.saga(ctx, t, o, worker)
	worker.stop()
	got.boundaries, got.names, got.killed = worker.passed.Load(), worker.names(), worker.killed()
	if err != nil {
		got.problem("%v", err)
		return got
	}
	if left := leftIn(o.Data); len(left) > 0 {
		got.problem("plugin processes are left: %v", left)
	}
	got.result = r.comparable(&result)
	if wrong := outOfOrder(result.Trace); wrong != "" {
		got.problem("trace %v: %s", result.Trace, wrong)
	}
	if got.result["books"], err = books(ctx, o); err != nil {
		got.problem("%v", err)
	}
	return got
}

// saga runs the saga to its end. Another worker takes over from one that was
// killed.
func (r *rig) saga(ctx context.Context, t testing.TB, o orders, worker *process) (result engine.Result, err error) {
	settings := map[string]any{"country": "LU", "timezone": "Europe/Luxembourg", "scaTimeout": "3s"}
	start, search, err := engine.Prepare(r.plan, engine.Target{Tenant: o.Tenant, Region: region, Settings: settings}, r.input)
	if err != nil {
		return result, fmt.Errorf("prepare: %w", err)
	}
	select {
	case <-worker.ready:
	case <-worker.done:
		return result, fmt.Errorf("the worker ended before it served")
	}
	c := temporal.NewClient(r.client)
	if _, err := c.Start(ctx, r.plan, start, search); err != nil {
		return result, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var requests sync.WaitGroup
	if r.cancelAt > 0 {
		requests.Go(func() {
			if err := r.cancel(ctx, c, start.ID); err != nil {
				stop(err)
			}
		})
	}
	closed := make(chan error, 1)
	go func() {
		var err error
		result, err = c.Wait(ctx, start.ID)
		closed <- err
	}()
	select {
	case err = <-closed:
	case <-worker.done:
		o.KillAt = 0
		next, failed := startWorker(t, o)
		if failed != nil {
			stop(failed)
		} else {
			defer next.stop()
		}
		err = <-closed
	}
	requests.Wait()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return result, err
}

// cancel cancels a saga as soon as it waits for its longest wait. The request is
// answered although the worker that had it is killed.
func (r *rig) cancel(ctx context.Context, c *temporal.Client, id string) error {
	for history := r.client.GetWorkflowHistory(ctx, id, "", true, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); history.HasNext(); {
		event, err := history.Next()
		if err != nil {
			return fmt.Errorf("history of %s: %w", id, err)
		}
		if event.GetTimerStartedEventAttributes().GetStartToFireTimeout().AsDuration() != r.cancelAt {
			continue
		}
		reply, err := c.Cancel(ctx, id)
		if err == nil && !reply.Accepted {
			err = fmt.Errorf("cancel was refused: %+v", reply)
		}
		return err
	}
	return fmt.Errorf("%s ended before it could be cancelled", id)
}
