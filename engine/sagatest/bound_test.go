package sagatest_test

import (
	"strings"
	"testing"
)

// A matrix that would be too large runs what goes wrong once, and of second faults
// as many as fit, from the first step to the last.
func TestMatrixIsBounded(t *testing.T) {
	s := load(t, "cross-border-payment", "payment")
	c := &s.Tests.Cases[0]
	whole := s.Matrix(c, nil, nil)
	var single int
	s.Matrix(c, func(fault string) bool {
		if !strings.Contains(fault, ", ") {
			single++
			return true
		}
		return false
	}, nil)
	if whole.Left != 0 || single == 0 || single >= whole.Runs {
		t.Fatalf("%d runs, %d left out, %d single", whole.Runs, whole.Left, single)
	}
	s.MaxRuns = whole.Runs - 10

	bounded := s.Matrix(c, nil, nil)
	if bounded.Runs != s.MaxRuns || bounded.Left != 10 {
		t.Errorf("%d runs and %d left out of %d", bounded.Runs, bounded.Left, whole.Runs)
	}
	s.MaxRuns = single / 2
	if few := s.Matrix(c, nil, nil); few.Runs != s.MaxRuns || few.Runs+few.Left < single {
		t.Errorf("%d runs and %d left out of %d", few.Runs, few.Left, whole.Runs)
	}
}
