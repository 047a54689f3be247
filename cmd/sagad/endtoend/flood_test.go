package endtoend

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sagad/sagad/engine"
)

// Who sends messages without end, or the same one again and again, does not fill
// the history of a saga until Temporal ends it (S27).
func TestFloodOfMessages(t *testing.T) {
	s := newScene(t)
	_, start := s.start("flood", stepA+"  - {id: w, await: {signal: go, where: event.n == 1}}\n"+stepP, nil)
	s.until(start.ID, "the await", at("w", engine.StateRunning))
	large := strings.Repeat("x", 250_000)
	send := func(id string, n int) engine.Reply {
		t.Helper()
		reply, err := s.client.Signal(t.Context(), start.ID, &engine.Signal{ID: id, Name: "go", Data: map[string]any{"n": n, "large": large}})
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	fits := engine.MaxSignalsSize / len(large)
	for i := range 3 * fits {
		if reply := send(fmt.Sprint(i), 0); reply.Accepted != (i < fits) || (i >= fits && reply.Code != engine.RefusedLimit) {
			t.Errorf("message %d: %+v", i, reply)
		}
		if reply := send("0", 0); !reply.Accepted {
			t.Errorf("a message that was received before: %+v", reply)
		}
	}
	d, err := s.sdk.DescribeWorkflowExecution(t.Context(), start.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	if size := d.GetWorkflowExecutionInfo().GetHistorySizeBytes(); size > 2*engine.MaxSignalsSize {
		t.Errorf("the history has %d bytes", size)
	}
	if reply := send("the one", 1); !reply.Accepted {
		t.Errorf("the one that is awaited: %+v", reply)
	}
	s.ends(start.ID, engine.OutcomeCompleted, "a w p")
}
