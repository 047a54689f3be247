// Package service is what the example plugins have in common: a database of
// their own, the test cards that are played on it, identifiers that come from
// the operation, and a probe that keeps its promise.
package service

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// Version is the version in the manifests of all example plugins.
const Version = "1.0.0"

// Service is embedded by every example plugin. Between the plugin's start and
// its stop DB and Deck are set; Now is the participant's own clock.
type Service struct {
	DB   *sql.DB
	Deck *testcards.Deck
	Now  func() time.Time
}

// Plugin makes the plugin whose database Service is: it opens
// NAME.db in the plugin's data directory when it starts, after the migrations,
// and closes it when it stops.
func (s *Service) Plugin(name string, opts []testcards.Option, migrations []store.Migration, activities ...plugins.Definition) *plugins.Plugin {
	s.Now = time.Now
	migrations = append([]store.Migration{store.SQL(testcards.Schema)}, migrations...)
	p := plugins.New(name, Version, activities...)
	p.OnStart(func(ctx context.Context, env plugins.Env) error {
		db, err := store.Open(ctx, env.DataDir, name, migrations...)
		if err != nil {
			return err
		}
		s.DB, s.Deck = db, testcards.NewDeck(db, opts...)
		return nil
	})
	p.OnStop(func(context.Context) error {
		if s.DB == nil {
			return nil // never started
		}
		s.Deck.Close()
		return s.DB.Close()
	})
	return p
}

// Instant is the present instant as the databases keep it: RFC 3339 in UTC.
func (s *Service) Instant() string { return s.Now().UTC().Format(time.RFC3339Nano) }

// Errors names the codes of an activity in its manifest: its own, and those
// that come from playing test cards at its point and from the barrier.
func Errors(at testcards.Point, own ...string) plugins.Option {
	return plugins.Errors(append(own, at.Codes()...)...)
}

// Identity derives an identifier such as hold-3f0c... from the operation that
// makes the thing, so that the same request has the same one.
func Identity(prefix string, call plugins.Call) string {
	sum := sha256.Sum256([]byte(prefix + "\x00" + Operation(call)))
	return prefix + "-" + hex.EncodeToString(sum[:10])
}

// Operation names the operation of a call as the barrier does, without the time
// at which its saga started.
func Operation(call plugins.Call) string {
	return strings.Join([]string{call.Tenant, call.Saga, call.Path, string(call.Operation), strconv.Itoa(call.Generation)}, "\x00")
}
