package shop

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// MaxPieces is the most that a carrier takes as one parcel.
const MaxPieces = 200

// SchedulePickupInput names the order.
type SchedulePickupInput struct {
	Order string `json:"order" description:"the order whose parcel is to be picked up"`
}

// SchedulePickupOutput is the carrier's appointment.
type SchedulePickupOutput struct {
	PickupID string `json:"pickupId" description:"names the pickup"`
	Carrier  string `json:"carrier" description:"who comes"`
	Day      string `json:"day" description:"on which day, as 2006-01-02: the first working day after the saga started, in UTC"`
}

func (s *shop) schedulePickup(ctx context.Context, call plugins.Call, in SchedulePickupInput) (SchedulePickupOutput, error) {
	hand, err := s.hand(ctx, in.Order)
	if err != nil {
		return SchedulePickupOutput{}, err
	}
	return testcards.Do(ctx, s.Deck, call, testcards.ShopSchedulePickup, hand, func(ctx context.Context, tx *sql.Tx) (SchedulePickupOutput, error) {
		order, err := findOpenOrder(ctx, tx, in.Order)
		if err != nil {
			return SchedulePickupOutput{}, err
		}
		out := SchedulePickupOutput{PickupID: service.Identity("pickup", call), Day: workingDayAfter(call.StartedAt).Format(time.DateOnly)}
		err = tx.QueryRowContext(ctx, `SELECT carrier FROM carriers WHERE country = ?`, order.country).Scan(&out.Carrier)
		if errors.Is(err, sql.ErrNoRows) {
			return SchedulePickupOutput{}, plugins.Reject(CodeNoPickup, "no carrier delivers to %s", order.country)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO pickups (id, action_key, order_id, carrier, day, state) VALUES (?, ?, ?, ?, ?, 'scheduled')`,
				out.PickupID, call.ActionKey, in.Order, out.Carrier, out.Day)
		}
		if err != nil {
			return SchedulePickupOutput{}, fmt.Errorf("schedule %s: %w", out.PickupID, err)
		}
		call.Logger.Info("pickup scheduled", "order", in.Order, "pickup", out.PickupID, "carrier", out.Carrier, "day", out.Day)
		return out, nil
	})
}

func workingDayAfter(t time.Time) time.Time {
	day := t.UTC().AddDate(0, 0, 1)
	for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// CancelPickupInput names a pickup by the key of its action, because whether
// it was scheduled may be unknown.
type CancelPickupInput struct {
	Request string `json:"request" description:"key of the action that scheduled the pickup"`
}

// CancelPickupOutput tells what was called off.
type CancelPickupOutput struct {
	Cancelled bool `json:"cancelled" description:"false when there was nothing to call off"`
}

func (s *shop) cancelPickup(ctx context.Context, call plugins.Call, in CancelPickupInput) (CancelPickupOutput, error) {
	return testcards.Do(ctx, s.Deck, call, testcards.ShopCancelPickup, nil, func(ctx context.Context, tx *sql.Tx) (CancelPickupOutput, error) {
		var id, state string
		err := tx.QueryRowContext(ctx, `SELECT id, state FROM pickups WHERE action_key = ?`, in.Request).Scan(&id, &state)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return CancelPickupOutput{}, plugins.Reject(CodePickupNotFound, "no pickup was scheduled with the key %s", in.Request)
		case err != nil:
			return CancelPickupOutput{}, fmt.Errorf("look up the pickup of %s: %w", in.Request, err)
		case state == "shipped":
			return CancelPickupOutput{}, plugins.Reject(CodeOrderShipped, "the parcel of %s is shipped", id)
		case state == "cancelled":
			return CancelPickupOutput{Cancelled: false}, nil
		}
		if err := store.Change(ctx, tx, `UPDATE pickups SET state = 'cancelled' WHERE id = ?`, id); err != nil {
			return CancelPickupOutput{}, fmt.Errorf("call off %s: %w", id, err)
		}
		call.Logger.Info("pickup called off", "pickup", id)
		return CancelPickupOutput{Cancelled: true}, nil
	})
}

// ShipInput names the order.
type ShipInput struct {
	Order string `json:"order" description:"the order whose parcel is handed to the carrier"`
}

// ShipOutput is the carrier's receipt.
type ShipOutput struct {
	TrackingID string `json:"trackingId" description:"names the parcel for the customer and the carrier"`
	Carrier    string `json:"carrier" description:"who carries it"`
}

func (s *shop) ship(ctx context.Context, call plugins.Call, in ShipInput) (ShipOutput, error) {
	hand, err := s.hand(ctx, in.Order)
	if err != nil {
		return ShipOutput{}, err
	}
	return testcards.Do(ctx, s.Deck, call, testcards.ShopShip, hand, func(ctx context.Context, tx *sql.Tx) (ShipOutput, error) {
		if _, err := findOpenOrder(ctx, tx, in.Order); err != nil {
			return ShipOutput{}, err
		}
		if err := packed(ctx, tx, in.Order); err != nil {
			return ShipOutput{}, err
		}
		out := ShipOutput{TrackingID: service.Identity("parcel", call)}
		var pickup string
		err := tx.QueryRowContext(ctx, `SELECT id, carrier FROM pickups WHERE order_id = ? AND state = 'scheduled' ORDER BY day, id LIMIT 1`, in.Order).
			Scan(&pickup, &out.Carrier)
		if errors.Is(err, sql.ErrNoRows) {
			return ShipOutput{}, plugins.Reject(CodeNoPickup, "no pickup is scheduled for order %s", in.Order)
		}
		if err == nil {
			err = s.handOver(ctx, tx, call, in.Order, pickup, out.TrackingID)
		}
		if err != nil {
			return ShipOutput{}, fmt.Errorf("ship %s: %w", in.Order, err)
		}
		call.Logger.Info("shipped", "order", in.Order, "parcel", out.TrackingID, "carrier", out.Carrier)
		return out, nil
	})
}

// packed refuses an order of which not exactly what was ordered is reserved,
// or which is more than a parcel holds.
func packed(ctx context.Context, tx *sql.Tx, order string) error {
	var pieces, differing int
	err := tx.QueryRowContext(ctx, `
		WITH ordered AS (SELECT sku, quantity FROM order_lines WHERE order_id = ?1),
		reserved AS (
			SELECT l.sku, sum(l.quantity) AS quantity FROM reservation_lines l JOIN reservations r ON r.id = l.reservation
			WHERE r.order_id = ?1 AND r.state = 'reserved' GROUP BY l.sku)
		SELECT (SELECT sum(quantity) FROM ordered),
			(SELECT count(*) FROM (SELECT * FROM ordered EXCEPT SELECT * FROM reserved)) +
			(SELECT count(*) FROM (SELECT * FROM reserved EXCEPT SELECT * FROM ordered))`, order).Scan(&pieces, &differing)
	switch {
	case err != nil:
		return fmt.Errorf("compare order %s with its reservations: %w", order, err)
	case differing > 0:
		return plugins.Reject(CodeNotReserved, "what is reserved for order %s is not what was ordered", order)
	case pieces > MaxPieces:
		return plugins.Reject(CodeCarrierRefused, "a parcel holds %d pieces, order %s has %d", MaxPieces, order, pieces)
	}
	return nil
}

// handOver takes the reserved items out of the warehouse and closes the order.
func (s *shop) handOver(ctx context.Context, tx *sql.Tx, call plugins.Call, order, pickup, parcel string) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE stock SET on_hand = stock.on_hand - o.quantity, reserved = stock.reserved - o.quantity
		FROM order_lines o WHERE o.order_id = ? AND o.sku = stock.sku`, order)
	if err != nil {
		return fmt.Errorf("take out of the warehouse: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE reservations SET state = 'shipped' WHERE order_id = ? AND state = 'reserved'`, order); err != nil {
		return fmt.Errorf("close its reservations: %w", err)
	}
	if err := store.Change(ctx, tx, `UPDATE pickups SET state = 'shipped' WHERE id = ?`, pickup); err != nil {
		return fmt.Errorf("close its pickup: %w", err)
	}
	if err := store.Change(ctx, tx, `UPDATE orders SET state = 'shipped' WHERE id = ?`, order); err != nil {
		return fmt.Errorf("close it: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO shipments (id, action_key, order_id, pickup, shipped_at) VALUES (?, ?, ?, ?, ?)`,
		parcel, call.ActionKey, order, pickup, s.Instant())
	return err
}

// ShipmentInput names a shipment by the key of its action.
type ShipmentInput struct {
	Shipment string `json:"shipment" description:"key of the action that shipped"`
}

func (s *shop) shipment(ctx context.Context, call plugins.Call, in ShipmentInput) (plugins.Probe[ShipOutput], error) {
	return service.Probe[ShipOutput](ctx, &s.Service, call, testcards.ShopShipment, in.Shipment)
}
