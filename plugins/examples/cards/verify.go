package cards

import (
	"context"
	"database/sql"
	"errors"

	"github.com/sagad/sagad/plugins/examples/store"
)

// What Verify finds wrong. Its errors wrap one or both.
var (
	// ErrUnbalanced: what belongs to a dispute contradicts it, which no
	// sequence of calls and crashes may bring about.
	ErrUnbalanced = errors.New("the disputes contradict themselves")
	// ErrDangling: a dispute, a credit or a claim is still open. It is wrong
	// once every saga is closed, and right while one is open.
	ErrDangling = errors.New("something of a dispute is left open")
)

// OpenReadOnly opens the desk's database in a plugin's data directory for
// reading, also while the plugin runs or after it was killed. The caller
// closes it.
func OpenReadOnly(ctx context.Context, dataDir string) (*sql.DB, error) {
	return store.OpenReadOnly(ctx, dataDir, Name)
}

var rules = []store.Rule{
	store.Holds("a dispute is won exactly when its credit is final", `
		SELECT d.id FROM disputes d LEFT JOIN credits c ON c.dispute = d.id AND c.state = 'final'
		GROUP BY d.id HAVING (d.state = 'won') <> (count(c.id) = 1)`, ErrUnbalanced),
	store.Holds("a claim is won only with its dispute", `
		SELECT b.id FROM chargebacks b JOIN disputes d ON d.id = b.dispute WHERE b.state = 'won' AND d.state <> 'won'`, ErrUnbalanced),
	store.Holds("no dispute is left open", `SELECT id FROM disputes WHERE state = 'open'`, ErrDangling),
	store.Holds("no credit is left open", `SELECT id || ' of ' || dispute FROM credits WHERE state = 'provisional'`, ErrDangling),
	store.Holds("no claim is left open", `SELECT id || ' of ' || dispute FROM chargebacks WHERE state = 'filed'`, ErrDangling),
}

// Verify proves on a desk's database that its disputes agree with their credits
// and claims and that nothing of one is left open. The error joins everything
// that is wrong and wraps ErrUnbalanced, ErrDangling or both; another error
// means that the database could not be read.
func Verify(ctx context.Context, db *sql.DB) error { return store.Verify(ctx, db, rules) }
