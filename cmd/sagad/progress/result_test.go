package progress_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// The first lines say whose state is shown, and where to turn.
func TestResultOfAFamily(t *testing.T) {
	armed := []engine.StepResult{{Path: "c/a", State: engine.StateSucceeded, Compensation: engine.Compensation{State: engine.StateArmed, Key: "k"}}}
	parked := []engine.Parked{{Path: "c[b]/a", Op: engine.OpCompensation, Code: "GONE", Commands: []string{engine.CommandRetry}}}
	const open, closed = engine.StatusOpen, engine.StatusClosed
	for _, c := range []struct {
		name   string
		result engine.Result
		want   []string
		not    string
	}{
		{"a child is parked", engine.Result{ID: "demo/p/k", Status: open, Outcome: engine.OutcomeRunning, Parked: parked},
			[]string{"running (child parked) for 1m00s  demo/p/k", "parked c[b]/a (compensation)", "sagad retry demo/p/k 'c[b]/a' --data d"}, "recover"},
		{"it is parked itself", engine.Result{ID: "demo/p/k", Status: open, Outcome: engine.OutcomeParked, Parked: parked}, []string{"parked for 1m00s"}, "child"},
		{"a child runs", engine.Result{ID: "demo/p/k/c", Root: "demo/p/k", Status: open, Outcome: engine.OutcomeRunning, Steps: armed}, []string{"child   of demo/p/k\n"}, "taken"},
		{"a child completed", engine.Result{ID: "demo/p/k/c", Root: "demo/p/k", Status: closed, Outcome: engine.OutcomeCompleted, Direction: engine.Forward, Steps: armed},
			[]string{"child   of demo/p/k, which has taken over its compensations\n"}, "recover"},
		{"a child compensated itself", engine.Result{ID: "demo/p/k/c", Root: "demo/p/k", Status: closed, Outcome: engine.OutcomeCompensated, Direction: engine.Backward, Steps: armed}, []string{"child   of demo/p/k\n"}, "taken"},
		{"a child is orphaned", engine.Result{ID: "demo/p/k/c", Root: "demo/p/k", Status: closed, Outcome: engine.OutcomeOrphaned, Steps: armed}, []string{"child   of demo/p/k, which takes over what it has left\n"}, "recover"},
		{"orphaned", engine.Result{ID: "demo/p/k k", Status: closed, Outcome: engine.OutcomeOrphaned, Steps: armed}, []string{"sagad recover 'demo/p/k k' --data d\n"}, "child"},
	} {
		var out bytes.Buffer
		c.result.Elapsed = engine.Elapsed(time.Minute)
		progress.Result(&out, progress.Style{}, c.result, " --data d")
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %q is missing in\n%s", c.name, want, out.String())
			}
		}
		if strings.Contains(out.String(), c.not) {
			t.Errorf("%s: %q stands in\n%s", c.name, c.not, out.String())
		}
	}
}

// What is drawn of times and attempts is what is known.
func TestDrawDetails(t *testing.T) {
	plan, problems := dsl.Compile(dsl.Source{Name: "t.yaml", Data: []byte("saga: t\nkey: ${{ input.id }}\nsteps:\n  - {id: a, call: t.a, compensate: {call: t.undoA}}\n")}, dsl.Options{})
	if plan == nil {
		t.Fatal(problems)
	}
	start := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	back := engine.Compensation{State: engine.StateCompensated, Attempts: 2, Key: "k"}
	for _, c := range []struct {
		name string
		step engine.StepResult
		want string
	}{
		{"compensated", engine.StepResult{State: engine.StateCompensated, Attempts: 1, Code: "LOST", ScheduledAt: start, ActedAt: start.Add(time.Second), ClosedAt: start.Add(time.Minute), Compensation: back}, "1 attempt + 2 back  at 0s, 1.0s, back at 1m00s"},
		{"compensated by an older version", engine.StepResult{State: engine.StateCompensated, Attempts: 2, ScheduledAt: start, ClosedAt: start.Add(time.Minute), Compensation: back}, "2 attempts + 2 back  at 0s, back at 1m00s"},
		{"open", engine.StepResult{State: engine.StateRunning, Attempts: 1, ScheduledAt: start.Add(time.Second)}, "at 1.0s"},
		{"unknown", engine.StepResult{State: engine.StateUnknown, Attempts: 1, Code: "LOST", ScheduledAt: start, ClosedAt: start.Add(time.Second)}, "at 0s, 1.0s  LOST"},
	} {
		var out bytes.Buffer
		c.step.Path = "a"
		progress.Draw(&out, progress.Style{}, plan, engine.Result{StartedAt: start, Status: engine.StatusClosed, Steps: []engine.StepResult{c.step}}, false)
		if got := strings.TrimSpace(out.String()); !strings.HasSuffix(got, "  "+c.want) {
			t.Errorf("%s: %q, want it to end %q", c.name, got, c.want)
		}
	}
}
