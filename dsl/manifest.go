package dsl

import (
	"encoding/json"
	"fmt"
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

	inputTyp, outputTyp *typ // derived when first needed
}

// catalog is what the manifests offer, by name.
type catalog map[string]*activity

// newCatalog reads the manifests. A schema in one that does not compile is
// reported, without a place: it is the plugin's author who has to mend it.
func (c *compiler) newCatalog(manifests []Manifest) catalog {
	cat := catalog{}
	for i := range manifests {
		m := &manifests[i]
		for j := range m.Activities {
			a := &m.Activities[j]
			known := &activity{manifest: a}
			known.input = c.manifestSchema(m, a, "input", a.Input)
			known.output = c.manifestSchema(m, a, "output", a.Output)
			cat[a.Name] = known
		}
	}
	return cat
}

func (c *compiler) manifestSchema(m *Manifest, a *ManifestActivity, which string, text json.RawMessage) *Schema {
	if len(text) == 0 {
		return nil
	}
	s, err := ParseSchema(text)
	if err == nil {
		return s
	}
	c.errorAt(span{}, CodeManifest, fmt.Sprintf("plugin %s %s: the %s schema of %s: %v", m.Plugin, m.Version, which, a.Name, err),
		"its author has to mend the manifest")
	return nil
}
