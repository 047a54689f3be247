package main

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/cmd/sagad/testreport"
)

var update = flag.Bool("update", false, "write what the tests compare with")

// The manifests that lint reads beside the shipped definitions are those of the
// shipped plugins.
func TestShippedManifests(t *testing.T) {
	file := filepath.Join(repository(t), "definitions", manifestFile)
	list := exec.Command("sagad", "plugin", "list", "-o", "json", "--plugins", binaries)
	list.Dir, list.Stderr = t.TempDir(), os.Stderr
	got, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not fresh; run go test ./cmd/sagad -run TestShippedManifests -update (-file +plugins):\n%s", file, diff)
	}
}

// The tests beside the shipped definitions pass, and so do their matrices.
func TestShippedTests(t *testing.T) {
	test := exec.Command("sagad", "test", filepath.Join(repository(t), "definitions"), "-o", "json", "--cover")
	test.Dir, test.Stderr = t.TempDir(), os.Stderr
	out, err := test.Output()
	var r testreport.Report
	if json.Unmarshal(out, &r) != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range r.Cases {
		for _, f := range c.Failures {
			t.Errorf("%s:%d: %s: %s", c.File, c.Line, c.Name, f.Message)
		}
	}
	for _, v := range r.Matrix.Violations {
		t.Errorf("%s: %s / %s: %s\n%v", v.File, v.Case, v.Fault, v.Rule, v.Trace)
	}
	for _, c := range r.Coverage {
		if c.Percent() < 80 {
			t.Errorf("the tests reach %d%% of %s; `sagad test %s --cover` says what is left", c.Percent(), c.Saga, c.File)
		}
	}
	if err != nil || r.Passed == 0 || r.Matrix.Runs == 0 {
		t.Errorf("%v: %d passed, %d runs", err, r.Passed, r.Matrix.Runs)
	}
}
