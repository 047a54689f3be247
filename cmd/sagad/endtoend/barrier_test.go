package endtoend

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"

	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/enginetest"
	"github.com/sagad/sagad/engine/local"
	"github.com/sagad/sagad/engine/temporal"
	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/barrier"
)

// What networks do to requests, and what a participant with the barrier makes of
// it (S22), on both runtimes.

// participant has its effects in a database of its own, behind the barrier. wire
// brings it each attempt.
type participant struct {
	t    *testing.T
	db   *sql.DB
	wire func(ctx context.Context, call plugins.Call) engine.Outcome
}

var _ engine.Invoker = (*participant)(nil)

func newParticipant(t *testing.T) *participant {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "shop.db")+"?_pragma=journal_mode(wal)&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := barrier.Migrate(t.Context(), db, barrier.SQLite); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE effects (id INTEGER PRIMARY KEY, what TEXT NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	return &participant{t: t, db: db}
}

func (p *participant) Invoke(ctx context.Context, saga *engine.Identity, inv *engine.Invocation) engine.Outcome {
	return p.wire(ctx, plugins.Call{
		Key: inv.Key, ActionKey: inv.ActionKey, Tenant: saga.Tenant, Saga: saga.ID, Path: inv.Path,
		Operation: plugins.Operation(inv.Op.String()), Attempt: inv.Attempt, Generation: inv.Generation,
	})
}

// do carries out a request that has arrived: its effect is a row.
func (p *participant) do(ctx context.Context, call plugins.Call) (number int, err error) {
	return barrier.Do(ctx, p.db, call, func(ctx context.Context, tx *sql.Tx) (int, error) {
		result, err := tx.ExecContext(ctx, `INSERT INTO effects (what) VALUES (?)`, string(call.Operation)+" "+call.Path)
		if err != nil {
			return 0, err
		}
		id, err := result.LastInsertId()
		return int(id), err
	})
}

// answer is how an attempt ends whose answer arrives.
func answer(number int, err error) engine.Outcome {
	var typed *plugins.Error
	switch {
	case err == nil:
		return engine.Outcome{Class: engine.Applied, Output: map[string]any{"number": number}}
	case errors.As(err, &typed) && typed.Kind == plugins.KindReject:
		return engine.Outcome{Class: engine.Rejected, Code: typed.Code, Message: typed.Message}
	}
	return engine.Outcome{Class: engine.Ambiguous, Code: "ERROR", Message: err.Error()}
}

// effects gives what was done, in order.
func (p *participant) effects() []string {
	p.t.Helper()
	var all []string
	var joined sql.NullString
	if err := p.db.QueryRowContext(p.t.Context(), `SELECT group_concat(what, ',' ORDER BY id) FROM effects`).Scan(&joined); err != nil {
		p.t.Fatal(err)
	}
	if joined.Valid {
		all = strings.Split(joined.String, ",")
	}
	return all
}

// onBoth runs a test of steps on either runtime. It hands out a participant and
// what runs the saga to its end.
func onBoth(t *testing.T, steps string, test func(t *testing.T, p *participant, run func() engine.Result)) {
	t.Helper()
	c := enginetest.Case{Steps: steps}
	t.Run("local", func(t *testing.T) {
		s, p := c.Prepare(t, ""), newParticipant(t)
		test(t, p, func() engine.Result {
			r, err := local.Run(t.Context(), s.Plan, s.Start, local.Options{Invoker: p})
			if err != nil {
				t.Fatal(err)
			}
			return r
		})
	})
	t.Run("Temporal", func(t *testing.T) {
		s, p := c.Prepare(t, ""), newParticipant(t)
		sdk := dial(t, startServer(t).Address())
		startWorker(t, sdk, temporal.WorkerOptions{Tenant: "demo", Region: "eu-west-1", Invoker: p})
		scene := &scene{t: t, sdk: sdk, client: temporal.NewClient(sdk)}
		test(t, p, func() engine.Result {
			if started, err := scene.client.Start(t.Context(), s.Plan, s.Start, nil); err != nil || !started {
				t.Fatalf("started %t: %v", started, err)
			}
			return scene.wait(s.Start.ID)
		})
	})
}

// A request of an action that arrives after its compensation has no effect: of
// an action that nobody else has seen, and of one that another attempt has done.
func TestLateAction(t *testing.T) {
	const steps = "  - {id: a, call: t.a, compensate: {call: t.undoA}, retry: {attempts: ATTEMPTS, backoff: 10ms..10ms}}\n  - {id: f, fail: {code: STOP}}\n"
	for _, c := range []struct {
		name, attempts, trace string
		effects               []string
	}{
		{name: "null compensation", attempts: "1", trace: "a? ~a"},
		{name: "another attempt was applied", attempts: "2", trace: "a f! ~a", effects: []string{"action a", "compensation a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBoth(t, strings.Replace(steps, "ATTEMPTS", c.attempts, 1), func(t *testing.T, p *participant, run func() engine.Result) {
				var late plugins.Call
				p.wire = func(ctx context.Context, call plugins.Call) engine.Outcome {
					if call.Operation == plugins.OperationAction && call.Attempt == 1 {
						late = call
						return engine.Outcome{Class: engine.Ambiguous, Code: engine.CodeTimeout, Message: "still on the wire"}
					}
					return answer(p.do(ctx, call))
				}
				r := run()
				if trace := strings.Join(r.Trace, " "); r.Outcome != engine.OutcomeCompensated || trace != c.trace {
					t.Errorf("%s, trace %s", r.Outcome, trace)
				}
				if out := answer(p.do(t.Context(), late)); out.Class != engine.Rejected || out.Code != barrier.CodeFenced {
					t.Errorf("the late action ends %s %s: %s", out.Class, out.Code, out.Message)
				}
				if diff := cmp.Diff(c.effects, p.effects()); diff != "" {
					t.Errorf("effects (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Twenty copies of each request that arrive at once are one: there is one
// effect, and all get its answer.
func TestTwentyDuplicates(t *testing.T) {
	const copies = 20
	steps := "  - {id: a, call: t.a, compensate: {call: t.undoA}}\n  - {id: f, fail: {code: STOP}}\n"
	onBoth(t, steps, func(t *testing.T, p *participant, run func() engine.Result) {
		p.wire = func(ctx context.Context, call plugins.Call) engine.Outcome {
			outs := make([]engine.Outcome, copies)
			begin := make(chan struct{})
			var all sync.WaitGroup
			for i := range outs {
				all.Go(func() {
					<-begin
					outs[i] = answer(p.do(ctx, call))
				})
			}
			close(begin)
			all.Wait()
			for i, out := range outs {
				if diff := cmp.Diff(outs[0], out); diff != "" {
					t.Errorf("%s: the answers to copies 0 and %d differ:\n%s", call.Operation, i, diff)
				}
			}
			return outs[0]
		}
		r := run()
		if trace := strings.Join(r.Trace, " "); r.Outcome != engine.OutcomeCompensated || trace != "a f! ~a" {
			t.Errorf("%s, trace %s", r.Outcome, trace)
		}
		if diff := cmp.Diff([]string{"action a", "compensation a"}, p.effects()); diff != "" {
			t.Errorf("effects (-want +got):\n%s", diff)
		}
	})
}
