package killtest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/plugins/examples/fx"
	"github.com/sagad/sagad/plugins/examples/ledger"
	"github.com/sagad/sagad/plugins/examples/rails"
	"github.com/sagad/sagad/plugins/examples/shop"
	"github.com/sagad/sagad/plugins/examples/store"
)

// comparable gives what has to be the same with and without a kill. Attempts and
// times are not.
func (r *rig) comparable(result *engine.Result) map[string]string {
	output, _ := json.Marshal(result.Output) // JSON data
	m := map[string]string{
		"outcome": result.Outcome, "direction": result.Direction, "interventions": fmt.Sprint(result.Interventions),
		"output": identifier.ReplaceAllString(string(output), "ID"), "trace": r.sequence(result.Trace),
	}
	if result.Cause != nil {
		m["cause"] = result.Cause.Path + " " + result.Cause.Code
	}
	var steps []string
	for i := range result.Steps {
		s := &result.Steps[i]
		steps = append(steps, fmt.Sprintln(s.Path, s.State, s.Code, s.Key, s.Compensation.State, s.Compensation.Key))
	}
	slices.Sort(steps)
	m["steps"] = neutral(strings.Join(steps, ""), result.Tenant)
	return m
}

// identifier is what participants make up anew in each run.
var identifier = regexp.MustCompile(`"(entry|uetr|ref|order|parcel|charge|hold|[a-z]+)-[0-9A-Za-z-]+"|"[0-9a-f]{8}-[0-9a-f-]{27}"`)

// instant is that of a saga's start in its keys.
var instant = regexp.MustCompile(`\b[0-9]{8}T[0-9]{6}Z\b`)

// neutral takes out of keys what each run has of its own: its tenant and the
// instant of its start.
func neutral(text, tenant string) string {
	return instant.ReplaceAllString(strings.ReplaceAll(text, tenant, "TENANT"), "START")
}

func differences(want, got map[string]string) (problems []string) {
	if got == nil {
		return nil // its problems say why
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if want[name] != got[name] {
			problems = append(problems, fmt.Sprintf("%s %v, without a kill %v", name, got[name], want[name]))
		}
	}
	return problems
}

// pattern compiles the pattern of steps that run side by side; "" is for none.
func pattern(text string) *regexp.Regexp {
	if text == "" {
		text = `^$`
	}
	return regexp.MustCompile(text)
}

// sequence is a trace of which neighbours that run side by side are sorted.
func (r *rig) sequence(trace []string) string {
	trace = slices.Clone(trace)
	for i := 0; i < len(trace); i++ {
		end := i
		for end < len(trace) && r.together.MatchString(path(trace[end])) {
			end++
		}
		slices.Sort(trace[i:end])
		i = max(i, end)
	}
	return strings.Join(trace, " ")
}

// path gives the path in an item of a trace.
func path(item string) string { return strings.TrimRight(strings.TrimPrefix(item, "~"), "!?") }

// outOfOrder says what is not compensated in the exact reverse order of its
// completion (S10).
func outOfOrder(trace []string) string {
	compensated := map[string]bool{}
	for _, item := range trace {
		if strings.HasPrefix(item, "~") {
			compensated[path(item)] = true
		}
	}
	var done []string
	for _, item := range trace {
		switch p := path(item); {
		case !compensated[p]:
		case item[0] != '~':
			done = append(done, p)
		case len(done) == 0 || done[len(done)-1] != p:
			return fmt.Sprintf("%s is compensated while %v are done", p, done)
		default:
			done = done[:len(done)-1]
		}
	}
	return ""
}

// accounts are what participants keep of effects, and under which keys. Names
// that they make up are left out.
var accounts = []struct {
	plugin string
	query  string
}{
	{ledger.Name, `SELECT 'account', label, balance, held FROM accounts`},
	{ledger.Name, `SELECT 'entry', kind, action_key FROM entries`},
	{ledger.Name, `SELECT 'hold', action_key, account, minor, currency, state FROM holds`},
	{ledger.Name, `SELECT 'charge', action_key, account, minor, currency, refund IS NOT NULL FROM charges`},
	{fx.Name, `SELECT 'quote', action_key, from_minor, from_currency, state FROM quotes`},
	{rails.Name, `SELECT 'submission', action_key, minor, currency, status FROM submissions`},
	{shop.Name, `SELECT 'stock', sku, on_hand, reserved FROM stock`},
	{shop.Name, `SELECT 'order', action_key, minor, currency, state FROM orders`},
	{shop.Name, `SELECT 'reservation', action_key, state FROM reservations`},
	{shop.Name, `SELECT 'pickup', action_key, carrier, state FROM pickups`},
	{shop.Name, `SELECT 'shipment', action_key FROM shipments`},
	{shop.Name, `SELECT 'notice', action_key, template FROM notices`},
}

// books gives all effects that participants have kept, sorted. It fails when the
// books do not balance or something is left open.
func books(ctx context.Context, o orders) (string, error) {
	open := map[string]*sql.DB{}
	for _, name := range []string{ledger.Name, fx.Name, rails.Name, shop.Name} {
		db, err := store.OpenReadOnly(ctx, stack.PluginData(o.Data, o.Tenant, o.Region, name), name)
		if err != nil {
			return "", err
		}
		defer func() { _ = db.Close() }()
		open[name] = db
	}
	wrong := errors.Join(ledger.Verify(ctx, open[ledger.Name]), shop.Verify(ctx, open[shop.Name]))
	var lines []string
	for _, a := range accounts {
		found, err := rows(ctx, open[a.plugin], a.query)
		if err != nil {
			return "", errors.Join(wrong, fmt.Errorf("%s: %w", a.plugin, err))
		}
		lines = append(lines, found...)
	}
	slices.Sort(lines)
	return neutral(strings.Join(lines, ""), o.Tenant), wrong
}

// rows gives the rows of a query as lines.
func rows(ctx context.Context, db *sql.DB, query string) (lines []string, err error) {
	found, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	columns, err := found.Columns()
	if err != nil {
		return nil, err
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	for found.Next() {
		if err := found.Scan(values...); err != nil {
			return nil, err
		}
		var line []any
		for _, v := range values {
			line = append(line, *v.(*any))
		}
		lines = append(lines, fmt.Sprintln(line...))
	}
	return lines, found.Err()
}
