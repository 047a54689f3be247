package invariant

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/sagad/sagad/engine"
)

func keysFormed(r *Run) (p problems) {
	for _, m := range r.Moments {
		if m.Kind != MomentBegan {
			continue
		}
		inv := m.Invoke
		if want := r.Key(inv.Path, inv.Op, inv.Generation); inv.Key != want {
			p.add("the %s has the key %s, want %s", operationOf(inv), inv.Key, want)
		}
		if inv.Op != engine.OpCompensation && inv.ActionKey != r.Key(inv.Path, engine.OpAction, inv.Generation) {
			p.add("the %s has the action key %s", operationOf(inv), inv.ActionKey)
		}
	}
	for _, step := range r.Result.Steps {
		if step.Key != "" && !r.someKey(step.Key, step.Path, engine.OpAction) {
			p.add("the key of %s is %s", step.Path, step.Key)
		}
		if key := step.Compensation.Key; key != "" && !r.someKey(key, step.Path, engine.OpCompensation) {
			p.add("the key of the compensation of %s is %s", step.Path, key)
		}
	}
	return p
}

// someKey says whether a key is that of some generation of an operation. Each
// command of an operator makes one more at most; those to an open child do not
// stand in the result.
func (r *Run) someKey(key, path string, op engine.Op) bool {
	generations := 1
	for _, m := range r.Moments {
		if m.Kind == MomentRecorded && m.Record.Transition == engine.TransitionOperator {
			generations++
		}
	}
	for g := range max(generations, r.Result.Interventions+1) {
		if key == r.Key(path, op, g) {
			return true
		}
	}
	return false
}

var keyEscapes = strings.NewReplacer("%", "%25", ":", "%3A")

// Key writes the key of an operation by the letter of S20.
func (r *Run) Key(path string, op engine.Op, generation int) string {
	parts := []string{
		keyEscapes.Replace(r.Start.Tenant), keyEscapes.Replace(r.Start.ID), keyEscapes.Replace(path), op.String(),
		r.Result.StartedAt.UTC().Format("20060102T150405Z"), strconv.Itoa(generation),
	}
	key := strings.Join(parts, ":")
	if len(key) <= 255 {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func keysStable(r *Run) (p problems) {
	type use struct {
		operation
		generation int
	}
	keys, uses := map[use]string{}, map[string]use{}
	for _, m := range r.Moments {
		if m.Kind != MomentBegan {
			continue
		}
		key, u := m.Invoke.Key, use{operationOf(m.Invoke), m.Invoke.Generation}
		if first, seen := keys[u]; seen && first != key {
			p.add("the key of the %s changes from %s to %s", u.operation, first, key)
		}
		if first, seen := uses[key]; seen && first != u {
			p.add("%s is the key of the %s and of the %s", key, first.operation, u.operation)
		}
		keys[u], uses[key] = key, u
	}
	return p
}
