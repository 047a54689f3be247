package stack

import (
	"encoding/json"
	"fmt"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/schemas"
)

// outputs checks what activities answer against the schemas of their manifests
// (S25). It is filled before the first call and does not change afterwards.
type outputs struct {
	byActivity map[string]*schemas.Validator
}

func (o *outputs) read(manifests []plugins.Manifest) error {
	byActivity := make(map[string]*schemas.Validator)
	for _, m := range manifests {
		for _, a := range m.Activities {
			if len(a.Output) == 0 {
				continue
			}
			v, err := compileSchema(a.Output)
			if err != nil {
				return fmt.Errorf("plugin %s: the output schema of %s: %w; its author has to correct it", m.Plugin, a.Name, err)
			}
			byActivity[a.Name] = v
		}
	}
	o.byActivity = byActivity
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
func (o *outputs) validate(activity string, output json.RawMessage) error {
	v := o.byActivity[activity]
	if v == nil {
		return nil
	}
	value, err := dsl.ParseJSON(output)
	if err != nil {
		return err
	}
	return v.Validate(value)
}
