package endtoend

import (
	"fmt"
	"testing"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
	"github.com/sagad/sagad/engine/temporal"
)

// onlyKey gives the key of the one operation that a saga has called.
func (s *scene) onlyKey(id string) string {
	s.t.Helper()
	keys := s.world(id).Keys()
	if len(keys) != 1 {
		s.t.Fatalf("%s has called with the keys %v, want one", id, keys)
	}
	return keys[0]
}

// Two sagas that start in the same second share no key (S20).
func TestTwoSagasInOneSecond(t *testing.T) {
	s := newScene(t)
	var ids [2]string
	for pair := 1; ; pair++ {
		for i := range ids {
			_, start := s.start(fmt.Sprintf("k-%d-%d", pair, i), stepA, nil)
			ids[i] = start.ID
		}
		var keys [2]string
		var parts [2]engine.Key
		for i, id := range ids {
			s.ends(id, engine.OutcomeCompleted, "a")
			keys[i] = s.onlyKey(id)
			var ok bool
			if parts[i], ok = engine.ParseKey(keys[i]); !ok || parts[i].Saga != id {
				t.Fatalf("%s calls with the key %s", id, keys[i])
			}
		}
		if keys[0] == keys[1] {
			t.Fatalf("both have the key %s", keys[0])
		}
		if parts[0].StartedAt.Equal(parts[1].StartedAt) {
			return
		}
	}
}

// Colons in the names of tenants and in business keys make no two sagas and no
// two keys alike, and a key is taken apart as it was put together (S20).
func TestColonsInTenantAndKey(t *testing.T) {
	c := dial(t, startServer(t).Address())
	w := &worlds{byID: map[string]*enginetest.World{}, wakes: map[string]chan struct{}{}}
	s := &scene{t: t, sdk: c, client: temporal.NewClient(c), worlds: w}
	plan := enginetest.Compile(t, "", stepA)
	seen := map[string]bool{}
	for _, who := range []struct{ tenant, key string }{{"a:b", "c"}, {"a", "b:c"}, {"a%3Ab", "c"}} {
		startWorker(t, c, temporal.WorkerOptions{Tenant: who.tenant, Region: "eu-west-1", Invoker: w})
		start, _, err := engine.Prepare(plan, engine.Target{Tenant: who.tenant, Region: "eu-west-1"}, map[string]any{"id": who.key})
		if err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		w.byID[start.ID] = enginetest.NewWorld(nil)
		w.mu.Unlock()
		if started, err := s.client.Start(t.Context(), plan, start, nil); err != nil || !started {
			t.Fatalf("%+v: started %t: %v", who, started, err)
		}
		if r := s.ends(start.ID, engine.OutcomeCompleted, "a"); r.Tenant != who.tenant || r.Key != who.key {
			t.Errorf("%+v: it ended as the saga of %s with the key %s", who, r.Tenant, r.Key)
		}
		text := s.onlyKey(start.ID)
		key, ok := engine.ParseKey(text)
		if !ok || key.Tenant != who.tenant || key.Saga != start.ID || key.Path != "a" || seen[key.Tenant+"\n"+key.Saga] {
			t.Errorf("%s is taken apart as %+v", text, key)
		}
		seen[key.Tenant+"\n"+key.Saga] = true
	}
}
