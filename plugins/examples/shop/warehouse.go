package shop

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// maxStock bounds the list that stock answers.
const maxStock = 1000

// ReserveInput asks for items.
type ReserveInput struct {
	Order string `json:"order" description:"the order that the items are for"`
	Items []Item `json:"items" description:"what to reserve, each thing once" minItems:"1" maxItems:"100"`
}

// ReserveOutput names the reservation.
type ReserveOutput struct {
	ReservationID string `json:"reservationId" description:"names the reservation"`
}

func (s *shop) reserve(ctx context.Context, call plugins.Call, in ReserveInput) (ReserveOutput, error) {
	hand, err := s.hand(ctx, in.Order)
	if err != nil {
		return ReserveOutput{}, err
	}
	return testcards.Do(ctx, s.Deck, call, testcards.ShopReserve, hand, func(ctx context.Context, tx *sql.Tx) (ReserveOutput, error) {
		if _, err := findOpenOrder(ctx, tx, in.Order); err != nil {
			return ReserveOutput{}, err
		}
		if err := checkItems(ctx, tx, in.Items); err != nil {
			return ReserveOutput{}, err
		}
		out := ReserveOutput{ReservationID: service.Identity("reservation", call)}
		if _, err := tx.ExecContext(ctx, `INSERT INTO reservations (id, action_key, order_id, state) VALUES (?, ?, ?, 'reserved')`,
			out.ReservationID, call.ActionKey, in.Order); err != nil {
			return ReserveOutput{}, fmt.Errorf("place %s: %w", out.ReservationID, err)
		}
		for _, item := range in.Items {
			if err := take(ctx, tx, out.ReservationID, item); err != nil {
				return ReserveOutput{}, err
			}
		}
		call.Logger.Info("items reserved", "order", in.Order, "reservation", out.ReservationID, "kinds", len(in.Items))
		return out, nil
	})
}

func take(ctx context.Context, tx *sql.Tx, reservation string, item Item) error {
	var available int
	err := tx.QueryRowContext(ctx, `SELECT on_hand - reserved FROM stock WHERE sku = ?`, item.SKU).Scan(&available)
	if err == nil && available < item.Quantity {
		return plugins.Reject(CodeOutOfStock, "there are %d pieces of %s, not %d", available, item.SKU, item.Quantity)
	}
	if err == nil {
		err = store.Change(ctx, tx, `UPDATE stock SET reserved = reserved + ? WHERE sku = ?`, item.Quantity, item.SKU)
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `INSERT INTO reservation_lines (reservation, sku, quantity) VALUES (?, ?, ?)`, reservation, item.SKU, item.Quantity)
	}
	if err != nil {
		return fmt.Errorf("reserve %s: %w", item.SKU, err)
	}
	return nil
}

// UnreserveInput names a reservation by the key of its action, because whether
// it was placed may be unknown.
type UnreserveInput struct {
	Request string `json:"request" description:"key of the action that reserved the items"`
}

// UnreserveOutput tells what is free again.
type UnreserveOutput struct {
	Unreserved bool `json:"unreserved" description:"false when nothing was reserved"`
}

func (s *shop) unreserve(ctx context.Context, call plugins.Call, in UnreserveInput) (UnreserveOutput, error) {
	return testcards.Do(ctx, s.Deck, call, testcards.ShopUnreserve, nil, func(ctx context.Context, tx *sql.Tx) (UnreserveOutput, error) {
		var id, state string
		err := tx.QueryRowContext(ctx, `SELECT id, state FROM reservations WHERE action_key = ?`, in.Request).Scan(&id, &state)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return UnreserveOutput{}, plugins.Reject(CodeReservationNotFound, "nothing was reserved with the key %s", in.Request)
		case err != nil:
			return UnreserveOutput{}, fmt.Errorf("look up the reservation of %s: %w", in.Request, err)
		case state == "shipped":
			return UnreserveOutput{}, plugins.Reject(CodeOrderShipped, "the items of %s are shipped", id)
		case state == "unreserved":
			return UnreserveOutput{Unreserved: false}, nil
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE stock SET reserved = stock.reserved - l.quantity FROM reservation_lines l WHERE l.reservation = ? AND l.sku = stock.sku`, id)
		if err == nil {
			err = store.Change(ctx, tx, `UPDATE reservations SET state = 'unreserved' WHERE id = ?`, id)
		}
		if err != nil {
			return UnreserveOutput{}, fmt.Errorf("free %s: %w", id, err)
		}
		call.Logger.Info("items free again", "reservation", id)
		return UnreserveOutput{Unreserved: true}, nil
	})
}

// StockInput asks for all items.
type StockInput struct{}

// StockOutput lists the items by SKU.
type StockOutput struct {
	Items []Stock `json:"items" description:"the items, by SKU"`
}

// Stock is what the warehouse has of one thing, in pieces.
type Stock struct {
	SKU       string `json:"sku" description:"stock keeping unit"`
	Name      string `json:"name" description:"what it is"`
	OnHand    int    `json:"onHand" description:"pieces in the warehouse"`
	Reserved  int    `json:"reserved" description:"pieces of these that are reserved"`
	Available int    `json:"available" description:"pieces that can still be reserved"`
}

func (s *shop) stock(ctx context.Context, _ plugins.Call, _ StockInput) (StockOutput, error) {
	items, err := Inventory(ctx, s.DB)
	return StockOutput{Items: items}, err
}

// Inventory reads the items of a shop's database, by SKU.
func Inventory(ctx context.Context, db *sql.DB) (items []Stock, err error) {
	rows, err := db.QueryContext(ctx, `SELECT sku, name, on_hand, reserved, on_hand - reserved FROM stock ORDER BY sku LIMIT ?`, maxStock)
	if err != nil {
		return nil, fmt.Errorf("shop: read the stock: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var item Stock
		if err := rows.Scan(&item.SKU, &item.Name, &item.OnHand, &item.Reserved, &item.Available); err != nil {
			return nil, fmt.Errorf("shop: read an item: %w", err)
		}
		items = append(items, item)
	}
	return items, rows.Err()
}
