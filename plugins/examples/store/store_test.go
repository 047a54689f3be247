package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	create = SQL(`CREATE TABLE things (name TEXT NOT NULL UNIQUE) STRICT`)
	first  = SQL(`INSERT INTO things (name) VALUES ('first')`)
	second = SQL(`INSERT INTO things (name) VALUES ('second')`)
)

func names(t *testing.T, db *sql.DB) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT name FROM things ORDER BY name`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	return all
}

func mustOpen(t *testing.T, dir string, migrations ...Migration) *sql.DB {
	t.Helper()
	db, err := Open(t.Context(), dir, "test", migrations...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestMigrationsRunOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "with space, ? and #", "deeper") // and makes the directory
	mustOpen(t, dir, create, first)
	mustOpen(t, dir, create, first)
	db := mustOpen(t, dir, create, first, second)
	if diff := cmp.Diff([]string{"first", "second"}, names(t, db)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		if err := db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %s, %v; want %s", pragma, got, err, want)
		}
	}
}

func TestAFailedMigrationLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	broken := func(context.Context, *sql.Tx) error { return errors.New("no") }
	_, err := Open(t.Context(), dir, "test", create, first, broken)
	if err == nil || !strings.Contains(err.Error(), "migration 3") {
		t.Fatalf("error %v, want one that names migration 3", err)
	}
	if diff := cmp.Diff([]string{"first"}, names(t, mustOpen(t, dir, create, first))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Run("a newer schema", func(t *testing.T) {
		dir := t.TempDir()
		mustOpen(t, dir, create, first)
		if _, err := Open(t.Context(), dir, "test", create); err == nil || !strings.Contains(err.Error(), "newer plugin") {
			t.Errorf("error %v, want one that asks for the newer plugin", err)
		}
	})
	t.Run("a file that is no database", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(Path(dir, "test"), []byte(strings.Repeat("not a database", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), dir, "test"); err == nil || !strings.Contains(err.Error(), Path(dir, "test")) {
			t.Errorf("error %v, want one that names the file", err)
		}
	})
	t.Run("nothing to read", func(t *testing.T) {
		dir := t.TempDir()
		if _, err := OpenReadOnly(t.Context(), dir, "test"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error %v, want ErrNotExist", err)
		}
		if _, err := os.Stat(Path(dir, "test")); !errors.Is(err, os.ErrNotExist) {
			t.Error("reading has made a database")
		}
	})
}

func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	owner := mustOpen(t, dir, create, first)
	reader, err := OpenReadOnly(t.Context(), dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := reader.ExecContext(t.Context(), `DELETE FROM things`); err == nil {
		t.Error("the reader could write")
	}
	// A reader's transaction sees one state and does not hold up the owner.
	tx, err := reader.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	count := func() (n int) {
		if err := tx.QueryRowContext(t.Context(), `SELECT count(*) FROM things`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	if _, err := owner.ExecContext(t.Context(), `INSERT INTO things (name) VALUES ('third')`); err != nil {
		t.Fatal(err)
	}
	if after := count(); after != before {
		t.Errorf("the reader's transaction saw %d and then %d", before, after)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

func TestVerify(t *testing.T) {
	errShort, errNamed := errors.New("short"), errors.New("named")
	rules := []Rule{
		Holds("names are long", `SELECT name FROM things WHERE length(name) < 6`, errShort),
		Holds("nobody is second", `SELECT name FROM things WHERE name = 'second'`, errNamed),
	}
	db := mustOpen(t, t.TempDir(), create, first)
	err := Verify(t.Context(), db, rules)
	if !errors.Is(err, errShort) || errors.Is(err, errNamed) || !strings.Contains(err.Error(), "names are long: first") {
		t.Errorf("error %v", err)
	}
	if _, err := db.ExecContext(t.Context(), `UPDATE things SET name = 'second'`); err != nil {
		t.Fatal(err)
	}
	if err := Verify(t.Context(), db, rules); errors.Is(err, errShort) || !errors.Is(err, errNamed) {
		t.Errorf("error %v", err)
	}
	if err := Verify(t.Context(), db, []Rule{Holds("it reads", `SELECT nothing`, errShort)}); err == nil || errors.Is(err, errShort) {
		t.Errorf("error %v, want that of the query", err)
	}
}
