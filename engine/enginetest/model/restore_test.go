package model

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// TestRestore restores the machines of random sagas from their state after every
// event: they go on as those that were never stored (S26).
func TestRestore(t *testing.T) {
	for n := *first; n < *first+*cases/8; n += scriptsPerDefinition {
		list, err := draw(*seed, n)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range list {
			if problem := c.restored(); problem != "" {
				t.Fatalf("case %d of seed %d: %s\n%s\n%s", n+i, *seed, problem, c.definition.yaml(), c.script.text())
			}
		}
	}
}

// copied is a machine, and another one that is restored before each event.
type copied struct {
	plan           *dsl.Plan
	start          *engine.Start
	whole, another *engine.Machine
}

// restored runs a case and tells how a restored machine differs.
func (c drawn) restored() (problem string) {
	family := map[string]*copied{c.start.ID: {plan: c.plan, start: c.start}}
	watched(c.plan, c.start, startedAt, c.script, func(id string, ev engine.Event, commands []engine.Command) {
		for _, cmd := range commands {
			if cmd.Kind == engine.CommandStartChild {
				family[cmd.Child.Start.ID] = &copied{plan: cmd.Child.Plan, start: cmd.Child.Start}
			}
		}
		if problem == "" {
			problem = family[id].take(ev, slices.Clone(commands))
		}
	})
	return problem
}

// take gives both machines an event.
func (c *copied) take(ev engine.Event, want []engine.Command) string {
	if c.whole == nil {
		c.whole, c.another = engine.New(c.plan), engine.New(c.plan)
	}
	c.whole.Step(ev)
	if got := c.another.Step(ev); len(got) != len(want) || (len(got) > 0 && !reflect.DeepEqual(want, got)) {
		return "commands (-whole +restored)\n" + cmp.Diff(want, got)
	}
	state, err := c.whole.Snapshot()
	if err != nil {
		return err.Error()
	}
	if c.another, err = engine.Restore(c.plan, c.start, state); err != nil {
		return err.Error()
	}
	if state, err = c.another.Snapshot(); err != nil { // twice: what is lost may be lost only then
		return err.Error()
	}
	if c.another, err = engine.Restore(c.plan, c.start, state); err != nil {
		return err.Error()
	}
	if want, got := c.whole.Result(), c.another.Result(); !reflect.DeepEqual(want, got) {
		return "result (-whole +restored)\n" + cmp.Diff(want, got)
	}
	return ""
}
