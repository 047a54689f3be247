package testcards

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Delay is how late Slow answers, and how long after it was cut off Straggler
// tries its effect.
const Delay = 2 * time.Second

// maxSilence bounds the wait of a call that carries no deadline.
const maxSilence = 10 * time.Minute

// crashStatus is what a process that a card crashed exits with.
const crashStatus = 66

// Schema is the table in which a deck remembers what was played. It belongs
// into the migrations of the plugin's database.
const Schema = `
CREATE TABLE dealt_cards (
	action_key TEXT    NOT NULL,
	point      INTEGER NOT NULL,
	behaviour  INTEGER NOT NULL,
	played     INTEGER NOT NULL DEFAULT 0 CHECK (played >= 0),
	PRIMARY KEY (action_key, point)
) STRICT, WITHOUT ROWID;`

// Option replaces what a deck does to the process and the clock, for tests
// that run a plugin inside their own process.
type Option func(*Deck)

// OnCrash calls fn instead of ending the process. fn must not return: it
// panics, or ends its goroutine.
func OnCrash(fn func()) Option { return func(d *Deck) { d.crash = fn } }

// OnWait calls fn instead of waiting. fn returns nil when the time is over
// and the context's error when it ended earlier.
func OnWait(fn func(ctx context.Context, wait time.Duration) error) Option {
	return func(d *Deck) { d.wait = fn }
}

// OnSilence calls fn when a card begins to keep still until its call is cut
// off; ctx is the call's.
func OnSilence(fn func(ctx context.Context)) Option { return func(d *Deck) { d.silent = fn } }

// Deck remembers in the plugin's database which cards were dealt to which
// action, and how often each was played. It is safe for concurrent use.
type Deck struct {
	db     *sql.DB
	crash  func()
	wait   func(ctx context.Context, wait time.Duration) error
	silent func(ctx context.Context)

	late   sync.WaitGroup
	closed context.Context
	end    context.CancelFunc
}

// NewDeck makes a deck over a database that has Schema. The caller closes the
// deck before the database.
func NewDeck(db *sql.DB, opts ...Option) *Deck {
	closed, end := context.WithCancel(context.Background())
	d := &Deck{
		db: db, crash: func() { os.Exit(crashStatus) }, wait: wait, silent: func(context.Context) {},
		closed: closed, end: end,
	}
	for _, opt := range opts {
		opt(d)
	}
	return d
}

// Close makes the stragglers that are still to come give up, and waits for
// the one that is at work.
func (d *Deck) Close() {
	d.end()
	d.late.Wait()
}

// draw deals the hand to the action, if this was not done before, and returns
// the card to play at the point and how often it has been played now, from 1.
// Without a card that is 0, and an ordinary action does not touch the database.
func (d *Deck) draw(ctx context.Context, actionKey string, at Point, hand []Card) (Behaviour, int, error) {
	if len(hand) > 0 {
		if err := d.deal(ctx, actionKey, hand); err != nil {
			return 0, 0, err
		}
	} else if k := places[at].kind; k == action || k == read {
		return 0, 0, nil
	}
	return d.play(ctx, actionKey, at)
}

func (d *Deck) deal(ctx context.Context, actionKey string, hand []Card) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("deal test cards: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing
	for _, c := range hand {
		_, err := tx.ExecContext(ctx,
			`INSERT INTO dealt_cards (action_key, point, behaviour) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			actionKey, int(c.Point), int(c.Behaviour))
		if err != nil {
			return fmt.Errorf("deal test card %s: %w", c, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("deal test cards: %w", err)
	}
	return nil
}

func (d *Deck) play(ctx context.Context, actionKey string, at Point) (Behaviour, int, error) {
	var behaviour, played int
	err := d.db.QueryRowContext(ctx,
		`SELECT behaviour FROM dealt_cards WHERE action_key = ? AND point = ?`,
		actionKey, int(at)).Scan(&behaviour)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, 0, nil
	}
	if err == nil {
		err = d.db.QueryRowContext(ctx,
			`UPDATE dealt_cards SET played = played + 1 WHERE action_key = ? AND point = ? RETURNING played`,
			actionKey, int(at)).Scan(&played)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("play test card at %s: %w", at, err)
	}
	return Behaviour(behaviour), played, nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
