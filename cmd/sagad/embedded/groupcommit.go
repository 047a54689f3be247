//go:build !noembed

package embedded

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync"

	"go.temporal.io/server/common/config"
	serverlog "go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	sqlstore "go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/resolver"
)

// groupCommit is the name of the storage plugin below.
const groupCommit = "sagad-sqlite"

func init() { sqlstore.RegisterPlugin(groupCommit, plugin{}) }

// plugin is the server's SQLite plugin with commits that share disk syncs.
//
// SQLite with synchronous=FULL syncs the log in every commit while it holds the
// server's only connection: all writers queue behind the disk, and statements
// outside a transaction, of which nothing acknowledged depends, pay the same. So
// the database runs with synchronous=NORMAL, where a commit only appends to the
// log, and each transaction's Commit then syncs the log itself, with the
// connection free again and one sync for all that wait.
//
// What is durable is the same as with FULL. The log is replayed in order and only up to its
// last whole commit, and a sync covers everything before it; so once Commit has
// returned, that transaction and all that it could have read are on the disk.
// Whatever the server acknowledges to a client it has committed in a transaction.
type plugin struct{}

// CreateDB opens the database through the server's own plugin.
func (plugin) CreateDB(
	kind sqlplugin.DbKind, cfg *config.SQL, r resolver.ServiceResolver, logger serverlog.Logger, mh metrics.Handler,
) (sqlplugin.GenericDB, error) {
	inner := *cfg
	inner.PluginName = sqliteplugin.PluginName
	db, err := sqlstore.NewSQLDB(kind, &inner, r, logger, mh)
	if err != nil {
		return nil, err
	}
	both, ok := db.(database)
	if !ok {
		return nil, fmt.Errorf("the %s plugin of this server gives a %T", inner.PluginName, db)
	}
	return durableDB{database: both, log: logOf(cfg.DatabaseName)}, nil
}

// GetVisibilityQueryConverter is that of the server's own plugin.
func (plugin) GetVisibilityQueryConverter() sqlplugin.VisibilityQueryConverter {
	converter, err := sqlstore.GetPluginVisibilityQueryConverter(sqliteplugin.PluginName)
	if err != nil {
		panic(err) // it registers itself when it is imported
	}
	return converter
}

// database is what the server's plugin gives: the server asks for either half.
type database interface {
	sqlplugin.DB
	sqlplugin.AdminDB
}

type durableDB struct {
	database
	log *walSync
}

// BeginTx begins a transaction whose Commit is durable.
func (db durableDB) BeginTx(ctx context.Context) (sqlplugin.Tx, error) {
	tx, err := db.database.BeginTx(ctx)
	if err != nil {
		return nil, err
	}
	return durableTx{Tx: tx, log: db.log}, nil
}

type durableTx struct {
	sqlplugin.Tx
	log *walSync
}

// Commit returns when the transaction is on the disk.
func (tx durableTx) Commit() error {
	if err := tx.Tx.Commit(); err != nil {
		return err
	}
	return tx.log.sync()
}

// walLogs holds the walSync of each database of this process by its escaped
// path. Entries stay, as do the connections of the server's plugin: it never
// closes a database, and so neither does the log file ever get replaced.
var walLogs sync.Map

// logOf gives the walSync of a database.
func logOf(database string) *walSync {
	if known, ok := walLogs.Load(database); ok {
		return known.(*walSync)
	}
	var file *os.File // opened by the first flush: the log exists after the first commit
	fresh := newWALSync(func() error {
		if file == nil {
			path, err := url.PathUnescape(database)
			if err != nil {
				return err
			}
			if file, err = os.OpenFile(path+"-wal", os.O_RDWR, 0); err != nil {
				return err
			}
		}
		return file.Sync()
	})
	known, _ := walLogs.LoadOrStore(database, fresh)
	return known.(*walSync)
}

// walSync syncs one write-ahead log for any number of committers.
type walSync struct {
	flush func() error // called by one goroutine at a time

	mu      sync.Mutex
	done    sync.Cond
	wanted  uint64 // syncs asked for
	synced  uint64 // of these, the ones that a finished flush covers
	running bool
	failed  error
}

func newWALSync(flush func() error) *walSync {
	w := &walSync{flush: flush}
	w.done.L = &w.mu
	return w
}

// sync returns when a flush that began after the call has finished. One caller
// flushes, those that come meanwhile share the next flush. Once a flush failed
// every sync fails: the kernel may have dropped what it could not write, and a
// later flush that succeeds would vouch for it.
func (w *walSync) sync() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wanted++
	for mine := w.wanted; w.synced < mine && w.failed == nil; {
		if w.running {
			w.done.Wait()
		} else {
			w.lead()
		}
	}
	if w.failed != nil {
		return fmt.Errorf("sync the write-ahead log: %w", w.failed)
	}
	return nil
}

// lead flushes for all that have asked so far.
func (w *walSync) lead() {
	covers := w.wanted
	w.running = true
	w.mu.Unlock()
	err := w.flush()
	w.mu.Lock()
	w.running = false
	if err == nil {
		w.synced = covers
	} else {
		w.failed = err
	}
	w.done.Broadcast()
}
