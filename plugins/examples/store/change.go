package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Change runs a statement that must meet exactly one row: the caller has seen
// the row in the same transaction.
func Change(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	result, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, fmt.Errorf("met %d rows instead of 1", n))
	}
	return nil
}
