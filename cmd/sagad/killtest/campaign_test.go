// Package killtest kills the worker process at every boundary of a saga's way:
// before and after each answer to the server, and after each task that it was
// given. Whatever the boundary, the saga ends as it does without the kill.
package killtest

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/sagad/sagad/cmd/sagad/embedded"
	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/temporal"
	"github.com/sagad/sagad/plugins/examples/ledger"
	"github.com/sagad/sagad/plugins/examples/rails"
	"github.com/sagad/sagad/plugins/examples/shop"
)

var (
	every = flag.Int("every", 8, "kill at every n-th boundary; 1: at all of them")
	first = flag.Int("first", 0, "first boundary, from 0; the others follow from it")
	atime = flag.Int("concurrent", 6, "sagas at the same time")
)

// campaigns are the definitions and inputs: each way forward, and back.
var campaigns = []struct {
	name, definition, input string
	suggestAfter            int // events after which the server suggests to continue as new
}{
	{name: "payment, forward", definition: "cross-border-payment/payment.yaml", input: "settles"},
	{name: "payment, backward", definition: "cross-border-payment/payment.yaml", input: "rejected"},
	{name: "order, forward", definition: "order-fulfilment/order.yaml", input: "ships"},
	{name: "order, backward", definition: "order-fulfilment/order.yaml", input: "carrier-refuses"},
	{name: "batch of children, forward", definition: "settlement-batch/batch.yaml", input: "batch-settles"},
	{name: "batch of children, backward", definition: "settlement-batch/batch.yaml", input: "batch-rejected"},
	{name: "payment continued as new, backward", definition: "cross-border-payment/payment.yaml", input: "rejected", suggestAfter: 12},
}

const region = "eu-west-1"

// TestKillAtEveryBoundary is the campaign, or every n-th boundary of it.
func TestKillAtEveryBoundary(t *testing.T) {
	servers := map[int]*embedded.Server{}
	for _, c := range campaigns {
		if servers[c.suggestAfter] == nil {
			servers[c.suggestAfter] = startServer(t, c.suggestAfter)
		}
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, servers[c.suggestAfter], c.definition, c.input)
			whole := r.run(t, orders{})
			if len(whole.problems) > 0 {
				t.Fatalf("without a kill: %v", whole.problems)
			}
			var at []int64
			for i := int64(*first) + 1; i <= whole.boundaries; i += int64(*every) {
				at = append(at, i)
			}
			killed := r.kill(t, at, false, whole)
			t.Logf("%d boundaries, killed at %d of them", whole.boundaries, killed)
			if killed < len(at)*2/3 {
				t.Errorf("only %d of %d workers came as far as they should have been killed", killed, len(at))
			}
		})
	}
}

// The campaign finds an engine that does not keep its keys.
func TestCampaignFindsLostKeys(t *testing.T) {
	r := newRig(t, startServer(t, 0), campaigns[0].definition, campaigns[0].input)
	whole := r.run(t, orders{})
	// At one of these an activity has had its effect and its answer is lost.
	var at []int64
	for i := int64(1); i <= whole.boundaries; i++ {
		if strings.HasSuffix(whole.names[i-1], "before RespondActivityTaskCompleted") {
			at = append(at, i)
		}
	}
	quiet := &recorder{TB: t}
	r.kill(quiet, at[:3], true, whole) // later ones park the saga
	if quiet.found.Load() == 0 {
		t.Error("keys changed with the process, and nobody noticed")
	}
}

// recorder counts what would have failed.
type recorder struct {
	testing.TB
	found atomic.Int64
}

func (r *recorder) Errorf(string, ...any) { r.found.Add(1) }

// rig runs one input of one definition on a server, each time for a tenant of
// its own.
type rig struct {
	server  *embedded.Server
	client  client.Client
	plan    *dsl.Plan
	input   any
	tenants atomic.Int64
	prefix  string
}

// ended is what came of a run.
type ended struct {
	result     map[string]any
	boundaries int64
	names      []string
	killed     bool
	problems   []string
}

var rigs atomic.Int64

