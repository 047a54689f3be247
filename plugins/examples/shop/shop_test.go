package shop_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/plugins/examples/exampletest"
	"github.com/sagad/sagad/plugins/examples/money"
	"github.com/sagad/sagad/plugins/examples/shop"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

var basket = []shop.Item{{SKU: "coffee-1kg", Quantity: 2}, {SKU: "mill", Quantity: 1}}

func anOrder(id string, minor int64, items ...shop.Item) shop.CreateOrderInput {
	return shop.CreateOrderInput{
		OrderID: id, Email: "ada@example.org", Country: "DE", Items: items,
		Amount: money.Amount{Minor: minor, Currency: "EUR"},
	}
}

// placed makes an order on another path of the step's saga, carried as far as
// the activities named: "reserve", "schedulePickup".
func placed(t testing.TB, p *exampletest.Process, saga string, order shop.CreateOrderInput, activities ...string) {
	t.Helper()
	step := func(path string) exampletest.Step { return exampletest.Step{Saga: saga, Path: "before/" + path} }
	exampletest.Must[shop.CreateOrderOutput](t, p, "shop.createOrder", step("createOrder"), order)
	for _, activity := range activities {
		switch activity {
		case "reserve":
			exampletest.Must[shop.ReserveOutput](t, p, "shop.reserve", step(activity), shop.ReserveInput{Order: order.OrderID, Items: order.Items})
		case "schedulePickup":
			exampletest.Must[shop.SchedulePickupOutput](t, p, "shop.schedulePickup", step(activity), shop.SchedulePickupInput{Order: order.OrderID})
		}
	}
}

// after makes a Prepare that carries an order so far, and takes the input that
// the action needs for order o-1.
func after(input any, activities ...string) func(testing.TB, *exampletest.Process, exampletest.Step, int64) any {
	return func(t testing.TB, p *exampletest.Process, step exampletest.Step, minor int64) any {
		placed(t, p, step.Saga, anOrder("o-1", minor, basket...), activities...)
		return input
	}
}

func request(step exampletest.Step, _ []byte) any { return map[string]any{"request": step.Key()} }

func TestCreateOrder(t *testing.T) {
	exampletest.Effect{
		Plugin: shop.New, Name: shop.Name, Action: testcards.ShopCreateOrder,
		Prepare: func(_ testing.TB, _ *exampletest.Process, _ exampletest.Step, minor int64) any {
			return anOrder("o-1", minor, basket...)
		},
		Count:        `SELECT count(*) FROM orders WHERE state = 'open'`,
		Compensation: testcards.ShopCancelOrder, Compensate: request,
	}.Run(t)
}

func TestReserve(t *testing.T) {
	exampletest.Effect{
		Plugin: shop.New, Name: shop.Name, Action: testcards.ShopReserve,
		Prepare:      after(shop.ReserveInput{Order: "o-1", Items: basket}),
		Count:        `SELECT coalesce(sum(reserved), 0) / 3 FROM stock`,
		Compensation: testcards.ShopUnreserve, Compensate: request,
	}.Run(t)
}

func TestSchedulePickup(t *testing.T) {
	exampletest.Effect{
		Plugin: shop.New, Name: shop.Name, Action: testcards.ShopSchedulePickup,
		Prepare:      after(shop.SchedulePickupInput{Order: "o-1"}),
		Count:        `SELECT count(*) FROM pickups WHERE state = 'scheduled'`,
		Compensation: testcards.ShopCancelPickup, Compensate: request,
	}.Run(t)
}

func TestShip(t *testing.T) {
	exampletest.Effect{
		Plugin: shop.New, Name: shop.Name, Action: testcards.ShopShip,
		Prepare: after(shop.ShipInput{Order: "o-1"}, "reserve", "schedulePickup"),
		Count:   `SELECT count(*) FROM shipments`,
		Probe:   testcards.ShopShipment,
		Ask:     func(step exampletest.Step) any { return shop.ShipmentInput{Shipment: step.Key()} },
	}.Run(t)
}

func TestNotify(t *testing.T) {
	exampletest.Effect{
		Plugin: shop.New, Name: shop.Name, Action: testcards.ShopNotify,
		Prepare: after(shop.NotifyInput{Order: "o-1", Template: "shipped"}),
		Count:   `SELECT count(*) FROM notices`,
	}.Run(t)
}

func TestIssueVoucher(t *testing.T) {
	exampletest.Effect{
		Plugin: shop.New, Name: shop.Name, Action: testcards.ShopIssueVoucher,
		Prepare: func(_ testing.TB, _ *exampletest.Process, _ exampletest.Step, minor int64) any {
			return voucher(minor)
		},
		Count: `SELECT count(*) FROM vouchers`,
	}.Run(t)
}

func voucher(minor int64) shop.IssueVoucherInput {
	return shop.IssueVoucherInput{Email: "ada@example.org", Amount: money.Amount{Minor: minor, Currency: "EUR"}}
}

