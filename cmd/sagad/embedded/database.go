//go:build !noembed

package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	schema "go.temporal.io/server/schema/sqlite"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// applicationID marks a database file as ours ("SAGA" in ASCII), as SQLite's
	// PRAGMA application_id is meant for.
	applicationID = 0x53414741

	// fullCheckBytes is the size up to which every start checks the whole file;
	// it takes about a second per gigabyte. A larger file is checked in full only
	// after a crash, so that an orderly restart stays fast.
	fullCheckBytes = 64 << 20

	// busyTimeout is how long a connection waits for another's write lock. Only
	// the checkpoint at the end ever competes with the server's own connection.
	busyTimeout = 10 * time.Second

	// malformed is how SQLite's SQLITE_CORRUPT reads. The server passes errors of
	// its database on as text.
	malformed = "database disk image is malformed"

	// syncCommits and syncCheckpoints are values of PRAGMA synchronous: FULL syncs
	// the log in every commit, NORMAL only before it is moved into the database.
	// The server's connection has the latter, because groupCommit does the rest.
	syncCommits     = "2"
	syncCheckpoints = "1"
)

// pragmas are set on every connection to the database. WAL makes a commit one
// append to a log.
func pragmas(synchronous string) map[string]string {
	return map[string]string{
		"busy_timeout": itoa(int(busyTimeout.Milliseconds())),
		"journal_mode": "wal",
		"synchronous":  synchronous,
	}
}

// escapePath makes a path fit for a SQLite URI, where ?, # and % have a meaning.
func escapePath(path string) string {
	return (&url.URL{Path: path}).EscapedPath()
}

// openDatabase opens a connection pool of our own, to be closed by the caller.
// Without pragmas nothing is written unless a statement says so.
func openDatabase(path string, pragmas map[string]string) (*sql.DB, error) {
	query := url.Values{}
	for name, value := range pragmas {
		query.Add("_pragma", name+"="+value)
	}
	return sql.Open("sqlite", "file:"+escapePath(path)+"?"+query.Encode())
}

// prepareDatabase checks the database file or creates it with the server's
// schema. It changes nothing in a file that it does not accept.
func prepareDatabase(ctx context.Context, path string, crashed bool) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
		return databaseError(path, createSchema(ctx, path))
	}
	if err != nil {
		return dirError(path, err)
	}
	db, err := openDatabase(path, nil)
	if err != nil {
		return databaseError(path, err)
	}
	defer func() { _ = db.Close() }()
	var tables int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
		return databaseError(path, err)
	}
	if tables == 0 { // a first start that was cut short
		return databaseError(path, createSchema(ctx, path))
	}
	if err := checkOrigin(ctx, db, path); err != nil {
		return databaseError(path, err)
	}
	if info.Size() > fullCheckBytes && !crashed {
		return nil
	}
	return databaseError(path, checkPages(ctx, db, path))
}

// createSchema lays out an empty database in one transaction: a crash leaves
// either nothing or all of it.
func createSchema(ctx context.Context, path string) error {
	db, err := openDatabase(path, pragmas(syncCommits))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := schema.SetupSchemaOnDB(schemaWriter{exec: func(stmt string, args ...any) error {
		_, err := tx.ExecContext(ctx, stmt, args...)
		return err
	}}); err != nil {
		return err
	}
	for _, stmt := range []string{
		fmt.Sprintf("PRAGMA application_id = %d", applicationID),
		"CREATE TABLE sagad_schema (version TEXT NOT NULL)",
		fmt.Sprintf("INSERT INTO sagad_schema (version) VALUES ('%s')", schemaVersion()),
	} {
		if _, err := tx.ExecContext(ctx, stmt); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// schemaWriter lets the server's schema setup run inside a transaction of ours.
// Exec is the only method that the setup calls.
type schemaWriter struct {
	sqlplugin.AdminDB
	exec func(stmt string, args ...any) error
}

// Exec runs one statement of the schema.
func (w schemaWriter) Exec(stmt string, args ...any) error { return w.exec(stmt, args...) }

// schemaVersion names the layout that this build of the server expects.
func schemaVersion() string { return schema.Version + "/" + schema.VisibilityVersion }

// checkOrigin accepts only a database that this program made, for this version
// of the server: the server itself checks neither on SQLite.
func checkOrigin(ctx context.Context, db *sql.DB, path string) error {
	var id int
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return err
	}
	if id != applicationID {
		return &SetupError{
			Kind: ErrIncompatible, Subject: path,
			Problem: fmt.Sprintf("%s is a database of another program", path),
			Mend:    "choose another directory with " + DirFlag,
		}
	}
	var version string
	if err := db.QueryRowContext(ctx, "SELECT version FROM sagad_schema").Scan(&version); err != nil {
		return err
	}
	if version != schemaVersion() {
		return &SetupError{
			Kind: ErrIncompatible, Subject: path,
			Problem: fmt.Sprintf("%s has the layout %s of another Temporal server, this build has %s", path, version, schemaVersion()),
			Mend:    "run the version of sagad that wrote it, or choose another directory with " + DirFlag,
		}
	}
	return nil
}

// checkPages lets SQLite read every page and reports the first that is damaged.
func checkPages(ctx context.Context, db *sql.DB, path string) error {
	var finding string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&finding); err != nil {
		return err
	}
	if finding != "ok" {
		return corruptError(path, errors.New(strings.Join(strings.Fields(finding), " ")))
	}
	return nil
}

// checkpoint moves the write-ahead log into the database file, so that a stopped
// data directory can be copied as one file.
func checkpoint(ctx context.Context, path string) error {
	db, err := openDatabase(path, pragmas(syncCommits))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// databaseError turns what SQLite says about the file into what its owner can do.
func databaseError(path string, err error) error {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		if err != nil && strings.Contains(err.Error(), malformed) {
			return corruptError(path, err)
		}
		return err
	}
	const primary = 0xff // extended result codes carry the primary one in the low byte
	switch failure.Code() & primary {
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return corruptError(path, err)
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR:
		return dirError(path, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return &SetupError{
			Kind: ErrLocked, Subject: path, Err: err,
			Problem: fmt.Sprintf("the database %s is in use by another process", path),
			Mend:    "stop that process or choose another directory with " + DirFlag,
		}
	}
	return fmt.Errorf("database %s: %w", path, err)
}

func corruptError(path string, err error) error {
	return &SetupError{
		Kind: ErrCorrupt, Subject: path, Err: err,
		Problem: fmt.Sprintf("the database %s is damaged", path),
		Mend: fmt.Sprintf("nothing was changed; put back a copy, or move the file away with its -wal and -shm files "+
			"(mv %s %s.damaged) and start again with an empty one", path, path),
	}
}
