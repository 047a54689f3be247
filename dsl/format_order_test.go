package dsl

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/sagad/sagad/schemas"
)

// The formatter knows the place of every key that the published schema has, and
// of no other.
func TestOrderHasEveryKey(t *testing.T) {
	type object struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	var published struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(schemas.Saga, &published); err != nil {
		t.Fatal(err)
	}
	keysOf := func(names ...string) []string {
		keys := map[string]json.RawMessage{}
		for _, name := range names {
			if len(published.Defs[name].Properties) == 0 {
				t.Fatalf("the published schema has no %s", name)
			}
			for key, v := range published.Defs[name].Properties {
				keys[key] = v
			}
		}
		return canonicalKeys(keys)
	}
	var tenant object
	if err := json.Unmarshal(schemas.Tenant, &tenant); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ order, keys []string }{
		"definition": {orderDefinition, canonicalKeys(published.Properties)},
		"step":       {orderStep, keysOf("step")},
		"call":       {orderCall, keysOf("compensate", "probe")},
		"retry":      {orderRetry, keysOf("retry", "pivotRetry", "compensationRetry")},
		"parallel":   {orderParallel, keysOf("parallel")},
		"foreach":    {orderForeach, keysOf("foreach")},
		"await":      {orderAwait, keysOf("await")},
		"fail":       {orderFail, keysOf("fail")},
		"tenant":     {orderTenant, canonicalKeys(tenant.Properties)},
	} {
		if got := slices.Sorted(slices.Values(c.order)); !slices.Equal(got, c.keys) {
			t.Errorf("the order of a %s has the keys %v, the published schema has %v", name, got, c.keys)
		}
	}
}
