package sagatest_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine/sagatest"
)

// The conformance suite holds as it is written down for others.
func TestConformance(t *testing.T) {
	const root = "../conformance/sagas"
	text, err := os.ReadFile(filepath.Join(root, "plugins.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifests []dsl.Manifest
	if err := json.Unmarshal(text, &manifests); err != nil {
		t.Fatal(err)
	}
	folders, err := filepath.Glob(filepath.Join(root, "*", "saga.yaml"))
	if err != nil || len(folders) < 170 {
		t.Fatalf("only %d cases: %v", len(folders), err)
	}
	for _, file := range folders {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			s := folderSuite(t, filepath.Dir(file), manifests)
			for i := range s.Tests.Cases {
				for _, f := range s.Run(&s.Tests.Cases[i]).Failures {
					t.Errorf("%s: %v, want %v", f.Message, f.Got, f.Want)
				}
			}
		})
	}
}

// folderSuite gives the suite of a folder, whose other definitions are children.
func folderSuite(t *testing.T, folder string, manifests []dsl.Manifest) *sagatest.Suite {
	t.Helper()
	read := func(name string) dsl.Source {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return dsl.Source{Name: name, Data: text}
	}
	sagas := dsl.Definitions{}
	names, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		base := filepath.Base(name)
		sagas[strings.TrimSuffix(base, ".yaml")] = read(base)
	}
	plan, ds := dsl.Compile(read("saga.yaml"), dsl.Options{Manifests: manifests, RequireActivities: true, Sagas: sagas})
	if plan == nil {
		t.Fatal(ds)
	}
	tests, ds := dsl.ParseTests(read("saga_test.yaml"), nil)
	if tests == nil {
		t.Fatal(ds)
	}
	if ds := tests.Check(plan, manifests); ds.HasErrors() {
		t.Fatal(ds)
	}
	return &sagatest.Suite{Tests: tests, Plan: plan, Manifests: manifests, Tenant: "demo", Region: "eu-west-1"}
}
