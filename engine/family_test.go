package engine_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/engine"
)

// What an open child has done and what is parked in it is shown with its parent,
// whose outcome stays its own (S19).
func TestIncludeAnOpenChild(t *testing.T) {
	child := engine.Result{
		ID: "demo/p/k/c", Status: engine.StatusOpen, Outcome: engine.OutcomeParked, Trace: []string{"c/a", "c/b!"},
		Steps:  []engine.StepResult{{Path: "c/a", State: engine.StateParked}},
		Parked: []engine.Parked{{Path: "c/a"}},
	}
	parent := func() engine.Result {
		return engine.Result{
			ID: "demo/p/k", Status: engine.StatusOpen, Outcome: engine.OutcomeRunning, Trace: []string{"first"},
			Steps: []engine.StepResult{{Path: "first", State: engine.StateSucceeded}, {Path: "c", State: engine.StateRunning, Child: child.ID}, {Path: "last", State: engine.StatePending}},
		}
	}
	see := func(r engine.Result) string {
		text := r.Outcome
		for _, s := range r.Steps {
			text += " " + s.Path
		}
		for _, item := range r.Trace {
			text += " ~" + item
		}
		for _, p := range r.Parked {
			text += " ‖" + p.Path
		}
		return text
	}
	open, closed, orphan := parent(), parent(), parent()
	open.Include(child)
	ended := child
	ended.Status, ended.Outcome, ended.Parked = engine.StatusClosed, engine.OutcomeCompensated, nil
	closed.Include(ended)
	orphan.Status, orphan.Outcome = engine.StatusClosed, engine.OutcomeOrphaned
	orphan.Include(ended)
	for _, c := range []struct{ name, got, want string }{
		{"open", see(open), "running first c c/a last ~first ~c/a ~c/b! ‖c/a"},
		{"closed, which the parent is about to hear", see(closed), "running first c last ~first"},
		{"closed, which an orphan does not hear", see(orphan), "orphaned first c c/a last ~first ~c/a ~c/b!"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

// How a compensation stands that a child has handed up is known at the top of the
// family.
func TestHandedUp(t *testing.T) {
	armed := engine.Compensation{State: engine.StateArmed, Key: "k"}
	child := engine.Result{ID: "demo/p/k/c", Root: "demo/p/k", Status: engine.StatusClosed, Outcome: engine.OutcomeCompleted, Steps: []engine.StepResult{
		{Path: "c/a", State: engine.StateSucceeded, Compensation: armed}, {Path: "c/w", State: engine.StateSucceeded},
	}}
	undone := engine.StepResult{Path: "c/a", State: engine.StateCompensated, Compensation: engine.Compensation{State: engine.StateCompensated, Attempts: 1, Key: "k"}}
	for _, c := range []struct {
		name string
		root []engine.StepResult
		want engine.State
	}{
		{"compensated there", []engine.StepResult{{Path: "c", Child: child.ID}, undone}, engine.StateCompensated},
		{"not taken over yet", []engine.StepResult{{Path: "c", Child: child.ID}}, engine.StateSucceeded},
		{"another try of the step", []engine.StepResult{{Path: "c", Child: child.ID + "~1"}, undone}, engine.StateSucceeded},
	} {
		r := child
		r.Steps = append([]engine.StepResult(nil), child.Steps...)
		if !r.LeavesArmed() {
			t.Error("the child leaves nothing armed")
		}
		r.HandedUp(engine.Result{ID: child.Root, Steps: c.root})
		if got := r.Steps[0].State; got != c.want || r.Steps[1].Path != "c/w" {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	for name, r := range map[string]engine.Result{
		"nobody's child": {Status: engine.StatusClosed, Steps: child.Steps},
		"open":           {Root: child.Root, Status: engine.StatusOpen, Steps: child.Steps},
		"nothing armed":  {Root: child.Root, Status: engine.StatusClosed, Steps: child.Steps[1:]},
	} {
		if r.LeavesArmed() {
			t.Errorf("%s: it leaves something armed", name)
		}
	}
}

// The age of an open saga goes on between its events; that of a closed one does not,
// and no clock takes anything back.
func TestAsOf(t *testing.T) {
	var got []time.Duration
	for _, status := range []string{engine.StatusOpen, engine.StatusClosed} {
		for _, now := range []time.Duration{time.Second, time.Hour} {
			r := engine.Result{Status: status, StartedAt: at, Elapsed: engine.Elapsed(time.Minute)}
			r.AsOf(at.Add(now))
			got = append(got, time.Duration(r.Elapsed))
		}
	}
	if diff := cmp.Diff([]time.Duration{time.Minute, time.Hour, time.Minute, time.Minute}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
