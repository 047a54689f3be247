package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
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
