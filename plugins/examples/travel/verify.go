package travel

import (
	"context"
	"database/sql"
	"errors"

	"github.com/sagad/sagad/plugins/examples/store"
)

// What Verify finds wrong. Its errors wrap one or both.
var (
	// ErrUnbalanced: the agency's books contradict themselves, which no
	// sequence of calls and crashes may bring about.
	ErrUnbalanced = errors.New("the agency does not balance")
	// ErrDangling: something is booked that has no ticket. It is wrong once
	// every saga is closed, and right while one is open.
	ErrDangling = errors.New("a booking is left open")
)

// OpenReadOnly opens the agency's database in a plugin's data directory for
// reading, also while the plugin runs or after it was killed. The caller
// closes it.
func OpenReadOnly(ctx context.Context, dataDir string) (*sql.DB, error) {
	return store.OpenReadOnly(ctx, dataDir, Name)
}

var rules = []store.Rule{
	store.Holds("an offer is free, booked or ticketed", `
		SELECT o.id || ': ' || o.capacity || ', ' || o.free || ' free, ' || coalesce(sum(b.count), 0) || ' taken'
		FROM offers o LEFT JOIN bookings b ON b.offer = o.id AND b.state <> 'cancelled'
		GROUP BY o.id HAVING o.capacity <> o.free + coalesce(sum(b.count), 0)`, ErrUnbalanced),
	store.Holds("an itinerary is paid what its tickets cost", `
		SELECT i.id FROM itineraries i LEFT JOIN bookings b ON b.trip = i.trip AND b.state = 'ticketed'
		GROUP BY i.id HAVING count(b.id) <> i.tickets OR coalesce(sum(b.minor), 0) <> i.minor`, ErrUnbalanced),
	store.Holds("a ticket has an itinerary", `
		SELECT b.id FROM bookings b WHERE b.state = 'ticketed' AND NOT EXISTS (SELECT 1 FROM itineraries i WHERE i.trip = b.trip)`, ErrUnbalanced),
	store.Holds("no booking is left open", `SELECT id || ' for trip ' || trip FROM bookings WHERE state = 'booked'`, ErrDangling),
}

// Verify proves on an agency's database that the offers add up and that no
// booking is left open. The error joins everything that is wrong and wraps
// ErrUnbalanced, ErrDangling or both; another error means that the database
// could not be read.
func Verify(ctx context.Context, db *sql.DB) error { return store.Verify(ctx, db, rules) }
