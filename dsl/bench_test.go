package dsl

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// corpusSize is how many definitions BenchmarkLint checks.
const corpusSize = 1000

// shippedDefinitions gives the definitions that ship, and those varied until
// there are enough: each copy has names of its own.
func shippedDefinitions(t testing.TB) ([]Definition, Definitions) {
	t.Helper()
	var shipped []Definition
	sagas := Definitions{}
	err := filepath.WalkDir("../definitions/examples", func(path string, entry os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" || strings.HasSuffix(path, "_test.yaml") || strings.Contains(path, "testdata") {
			return err
		}
		text, err := os.ReadFile(path)
		source := Source{Name: path, Data: text}
		shipped = append(shipped, Definition{Source: source, Files: os.DirFS(filepath.Dir(path))})
		name, _, _ := strings.Cut(string(text[strings.Index(string(text), "saga: ")+6:]), "\n")
		sagas[name] = source
		return err
	})
	if err != nil || len(shipped) < 5 {
		t.Fatalf("%d definitions, %v", len(shipped), err)
	}
	return shipped, sagas
}

// inFolders are sagas whose schemas are beside them.
type inFolders struct{ Definitions }

// Find gives a definition with its folder.
func (d inFolders) Find(name, from string) (Definition, error) {
	found, err := d.Definitions.Find(name, from)
	if err == nil {
		found.Files = os.DirFS(filepath.Dir(found.Name))
	}
	return found, err
}

// BenchmarkLint checks a thousand definitions, those that ship with names of
// their own, against the manifests of the example plugins. The ratio is to
// reading the same bytes with the YAML library and doing nothing with them.
func BenchmarkLint(b *testing.B) {
	shipped, sagas := shippedDefinitions(b)
	catalog := NewCatalog(manifestsIn(b, "../definitions/plugins.json"))
	all := make([]Definition, corpusSize)
	bytes := 0
	for i := range all {
		all[i] = shipped[i%len(shipped)]
		text := strings.Replace(string(all[i].Data), "\nsaga: ", fmt.Sprintf("\nsaga: copy%d-", i), 1)
		all[i].Data = []byte(strings.ReplaceAll(text, "steps:\n", fmt.Sprintf("steps:\n  - {id: mark%d, sleep: %dms}\n", i, i+1)))
		bytes += len(all[i].Data)
	}
	b.SetBytes(int64(bytes))
	var reading, linting time.Duration
	for b.Loop() {
		start := time.Now()
		for _, d := range all {
			var node yaml.Node
			if err := yaml.Unmarshal(d.Data, &node); err != nil {
				b.Fatal(err)
			}
		}
		middle := time.Now()
		for _, d := range all {
			plan, ds := Compile(d.Source, Options{Catalog: catalog, RequireActivities: true, Files: d.Files, Sagas: inFolders{sagas}})
			if plan == nil {
				b.Fatal(ds)
			}
		}
		reading += middle.Sub(start)
		linting += time.Since(middle)
	}
	b.ReportMetric(linting.Seconds()/float64(b.N), "s/1000-definitions")
	b.ReportMetric(linting.Seconds()/reading.Seconds(), "x-reading-YAML")
}
