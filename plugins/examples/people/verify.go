package people

import (
	"context"
	"database/sql"
	"errors"

	"github.com/sagad/sagad/plugins/examples/store"
)

// ErrDangling is what the error of Verify wraps when a payslip is neither
// published nor withdrawn. It is wrong once every saga is closed, and right
// while one is open.
var ErrDangling = errors.New("a payslip is left open")

// OpenReadOnly opens the office's database in a plugin's data directory for
// reading, also while the plugin runs or after it was killed. The caller
// closes it.
func OpenReadOnly(ctx context.Context, dataDir string) (*sql.DB, error) {
	return store.OpenReadOnly(ctx, dataDir, Name)
}

var rules = []store.Rule{
	store.Holds("no payslip is left open", `SELECT id || ' of ' || employee || ' for ' || month FROM payslips WHERE state = 'draft'`, ErrDangling),
}

// Verify proves on an office's database that no payslip is left open. An error
// that does not wrap ErrDangling means that the database could not be read.
func Verify(ctx context.Context, db *sql.DB) error { return store.Verify(ctx, db, rules) }
