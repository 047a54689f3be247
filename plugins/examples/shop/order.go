package shop

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/money"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// Item is a number of pieces of one thing.
type Item struct {
	SKU      string `json:"sku" description:"stock keeping unit" minLength:"1"`
	Quantity int    `json:"quantity" description:"pieces" minimum:"1" maximum:"10000"`
}

// CreateOrderInput is an order.
type CreateOrderInput struct {
	OrderID string       `json:"orderId" description:"the order's number, unique in the shop" minLength:"1" maxLength:"64"`
	Email   string       `json:"email" description:"where messages about the order go" sensitive:"true" minLength:"3"`
	Country string       `json:"country" description:"ISO 3166-1 alpha-2 code of the country of delivery" pattern:"^[A-Z]{2}$"`
	Items   []Item       `json:"items" description:"what is ordered, each thing once" minItems:"1" maxItems:"100"`
	Amount  money.Amount `json:"amount" description:"what the customer has agreed to pay"`
}

// CreateOrderOutput names the order.
type CreateOrderOutput struct {
	Order  string `json:"order" description:"names the order for the other activities"`
	Pieces int    `json:"pieces" description:"how many pieces are ordered"`
}

func (s *shop) createOrder(ctx context.Context, call plugins.Call, in CreateOrderInput) (CreateOrderOutput, error) {
	hand := testcards.FromMinor(in.Amount.Minor)
	return testcards.Do(ctx, s.Deck, call, testcards.ShopCreateOrder, hand, func(ctx context.Context, tx *sql.Tx) (CreateOrderOutput, error) {
		if err := checkItems(ctx, tx, in.Items); err != nil {
			return CreateOrderOutput{}, err
		}
		var there bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM orders WHERE id = ?)`, in.OrderID).Scan(&there); err != nil {
			return CreateOrderOutput{}, fmt.Errorf("look up order %s: %w", in.OrderID, err)
		}
		if there {
			return CreateOrderOutput{}, plugins.Reject(CodeOrderExists, "there is an order %s already: use a new number", in.OrderID)
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO orders (id, action_key, email, country, minor, currency, state, created_at) VALUES (?, ?, ?, ?, ?, ?, 'open', ?)`,
			in.OrderID, call.ActionKey, in.Email, in.Country, in.Amount.Minor, in.Amount.Currency, s.Instant())
		out := CreateOrderOutput{Order: in.OrderID}
		for _, item := range in.Items {
			if err == nil {
				_, err = tx.ExecContext(ctx, `INSERT INTO order_lines (order_id, sku, quantity) VALUES (?, ?, ?)`, in.OrderID, item.SKU, item.Quantity)
			}
			out.Pieces += item.Quantity
		}
		if err != nil {
			return CreateOrderOutput{}, fmt.Errorf("write order %s: %w", in.OrderID, err)
		}
		call.Logger.Info("order created", "order", in.OrderID, "pieces", out.Pieces, "amount", in.Amount.String())
		return out, nil
	})
}

