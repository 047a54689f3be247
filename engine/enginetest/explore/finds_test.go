package explore

import (
	"slices"
	"strings"
	"testing"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
)

// small is a saga that compensates when its pivot is rejected.
func small(t *testing.T) *Scenario {
	c := enginetest.Case{Head: short, Steps: a + p}
	return &Scenario{Saga: c.Prepare(t, ""), Bounds: Bounds{Faults: 1}}
}

// What a broken runtime does is found, with the shortest script that leads to it.
func TestFinds(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func([]engine.Command) []engine.Command
		want  string
	}{
		{
			"a compensation that is sent twice",
			func(list []engine.Command) []engine.Command {
				for _, c := range list {
					if c.Kind == engine.CommandInvoke && c.Invoke.Op == engine.OpCompensation {
						list = append(list, c)
					}
				}
				return list
			},
			`S4: the compensation of a begins while the compensation runs
  0 0s       started
  1 0s       action of a, attempt 1: final
`,
		},
		{
			"a timer that is lost",
			func(list []engine.Command) []engine.Command {
				return slices.DeleteFunc(list, func(c engine.Command) bool { return c.Kind == engine.CommandStartTimer })
			},
			`S26: what is open (-known +resumed)
`,
		},
		{
			"an attempt at another step",
			func(list []engine.Command) []engine.Command {
				for i, c := range list {
					if c.Kind == engine.CommandInvoke && c.Invoke.Path == "p" {
						inv := *c.Invoke
						inv.Path = "a"
						list[i].Invoke = &inv
					}
				}
				return list
			},
			`S20: the action of a has the key demo:demo/t/k:p:action:20261123T100000Z:0, want demo:demo/t/k:a:action:20261123T100000Z:0
`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			sc := small(t)
			sc.spoil = c.spoil
			if got := Explore(sc).Problem; !strings.Contains(got, c.want) {
				t.Errorf("found is %q", got)
			}
		})
	}
}

// A state that does not belong to the events is found, and a saga that nothing
// moves.
func TestFindsLostState(t *testing.T) {
	x := &explorer{Scenario: small(t), seen: nil}
	x.run.Plan, x.run.Start = x.Saga.Plan, x.Saga.Start
	first, problem := x.begin()
	if problem != "" {
		t.Fatal(problem)
	}
	before := *first.family[0]
	second, problem := x.take(first, x.moves(first)[0])
	if problem != "" {
		t.Fatal(problem)
	}
	m := *second.family[0]
	m.snapshot = before.snapshot
	m.events = &event{m.events, engine.Event{Kind: engine.EventCancel, At: startedAt, Request: "r"}}
	if _, _, problem := m.stepEverywhere(); !strings.HasPrefix(problem, "S24: commands") {
		t.Errorf("of an old state is found %q", problem)
	}
	m = *second.family[0]
	m.open = nil
	second.family[0] = &m
	if !second.stuck() {
		t.Error("it is not found that nothing moves")
	}
}
