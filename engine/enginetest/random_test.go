package enginetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// Random definitions with random faults: whatever happens, the invariants hold,
// and the same events give the same commands.
func TestRandomSagas(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		g := &generator{r: r, mocks: Mocks{}}
		steps := g.saga()
		plan, err := compile("deadline: 10m\n"+quick, steps)
		if err != nil {
			r.Fatal(err)
		}
		s := &Saga{Plan: plan, World: NewWorld(g.mocks), Outside: g.outside()}
		start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo", Region: "eu-west-1"}, map[string]any{"id": "k", "list": []any{"x", "y", "z"}})
		if err != nil {
			r.Fatal(err)
		}
		s.Start = start
		got := Simulate(t, s)
		if problems := Violations(s, got.Result); len(problems) > 0 {
			r.Fatalf("%s\n%s\nmocks %+v\noutside %+v\ntrace %v", strings.Join(problems, "\n"), steps, g.mocks, s.Outside, got.Result.Trace)
		}
		if got.Result.Outcome == engine.OutcomeRunning || got.Result.Outcome == engine.OutcomeCompensating {
			r.Fatalf("the saga is stuck: %s\n%s\nmocks %+v\ntrace %v", got.Result.Outcome, steps, g.mocks, got.Result.Trace)
		}
	})
}

// The same events give the same commands, fed at once or again from the start
// after a crash at any point (S24).
func TestSameEventsSameCommands(t *testing.T) {
	for _, c := range slices.Concat(Cases, EdgeCases) {
		t.Run(c.Name, func(t *testing.T) {
			for id, r := range record(c.Prepare(t, "")) {
				again := engine.New(r.plan)
				for i, ev := range r.events {
					if diff := cmp.Diff(r.commands[i], slices.Clone(again.Step(ev)), samePlan); diff != "" {
						t.Fatalf("%s: event %d (-first +again):\n%s", id, i, diff)
					}
				}
			}
		})
	}
}

// samePlan compares plans, which are immutable, by name.
var samePlan = cmp.Comparer(func(a, b *dsl.Plan) bool { return a.Digest == b.Digest })

// generator writes definitions that lint accepts.
type generator struct {
	r     *rapid.T
	mocks Mocks
	b     strings.Builder
	ids   int
}

func (g *generator) n(limit int) int { return rapid.IntRange(0, limit-1).Draw(g.r, "n") }

func (g *generator) id() string {
	g.ids++
	return fmt.Sprintf("s%d", g.ids)
}

func (g *generator) line(indent int, format string, args ...any) {
	fmt.Fprintf(&g.b, "%s%s\n", strings.Repeat("  ", indent), fmt.Sprintf(format, args...))
}

func (g *generator) saga() string {
	g.steps(1, 1+g.n(4), 0)
	if g.n(2) == 0 {
		id := g.id()
		switch g.n(3) {
		case 0:
			g.line(1, "- {id: %s, call: t.%s, effect: pivot, retry: {attempts: 2, backoff: 10ms..20ms, ambiguous: true}}", id, id)
		case 1:
			g.line(1, "- {id: %s, call: t.%s, effect: pivot, probe: {call: t.probe%s, every: 1s, within: 3s}}", id, id, id)
		default:
			g.line(1, "- {id: %s, call: t.%s, effect: retriable}", id, id)
		}
		g.mock("t." + id)
		for range g.n(3) {
			id := g.id()
			g.line(1, "- {id: %s, call: t.%s, effect: retriable, retry: {attempts: 3, backoff: 10ms..20ms}}", id, id)
			g.mock("t." + id)
		}
	}
	return g.b.String()
}

// steps writes n steps that may stand before the point of no return.
func (g *generator) steps(indent, n, depth int) {
	for range n {
		id := g.id()
		kinds := 9
		if depth >= 3 {
			kinds = 5
		}
		switch g.n(kinds) {
		case 0, 1:
			g.line(indent, "- id: %s", id)
			g.line(indent+1, "call: t.%s", id)
			g.line(indent+1, "compensate: {call: t.undo%s}", id)
			if g.n(3) == 0 {
				g.line(indent+1, "probe: {call: t.probe%s, every: 1s, within: 3s}", id)
			}
			g.mock("t." + id)
			if g.n(4) == 0 {
				g.mocks["t.undo"+id] = []Answer{Fail("UNDO"), Lost(true), OK(`{}`)}
			}
			g.catch(indent+1, depth)
		case 2:
			g.line(indent, "- id: %s", id)
			g.line(indent+1, "call: t.%s", id)
			g.line(indent+1, "effect: none")
			g.mock("t." + id)
			g.catch(indent+1, depth)
		case 3:
			g.line(indent, "- {id: %s, sleep: %dms}", id, 1+g.n(3000))
		case 4:
			g.line(indent, "- {id: %s, await: {signal: go, timeout: %dms}}", id, 1+g.n(3000))
		case 5, 6:
			g.parallel(indent, id, depth)
		case 7:
			g.line(indent, "- id: %s", id)
			g.line(indent+1, "scope:")
			g.line(indent+2, "do:")
			g.steps(indent+3, 1+g.n(3), depth+1)
			g.catch(indent+1, depth)
		default:
			g.line(indent, "- id: %s", id)
			g.line(indent+1, "foreach:")
			g.line(indent+2, "in: input.list")
			g.line(indent+2, "as: it%d", depth)
			g.line(indent+2, "key: it%d", depth)
			g.line(indent+2, "concurrency: %d", 1+g.n(3))
			g.line(indent+2, "compensation: %s", []string{"reverse", "parallel"}[g.n(2)])
			g.line(indent+2, "do:")
			g.steps(indent+3, 1+g.n(2), depth+1)
			g.catch(indent+1, depth)
		}
	}
}

func (g *generator) parallel(indent int, id string, depth int) {
	g.line(indent, "- id: %s", id)
	g.line(indent+1, "parallel:")
	g.line(indent+2, "onFailure: %s", []string{"drain", "cancel"}[g.n(2)])
	g.line(indent+2, "compensation: %s", []string{"reverse", "parallel"}[g.n(2)])
	g.line(indent+2, "branches:")
	for i := range 2 + g.n(2) {
		g.line(indent+3, "b%d:", i)
		g.steps(indent+4, 1+g.n(2), depth+1)
	}
	g.catch(indent+1, depth)
}

func (g *generator) catch(indent, depth int) {
	if depth >= 3 || g.n(4) != 0 {
		return
	}
	g.line(indent, "catch:")
	g.line(indent+1, "- on: %s", []string{`["*"]`, "[R1, TIMEOUT]"}[g.n(2)])
	g.line(indent+2, "do:")
	g.steps(indent+3, 1, depth+1)
}

// mock draws what an activity answers.
func (g *generator) mock(activity string) {
	if g.n(3) != 0 {
		return
	}
	for range 1 + g.n(3) {
		answers := []Answer{OK(`{}`), Reject("R1"), Reject("R2"), Fail("F"), FailApplied("FA"), Permanent("P"), NotSent("UNAVAILABLE"), Lost(true), Lost(false), BadOutput()}
		a := answers[g.n(len(answers))]
		a.Delay = time.Duration(g.n(300)) * ms
		g.mocks[activity] = append(g.mocks[activity], a)
	}
}

func (g *generator) outside() (o Outside) {
	for i := range g.n(4) {
		o = append(o, Message(time.Duration(g.n(5000))*ms, "go", fmt.Sprint(i), `1`))
	}
	if g.n(4) == 0 {
		o = append(o, Cancel(time.Duration(g.n(5000))*ms))
	}
	return o
}
