package editortest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sagad/sagad/dsl"
)

const repository = "../../.."

// modules is the folder of the Node packages. Without them the test is left out,
// loudly; where nobody looks it fails.
func modules(t *testing.T) string {
	t.Helper()
	const message = "Node or its packages are missing: the published schemas are not checked with ajv and yaml-language-server. Install node and npm, then run `make node-modules`."
	folder, err := filepath.Abs(filepath.Join(repository, "bin", "node", "node_modules"))
	if err == nil {
		_, err = os.Stat(filepath.Join(folder, "ajv", "package.json"))
	}
	if err == nil {
		_, err = exec.LookPath("node")
	}
	if err == nil {
		return folder
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%v: %s", err, message)
	}
	t.Skip(message)
	return ""
}

// manifests are those of the shipped plugins.
func manifests(t *testing.T) []dsl.Manifest {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "definitions", "plugins.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []dsl.Manifest
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}
