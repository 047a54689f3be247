//go:build !noembed

package embedded

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc"
)

const taskQueue = "test"

// dial connects to the server until the test ends.
func dial(t testing.TB, s *Server, options ...grpc.DialOption) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{
		HostPort: s.Address(),
		Logger:   log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
		ConnectionOptions: client.ConnectionOptions{
			DialOptions:     options,
			GrpcCompression: &client.GrpcCompressionNone{},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// work runs a worker with the workflows below until stop is called.
func work(t testing.TB, c client.Client) (stop func()) {
	t.Helper()
	w := worker.New(c, taskQueue, worker.Options{})
	w.RegisterWorkflow(waitForWord)
	w.RegisterWorkflow(fiveSteps)
	w.RegisterActivityWithOptions(func(context.Context) error { return nil }, activity.RegisterOptions{Name: "noop"})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	var stopped atomic.Bool
	stop = func() {
		if !stopped.Swap(true) {
			w.Stop()
		}
	}
	t.Cleanup(stop)
	return stop
}

// waitForWord gives back the word it is sent, by signal or by update.
func waitForWord(ctx workflow.Context) (string, error) {
	var word string
	if err := workflow.SetUpdateHandler(ctx, "say", func(_ workflow.Context, said string) (string, error) {
		word = said
		return "heard " + said, nil
	}); err != nil {
		return "", err
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		workflow.GetSignalChannel(ctx, "word").Receive(ctx, &word)
	})
	err := workflow.Await(ctx, func() bool { return word != "" })
	return word, err
}

// fiveSteps runs five activities that do nothing, one after the other.
func fiveSteps(ctx workflow.Context) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	for range 5 {
		if err := workflow.ExecuteActivity(ctx, "noop").Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

func TestWorkflowSurvivesRestart(t *testing.T) {
	t.Parallel()
	cfg := Config{
		Dir: filepath.Join(t.TempDir(), "odd name 100%?#"), UIPort: NoUI,
		SearchAttributes: map[string]enumspb.IndexedValueType{
			"country_code": enumspb.INDEXED_VALUE_TYPE_KEYWORD,
			"amount":       enumspb.INDEXED_VALUE_TYPE_INT,
			"urgent":       enumspb.INDEXED_VALUE_TYPE_BOOL,
			"due":          enumspb.INDEXED_VALUE_TYPE_DATETIME,
		},
	}
	s := start(t, cfg)
	c := dial(t, s)
	stop := work(t, c)
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: "w", TaskQueue: taskQueue,
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword("country_code").ValueSet("DE"),
			temporal.NewSearchAttributeKeyInt64("amount").ValueSet(12),
			temporal.NewSearchAttributeKeyBool("urgent").ValueSet(true),
			temporal.NewSearchAttributeKeyTime("due").ValueSet(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)),
		),
	}, waitForWord)
	if err != nil {
		t.Fatal(err)
	}
	awaitIdle(t, c, "w")
	stop()
	c.Close()
	s.Stop()

	cfg.SearchAttributes["clearing_batch_id"] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	cfg.Retention = 48 * time.Hour
	s = start(t, cfg)
	c = dial(t, s)
	work(t, c)
	if err := c.SignalWorkflow(t.Context(), "w", run.GetRunID(), "word", "hello"); err != nil {
		t.Fatal(err)
	}
	var word string
	if err := c.GetWorkflow(t.Context(), "w", "").Get(t.Context(), &word); err != nil || word != "hello" {
		t.Fatalf("got %q, %v", word, err)
	}
	batch := temporal.NewSearchAttributeKeyKeyword("clearing_batch_id").ValueSet("b-1")
	if _, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: "second", TaskQueue: taskQueue, TypedSearchAttributes: temporal.NewSearchAttributes(batch),
	}, waitForWord); err != nil {
		t.Fatal(err)
	}
	awaitListed(t, c, `country_code = 'DE' AND amount > 11 AND urgent = true AND due < '2031-01-01T00:00:00Z' AND ExecutionStatus = 'Completed'`, "w")
	awaitListed(t, c, `clearing_batch_id = 'b-1'`, "second")

	namespace, err := c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: DefaultNamespace})
	if err != nil {
		t.Fatal(err)
	}
	if got := namespace.Config.WorkflowExecutionRetentionTtl.AsDuration(); got != cfg.Retention {
		t.Errorf("retention %v, want %v", got, cfg.Retention)
	}
}

