package main

import (
	"bytes"
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/sagad/sagad/cmd/sagad/embedded"
	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/plugins/examples/cards"
	"github.com/sagad/sagad/plugins/examples/ledger"
	"github.com/sagad/sagad/plugins/examples/people"
	"github.com/sagad/sagad/plugins/examples/rails"
	"github.com/sagad/sagad/plugins/examples/shop"
	"github.com/sagad/sagad/plugins/examples/travel"
)

// Whom the tests run sagas for: the demo tenant, as its file says.
const (
	testTenant = "demo"
	testRegion = "eu-west-1"
)

// scene is a data directory with a stack on it, inside the test.
type scene struct {
	data   string
	local  bool
	stack  *stack.Stack
	router *router
}

func sceneConfig(data string) stack.Config {
	return stack.Config{
		Data: data, Temporal: stack.Embedded, Tenant: testTenant, Region: testRegion, Plugins: binaries, UIPort: embedded.NoUI,
	}
}

// newScene starts plugins and, unless local, Temporal and a worker.
func newScene(t *testing.T, local bool) *scene {
	t.Helper()
	s := &scene{data: t.TempDir(), local: local, router: &router{}}
	cfg := sceneConfig(s.data)
	cfg.Observe = s.router.take
	var err error
	if s.stack, err = stack.Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stack.Close(); err != nil {
			t.Error(err)
		}
	})
	start := s.stack.StartWorker
	if local {
		start = func(ctx context.Context) error { return s.stack.StartPlugins(ctx) }
	}
	if err := start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// compile compiles a shipped definition; replacements are pairs of texts.
func (s *scene) compile(t *testing.T, file string, replacements ...string) *dsl.Plan {
	t.Helper()
	d, err := readDefinition(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replacements); i += 2 {
		if !bytes.Contains(d.text, []byte(replacements[i])) {
			t.Fatalf("%s does not hold %q any more", file, replacements[i])
		}
		d.text = bytes.ReplaceAll(d.text, []byte(replacements[i]), []byte(replacements[i+1]))
	}
	plan, ds := d.compile(&settings{}, manifestsFor(s.stack.Manifests()), true)
	if plan == nil {
		t.Fatal(ds)
	}
	return plan
}

// prepare gives what a saga of an input file is started with.
func prepare(t *testing.T, plan *dsl.Plan, inputFile string) (*engine.Start, map[string]any) {
	t.Helper()
	input, err := readJSON(nil, "input", inputFile)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(repository(t), "definitions", tenantsFolder, testTenant+".yaml")
	d, err := readDefinition(file)
	if err != nil {
		t.Fatal(err)
	}
	tenant, ds := dsl.ParseTenant(dsl.Source{Name: file, Data: d.text}, knownZone)
	if tenant == nil {
		t.Fatal(ds)
	}
	start, search, err := engine.Prepare(plan, engine.Target{Tenant: testTenant, Region: testRegion, Settings: tenant.Settings()}, input)
	if err != nil {
		t.Fatal(err)
	}
	return start, search
}

// begin starts a saga.
func (s *scene) begin(t *testing.T, plan *dsl.Plan, start *engine.Start, search map[string]any) saga {
	t.Helper()
	f := newFeed(progress.New(t.Output(), progress.Options{}))
	f.printer.Plan(plan)
	if s.local {
		return startLocal(t.Context(), plan, start, s.stack.Invoker(), f)
	}
	s.router.add(start.ID, f)
	started, err := s.stack.Client().Start(t.Context(), plan, start, search)
	if err != nil || !started {
		t.Fatalf("start %s: %v, %v", start.ID, started, err)
	}
	return &durableSaga{stack: s.stack, name: start.ID, feed: f, observed: true}
}

// openBooks opens the database of an example plugin.
func openBooks(t *testing.T, data, plugin string, open func(ctx context.Context, dir string) (*sql.DB, error)) *sql.DB {
	t.Helper()
	db, err := open(t.Context(), stack.PluginData(data, testTenant, testRegion, plugin))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// verify proves that the plugins' books balance and that nothing is left open.
func verify(t *testing.T, data string) {
	t.Helper()
	for _, b := range []struct {
		plugin string
		open   func(ctx context.Context, dir string) (*sql.DB, error)
		verify func(ctx context.Context, db *sql.DB) error
	}{
		{ledger.Name, ledger.OpenReadOnly, ledger.Verify},
		{shop.Name, shop.OpenReadOnly, shop.Verify},
		{cards.Name, cards.OpenReadOnly, cards.Verify},
		{people.Name, people.OpenReadOnly, people.Verify},
		{travel.Name, travel.OpenReadOnly, travel.Verify},
	} {
		if err := b.verify(t.Context(), openBooks(t, data, b.plugin, b.open)); err != nil {
			t.Errorf("%s: %v", b.plugin, err)
		}
	}
}

// submissions counts the payments that the settlement network has accepted.
func submissions(t *testing.T, data string) int {
	t.Helper()
	all, err := rails.Submissions(t.Context(), openBooks(t, data, rails.Name, rails.OpenReadOnly))
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// await waits for something that another process does.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("waited a minute for " + what)
		}
	}
}
