//go:build !noembed

package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/config"
)

// Committers that come while a flush runs share the next one.
func TestSyncIsShared(t *testing.T) {
	const committers = 50
	var flushes atomic.Int32
	begun, release := make(chan struct{}, committers), make(chan struct{})
	w := newWALSync(func() error {
		flushes.Add(1)
		begun <- struct{}{}
		<-release
		return nil
	})
	var all sync.WaitGroup
	commit := func() {
		if err := w.sync(); err != nil {
			t.Error(err)
		}
	}
	all.Go(commit)
	<-begun // the first flush runs and must not cover those that come now
	for range committers {
		all.Go(commit)
	}
	waitFor(w, func() bool { return w.wanted == committers+1 })
	release <- struct{}{}
	<-begun
	release <- struct{}{}
	all.Wait()
	if got := flushes.Load(); got != 2 {
		t.Errorf("%d flushes for %d commits, want 2", got, committers+1)
	}
}

// waitFor spins until the condition holds, giving way to the other goroutines.
func waitFor(w *walSync, condition func() bool) {
	for {
		w.mu.Lock()
		ok := condition()
		w.mu.Unlock()
		if ok {
			return
		}
	}
}

// After a failed flush nobody is told that anything is on the disk.
func TestSyncFailureStays(t *testing.T) {
	broken := errors.New("disk on fire")
	fail := true
	w := newWALSync(func() error {
		if fail {
			fail = false
			return broken
		}
		return nil
	})
	for range 2 {
		if err := w.sync(); !errors.Is(err, broken) {
			t.Errorf("got %v, want %v", err, broken)
		}
	}
}

// What was on the disk when a client got its answer is enough: a server that is
// given only the bytes that had been synced by then knows the workflow and how
// far it got, as after a power cut.
func TestAcknowledgedIsOnDisk(t *testing.T) {
	t.Parallel()
	cfg := Config{Dir: t.TempDir(), UIPort: NoUI}
	database := cfg.path(databaseFile)
	var mu sync.Mutex
	disk := t.TempDir() // the state of the disk, were the power cut now
	walLogs.Store(escapePath(database), newWALSync(func() error {
		mu.Lock()
		defer mu.Unlock()
		return copyDatabase(filepath.Dir(database), disk)
	}))
	s, err := startOn(t.Context(), cfg, func(path string) *config.SQL {
		store := storeConfig(path)
		store.ConnectAttributes["wal_autocheckpoint"] = "0" // a copy made during a checkpoint is none
		return store
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	c := dial(t, s)
	stop := work(t, c)
	if _, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: "open", TaskQueue: taskQueue, WorkflowTaskTimeout: time.Second, // the crash may lose a task
	}, waitForWord); err != nil {
		t.Fatal(err)
	}
	awaitIdle(t, c, "open")
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "closed", TaskQueue: taskQueue}, fiveSteps)
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Get(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := c.SignalWorkflow(t.Context(), "open", "", "word", "hello"); err != nil {
		t.Fatal(err)
	}
	after := t.TempDir()
	mu.Lock()
	err = copyDatabase(disk, after)
	mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	stop()
	c.Close()
	s.Stop()

	c = dial(t, start(t, Config{Dir: after, UIPort: NoUI}))
	description, err := c.DescribeWorkflowExecution(t.Context(), "closed", "")
	if err != nil {
		t.Fatal(err)
	}
	if got := description.WorkflowExecutionInfo.Status; got != enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED {
		t.Errorf("the workflow that completed is %v", got)
	}
	work(t, c)
	var word string
	if err := c.GetWorkflow(t.Context(), "open", "").Get(t.Context(), &word); err != nil || word != "hello" {
		t.Errorf("the signalled workflow gives %q, %v", word, err)
	}
}

// copyDatabase copies a database and its write-ahead log to another directory.
func copyDatabase(from, to string) error {
	for _, name := range []string{databaseFile, databaseFile + "-wal"} {
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
