package dsl

import (
	"encoding/json"
	"fmt"
	"sync"
)

// Manifest is what a plugin says of itself.
type Manifest struct {
	Plugin     string             `json:"plugin"`
	Version    string             `json:"version"`
	Protocol   int                `json:"protocol"`
	Activities []ManifestActivity `json:"activities"`
}

// ManifestActivity is one activity of a plugin.
type ManifestActivity struct {
	Name        string          `json:"name"` // with the plugin: ledger.hold
	Description string          `json:"description,omitempty"`
	Input       json.RawMessage `json:"input,omitempty"`  // JSON Schema; nothing: any input
	Output      json.RawMessage `json:"output,omitempty"` // JSON Schema; nothing: any output
	Errors      []string        `json:"errors,omitempty"` // codes it fails with; none: they are not known
	// Sensitive and SensitiveOutput are the paths of sensitive values in the
	// input and the output: "debtor.iban", "items[].card", "byName.*".
	Sensitive       []string `json:"sensitive,omitempty"`
	SensitiveOutput []string `json:"sensitiveOutput,omitempty"`
	// Regions are where the activity handles data; none: where its plugin runs.
	Regions []string `json:"regions,omitempty"`
}

// SearchType is the type of a search attribute.
type SearchType string

// The types of search attributes.
const (
	SearchKeyword SearchType = "keyword" // text up to 255 bytes
	SearchInt     SearchType = "int"
	SearchBool    SearchType = "bool"
	SearchInstant SearchType = "datetime" // RFC 3339
)

var defaultSearchAttributes = map[string]SearchType{
	"country_code":      SearchKeyword,
	"clearing_batch_id": SearchKeyword,
}

// activity is what lint knows of one activity.
type activity struct {
	manifest *ManifestActivity
	input    *Schema // nil: any
	output   *Schema // nil: any

	inputType, outputType func() *typ // derived when first needed
}

// catalog is what the manifests offer, by name.
type catalog map[string]*activity

// Catalog is the manifests of plugins with their schemas compiled: whoever
// compiles many definitions against the same plugins makes one. It is immutable
// and safe for concurrent use.
type Catalog struct {
	activities catalog
	problems   Diagnostics // of the manifests; every compilation reports them
}

// NewCatalog reads manifests. It keeps them; they are not to be changed.
func NewCatalog(manifests []Manifest) *Catalog {
	cat := &Catalog{activities: catalog{}}
	for i := range manifests {
		m := &manifests[i]
		for j := range m.Activities {
			a := &m.Activities[j]
			known := &activity{manifest: a}
			known.input = cat.schema(m, a, "input", a.Input)
			known.output = cat.schema(m, a, "output", a.Output)
			known.inputType = sync.OnceValue(known.input.typ)
			known.outputType = sync.OnceValue(known.output.typ)
			cat.activities[a.Name] = known
		}
	}
	return cat
}

// schema compiles a schema of a manifest. One that does not compile is a problem
// without a place: it is the plugin's author who has to mend it.
func (cat *Catalog) schema(m *Manifest, a *ManifestActivity, which string, text json.RawMessage) *Schema {
	if len(text) == 0 {
		return nil
	}
	doc, err := ParseJSON(text)
	if err == nil {
		var s *Schema
		if s, err = newSchema(doc, nil); err == nil {
			return s
		}
	}
	cat.problems = append(cat.problems, Diagnostic{Severity: SeverityError, Code: CodeManifest,
		Summary: fmt.Sprintf("plugin %s %s: the %s schema of %s: %v", m.Plugin, m.Version, which, a.Name, err),
		Detail:  "its author has to mend the manifest"})
	return nil
}
