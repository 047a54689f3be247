package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/proto"

	"github.com/sagad/sagad/cmd/sagad/embedded"
	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/temporal"
)

// fiveSteps is the saga that is measured.
const fiveSteps = `saga: bench
version: "1"
key: ${{ input.id }}
steps:
  - {id: s1, call: noop.one, with: {n: "${{ input.n }}"}, compensate: {call: noop.undoOne, with: {n: "${{ input.n }}"}}}
  - {id: s2, call: noop.two, with: {n: "${{ input.n }}"}, compensate: {call: noop.undoTwo, with: {n: "${{ input.n }}"}}}
  - {id: s3, call: noop.three, with: {n: "${{ input.n }}"}, effect: none}
  - {id: s4, call: noop.four, with: {n: "${{ input.n }}"}, effect: pivot, retry: {ambiguous: true}}
  - {id: s5, call: noop.five, with: {n: "${{ input.n }}"}, effect: retriable}
output: ${{ steps.s5.output }}
`

// queue is the task queue of the hand-written side.
const queue = "by-hand"

// rig is the server that all sides share.
type rig struct {
	server  *embedded.Server
	client  client.Client
	plan    *dsl.Plan
	closers []func()
	n       int // sagas so far
}

// side is one way to run the saga: run starts it and waits for its end.
type side struct {
	name string
	run  func(ctx context.Context, id string) error
	id   func(n int) string // workflow ID of the nth saga
}

func newRig(ctx context.Context, dir string, logger *slog.Logger) (*rig, error) {
	server, err := embedded.Start(ctx, embedded.Config{
		Dir: dir, UIPort: embedded.NoUI, Logger: logger,
		SearchAttributes: map[string]enumspb.IndexedValueType{
			temporal.AttributeTenant: enumspb.INDEXED_VALUE_TYPE_KEYWORD,
			temporal.AttributeSaga:   enumspb.INDEXED_VALUE_TYPE_KEYWORD,
			temporal.AttributeState:  enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		},
	})
	if err != nil {
		return nil, err
	}
	r := &rig{server: server, closers: []func(){server.Stop}}
	r.plan, err = compile()
	if err != nil {
		return nil, err
	}
	r.client, err = client.Dial(client.Options{HostPort: server.Address(), Namespace: embedded.DefaultNamespace, Logger: logger})
	if err != nil {
		return nil, err
	}
	r.closers = append(r.closers, r.client.Close)
	return r, nil
}

func compile() (*dsl.Plan, error) {
	plan, diagnostics := dsl.Compile(dsl.Source{Name: "bench.yaml", Data: []byte(fiveSteps)}, dsl.Options{})
	if plan == nil {
		return nil, diagnostics
	}
	return plan, nil
}

// close stops everything, last first.
func (r *rig) close() {
	for i := len(r.closers) - 1; i >= 0; i-- {
		r.closers[i]()
	}
}

func (r *rig) serve(w worker.Worker) {
	if err := w.Start(); err != nil {
		panic(err) // the server is ours and answers
	}
	r.closers = append(r.closers, w.Stop)
}

// byHand runs the saga as a workflow written for it.
func (r *rig) byHand() *side {
	w := worker.New(r.client, queue, worker.Options{MaxConcurrentWorkflowTaskPollers: 4, MaxConcurrentActivityTaskPollers: 4})
	w.RegisterWorkflow(handWritten)
	for _, name := range []string{"one", "two", "three", "four", "five", "undoOne", "undoTwo"} {
		w.RegisterActivityWithOptions(noop, activity.RegisterOptions{Name: "noop." + name})
	}
	r.serve(w)
	return &side{name: "by hand", id: func(n int) string { return fmt.Sprintf("demo/bench/h-%d", n) },
		run: func(ctx context.Context, id string) error {
			run, err := r.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
				ID: id, TaskQueue: queue, EnableEagerStart: true,
				WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
			}, handWritten, handArgs{ID: id, N: 1})
			if err != nil {
				return err
			}
			var out callOut
			return run.Get(ctx, &out)
		}}
}

// fromYAML runs the saga from its definition, with activities in this process.
func (r *rig) fromYAML() *side {
	output := any(map[string]any{"ok": true})
	return r.interpreted("from YAML", "in-process", engine.InvokerFunc(func(context.Context, *engine.Identity, *engine.Invocation) engine.Outcome {
		return engine.Outcome{Class: engine.Applied, Output: output}
	}))
}

// withProcesses runs the saga from its definition, with activities in a plugin
// process: the one executable in the folder.
func (r *rig) withProcesses(ctx context.Context, plugins, data string) (*side, error) {
	s, err := stack.Open(ctx, stack.Config{Data: data, Tenant: "demo", Region: "processes", Plugins: plugins})
	if err != nil {
		return nil, err
	}
	if err := s.StartPlugins(ctx); err != nil {
		return nil, err
	}
	r.closers = append(r.closers, func() { _ = s.Close() })
	return r.interpreted("from YAML, plugin process", "processes", s.Invoker()), nil
}

func (r *rig) interpreted(name, region string, invoker engine.Invoker) *side {
	r.serve(temporal.NewWorker(r.client, temporal.WorkerOptions{Tenant: "demo", Region: region, Invoker: invoker}))
	c := temporal.NewClient(r.client)
	return &side{name: name, id: func(n int) string { return fmt.Sprintf("demo/bench/%s-%d", region, n) },
		run: func(ctx context.Context, id string) error {
			start, search, err := engine.Prepare(r.plan, engine.Target{Tenant: "demo", Region: region}, map[string]any{"id": id, "n": 1})
			if err != nil {
				return err
			}
			start.ID = id
			if _, err := c.Start(ctx, r.plan, start, search); err != nil {
				return err
			}
			result, err := c.Wait(ctx, id)
			if err == nil && result.Outcome != engine.OutcomeCompleted {
				err = fmt.Errorf("%s ended %s", id, result.Outcome)
			}
			return err
		}}
}

// one runs a saga of a side and gives its ID and how long it took.
func (r *rig) one(ctx context.Context, s *side) (id string, took time.Duration, err error) {
	r.n++
	id = s.id(r.n)
	began := time.Now()
	err = s.run(ctx, id)
	return id, time.Since(began), err
}

// history gives the number of events of a saga and their size in bytes. The
// compressed plan, which the first event carries, is counted apart.
func (r *rig) history(ctx context.Context, id string) (events, bytes, plan int, err error) {
	iterator := r.client.GetWorkflowHistory(ctx, id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for iterator.HasNext() {
		event, err := iterator.Next()
		if err != nil {
			return 0, 0, 0, err
		}
		events++
		bytes += proto.Size(event)
		if payloads := event.GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads(); len(payloads) == 2 {
			plan = proto.Size(payloads[0])
		}
	}
	return events, bytes - plan, plan, nil
}