func TestRejections(t *testing.T) {
	p := exampletest.Start(t, shop.New, t.TempDir())
	one := func(sku string, quantity int) shop.Item { return shop.Item{SKU: sku, Quantity: quantity} }
	placed(t, p, "made", anOrder("o-made", 100, one("mill", 2)))
	placed(t, p, "reserved", anOrder("o-reserved", 100, one("mill", 2)), "reserve")
	placed(t, p, "picked", anOrder("o-picked", 100, one("mill", 2)), "schedulePickup")
	placed(t, p, "heavy", anOrder("o-heavy", 100, one("coffee-1kg", shop.MaxPieces+1)), "reserve", "schedulePickup")
	placed(t, p, "done", anOrder("o-done", 100, one("mill", 2)), "reserve", "schedulePickup")
	exampletest.Must[shop.ShipOutput](t, p, "shop.ship", exampletest.Step{Saga: "done", Path: "ship"}, shop.ShipInput{Order: "o-done"})
	far := anOrder("o-far", 100, one("mill", 1))
	far.Country = "JP"
	placed(t, p, "far", far)

	for _, tt := range []struct {
		name, activity string
		input          any
		want           string
	}{
		{"a number that is taken", "shop.createOrder", anOrder("o-made", 100, basket...), "reject ORDER_EXISTS"},
		{"a thing the shop does not sell", "shop.createOrder", anOrder("o-x", 100, one("moon", 1)), "reject SKU_UNKNOWN"},
		{"a thing named twice", "shop.createOrder", anOrder("o-x", 100, one("mill", 1), one("mill", 1)), "reject INVALID_ORDER"},
		{"nothing ordered", "shop.createOrder", anOrder("o-x", 100), "reject INVALID_INPUT"},
		{"reserve for no order", "shop.reserve", shop.ReserveInput{Order: "o-none", Items: basket}, "reject ORDER_NOT_FOUND"},
		{"reserve what is sold out", "shop.reserve", shop.ReserveInput{Order: "o-made", Items: []shop.Item{one("mill", 1), one("espresso-machine", 1)}}, "reject OUT_OF_STOCK"},
		{"reserve the last", "shop.reserve", shop.ReserveInput{Order: "o-made", Items: []shop.Item{one("copper-kettle", 1)}}, "ok"},
		{"reserve the last again", "shop.reserve", shop.ReserveInput{Order: "o-made", Items: []shop.Item{one("copper-kettle", 1)}}, "reject OUT_OF_STOCK"},
		{"reserve after shipping", "shop.reserve", shop.ReserveInput{Order: "o-done", Items: basket}, "reject ORDER_CLOSED"},
		{"no carrier to the country", "shop.schedulePickup", shop.SchedulePickupInput{Order: "o-far"}, "reject NO_PICKUP"},
		{"ship without a pickup", "shop.ship", shop.ShipInput{Order: "o-reserved"}, "reject NO_PICKUP"},
		{"ship what is not reserved", "shop.ship", shop.ShipInput{Order: "o-picked"}, "reject NOT_RESERVED"},
		{"ship what is reserved otherwise", "shop.ship", shop.ShipInput{Order: "o-made"}, "reject NOT_RESERVED"},
		{"ship more than a parcel", "shop.ship", shop.ShipInput{Order: "o-heavy"}, "reject CARRIER_REFUSED"},
		{"ship twice, in two operations", "shop.ship", shop.ShipInput{Order: "o-done"}, "reject ORDER_CLOSED"},
		{"the largest voucher", "shop.issueVoucher", voucher(shop.MaxVoucher), "ok"},
		{"too large a voucher", "shop.issueVoucher", voucher(shop.MaxVoucher + 1), "reject VOUCHER_TOO_LARGE"},
		{"notify about no order", "shop.notify", shop.NotifyInput{Order: "o-none", Template: "shipped"}, "reject ORDER_NOT_FOUND"},
		{"notify in unknown words", "shop.notify", shop.NotifyInput{Order: "o-made", Template: "poem"}, "reject INVALID_INPUT"},
	} {
		_, err := p.Invoke(tt.activity, exampletest.Step{Saga: tt.name, Path: "step"}.Action(1), tt.input)
		if got := exampletest.Answer(err); got != tt.want {
			t.Errorf("%s: answer %q, want %q", tt.name, got, tt.want)
		}
	}

	for activity, want := range map[string]string{
		"createOrder": "reject ORDER_SHIPPED", "reserve": "reject ORDER_SHIPPED", "schedulePickup": "reject ORDER_SHIPPED",
	} {
		compensation := map[string]string{"createOrder": "shop.cancelOrder", "reserve": "shop.unreserve", "schedulePickup": "shop.cancelPickup"}[activity]
		step := exampletest.Step{Saga: "done", Path: "before/" + activity}
		_, err := p.Invoke(compensation, step.Compensation(1), request(step, nil))
		if got := exampletest.Answer(err); got != want {
			t.Errorf("%s after shipping: answer %q, want %q", compensation, got, want)
		}
	}
}

// The saga of the steps starts on a Friday, so its parcels go on Monday.
func TestPickupDay(t *testing.T) {
	p := exampletest.Start(t, shop.New, t.TempDir())
	placed(t, p, "s", anOrder("o-1", 100, basket...))
	got := exampletest.Must[shop.SchedulePickupOutput](t, p, "shop.schedulePickup", exampletest.Step{Saga: "s", Path: "pickup"}, shop.SchedulePickupInput{Order: "o-1"})
	want := shop.SchedulePickupOutput{PickupID: got.PickupID, Carrier: "rhine-parcel", Day: "2026-11-23"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestManifest(t *testing.T) {
	for _, a := range shop.New().Manifest().Activities {
		var want []string
		if a.Name == "shop.createOrder" || a.Name == "shop.issueVoucher" {
			want = []string{"email"}
		}
		if diff := cmp.Diff(want, a.Sensitive); diff != "" {
			t.Errorf("%s: sensitive (-want +got):\n%s", a.Name, diff)
		}
	}
}
