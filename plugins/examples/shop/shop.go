// Package shop is an example plugin: the order book, the warehouse and the
// parcel desk of a web shop. Everything up to the shipment can be compensated:
// an order is cancelled, stock is free again, a pickup is called off. The
// shipment itself cannot, which makes ship the pivot of an order; shipment is
// its probe. The customer is told by notify, which is retriable.
//
// What the customer pays is the business of another plugin; the shop only
// keeps the amount agreed on.
package shop

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// Name is the plugin's name.
const Name = "shop"

// Codes of the errors that activities answer with.
const (
	CodeOrderExists         = "ORDER_EXISTS"
	CodeOrderNotFound       = "ORDER_NOT_FOUND"
	CodeOrderClosed         = "ORDER_CLOSED"
	CodeOrderShipped        = "ORDER_SHIPPED"
	CodeInvalidOrder        = "INVALID_ORDER"
	CodeSKUUnknown          = "SKU_UNKNOWN"
	CodeOutOfStock          = "OUT_OF_STOCK"
	CodeReservationNotFound = "RESERVATION_NOT_FOUND"
	CodeNotReserved         = "NOT_RESERVED"
	CodeNoPickup            = "NO_PICKUP"
	CodePickupNotFound      = "PICKUP_NOT_FOUND"
	CodeCarrierRefused      = "CARRIER_REFUSED"
	CodeVoucherTooLarge     = "VOUCHER_TOO_LARGE"
)

//go:embed schema.sql
var schema string

type shop struct{ service.Service }

// New makes the plugin. Options replace what test cards do to the process.
func New(opts ...testcards.Option) *plugins.Plugin { return new(shop).plugin(opts) }

func (s *shop) plugin(opts []testcards.Option) *plugins.Plugin {
	return s.Plugin(Name, opts, []store.Migration{store.SQL(schema), seed, store.SQL(vouchersSchema)}, s.activities()...)
}

func (s *shop) activities() []plugins.Definition {
	return []plugins.Definition{
		plugins.Activity("createOrder", s.createOrder,
			plugins.Describe("Writes an order into the order book."),
			service.Errors(testcards.ShopCreateOrder, CodeInvalidOrder, CodeSKUUnknown)),
		plugins.Activity("cancelOrder", s.cancelOrder,
			plugins.Describe("Compensates createOrder. The order is named by the key of its action."),
			service.Errors(testcards.ShopCancelOrder, CodeOrderNotFound)),
		plugins.Activity("reserve", s.reserve,
			plugins.Describe("Reserves items for an order, all of them or none."),
			service.Errors(testcards.ShopReserve, CodeInvalidOrder, CodeOrderNotFound, CodeOrderClosed, CodeSKUUnknown)),
		plugins.Activity("unreserve", s.unreserve,
			plugins.Describe("Compensates reserve. The reservation is named by the key of its action."),
			service.Errors(testcards.ShopUnreserve, CodeReservationNotFound)),
		plugins.Activity("schedulePickup", s.schedulePickup,
			plugins.Describe("Books a carrier for the order's parcel."),
			service.Errors(testcards.ShopSchedulePickup, CodeOrderNotFound, CodeOrderClosed)),
		plugins.Activity("cancelPickup", s.cancelPickup,
			plugins.Describe("Compensates schedulePickup. The pickup is named by the key of its action."),
			service.Errors(testcards.ShopCancelPickup, CodePickupNotFound)),
		plugins.Activity("ship", s.ship,
			plugins.Describe("Hands the parcel to the carrier; it cannot be taken back. Needs a pickup and every item reserved. The same key ships once."),
			service.Errors(testcards.ShopShip, CodeOrderNotFound, CodeOrderClosed, CodeNotReserved, CodeNoPickup)),
		plugins.Activity("shipment", s.shipment,
			plugins.Describe("Probe of ship: tells whether the parcel was handed over, and if not makes sure that a late request will not do it."),
			service.ProbeErrors(testcards.ShopShipment)),
		plugins.Activity("notify", s.notify,
			plugins.Describe("Sends the customer a message about the order, once."),
			service.Errors(testcards.ShopNotify)),
		plugins.Activity("issueVoucher", s.issueVoucher,
			plugins.Describe("Mails a voucher to a customer; it cannot be taken back. The same key issues once."),
			service.Errors(testcards.ShopIssueVoucher)),
		plugins.Activity("stock", s.stock,
			plugins.Describe("Lists the items with what is on hand, reserved and available; no effect.")),
	}
}

// The warehouse of the demo shop.
var seedStock = []Stock{
	{SKU: "coffee-1kg", Name: "Coffee beans, 1 kg", OnHand: 10_000},
	{SKU: "mill", Name: "Coffee mill", OnHand: 500},
	{SKU: "filter-100", Name: "Paper filters, 100 pieces", OnHand: 5_000},
	{SKU: "scale", Name: "Kitchen scale", OnHand: 40},
	{SKU: "copper-kettle", Name: "Copper kettle, the last one", OnHand: 1},
	{SKU: "espresso-machine", Name: "Espresso machine, sold out", OnHand: 0},
}

// The carriers of the demo shop, by country of delivery.
var seedCarriers = map[string]string{
	"AT": "alpine-parcel", "BE": "lowland-parcel", "CH": "alpine-parcel", "CZ": "vltava-parcel", "DE": "rhine-parcel",
	"ES": "iberian-parcel", "FR": "seine-parcel", "IT": "adria-parcel", "LU": "lowland-parcel", "NL": "lowland-parcel",
	"PL": "vistula-parcel", "PT": "iberian-parcel", "SE": "baltic-parcel",
}

func seed(ctx context.Context, tx *sql.Tx) error {
	for _, item := range seedStock {
		if _, err := tx.ExecContext(ctx, `INSERT INTO stock (sku, name, received, on_hand) VALUES (?, ?, ?, ?)`,
			item.SKU, item.Name, item.OnHand, item.OnHand); err != nil {
			return fmt.Errorf("seed %s: %w", item.SKU, err)
		}
	}
	for country, carrier := range seedCarriers {
		if _, err := tx.ExecContext(ctx, `INSERT INTO carriers (country, carrier) VALUES (?, ?)`, country, carrier); err != nil {
			return fmt.Errorf("seed the carrier for %s: %w", country, err)
		}
	}
	return nil
}