func newRig(t *testing.T, server *embedded.Server, definition, input string) *rig {
	t.Helper()
	file := filepath.Join(repository(t), "definitions", "examples", filepath.FromSlash(definition))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	plan, problems := dsl.Compile(dsl.Source{Name: file, Data: hurried(text)}, dsl.Options{Files: os.DirFS(filepath.Dir(file)), Sagas: folder(filepath.Dir(file))})
	if plan == nil {
		t.Fatal(problems)
	}
	r := &rig{server: server, plan: plan, prefix: fmt.Sprintf("k%d", rigs.Add(1))}
	data, err := os.ReadFile(filepath.Join(filepath.Dir(file), "testdata", input+".json"))
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

// kill runs a saga for each boundary, several at a time, and compares how it
// ends. It gives the number of workers that were killed.
func (r *rig) kill(t testing.TB, at []int64, forgetful bool, whole *ended) int {
	var killed atomic.Int64
	var wg sync.WaitGroup
	room := make(chan struct{}, *atime)
	for _, i := range at {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			got := r.run(t, orders{KillAt: i, Forgetful: forgetful})
			if got.killed {
				killed.Add(1)
			}
			where := fmt.Sprintf("killed at boundary %d of %d (%s)", i, whole.boundaries, whole.names[i-1])
			for _, p := range append(got.problems, differences(whole.result, got.result)...) {
				t.Errorf("%s: %s", where, p)
			}
			if testing.Verbose() {
				fmt.Printf("  %s, %s: %v\n", r.plan.Saga, where, got.result["outcome"])
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
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	problem := func(format string, args ...any) { got.problems = append(got.problems, fmt.Sprintf(format, args...)) }
	settings := map[string]any{"country": "LU", "timezone": "Europe/Luxembourg", "scaTimeout": "3s"}
	start, search, err := engine.Prepare(r.plan, engine.Target{Tenant: o.Tenant, Region: region, Settings: settings}, r.input)
	if err != nil {
		problem("prepare: %v", err)
		return got
	}
	c := temporal.NewClient(r.client)
	worker := startWorker(t, o)
	select {
	case <-worker.ready:
	case <-worker.done:
		problem("the worker ended before it served")
		return got
	}
	if _, err := c.Start(ctx, r.plan, start, search); err != nil {
		problem("start: %v", err)
		return got
	}
	closed := make(chan struct{})
	var result engine.Result
	go func() {
		defer close(closed)
		result, err = c.Wait(ctx, start.ID)
	}()
	select {
	case <-closed:
	case <-worker.done:
		got.killed = true
		o.KillAt = 0
		next := startWorker(t, o)
		<-closed
		next.stop()
	}
	worker.stop()
	got.boundaries, got.names = worker.passed.Load(), worker.names()
	if err != nil {
		problem("wait: %v", err)
		return got
	}
	got.result = comparable(result)
	if left := processesIn(o.Data); len(left) > 0 {
		problem("plugin processes are left: %v", left)
	}
	got.problems = append(got.problems, r.books(ctx, o)...)
	return got
}

// books proves that money is conserved and that nothing is left open, and counts
// the payments.
func (r *rig) books(ctx context.Context, o orders) (problems []string) {
	dir := func(plugin string) string { return stack.PluginData(o.Data, o.Tenant, region, plugin) }
	if db, err := ledger.OpenReadOnly(ctx, dir(ledger.Name)); err != nil {
		problems = append(problems, err.Error())
	} else {
		if err := ledger.Verify(ctx, db); err != nil {
			problems = append(problems, "ledger: "+err.Error())
		}
		_ = db.Close()
	}
	if db, err := shop.OpenReadOnly(ctx, dir(shop.Name)); err != nil {
		problems = append(problems, err.Error())
	} else {
		if err := shop.Verify(ctx, db); err != nil {
			problems = append(problems, "shop: "+err.Error())
		}
		_ = db.Close()
	}
	if db, err := rails.OpenReadOnly(ctx, dir(rails.Name)); err != nil {
		problems = append(problems, err.Error())
	} else {
		all, err := rails.Submissions(ctx, db)
		if err != nil || len(all) > 1 {
			problems = append(problems, fmt.Sprintf("the network has %d payments (%v)", len(all), err))
		}
		_ = db.Close()
	}
	return problems
}

// identifier is what participants make up anew in each run.
var identifier = regexp.MustCompile(`"(entry|uetr|ref|order|parcel|charge|hold|[a-z]+)-[0-9A-Za-z-]+"|"[0-9a-f]{8}-[0-9a-f-]{27}"`)

// comparable gives what has to be the same with and without a kill.
func comparable(r engine.Result) map[string]any {
	output, _ := json.Marshal(r.Output) // JSON data
	m := map[string]any{
		"outcome": r.Outcome, "direction": r.Direction, "interventions": r.Interventions,
		"output": identifier.ReplaceAllString(string(output), "ID"), "trace": strings.Join(slices.Sorted(slices.Values(r.Trace)), " "),
	}
	if r.Cause != nil {
		m["cause"] = r.Cause.Path + " " + r.Cause.Code
	}
	return m
}

func differences(want, got map[string]any) (problems []string) {
	for _, name := range []string{"outcome", "direction", "interventions", "output", "trace", "cause"} {
		if want[name] != got[name] {
			problems = append(problems, fmt.Sprintf("%s %v, without a kill %v", name, got[name], want[name]))
		}
	}
	return problems
}
