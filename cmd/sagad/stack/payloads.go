package stack

import (
	"encoding/json"
	"fmt"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/schemas"
)

// payloads checks what activities take and give against the schemas of their
// manifests (S25). It is filled before the first call and does not change
// afterwards.
type payloads struct {
	inputs, outputs map[string]*schemas.Validator // by activity
}

var _ engine.Payloads = (*payloads)(nil)

func (p *payloads) read(manifests []plugins.Manifest) error {
	p.inputs, p.outputs = make(map[string]*schemas.Validator), make(map[string]*schemas.Validator)
	for _, m := range manifests {
		for _, a := range m.Activities {
			for _, side := range []struct {
				name   string
				schema json.RawMessage
				into   map[string]*schemas.Validator
			}{{"input", a.Input, p.inputs}, {"output", a.Output, p.outputs}} {
				if len(side.schema) == 0 {
					continue
				}
				v, err := compileSchema(side.schema)
				if err != nil {
					return fmt.Errorf("plugin %s: the %s schema of %s: %w; its author has to correct it", m.Plugin, side.name, a.Name, err)
				}
				side.into[a.Name] = v
			}
		}
	}
	return nil
}

func compileSchema(text json.RawMessage) (*schemas.Validator, error) {
	doc, err := dsl.ParseJSON(text)
	if err != nil {
		return nil, err
	}
	bundled, err := schemas.Bundle(doc, nil)
	if err != nil {
		return nil, err
	}
	return schemas.Compile(bundled)
}

// validate is the host's hook.
func (p *payloads) validate(activity string, output json.RawMessage) error {
	if p.outputs[activity] == nil {
		return nil
	}
	value, err := dsl.ParseJSON(output)
	if err != nil {
		return err
	}
	return p.CheckOutput(activity, value)
}

// CheckInput says how an input breaks the schema of an activity.
func (p *payloads) CheckInput(activity string, input any) error {
	if v := p.inputs[activity]; v != nil {
		return v.Validate(input)
	}
	return nil
}

// CheckOutput says how an output breaks the schema of an activity.
func (p *payloads) CheckOutput(activity string, output any) error {
	if v := p.outputs[activity]; v != nil {
		return v.Validate(output)
	}
	return nil
}