// awaitIdle waits until the first workflow task of a workflow is done: a worker
// that stops just when it is given one costs the task's time-out.
func awaitIdle(t *testing.T, c client.Client, id string) {
	t.Helper()
	const untilFirstTask = 4 // started; workflow task scheduled, started, completed
	err := poll(t.Context(), func() error {
		description, err := c.DescribeWorkflowExecution(t.Context(), id, "")
		if err == nil && description.WorkflowExecutionInfo.HistoryLength < untilFirstTask {
			return context.DeadlineExceeded
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// awaitListed waits until the query finds exactly the given workflows: visibility
// follows the history a moment later.
func awaitListed(t *testing.T, c client.Client, query string, want ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var got []string
	err := poll(ctx, func() error {
		list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		if err != nil {
			return err
		}
		got = nil
		for _, execution := range list.Executions {
			got = append(got, execution.Execution.WorkflowId)
		}
		if !cmp.Equal(want, got) {
			return context.DeadlineExceeded
		}
		return nil
	})
	if err != nil {
		t.Fatalf("query %s found %v, want %v: %v", query, got, want, err)
	}
}

// The fast paths that sagad is built on: the start and the completion of a
// workflow task bring the next task along, and an update is accepted and
// completed in one workflow task.
func TestFastPaths(t *testing.T) {
	t.Parallel()
	var eagerStarts, eagerActivities atomic.Int32
	observe := func(ctx context.Context, method string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		err := invoke(ctx, method, request, reply, cc, options...)
		switch reply := reply.(type) {
		case *workflowservice.StartWorkflowExecutionResponse:
			if reply.EagerWorkflowTask != nil {
				eagerStarts.Add(1)
			}
		case *workflowservice.RespondWorkflowTaskCompletedResponse:
			eagerActivities.Add(int32(len(reply.ActivityTasks)))
		}
		return err
	}
	c := dial(t, start(t, Config{Dir: t.TempDir(), UIPort: NoUI}), grpc.WithChainUnaryInterceptor(observe))
	work(t, c)

	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "five", TaskQueue: taskQueue, EnableEagerStart: true}, fiveSteps)
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Get(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if eagerStarts.Load() != 1 || eagerActivities.Load() != 5 {
		t.Errorf("%d eager starts and %d eager activities, want 1 and 5", eagerStarts.Load(), eagerActivities.Load())
	}

	if _, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "word", TaskQueue: taskQueue}, waitForWord); err != nil {
		t.Fatal(err)
	}
	update, err := c.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
		WorkflowID: "word", UpdateName: "say", Args: []any{"hi"}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		t.Fatal(err)
	}
	var answer string
	if err := update.Get(t.Context(), &answer); err != nil || answer != "heard hi" {
		t.Fatalf("got %q, %v", answer, err)
	}
	accepted, completed := updateTasks(t, c, "word")
	if accepted == 0 || accepted != completed {
		t.Errorf("accepted in workflow task %d, completed in %d", accepted, completed)
	}
}

// updateTasks gives the workflow tasks in which the update of a workflow was
// accepted and completed.
func updateTasks(t *testing.T, c client.Client, id string) (accepted, completed int64) {
	t.Helper()
	events := c.GetWorkflowHistory(t.Context(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	var task int64
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		switch event.EventType {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			task = event.EventId
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
			accepted = task
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
			completed = task
		}
	}
	return accepted, completed
}

func TestUI(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Dir: t.TempDir()})
	get := func(method, path string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), method, s.UIAddress()+path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	if status, body := get(http.MethodGet, "/"); status != http.StatusOK || !strings.Contains(body, "_app/") {
		t.Errorf("the page is %d %.200s", status, body)
	}
	if status, body := get(http.MethodGet, "/api/v1/namespaces/default"); status != http.StatusOK || !strings.Contains(body, `"default"`) {
		t.Errorf("the namespace is %d %.200s", status, body)
	}
	if status, body := get(http.MethodGet, "/api/v1/settings"); !strings.Contains(body, `"DisableWriteActions":true`) {
		t.Errorf("the settings are %d %.500s", status, body)
	}
	if status, _ := get(http.MethodPost, "/api/v1/namespaces/default/workflows/w/terminate"); status < 400 {
		t.Errorf("terminating from the UI answers %d", status)
	}
	s.Stop()
	if _, err := http.Get(s.UIAddress()); err == nil { //nolint:noctx // it must fail at once
		t.Error("the UI answers after Stop")
	}
}
