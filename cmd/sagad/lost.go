package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	workflowpb "go.temporal.io/api/workflow/v1"

	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/temporal"
)

// lostEvery is how often `sagad dev` asks which sagas were ended from outside:
// nobody tells a worker.
const lostEvery = 5 * time.Second

// lostOverlap is how far the clocks of this machine and of Temporal may differ.
const lostOverlap = time.Hour

// lost finds the sagas of a tenant that are ended from outside.
type lost struct {
	stack  *stack.Stack
	tenant string
	since  time.Time       // when it began to look
	seen   map[string]bool // runs
}

// watch tells of each saga that is ended from now on, once, until ctx ends. What
// cannot be asked now is asked later; failed is told once until it can be.
func (l *lost) watch(ctx context.Context, tell func(id, parent string, at time.Time), failed func(error)) {
	l.since, l.seen = time.Now(), make(map[string]bool)
	before := func(string, string, time.Time) {} // others have told of it, or `sagad list` does
	err := l.look(ctx, before)
	if err != nil {
		failed(err)
	}
	ticker := time.NewTicker(lostEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		down := err != nil
		if err = l.look(ctx, tell); err != nil && !down && ctx.Err() == nil {
			failed(err)
		}
	}
}

// look asks once. A run that was ended because its saga was reset is not lost.
func (l *lost) look(ctx context.Context, tell func(id, parent string, at time.Time)) error {
	query := strings.Join([]string{
		temporal.AttributeSaga + " IS NOT NULL", temporal.Equals(temporal.AttributeTenant, l.tenant), stateQuery(engine.OutcomeOrphaned),
		"CloseTime >= '" + l.since.Add(-lostOverlap).UTC().Format(time.RFC3339Nano) + "'",
	}, " AND ")
	return pages(ctx, l.stack, query, func(infos []*workflowpb.WorkflowExecutionInfo) (more bool, err error) {
		for _, info := range infos {
			run := info.GetExecution().GetRunId()
			if l.seen[run] {
				continue
			}
			l.seen[run] = true
			if id := info.GetExecution().GetWorkflowId(); orphaned(ctx, l.stack, id) {
				tell(id, info.GetParentExecution().GetWorkflowId(), info.GetCloseTime().AsTime())
			}
		}
		return true, nil
	})
}

// stuck is a slog.Handler that tells of sagas whose tasks fail in a worker of this
// process, once for each reason: such a saga is tried again and again, and does not
// go on. What the SDK and the server say of it themselves is left out if short.
type stuck struct {
	slog.Handler
	id    string // of the saga that the lines of this handler are about
	short bool
	told  *reasons
}

// reasons is why sagas are stuck, by ID.
type reasons struct {
	mu   sync.Mutex
	why  map[string]string
	tell func(id, why string)
}

func (r *reasons) add(id, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.why[id] == why {
		return
	}
	r.why[id] = why
	r.tell(id, why)
}

func newStuck(h slog.Handler, short bool, tell func(id, why string)) *stuck {
	return &stuck{Handler: h, short: short, told: &reasons{why: map[string]string{}, tell: tell}}
}

// taskLines are the lines about a task that failed: two of the SDK's and one of the
// server's, with the names under which they name the saga and the reason.
var taskLines = map[string][2]string{
	"Workflow panic":                   {"WorkflowID", "Error"},
	"Failed to process workflow task.": {"WorkflowID", "Error"},
	"workflow task failed":             {"wf-id", "failure-message"},
}

// Handle passes a line on.
func (h *stuck) Handle(ctx context.Context, r slog.Record) error {
	names, ok := taskLines[r.Message]
	if !ok {
		return h.Handler.Handle(ctx, r)
	}
	id, why := h.id, ""
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case names[0]:
			id = a.Value.String()
		case names[1]:
			why = fmt.Sprint(a.Value.Any())
		}
		return true
	})
	if id == "" || why == "" {
		return h.Handler.Handle(ctx, r)
	}
	h.told.add(id, why)
	if h.short {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps the saga in mind.
func (h *stuck) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.Handler = h.Handler.WithAttrs(attrs)
	for _, a := range attrs {
		if a.Key == "WorkflowID" || a.Key == "wf-id" {
			next.id = a.Value.String()
		}
	}
	return &next
}

// WithGroup keeps the rule.
func (h *stuck) WithGroup(name string) slog.Handler {
	next := *h
	next.Handler = h.Handler.WithGroup(name)
	return &next
}
