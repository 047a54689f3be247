package plugins

import (
	"encoding/json"

	"github.com/sagad/sagad/plugins/pluginpb"
)

// Manifest is what a plugin offers, as lint and the host read it. A plugin
// prints its own as JSON when it is run with the argument --manifest.
type Manifest struct {
	Plugin     string             `json:"plugin"`
	Version    string             `json:"version"`
	Protocol   int                `json:"protocol"`
	Activities []ActivityManifest `json:"activities"`
}

// ActivityManifest is what one activity takes and gives.
type ActivityManifest struct {
	// Name has the plugin's prefix: "ledger.hold".
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Input and Output are JSON Schemas, draft 2020-12.
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output"`
	// Errors are the codes the activity declares beside those of the SDK.
	Errors []string `json:"errors,omitempty"`
	// Sensitive and SensitiveOutput are the paths of sensitive values in the
	// input and the output: "debtor.iban", "items[].card" for every element of
	// a list, "byName.*" for every value of a map.
	Sensitive       []string `json:"sensitive,omitempty"`
	SensitiveOutput []string `json:"sensitiveOutput,omitempty"`
	// Regions are where the activity handles data; none: where the plugin runs.
	Regions []string `json:"regions,omitempty"`
}

// Manifest describes p. It is the zero Manifest when p.Err is not nil.
func (p *Plugin) Manifest() Manifest {
	if p.err != nil {
		return Manifest{}
	}
	m := Manifest{Plugin: p.name, Version: p.version, Protocol: pluginpb.ProtocolVersion}
	for _, d := range p.order {
		m.Activities = append(m.Activities, ActivityManifest{
			Name:            p.name + "." + d.name,
			Description:     d.description,
			Input:           d.input.schema(),
			Output:          d.output.schema(),
			Errors:          d.codes,
			Sensitive:       d.input.sensitivePaths(),
			SensitiveOutput: d.output.sensitivePaths(),
			Regions:         d.regions,
		})
	}
	return m
}

func (m Manifest) proto() *pluginpb.Manifest {
	out := &pluginpb.Manifest{Plugin: m.Plugin, Version: m.Version, Protocol: int32(m.Protocol)}
	for _, a := range m.Activities {
		out.Activities = append(out.Activities, &pluginpb.Activity{
			Name: a.Name, Description: a.Description,
			InputSchema: a.Input, OutputSchema: a.Output, Errors: a.Errors,
			SensitiveInput: a.Sensitive, SensitiveOutput: a.SensitiveOutput, Regions: a.Regions,
		})
	}
	return out
}
