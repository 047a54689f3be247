// Package starter writes definitions to start from, with their tests.
package starter

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sagad/sagad/dsl"
)

//go:embed transfer.yaml
var transfer string

//go:embed transfer_test.yaml
var transferTest string

//go:embed call.yaml
var call string

//go:embed call_test.yaml
var callTest string

// transferActivities are those that the transfer calls.
var transferActivities = []string{"ledger.hold", "ledger.release", "ledger.settle", "rails.submit", "rails.status"}

// Write gives a definition with comments that teach, and its test. Both have no
// problems and pass with the manifests: without any the definition calls activities
// of the example plugins, otherwise one that the manifests have. name is a valid
// name of a saga.
func Write(name string, manifests []dsl.Manifest) (definition, test []byte, err error) {
	words := []string{"@NAME@", name}
	from, fromTest := transfer, transferTest
	if more, ok := oneCall(manifests); ok {
		words, from, fromTest = append(words, more...), call, callTest
	}
	fill := strings.NewReplacer(words...)
	if definition, err = dsl.Format(dsl.Source{Name: name + ".yaml", Data: []byte(fill.Replace(from))}); err != nil {
		return nil, nil, fmt.Errorf("definition: %w", err)
	}
	if test, err = dsl.Format(dsl.Source{Name: name + "_test.yaml", Data: []byte(fill.Replace(fromTest))}); err != nil {
		return nil, nil, fmt.Errorf("test: %w", err)
	}
	return definition, test, nil
}

// oneCall gives what to fill in to call one activity of the manifests. ok is false
// if they have what the transfer calls, or nothing to call.
func oneCall(manifests []dsl.Manifest) (words []string, ok bool) {
	known := map[string]bool{}
	for _, m := range manifests {
		for _, a := range m.Activities {
			known[a.Name] = true
			if !ok {
				words, ok = wordsFor(a)
			}
		}
	}
	for _, name := range transferActivities {
		if !known[name] {
			return words, ok
		}
	}
	return nil, false
}

// wordsFor gives what to fill in to call an activity. ok is false if nobody can
// make up what it takes and gives.
func wordsFor(a dsl.ManifestActivity) (words []string, ok bool) {
	input, okIn := exampleOf(a.Input)
	output, okOut := exampleOf(a.Output)
	code := "REFUSED"
	if len(a.Errors) > 0 {
		code = a.Errors[0]
	}
	return []string{"@ACTIVITY@", a.Name, "@INPUT@", input, "@OUTPUT@", output, "@ERROR@", code}, okIn && okOut
}

// exampleOf gives a value after a schema, as JSON, which is YAML.
func exampleOf(schema json.RawMessage) (text string, ok bool) {
	if len(schema) == 0 {
		return "{}", true
	}
	s, err := dsl.ParseSchema(schema)
	if err != nil {
		return "", false
	}
	value, ok := s.Example()
	if !ok {
		return "", false
	}
	out, err := json.Marshal(value)
	return string(out), err == nil
}
