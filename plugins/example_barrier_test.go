package plugins_test

import (
	"context"
	"database/sql"
	"path/filepath"

	_ "modernc.org/sqlite"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/barrier"
)

type ReserveIn struct {
	SKU string `json:"sku"`
}

// A plugin with a database of its own: the reservation is made once and
// never after it was compensated.
func Example_database() {
	var db *sql.DB
	reserve := func(ctx context.Context, call plugins.Call, in ReserveIn) (struct{}, error) {
		return barrier.Do(ctx, db, call, func(ctx context.Context, tx *sql.Tx) (struct{}, error) {
			done, err := tx.ExecContext(ctx, `UPDATE stock SET free = free - 1 WHERE sku = ? AND free > 0`, in.SKU)
			if err != nil {
				return struct{}{}, err
			}
			if n, _ := done.RowsAffected(); n == 0 {
				return struct{}{}, plugins.Reject("OUT_OF_STOCK", "no %s is left", in.SKU)
			}
			return struct{}{}, nil
		})
	}
	p := plugins.New("stock", "1.0.0", plugins.Activity("reserve", reserve, plugins.Errors("OUT_OF_STOCK")))
	p.OnStart(func(ctx context.Context, env plugins.Env) (err error) {
		path := filepath.Join(env.DataDir, "stock.db")
		db, err = sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(wal)&_pragma=busy_timeout(5000)")
		if err != nil {
			return err
		}
		return barrier.Migrate(ctx, db, barrier.SQLite)
	})
	p.OnStop(func(context.Context) error { return db.Close() })
	plugins.Serve(p)
}
