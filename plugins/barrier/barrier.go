// Package barrier lets a participant carry out each operation of a saga once,
// in the transaction of its own database that does the work.
//
// An engine that retries cannot promise that a request comes once, in order, or
// before the request that compensates it. The barrier makes all of that
// harmless. It keeps one row for each operation in a table beside the
// participant's own, and looks at it before the work is done:
//
//   - the first request does the work, and its output is stored with it;
//   - a duplicate gets the stored output, and nothing is done;
//   - a compensation whose action never came leaves a tombstone, does nothing,
//     and succeeds;
//   - an action that comes after its compensation or the tombstone, or after a
//     probe has promised that it will not come, is rejected with the code FENCED.
//
// [Do] is the usual form; [Run] is for a transaction that the caller owns;
// [Probe] answers a probe. All three take the database's lock for writing before
// they look, so two requests for one operation, or an action and its
// compensation, never decide at the same time. Keep the work short: talk to
// other services outside of it.
//
// Rows are named by tenant, saga, path, operation and generation. Neither the
// time nor the payload is part of the name.
package barrier

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sagad/sagad/plugins"
)

// Codes of the errors that the barrier gives.
const (
	// CodeFenced rejects an action that came too late: it has been compensated,
	// or a probe has promised that it would not come.
	CodeFenced = plugins.CodeFenced
	// CodeSuperseded ends, without effect of its own, an action of a corrected
	// generation whose earlier generation turned out to be applied. Nothing but
	// a person can tell which input was meant, so it is a Permanent error.
	CodeSuperseded = plugins.CodeSuperseded
)

// Do runs fn once for call, in a transaction of db. It commits when fn
// succeeds, and gives the transaction up when fn fails, so that plugins.Reject
// returned by fn is true. Its results are those of Run.
func Do[Out any](ctx context.Context, db *sql.DB, call plugins.Call, fn func(ctx context.Context, tx *sql.Tx) (Out, error)) (Out, error) {
	return within(ctx, db, func(tx *sql.Tx) (Out, error) {
		return Run(ctx, tx, call, func(ctx context.Context) (Out, error) { return fn(ctx, tx) })
	})
}

// Run runs fn once for call, inside tx. Call it before tx has read or written
// anything else, commit tx if the error is nil, and give tx up otherwise.
//
// The first time, the result is fn's. For an operation that succeeded before it
// is the stored output; fn does not run. For a compensation whose action was
// not applied it is the zero Out; fn does not run, and no generation of the
// action can be applied from then on. An action that came too late gets a
// Reject with CodeFenced. An operation that is neither an action nor a
// compensation, or that does not say which it is, is an error.
func Run[Out any](ctx context.Context, tx *sql.Tx, call plugins.Call, fn func(ctx context.Context) (Out, error)) (Out, error) {
	var zero Out
	if err := check(call); err != nil {
		return zero, err
	}
	if call.Operation != plugins.OperationAction && call.Operation != plugins.OperationCompensation {
		return zero, fmt.Errorf("barrier: operation %q: want an action or a compensation", call.Operation)
	}
	rows, err := lock(ctx, tx, call)
	if err != nil {
		return zero, err
	}
	decide := decideAction
	if call.Operation == plugins.OperationCompensation {
		decide = decideCompensation
	}
	switch v := decide(rows, call); v.do {
	case answer:
		return decode[Out](v.output)
	case leaveTombstone:
		return zero, record(ctx, tx, call, stateTombstone, nil)
	case refuse:
		return zero, v.err
	}
	out, err := fn(ctx)
	if err != nil {
		return zero, err
	}
	output, err := json.Marshal(out)
	if err != nil {
		return zero, plugins.Permanent(plugins.CodeInvalidOutput, "barrier: storing the output: %w", err)
	}
	return out, record(ctx, tx, call, stateApplied, output)
}

// Applied returns what the action that call is about has stored, and whether it
// has been applied. The action is named by the call's tenant, saga, path and
// generation. That it has not been applied says nothing of later: see Fence.
func Applied[Out any](ctx context.Context, db *sql.DB, call plugins.Call) (out Out, found bool, err error) {
	if err := check(call); err != nil {
		return out, false, err
	}
	rows, err := load(ctx, db, call)
	if err != nil {
		return out, false, err
	}
	if row := rows.of(plugins.OperationAction, call.Generation); row != nil && row.state == stateApplied {
		out, err = decode[Out](row.output)
		return out, err == nil, err
	}
	return out, false, nil
}

// Fence promises that the action that call is about will not be applied by any
// request of call.Attempt or before. It reports false, and promises nothing,
// when the action has been applied already. A request of a later attempt passes
// the fence, because the engine has sent the key again since.
func Fence(ctx context.Context, db *sql.DB, call plugins.Call) (fenced bool, err error) {
	if err := check(call); err != nil {
		return false, err
	}
	return within(ctx, db, func(tx *sql.Tx) (bool, error) { return fence(ctx, tx, call) })
}

// Probe answers a probe whose action runs behind the barrier: applied with the
// stored output, or not applied with a fence. It never cannot tell.
func Probe[Out any](ctx context.Context, db *sql.DB, call plugins.Call) (plugins.Probe[Out], error) {
	fenced, err := Fence(ctx, db, call)
	switch {
	case err != nil:
		return plugins.CannotTell[Out](), err
	case fenced:
		return plugins.NotApplied[Out](), nil
	}
	out, found, err := Applied[Out](ctx, db, call)
	if err != nil {
		return plugins.CannotTell[Out](), err
	}
	if !found { // applied a moment ago, and rows are never deleted
		return plugins.CannotTell[Out](), errors.New("barrier: a stored action has disappeared")
	}
	return plugins.WasApplied(out), nil
}

// within runs fn in a transaction and commits it if fn succeeds.
func within[T any](ctx context.Context, db *sql.DB, fn func(*sql.Tx) (T, error)) (T, error) {
	var zero T
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return zero, fmt.Errorf("barrier: beginning a transaction: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing; it also serves a panic of fn
	out, err := fn(tx)
	if err != nil {
		return zero, err
	}
	if err := tx.Commit(); err != nil {
		return zero, fmt.Errorf("barrier: committing: %w", err)
	}
	return out, nil
}

func decode[Out any](output []byte) (out Out, err error) {
	if err := json.Unmarshal(output, &out); err != nil {
		return out, fmt.Errorf("barrier: reading the stored output: %w", err)
	}
	return out, nil
}

func check(call plugins.Call) error {
	switch {
	case call.Tenant == "" || call.Saga == "" || call.Path == "":
		return errors.New("barrier: the call has no tenant, saga or path")
	case call.Attempt < 1 || call.Generation < 0:
		return fmt.Errorf("barrier: attempt %d, generation %d: attempts count from 1, generations from 0", call.Attempt, call.Generation)
	}
	return nil
}

// now is the time rows are stamped with, for people who clean up.
func now() int64 { return time.Now().UnixMilli() }
