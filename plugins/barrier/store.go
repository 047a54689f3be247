package barrier

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/sagad/sagad/plugins"
)

// Dialect is the kind of SQL database that a participant uses.
type Dialect int

// SQLite is any driver of SQLite 3.24 or later. Give it a busy timeout
// (_pragma=busy_timeout(5000) with modernc.org/sqlite) and WAL mode: requests
// that write at the same time wait for each other instead of failing.
const SQLite Dialect = 1

// migrations are the statements that bring a database up to date. Each may run
// again.
var migrations = map[Dialect][]string{
	SQLite: {
		`CREATE TABLE IF NOT EXISTS saga_barrier (
			tenant      TEXT    NOT NULL,
			saga        TEXT    NOT NULL,
			path        TEXT    NOT NULL,
			op          TEXT    NOT NULL CHECK (op IN ('action', 'compensation')),
			generation  INTEGER NOT NULL,
			state       TEXT    NOT NULL CHECK (state IN ('applied', 'fenced', 'tombstone')),
			fence       INTEGER NOT NULL DEFAULT 0,
			output      BLOB,
			recorded_ms INTEGER NOT NULL,
			PRIMARY KEY (tenant, saga, path, op, generation)
		)`,
	},
}

// Migrate creates or updates the barrier's table, saga_barrier, beside the
// participant's own. It is safe to run at every start, from several processes.
func Migrate(ctx context.Context, db *sql.DB, d Dialect) error {
	statements, ok := migrations[d]
	if !ok {
		return fmt.Errorf("barrier: unknown dialect %d: use barrier.SQLite", d)
	}
	_, err := within(ctx, db, func(tx *sql.Tx) (struct{}, error) {
		for _, statement := range statements {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return struct{}{}, fmt.Errorf("barrier: migrating: %w", err)
			}
		}
		return struct{}{}, nil
	})
	return err
}

const ofStep = ` WHERE tenant = ? AND saga = ? AND path = ?`

// lock takes the database's lock for writing and then reads the step's rows, so
// that what is decided on them still holds at the commit. The statement that
// locks changes nothing: what matters is that it writes, and comes first. In
// SQLite a transaction that reads before it writes may find, when it comes to
// write, that it has read the past.
func lock(ctx context.Context, tx *sql.Tx, call plugins.Call) (rows, error) {
	if _, err := tx.ExecContext(ctx, `UPDATE saga_barrier SET fence = 0 WHERE FALSE`); err != nil {
		return nil, fmt.Errorf("barrier: locking: %w", err)
	}
	return load(ctx, tx, call)
}

type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func load(ctx context.Context, q queryer, call plugins.Call) (rows, error) {
	found, err := q.QueryContext(ctx, `SELECT op, generation, state, fence, output FROM saga_barrier`+ofStep, call.Tenant, call.Saga, call.Path)
	if err != nil {
		return nil, fmt.Errorf("barrier: reading: %w", err)
	}
	defer func() { _ = found.Close() }() // its error is Err's
	var rs rows
	for found.Next() {
		var r row
		if err := found.Scan(&r.operation, &r.generation, &r.state, &r.fence, &r.output); err != nil {
			return nil, fmt.Errorf("barrier: reading: %w", err)
		}
		rs = append(rs, r)
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("barrier: reading: %w", err)
	}
	return rs, nil
}

// record writes what became of the call's own operation. An action that passed
// its fence replaces the fence.
func record(ctx context.Context, tx *sql.Tx, call plugins.Call, s state, output []byte) error {
	return write(ctx, tx, call, row{operation: call.Operation, generation: call.Generation, state: s, output: output})
}

func write(ctx context.Context, tx *sql.Tx, call plugins.Call, r row) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO saga_barrier (tenant, saga, path, op, generation, state, fence, output, recorded_ms)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, saga, path, op, generation) DO UPDATE
		SET state = excluded.state, fence = excluded.fence, output = excluded.output, recorded_ms = excluded.recorded_ms
		WHERE saga_barrier.state = 'fenced'`,
		call.Tenant, call.Saga, call.Path, string(r.operation), r.generation, string(r.state), r.fence, r.output, now())
	if err != nil {
		return fmt.Errorf("barrier: recording: %w", err)
	}
	return nil
}

// fence leaves a fence for the action, unless it has been applied.
func fence(ctx context.Context, tx *sql.Tx, call plugins.Call) (bool, error) {
	rs, err := lock(ctx, tx, call)
	if err != nil {
		return false, err
	}
	own := rs.of(plugins.OperationAction, call.Generation)
	if own != nil && own.state == stateApplied {
		return false, nil
	}
	if own != nil && own.fence >= call.Attempt {
		return true, nil
	}
	return true, write(ctx, tx, call, row{
		operation: plugins.OperationAction, generation: call.Generation, state: stateFenced, fence: call.Attempt,
	})
}
