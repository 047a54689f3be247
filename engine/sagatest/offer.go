package sagatest

import (
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// offer is what the plugins say of their activities.
type offer struct{ inputs, outputs map[string]*dsl.Schema }

var _ engine.Payloads = (*offer)(nil)

func newOffer(manifests []dsl.Manifest) *offer {
	o := &offer{inputs: map[string]*dsl.Schema{}, outputs: map[string]*dsl.Schema{}}
	for _, m := range manifests {
		for _, a := range m.Activities {
			o.inputs[a.Name] = compiled(a.Input)
			o.outputs[a.Name] = compiled(a.Output)
		}
	}
	return o
}

// compiled gives a schema, nil of none and of one that does not compile: lint
// reports it.
func compiled(text []byte) *dsl.Schema {
	if len(text) == 0 {
		return nil
	}
	s, err := dsl.ParseSchema(text)
	if err != nil {
		return nil
	}
	return s
}

// CheckInput says how an input breaks the schema of an activity. Where a secret
// stands only the plugin host knows what is there.
func (o *offer) CheckInput(activity string, input any) error {
	if _, secret := dsl.SecretIn(input); secret {
		return nil
	}
	return o.inputs[activity].Validate(input)
}

// CheckOutput says how an output breaks the schema of an activity.
func (o *offer) CheckOutput(activity string, output any) error {
	return o.outputs[activity].Validate(output)
}

// example gives an output that an activity could have.
func (o *offer) example(activity string) any {
	if s := o.outputs[activity]; s != nil {
		if v, ok := s.Example(); ok {
			return v
		}
	}
	return map[string]any{}
}

// sample writes an example for people.
func (o *offer) sample(activity string) string {
	text, err := dsl.MarshalCanonical(o.example(activity))
	if err != nil {
		return "{}"
	}
	return string(text)
}
