package ledger

import (
	"context"
	"database/sql"
	"errors"

	"github.com/sagad/sagad/plugins/examples/store"
)

// What Verify finds wrong. Its errors wrap one or both.
var (
	// ErrUnbalanced: the books contradict themselves, which no sequence of
	// calls and crashes may bring about.
	ErrUnbalanced = errors.New("the ledger does not balance")
	// ErrDangling: money is still reserved, or a new account neither in use nor
	// closed. It is wrong once every saga is closed, and right while one is
	// open.
	ErrDangling = errors.New("something is left open")
)

// OpenReadOnly opens the ledger in a plugin's data directory for reading, also
// while the plugin runs or after it was killed. The caller closes it.
func OpenReadOnly(ctx context.Context, dataDir string) (*sql.DB, error) {
	return store.OpenReadOnly(ctx, dataDir, Name)
}

// The rules' lines show labels, never account numbers.
var rules = []store.Rule{
	store.Holds("an entry sums to zero in one currency", `
		SELECT p.entry || ': ' || a.currency || ' ' || sum(p.minor) FROM postings p JOIN accounts a ON a.number = p.account
		GROUP BY p.entry, a.currency HAVING sum(p.minor) <> 0`, ErrUnbalanced),
	store.Holds("an entry has at least two postings", `
		SELECT e.id FROM entries e LEFT JOIN postings p ON p.entry = e.id GROUP BY e.id HAVING count(p.entry) < 2`, ErrUnbalanced),
	store.Holds("money is neither made nor lost", `
		SELECT currency || ' ' || sum(balance) FROM accounts GROUP BY currency HAVING sum(balance) <> 0`, ErrUnbalanced),
	store.Holds("a balance is the sum of its postings", `
		SELECT a.label || ': ' || a.balance || ' but posted ' || coalesce(sum(p.minor), 0)
		FROM accounts a LEFT JOIN postings p ON p.account = a.number GROUP BY a.number HAVING a.balance <> coalesce(sum(p.minor), 0)`, ErrUnbalanced),
	store.Holds("what is held is the sum of the open holds", `
		SELECT a.label || ': ' || a.held || ' but holds of ' || coalesce(sum(h.minor), 0)
		FROM accounts a LEFT JOIN holds h ON h.account = a.number AND h.state = 'held' GROUP BY a.number HAVING a.held <> coalesce(sum(h.minor), 0)`, ErrUnbalanced),
	store.Holds("a customer never spends more than there is", `
		SELECT label || ': ' || (balance - held) FROM accounts WHERE kind = 'customer' AND balance - held < 0`, ErrUnbalanced),
	store.Holds("a settled hold moved exactly its amount to clearing", `
		SELECT h.id FROM holds h WHERE h.state = 'settled' AND NOT EXISTS (
			SELECT 1 FROM entries e JOIN postings o ON o.entry = e.id JOIN postings i ON i.entry = e.id
			WHERE e.id = h.entry AND e.kind = 'settle' AND o.account = h.account AND o.minor = -h.minor
			AND i.account = 'clearing:' || h.currency AND i.minor = h.minor)`, ErrUnbalanced),
	store.Holds("a charge moved exactly its amount to the merchant", `
		SELECT c.id FROM charges c WHERE NOT EXISTS (
			SELECT 1 FROM postings o JOIN postings i ON i.entry = o.entry
			WHERE o.entry = c.entry AND o.account = c.account AND o.minor = -c.minor
			AND i.account = 'merchant:' || c.currency AND i.minor = c.minor)`, ErrUnbalanced),
	store.Holds("a refund moved exactly its charge back", `
		SELECT c.id FROM charges c WHERE c.refund IS NOT NULL AND NOT EXISTS (
			SELECT 1 FROM postings o JOIN postings i ON i.entry = o.entry
			WHERE o.entry = c.refund AND o.account = c.account AND o.minor = c.minor
			AND i.account = 'merchant:' || c.currency AND i.minor = -c.minor)`, ErrUnbalanced),
	store.Holds("every entry has a reason, and only one", `
		SELECT e.id FROM entries e WHERE e.kind <> 'opening' AND 1 <>
			(SELECT count(*) FROM holds h WHERE h.entry = e.id) +
			(SELECT count(*) FROM charges c WHERE c.entry = e.id) +
			(SELECT count(*) FROM charges c WHERE c.refund = e.id)`, ErrUnbalanced),
	store.Holds("no hold is left open", `
		SELECT h.id || ' on ' || a.label || ': ' || h.minor || ' ' || h.currency
		FROM holds h JOIN accounts a ON a.number = h.account WHERE h.state = 'held'`, ErrDangling),
	store.Holds("an application has an account unless it is closed", `
		SELECT p.id FROM applications p WHERE (p.state = 'closed') = EXISTS (SELECT 1 FROM accounts a WHERE a.number = p.account)`, ErrUnbalanced),
	store.Holds("no new account waits for its use", `SELECT id FROM applications WHERE state = 'opened'`, ErrDangling),
}

// Verify proves on a ledger's database that the books balance and that nothing
// is left open. The error joins everything that is wrong and wraps
// ErrUnbalanced, ErrDangling or both; another error means that the database
// could not be read. All rules see one state, also while the plugin works.
func Verify(ctx context.Context, db *sql.DB) error { return store.Verify(ctx, db, rules) }
