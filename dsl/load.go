package dsl

import (
	"bytes"
	"errors"
	"fmt"
)

// Load gives the plan back that Canonical of another plan describes, with the
// same digest. It needs neither schemas nor manifests: types were checked when
// the definition was compiled. It is safe on bytes from anywhere: what it
// returns obeys every rule of structure and order that Compile checks, and
// bytes that are not the canonical form of a plan are an error.
func Load(canonical []byte) (*Plan, error) {
	if len(canonical) > MaxPlanBytes {
		return nil, fmt.Errorf("load plan: %d bytes are over the limit of %d", len(canonical), MaxPlanBytes)
	}
	data, err := ParseJSON(canonical)
	if err != nil {
		return nil, fmt.Errorf("load plan: %w", err)
	}
	root, ok := data.(map[string]any)
	if !ok {
		return nil, errors.New("load plan: the text is not an object")
	}
	if root["language"] != LanguageVersion {
		return nil, fmt.Errorf("load plan: it is written in language version %v; this program knows version %d", root["language"], LanguageVersion)
	}
	c := newCompiler("", Options{})
	c.canon = true
	plan := c.compile(jsonNode(data))
	if plan == nil {
		return nil, fmt.Errorf("load plan: %w", c.diags.sort())
	}
	if !bytes.Equal(plan.Canonical, canonical) {
		return nil, errors.New("load plan: the text is not in canonical form")
	}
	return plan, nil
}