// checkItems refuses things that the shop does not sell and things that are
// named twice.
func checkItems(ctx context.Context, tx *sql.Tx, items []Item) error {
	seen := map[string]bool{}
	for _, item := range items {
		if seen[item.SKU] {
			return plugins.Reject(CodeInvalidOrder, "%q must stand in the list once, with all its pieces", item.SKU)
		}
		seen[item.SKU] = true
		var sold bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM stock WHERE sku = ?)`, item.SKU).Scan(&sold); err != nil {
			return fmt.Errorf("look up %q: %w", item.SKU, err)
		}
		if !sold {
			return plugins.Reject(CodeSKUUnknown, "the shop does not sell %q", item.SKU)
		}
	}
	return nil
}

// CancelOrderInput names an order by the key of its action, because whether it
// was created may be unknown.
type CancelOrderInput struct {
	Request string `json:"request" description:"key of the action that created the order"`
}

// CancelOrderOutput tells what was cancelled.
type CancelOrderOutput struct {
	Cancelled bool `json:"cancelled" description:"false when there was nothing to cancel"`
}

func (s *shop) cancelOrder(ctx context.Context, call plugins.Call, in CancelOrderInput) (CancelOrderOutput, error) {
	return testcards.Do(ctx, s.Deck, call, testcards.ShopCancelOrder, nil, func(ctx context.Context, tx *sql.Tx) (CancelOrderOutput, error) {
		var id, state string
		err := tx.QueryRowContext(ctx, `SELECT id, state FROM orders WHERE action_key = ?`, in.Request).Scan(&id, &state)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return CancelOrderOutput{}, plugins.Reject(CodeOrderNotFound, "no order was created with the key %s", in.Request)
		case err != nil:
			return CancelOrderOutput{}, fmt.Errorf("look up the order of %s: %w", in.Request, err)
		case state == "shipped":
			return CancelOrderOutput{}, plugins.Reject(CodeOrderShipped, "order %s is shipped", id)
		case state == "cancelled":
			return CancelOrderOutput{Cancelled: false}, nil
		}
		if err := store.Change(ctx, tx, `UPDATE orders SET state = 'cancelled' WHERE id = ?`, id); err != nil {
			return CancelOrderOutput{}, fmt.Errorf("cancel order %s: %w", id, err)
		}
		call.Logger.Info("order cancelled", "order", id)
		return CancelOrderOutput{Cancelled: true}, nil
	})
}

// NotifyInput says which message goes to the customer.
type NotifyInput struct {
	Order    string `json:"order" description:"the order that the message is about"`
	Template string `json:"template" description:"which message" enum:"confirmed,shipped,cancelled"`
}

// NotifyOutput names the message.
type NotifyOutput struct {
	NoticeID string `json:"noticeId" description:"names the message in the outbox"`
}

func (s *shop) notify(ctx context.Context, call plugins.Call, in NotifyInput) (NotifyOutput, error) {
	hand, err := s.hand(ctx, in.Order)
	if err != nil {
		return NotifyOutput{}, err
	}
	return testcards.Do(ctx, s.Deck, call, testcards.ShopNotify, hand, func(ctx context.Context, tx *sql.Tx) (NotifyOutput, error) {
		if _, err := findOrder(ctx, tx, in.Order); err != nil {
			return NotifyOutput{}, err
		}
		out := NotifyOutput{NoticeID: service.Identity("notice", call)}
		_, err := tx.ExecContext(ctx, `INSERT INTO notices (id, action_key, order_id, template, sent_at) VALUES (?, ?, ?, ?, ?)`,
			out.NoticeID, call.ActionKey, in.Order, in.Template, s.Instant())
		if err != nil {
			return NotifyOutput{}, fmt.Errorf("put %s into the outbox: %w", out.NoticeID, err)
		}
		call.Logger.Info("customer notified", "order", in.Order, "template", in.Template)
		return out, nil
	})
}

// hand is the hand of test cards in the amount of an order.
func (s *shop) hand(ctx context.Context, order string) ([]testcards.Card, error) {
	hand, err := testcards.FromRow(s.DB.QueryRowContext(ctx, `SELECT minor FROM orders WHERE id = ?`, order))
	if err != nil {
		return nil, fmt.Errorf("look up order %s: %w", order, err)
	}
	return hand, nil
}

// anOrder is an order as a business rule sees it.
type anOrder struct{ id, country, state string }

func findOrder(ctx context.Context, tx *sql.Tx, id string) (anOrder, error) {
	o := anOrder{id: id}
	err := tx.QueryRowContext(ctx, `SELECT country, state FROM orders WHERE id = ?`, id).Scan(&o.country, &o.state)
	if errors.Is(err, sql.ErrNoRows) {
		return o, plugins.Reject(CodeOrderNotFound, "there is no order %s", id)
	}
	if err != nil {
		return o, fmt.Errorf("look up order %s: %w", id, err)
	}
	return o, nil
}

// findOpenOrder also refuses an order that is cancelled or shipped.
func findOpenOrder(ctx context.Context, tx *sql.Tx, id string) (anOrder, error) {
	o, err := findOrder(ctx, tx, id)
	if err == nil && o.state != "open" {
		err = plugins.Reject(CodeOrderClosed, "order %s is %s", id, o.state)
	}
	return o, err
}
