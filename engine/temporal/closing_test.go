package temporal

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
)

// What a closed workflow keeps gives the whole result back.
func TestClosingRoundTrip(t *testing.T) {
	closed := 0
	for i := range enginetest.Cases {
		c := &enginetest.Cases[i]
		s := c.Prepare(t, "")
		want := enginetest.Simulate(t, s).Result
		if want.Status != engine.StatusClosed {
			continue
		}
		closed++
		data, err := json.Marshal(pack(&want, nil))
		if err != nil {
			t.Fatal(err)
		}
		var kept closing
		if err := json.Unmarshal(data, &kept); err != nil {
			t.Fatal(err)
		}
		got := kept.unpack(want.ID)
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(got)
		if diff := cmp.Diff(string(a), string(b)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.Name, diff)
		}
	}
	if closed < 40 {
		t.Errorf("only %d cases closed", closed)
	}
}

// What has not come when a saga is asked has not come either when it is read, in
// new histories and in those that put it before the start.
func TestClosingOpenSteps(t *testing.T) {
	start := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	want := engine.Result{ID: "demo/t/k", Tenant: "demo", StartedAt: start, Steps: []engine.StepResult{
		{Path: "running", State: engine.StateRunning, ScheduledAt: start}, {Path: "pending", State: engine.StatePending},
	}}
	kept := pack(&want, nil)
	for range 2 {
		for i, s := range kept.unpack(want.ID).Steps {
			if !s.ClosedAt.IsZero() || !s.ScheduledAt.Equal(want.Steps[i].ScheduledAt) {
				t.Errorf("%s: scheduled %s, closed %s", s.Path, s.ScheduledAt, s.ClosedAt)
			}
		}
		for i := range kept.Steps { // as it was written once
			if s := &kept.Steps[i]; s.path == "pending" {
				s.scheduled = time.Time{}.Sub(start).Milliseconds()
			}
			kept.Steps[i].closed = time.Time{}.Sub(start).Milliseconds()
		}
	}
}

// Names in a trace hold whatever a foreach key does, but no control characters.
func TestClosingTrace(t *testing.T) {
	want := []string{"look[a b]", "~look[a b]!"}
	got := pack(&engine.Result{Trace: want}, nil).unpack("demo/t/k").Trace
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRegionOf(t *testing.T) {
	for _, c := range []struct {
		tenant, region string
	}{{"demo", "eu-west-1"}, {"a:b%", "x:y%3A"}} {
		if region, ok := RegionOf(TaskQueue(c.tenant, c.region), c.tenant); !ok || region != c.region {
			t.Errorf("%v gave %q, %t", c, region, ok)
		}
	}
	if _, ok := RegionOf(TaskQueue("other", "x"), "demo"); ok {
		t.Error("the queue of another tenant was taken for one's own")
	}
}
