package shop

import (
	"context"
	"database/sql"
	"errors"

	"github.com/sagad/sagad/plugins/examples/store"
)

// What Verify finds wrong. Its errors wrap one or both.
var (
	// ErrUnbalanced: the shop's books contradict themselves, which no sequence
	// of calls and crashes may bring about.
	ErrUnbalanced = errors.New("the shop does not balance")
	// ErrDangling: an order, a reservation or a pickup is still open. It is
	// wrong once every saga is closed, and right while one is open.
	ErrDangling = errors.New("something of an order is left open")
)

// OpenReadOnly opens the shop's database in a plugin's data directory for
// reading, also while the plugin runs or after it was killed. The caller
// closes it.
func OpenReadOnly(ctx context.Context, dataDir string) (*sql.DB, error) {
	return store.OpenReadOnly(ctx, dataDir, Name)
}

var rules = []store.Rule{
	store.Holds("what came in is on hand or shipped", `
		SELECT s.sku || ': ' || s.received || ' came, ' || s.on_hand || ' on hand, ' || coalesce(sum(l.quantity), 0) || ' shipped'
		FROM stock s LEFT JOIN (SELECT l.sku, l.quantity FROM order_lines l JOIN shipments h ON h.order_id = l.order_id) l ON l.sku = s.sku
		GROUP BY s.sku HAVING s.received <> s.on_hand + coalesce(sum(l.quantity), 0)`, ErrUnbalanced),
	store.Holds("what is reserved is the sum of the open reservations", `
		SELECT s.sku || ': ' || s.reserved || ' but reservations of ' || coalesce(sum(l.quantity), 0)
		FROM stock s LEFT JOIN (SELECT l.sku, l.quantity FROM reservation_lines l JOIN reservations r ON r.id = l.reservation AND r.state = 'reserved') l
		ON l.sku = s.sku GROUP BY s.sku HAVING s.reserved <> coalesce(sum(l.quantity), 0)`, ErrUnbalanced),
	store.Holds("an order is shipped exactly when there is a shipment", `
		SELECT o.id FROM orders o LEFT JOIN shipments h ON h.order_id = o.id WHERE (o.state = 'shipped') <> (h.id IS NOT NULL)`, ErrUnbalanced),
	store.Holds("no order is left open", `SELECT id FROM orders WHERE state = 'open'`, ErrDangling),
	store.Holds("no reservation is left open", `SELECT id || ' for order ' || order_id FROM reservations WHERE state = 'reserved'`, ErrDangling),
	store.Holds("no pickup is left open", `SELECT id || ' for order ' || order_id FROM pickups WHERE state = 'scheduled'`, ErrDangling),
}

// Verify proves on a shop's database that the stock adds up and that nothing
// of an order is left open. The error joins everything that is wrong and wraps
// ErrUnbalanced, ErrDangling or both; another error means that the database
// could not be read.
func Verify(ctx context.Context, db *sql.DB) error { return store.Verify(ctx, db, rules) }
