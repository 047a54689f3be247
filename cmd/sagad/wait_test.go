package main

import (
	"strings"
	"testing"

	"github.com/sagad/sagad/engine"
)

// Who waits for the answer to a cancel is told what holds it up.
func TestWhatACancelWaitsFor(t *testing.T) {
	i := &instance{id: "demo/t/k", settings: &settings{}}
	parked := &engine.Result{Parked: []engine.Parked{
		{Path: "hold", Op: engine.OpCompensation, Code: "NO", Commands: []string{"retry", "skip"}},
		{Path: "pay", Op: engine.OpAction, Code: "LOST", Commands: []string{"retry", "resolve"}},
	}}
	if got := i.waitsFor(parked); !strings.Contains(got, "pay is not known, it is parked with LOST") || !strings.Contains(got, "by retry or resolve, see `sagad show demo/t/k`") {
		t.Error(got)
	}
	if got := i.waitsFor(&engine.Result{}); !strings.Contains(got, "waits for its outcome") {
		t.Error(got)
	}
}
