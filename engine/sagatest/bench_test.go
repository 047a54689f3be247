package sagatest_test

import (
	"os"
	"testing"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine/sagatest"
)

const examples = "../../definitions/examples/"

// load gives the suite of a shipped definition, without manifests.
func load(t testing.TB, folder, name string) *sagatest.Suite {
	t.Helper()
	files := os.DirFS(examples + folder)
	text, err := os.ReadFile(examples + folder + "/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	plan, ds := dsl.Compile(dsl.Source{Name: name + ".yaml", Data: text}, dsl.Options{Files: files})
	if plan == nil {
		t.Fatal(ds)
	}
	if text, err = os.ReadFile(examples + folder + "/" + name + "_test.yaml"); err != nil {
		t.Fatal(err)
	}
	tests, ds := dsl.ParseTests(dsl.Source{Name: name + "_test.yaml", Data: text}, files)
	if tests == nil {
		t.Fatal(ds)
	}
	return &sagatest.Suite{Tests: tests, Plan: plan, Tenant: "demo", Region: "r"}
}

// The matrix of a payment: what a run costs.
func BenchmarkMatrix(b *testing.B) {
	s := load(b, "cross-border-payment", "payment")
	runs := 0
	for b.Loop() {
		runs += s.Matrix(&s.Tests.Cases[0], nil, nil).Runs
	}
	b.ReportMetric(float64(runs)/float64(b.N), "runs/op")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(runs), "µs/run")
}
