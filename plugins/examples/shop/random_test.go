package shop_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/exampletest"
	"github.com/sagad/sagad/plugins/examples/shop"
)

// fulfilment is a random saga: it goes on for so many steps, each sent so
// often, then ships or compensates in reverse.
type fulfilment struct {
	items []shop.Item
	steps int // of createOrder, reserve, schedulePickup
	times int
}

func fulfilments() *rapid.Generator[[]fulfilment] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fulfilment {
		return fulfilment{
			items: []shop.Item{
				{SKU: rapid.SampledFrom([]string{"copper-kettle", "scale"}).Draw(t, "sku"), Quantity: rapid.IntRange(1, 15).Draw(t, "quantity")},
				{SKU: "mill", Quantity: rapid.IntRange(1, 60).Draw(t, "mills")},
			},
			steps: rapid.IntRange(0, 4).Draw(t, "steps"),
			times: rapid.IntRange(1, 2).Draw(t, "times"),
		}
	}), 1, 10)
}

// Whatever concurrent sagas order, repeat and compensate, the stock adds up
// and nothing is left open; no more is shipped than there is.
func TestStockIsConserved(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		list := fulfilments().Draw(rt, "fulfilments")
		dir, err := os.MkdirTemp(t.TempDir(), "run")
		if err != nil {
			rt.Fatal(err)
		}
		p := exampletest.Start(t, shop.New, dir)
		defer p.Stop()
		failures := make([]error, len(list))
		var sagas sync.WaitGroup
		for i, one := range list {
			sagas.Go(func() { failures[i] = one.run(p, fmt.Sprintf("o-%d", i)) })
		}
		sagas.Wait()
		db, err := shop.OpenReadOnly(t.Context(), dir)
		if err != nil {
			rt.Fatal(err)
		}
		defer func(db *sql.DB) { _ = db.Close() }(db) // it only read
		if err := errors.Join(append(failures, shop.Verify(t.Context(), db))...); err != nil {
			rt.Error(err)
		}
	})
}

func (f fulfilment) run(p *exampletest.Process, order string) error {
	step := func(path string) exampletest.Step { return exampletest.Step{Saga: order, Path: path} }
	send := func(activity string, call func(int) plugins.Call, input any, allowed ...string) (done bool, err error) {
		var answers []string
		for n := range f.times {
			_, failure := p.Invoke("shop."+activity, call(n+1), input)
			answers = append(answers, exampletest.Answer(failure))
			if last := answers[n]; last != "ok" && !slices.Contains(allowed, last) || n > 0 && answers[n-1] == "ok" && last != "ok" {
				return false, fmt.Errorf("%s of %s: %s", activity, order, strings.Join(answers, ", "))
			}
		}
		return answers[f.times-1] == "ok", nil
	}
	forward := []struct {
		activity, compensation string
		input                  any
	}{
		{"createOrder", "cancelOrder", anOrder(order, 100, f.items...)},
		{"reserve", "unreserve", shop.ReserveInput{Order: order, Items: f.items}},
		{"schedulePickup", "cancelPickup", shop.SchedulePickupInput{Order: order}},
	}
	reached := 0
	for i, s := range forward[:min(f.steps, len(forward))] {
		done, err := send(s.activity, step(s.activity).Action, s.input, "reject OUT_OF_STOCK")
		if err != nil {
			return err
		}
		if !done {
			break
		}
		reached = i + 1
	}
	if reached == len(forward) && f.steps > len(forward) {
		_, err := send("ship", step("ship").Action, shop.ShipInput{Order: order})
		return err
	}
	// Compensates one step that was never asked for, too.
	for i := min(reached, len(forward)-1); i >= 0; i-- {
		s := forward[i]
		if _, err := send(s.compensation, step(s.activity).Compensation, request(step(s.activity), nil)); err != nil {
			return err
		}
	}
	return nil
}
