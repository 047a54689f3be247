package barrier_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/barrier"
)

type receipt struct {
	Number int `json:"number"`
}

// A shop is a participant: its effect is a row in a table of its own.
type shop struct {
	t  *testing.T
	db *sql.DB
}

func open(t *testing.T) *shop {
	t.Helper()
	dsn := "file:" + filepath.Join(t.TempDir(), "shop.db") + "?_pragma=journal_mode(wal)&_pragma=busy_timeout(10000)"
	db, err := sql.Open("sqlite", dsn)
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
	if _, err := db.Exec(`CREATE TABLE effects (id INTEGER PRIMARY KEY, what TEXT NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	return &shop{t: t, db: db}
}

// do carries out call and leaves an effect.
func (s *shop) do(call plugins.Call) (receipt, error) {
	return barrier.Do(s.t.Context(), s.db, call, func(ctx context.Context, tx *sql.Tx) (receipt, error) {
		result, err := tx.ExecContext(ctx, `INSERT INTO effects (what) VALUES (?)`, fmt.Sprintf("%s %d", call.Operation, call.Generation))
		if err != nil {
			return receipt{}, err
		}
		id, err := result.LastInsertId()
		return receipt{Number: int(id)}, err
	})
}

func (s *shop) effects() []string {
	s.t.Helper()
	found, err := s.db.Query(`SELECT what FROM effects ORDER BY id`)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = found.Close() }()
	var all []string
	for found.Next() {
		var what string
		if err := found.Scan(&what); err != nil {
			s.t.Fatal(err)
		}
		all = append(all, what)
	}
	return all
}

func request(op plugins.Operation, attempt, generation int) plugins.Call {
	return plugins.Call{
		Tenant: "demo", Saga: "demo/order/1", Path: "take[c]",
		Operation: op, Attempt: attempt, Generation: generation,
	}
}

func action(attempt int) plugins.Call { return request(plugins.OperationAction, attempt, 0) }
func compensation(attempt int) plugins.Call {
	return request(plugins.OperationCompensation, attempt, 0)
}
func probe(attempt int) plugins.Call { return request(plugins.OperationProbe, attempt, 0) }

func wantError(t *testing.T, err error, kind plugins.Kind, code string) {
	t.Helper()
	var typed *plugins.Error
	if !errors.As(err, &typed) || typed.Kind != kind || typed.Code != code {
		t.Fatalf("error = %v, want %s %s", err, kind, code)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *shop) wantEffects(want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.effects()); diff != "" {
		s.t.Errorf("effects (-want +got):\n%s", diff)
	}
}

func TestDuplicateReturnsStoredOutput(t *testing.T) {
	s := open(t)
	first, err := s.do(action(1))
	must(t, err)
	second, err := s.do(action(2))
	must(t, err)
	if first != second || first.Number == 0 {
		t.Errorf("outputs %v and %v, want the same", first, second)
	}
	s.wantEffects("action 0")
}

func TestOthersAreNotDuplicates(t *testing.T) {
	s := open(t)
	for _, change := range []func(*plugins.Call){
		func(c *plugins.Call) {},
		func(c *plugins.Call) { c.Tenant = "other" },
		func(c *plugins.Call) { c.Saga = "demo/order/2" },
		func(c *plugins.Call) { c.Path = "take[d]" },
	} {
		call := action(1)
		change(&call)
		_, err := s.do(call)
		must(t, err)
	}
	s.wantEffects("action 0", "action 0", "action 0", "action 0")
}

func TestFailureLeavesNothing(t *testing.T) {
	s := open(t)
	refused := plugins.Reject("NO_STOCK", "none left")
	_, err := barrier.Do(t.Context(), s.db, action(1), func(ctx context.Context, tx *sql.Tx) (receipt, error) {
		_, err := tx.ExecContext(ctx, `INSERT INTO effects (what) VALUES ('half')`)
		must(t, err)
		return receipt{}, refused
	})
	wantError(t, err, plugins.KindReject, "NO_STOCK")
	s.wantEffects()
	_, err = s.do(action(2)) // and it may be tried again
	must(t, err)
	s.wantEffects("action 0")
}

func TestPanicLeavesNothing(t *testing.T) {
	s := open(t)
	func() {
		defer func() { _ = recover() }()
		_, _ = barrier.Do(t.Context(), s.db, action(1), func(ctx context.Context, tx *sql.Tx) (receipt, error) {
			_, err := tx.ExecContext(ctx, `INSERT INTO effects (what) VALUES ('half')`)
			must(t, err)
			panic("bug")
		})
	}()
	_, err := s.do(action(2)) // the lock is free
	must(t, err)
	s.wantEffects("action 0")
}

func TestCancelledRequestLeavesNothing(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := barrier.Do(ctx, s.db, action(1), func(_ context.Context, tx *sql.Tx) (receipt, error) {
		_, err := tx.Exec(`INSERT INTO effects (what) VALUES ('late')`)
		must(t, err)
		cancel() // the host cut the attempt off; the function does not notice
		return receipt{Number: 1}, nil
	})
	if err == nil {
		t.Fatal("a cancelled request was committed")
	}
	s.wantEffects()
}

func TestCompensation(t *testing.T) {
	s := open(t)
	_, err := s.do(action(1))
	must(t, err)
	done, err := s.do(compensation(1))
	must(t, err)
	again, err := s.do(compensation(2))
	must(t, err)
	if done != again {
		t.Errorf("compensations returned %v and %v", done, again)
	}
	s.wantEffects("action 0", "compensation 0")

	// The effect is not there any more: a late duplicate of the action must not
	// be told that it is.
	_, err = s.do(action(3))
	wantError(t, err, plugins.KindReject, barrier.CodeFenced)
	s.wantEffects("action 0", "compensation 0")
}

func TestNullCompensationFencesEveryGeneration(t *testing.T) {
	s := open(t)
	for attempt := 1; attempt <= 2; attempt++ {
		out, err := s.do(compensation(attempt))
		must(t, err)
		if out != (receipt{}) {
			t.Errorf("null compensation returned %v", out)
		}
	}
	for generation := range 3 {
		_, err := s.do(request(plugins.OperationAction, 7, generation))
		wantError(t, err, plugins.KindReject, barrier.CodeFenced)
	}
	_, err := s.do(request(plugins.OperationCompensation, 1, 1)) // a corrected compensation
	must(t, err)
	s.wantEffects()
}

func TestCorrectedCompensationRunsOnce(t *testing.T) {
	s := open(t)
	_, err := s.do(action(1))
	must(t, err)
	first, err := s.do(request(plugins.OperationCompensation, 1, 1))
	must(t, err)
	late, err := s.do(compensation(1)) // the uncorrected one was still on the wire
	must(t, err)
	if first != late {
		t.Errorf("outputs %v and %v, want the same", first, late)
	}
	s.wantEffects("action 0", "compensation 1")
}

func TestGenerations(t *testing.T) {
	t.Run("a late request of an old generation is fenced", func(t *testing.T) {
		s := open(t)
		_, err := s.do(request(plugins.OperationAction, 2, 1))
		must(t, err)
		_, err = s.do(action(1))
		wantError(t, err, plugins.KindReject, barrier.CodeFenced)
		s.wantEffects("action 1")
		_, err = s.do(compensation(1)) // compensates whichever generation was applied
		must(t, err)
		s.wantEffects("action 1", "compensation 0")
	})
	t.Run("a correction of an applied request is superseded", func(t *testing.T) {
		s := open(t)
		_, err := s.do(action(1))
		must(t, err)
		_, err = s.do(request(plugins.OperationAction, 2, 1))
		wantError(t, err, plugins.KindPermanent, barrier.CodeSuperseded)
		s.wantEffects("action 0")
	})
}

func TestFence(t *testing.T) {
	s := open(t)
	fenced, err := barrier.Fence(t.Context(), s.db, probe(2))
	must(t, err)
	if !fenced {
		t.Fatal("nothing was applied, but nothing was fenced")
	}
	_, err = barrier.Fence(t.Context(), s.db, probe(1)) // a late probe does not lower the fence
	must(t, err)
	for attempt := 1; attempt <= 2; attempt++ {
		_, err = s.do(action(attempt))
		wantError(t, err, plugins.KindReject, barrier.CodeFenced)
	}
	s.wantEffects()

	_, err = s.do(action(3)) // the engine sent the key again after the probe
	must(t, err)
	s.wantEffects("action 0")
	fenced, err = barrier.Fence(t.Context(), s.db, probe(3))
	must(t, err)
	if fenced {
		t.Error("an applied action was fenced")
	}
	out, err := s.do(action(1)) // now a duplicate of a success
	must(t, err)
	if out.Number != 1 {
		t.Errorf("duplicate = %v", out)
	}
}

func TestFencedActionIsNullCompensated(t *testing.T) {
	s := open(t)
	_, err := barrier.Fence(t.Context(), s.db, probe(1))
	must(t, err)
	_, err = s.do(compensation(1))
	must(t, err)
	_, err = s.do(action(2)) // past the fence, but after the tombstone
	wantError(t, err, plugins.KindReject, barrier.CodeFenced)
	s.wantEffects()
}

func TestProbe(t *testing.T) {
	s := open(t)
	answer, err := barrier.Probe[receipt](t.Context(), s.db, probe(1))
	must(t, err)
	if diff := cmp.Diff(plugins.NotApplied[receipt](), answer); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	done, err := s.do(action(2))
	must(t, err)
	answer, err = barrier.Probe[receipt](t.Context(), s.db, probe(2))
	must(t, err)
	if diff := cmp.Diff(plugins.WasApplied(done), answer); diff != "" {
		t.Errorf("after (-want +got):\n%s", diff)
	}
	out, found, err := barrier.Applied[receipt](t.Context(), s.db, probe(2))
	must(t, err)
	if !found || out != done {
		t.Errorf("Applied = %v, %v", out, found)
	}
}

func TestMisuse(t *testing.T) {
	s := open(t)
	for name, call := range map[string]plugins.Call{
		"probe":         probe(1),
		"no operation":  request("", 1, 0),
		"attempt zero":  action(0),
		"no saga":       {Tenant: "demo", Path: "x", Operation: plugins.OperationAction, Attempt: 1},
		"minus one":     request(plugins.OperationAction, 1, -1),
		"unknown world": {Operation: plugins.OperationAction, Attempt: 1},
	} {
		if _, err := s.do(call); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	s.wantEffects()
	if err := barrier.Migrate(t.Context(), s.db, barrier.Dialect(9)); err == nil {
		t.Error("an unknown dialect was migrated")
	}
}

// TestConcurrentDuplicates sends one request many times at once, through as
// many connections.
func TestConcurrentDuplicates(t *testing.T) {
	s := open(t)
	const n = 16
	outs := make([]receipt, n)
	errs := make([]error, n)
	together(n, func(i int) { outs[i], errs[i] = s.do(action(i + 1)) })
	for i := range n {
		must(t, errs[i])
		if outs[i] != outs[0] {
			t.Errorf("output %d = %v, output 0 = %v", i, outs[i], outs[0])
		}
	}
	s.wantEffects("action 0")
}

// TestActionRacesCompensation: whoever comes first, the effects are none or
// both, and the answers say which.
func TestActionRacesCompensation(t *testing.T) {
	s := open(t)
	seen := map[string]int{}
	for round := range 60 {
		var acted, compensated error
		saga := fmt.Sprintf("demo/order/%d", round)
		together(2, func(i int) {
			if i == round%2 {
				call := action(1)
				call.Saga = saga
				_, acted = s.do(call)
				return
			}
			call := compensation(1)
			call.Saga = saga
			_, compensated = s.do(call)
		})
		must(t, compensated)
		var actions, compensations int
		must(t, s.db.QueryRow(`SELECT count(*) FILTER (WHERE what = 'action 0'), count(*) FILTER (WHERE what = 'compensation 0') FROM effects`).Scan(&actions, &compensations))
		if actions != compensations {
			t.Fatalf("round %d: %d actions, %d compensations", round, actions, compensations)
		}
		if acted != nil {
			wantError(t, acted, plugins.KindReject, barrier.CodeFenced)
			seen["compensation first"]++
			continue
		}
		seen["action first"]++
	}
	t.Log(seen)
}

// TestActionRacesFence: a probe that answers "not applied" is never made a liar
// by the attempt it asked about.
func TestActionRacesFence(t *testing.T) {
	s := open(t)
	applied := 0
	for round := range 60 {
		saga := fmt.Sprintf("demo/order/%d", round)
		var acted, failed error
		var fenced bool
		together(2, func(i int) {
			call := action(1)
			if i == round%2 {
				call.Saga = saga
				_, acted = s.do(call)
				return
			}
			call = probe(1)
			call.Saga = saga
			fenced, failed = barrier.Fence(s.t.Context(), s.db, call)
		})
		must(t, failed)
		if fenced == (acted == nil) {
			t.Fatalf("round %d: fenced %v, action %v", round, fenced, acted)
		}
		if acted == nil {
			applied++
		}
	}
	if got := len(s.effects()); got != applied {
		t.Errorf("%d effects, %d applied", got, applied)
	}
}

// TestFenceWaitsForARunningAction: an action inside its transaction when the
// probe comes is seen by the probe as applied, not fenced.
func TestFenceWaitsForARunningAction(t *testing.T) {
	s := open(t)
	inside, probing := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		_, err := barrier.Do(t.Context(), s.db, action(1), func(context.Context, *sql.Tx) (receipt, error) {
			close(inside)
			<-probing
			return receipt{Number: 5}, nil
		})
		done <- err
	}()
	<-inside
	answered := make(chan bool, 1)
	go func() {
		close(probing)
		fenced, err := barrier.Fence(t.Context(), s.db, probe(1))
		if err != nil {
			t.Error(err)
		}
		answered <- fenced
	}()
	must(t, <-done)
	if <-answered {
		t.Error("an action that was running was fenced and applied")
	}
}

// together runs n functions that start at the same time.
func together(n int, fn func(int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			fn(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}
