package progress_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
)

const families = `saga: tours
key: ${{ input.id }}
steps:
  - {id: first, call: bank.hold, compensate: {call: bank.release}}
  - id: each
    foreach: {in: input.tours, as: tour, key: tour, concurrency: 2, do: [{id: go, saga: tour, with: {tour: "${{ tour }}"}}]}
  - {id: last, call: bank.pay, effect: pivot, retry: {ambiguous: true}}
`

const familyChild = `saga: tour
key: ${{ input.tour }}
steps:
  - {id: room, call: stay.book, compensate: {call: stay.cancel}}
  - {id: rest, sleep: 2s}
  - {id: more, if: input.tour != "alps", sleep: 1s}
  - {id: full, if: input.tour != "alps", fail: {code: FULL}}
`

// What happens in children is told with its parent's, in the order and at the times
// in which it happened, however seldom the family is looked at.
func TestChangesOfAFamily(t *testing.T) {
	plan, problems := dsl.Compile(dsl.Source{Name: "tours.yaml", Data: []byte(families)}, dsl.Options{Sagas: dsl.Definitions{"tour": {Data: []byte(familyChild)}}})
	if plan == nil {
		t.Fatal(problems)
	}
	start := &engine.Start{ID: "acme/tours/t-1", Key: "t-1", Tenant: "acme", Region: "eu", Input: map[string]any{"id": "t-1", "tours": []any{"alps", "the-lakes"}}}
	for name, every := range map[string]time.Duration{"family.txt": 10 * time.Millisecond, "family_seldom.txt": 1500 * time.Millisecond} {
		var out bytes.Buffer
		p := progress.New(&out, progress.Options{})
		p.Plan(plan)
		var before engine.Result
		for until := every; before.Status != engine.StatusClosed; until += every {
			now := local.Simulate(plan, start, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), local.Script{
				Until: until, Family: true,
				Answer: func(inv *engine.Invocation) (engine.Outcome, time.Duration) {
					return engine.Outcome{Class: engine.Applied}, 100*time.Millisecond + time.Duration(len(inv.Path))*time.Millisecond
				},
			})
			for _, r := range progress.Changes(before, now) {
				p.Record(r)
			}
			before = now
		}
		golden(t, name, out.String())
	}
}
