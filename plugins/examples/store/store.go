// Package store opens the SQLite database that an example plugin keeps for
// itself: write-ahead log, durable commits, numbered migrations, and the
// barrier's table.
package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/sagad/sagad/plugins/barrier"
)

// busyMillis is how long a statement waits for another process, such as the
// old version of a plugin that is being replaced, to end its transaction.
const busyMillis = 5000

// Migration changes the schema or seeds it, inside the transaction that also
// records that it was done.
type Migration func(ctx context.Context, tx *sql.Tx) error

// SQL is a migration made of the statements in text.
func SQL(text string) Migration {
	return func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, text)
		return err
	}
}

// Path is where the database of a plugin lies in its data directory.
func Path(dir, name string) string { return filepath.Join(dir, name+".db") }

// Open opens or creates the database of the plugin called name in dir and
// brings it up to date: migrations run once each, in order, and are never
// reordered. The caller closes it.
//
// There is one connection, so that the transactions of a process queue in Go
// instead of polling for SQLite's lock; code that holds a transaction must
// not use the *sql.DB beside it. Transactions take the write lock when they
// begin and never have to be repeated.
func Open(ctx context.Context, dir, name string, migrations ...Migration) (*sql.DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%s: make its data directory: %w", name, err)
	}
	db, err := connect(dir, name, "immediate", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)")
	if err != nil {
		return nil, err
	}
	err = barrier.Migrate(ctx, db, barrier.SQLite)
	if err == nil {
		err = migrate(ctx, db, migrations)
	}
	if err != nil {
		_ = db.Close() // nothing was written that a later start would not repeat
		return nil, fmt.Errorf("%s: prepare %s: %w", name, Path(dir, name), err)
	}
	return db, nil
}

// OpenReadOnly opens an existing database for reading, also while its plugin
// runs or after it was killed. The caller closes it.
func OpenReadOnly(ctx context.Context, dir, name string) (*sql.DB, error) {
	if _, err := os.Stat(Path(dir, name)); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	// Not SQLite's read-only mode: that cannot recover the write-ahead log of
	// a process that was killed.
	db, err := connect(dir, name, "", "query_only(1)")
	if err != nil {
		return nil, err
	}
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close() // the ping's error says more
		return nil, fmt.Errorf("%s: open %s: %w", name, Path(dir, name), err)
	}
	return db, nil
}

// connect opens the database without touching it; lock is how its transactions
// begin, "" for SQLite's own way.
func connect(dir, name, lock string, pragmas ...string) (*sql.DB, error) {
	path, err := filepath.Abs(Path(dir, name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	query := url.Values{"_pragma": {fmt.Sprintf("busy_timeout(%d)", busyMillis)}}
	if lock != "" {
		query.Set("_txlock", lock)
	}
	for _, p := range pragmas {
		query.Add("_pragma", p)
	}
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("%s: open %s: %w", name, path, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func migrate(ctx context.Context, db *sql.DB, migrations []Migration) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing
	var done int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&done); err != nil {
		return err
	}
	if done > len(migrations) {
		return fmt.Errorf("the database has schema %d but this plugin knows only %d: use the newer plugin", done, len(migrations))
	}
	for i := done; i < len(migrations); i++ {
		if err := migrations[i](ctx, tx); err != nil {
			return fmt.Errorf("migration %d: %w", i+1, err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(migrations))); err != nil {
		return err
	}
	return tx.Commit()
}
