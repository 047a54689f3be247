package enginetest

import (
	"errors"

	"github.com/sagad/sagad/engine"
)

// Strict is what the cases' participants say of their schemas: activities named
// t.strict and t.undoStrict take an object with an integer n, and t.strict gives
// one with a text ref. All others take and give anything.
type Strict struct{}

var _ engine.Payloads = Strict{}

// CheckInput says whether an activity takes an input.
func (Strict) CheckInput(activity string, input any) error {
	fields, _ := input.(map[string]any)
	if _, ok := fields["n"].(int); !ok && (activity == "t.strict" || activity == "t.undoStrict") {
		return errors.New("n must be an integer")
	}
	return nil
}

// CheckOutput says whether an activity gives an output.
func (Strict) CheckOutput(activity string, output any) error {
	fields, _ := output.(map[string]any)
	if _, ok := fields["ref"].(string); !ok && activity == "t.strict" {
		return errors.New("ref must be a text")
	}
	return nil
}
