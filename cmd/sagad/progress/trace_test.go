package progress

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/engine"
)

func TestShortTrace(t *testing.T) {
	long := func(n int) (trace []string) {
		for i := range n {
			trace = append(trace, fmt.Sprintf("note[%d]", i))
		}
		return trace
	}
	for _, n := range []int{0, 1, 50} {
		if diff := cmp.Diff(long(n), shortTrace(long(n))); diff != "" {
			t.Errorf("a trace of %d items changes (-want +got):\n%s", n, diff)
		}
	}
	trace := long(5000)
	short := shortTrace(trace)
	text := strings.Join(short, " → ")
	if n := len([]rune(text)); n > maxTrace+60 {
		t.Errorf("%d characters: %s", n, text)
	}
	if short[0] != "note[0]" || short[len(short)-1] != "note[4999]" {
		t.Errorf("not its beginning and end: %s", text)
	}
	var left int
	for i, item := range short {
		if _, err := fmt.Sscanf(item, "(%d more; -o json has them all)", &left); err == nil {
			if diff := cmp.Diff(trace, append(append(append([]string{}, short[:i]...), trace[i:i+left]...), short[i+1:]...)); diff != "" {
				t.Errorf("what is left out does not fit its place (-want +got):\n%s", diff)
			}
		}
	}
	if left != len(trace)-len(short)+1 {
		t.Errorf("%d items are said to be left out of %d, and %d are shown", left, len(trace), len(short)-1)
	}
	if len(trace) != 5000 || trace[2500] != "note[2500]" {
		t.Error("the trace itself was changed")
	}

	huge := []string{"a", strings.Repeat("x", 2*maxTrace), "b"}
	if diff := cmp.Diff([]string{"a", "(1 more; -o json has them all)", "b"}, shortTrace(huge)); diff != "" {
		t.Errorf("an item that is too long by itself (-want +got):\n%s", diff)
	}
}

// Whoever prints a result prints its trace so.
func TestResultShortensItsTrace(t *testing.T) {
	var out strings.Builder
	r := engine.Result{Outcome: engine.OutcomeCompleted, Trace: strings.Fields(strings.Repeat("note ", 1000))}
	Result(&out, Style{}, r, "")
	if got := out.String(); len(got) > 2*maxTrace || !strings.Contains(got, "more; -o json has them all") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}
