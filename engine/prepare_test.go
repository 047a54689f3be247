package engine_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
)

const preparable = `saga: t
version: "1"
key: ${{ input.id }}
input:
  type: object
  required: [id]
  properties: {id: {type: string}, country: {type: string}, iban: {type: string}}
sensitive: [input.iban]
search:
  country_code: ${{ input.country ?? "none" }}
steps:
  - {id: a, call: t.a, effect: none}
output: {iban: "${{ input.iban ?? \"\" }}", text: "for ${{ input.iban ?? \"\" }}"}
`

func compile(t *testing.T, source string) *dsl.Plan {
	t.Helper()
	plan, diagnostics := dsl.Compile(dsl.Source{Name: "t.yaml", Data: []byte(source)}, dsl.Options{})
	if plan == nil {
		t.Fatal(diagnostics)
	}
	return plan
}

// What cannot be started is refused, and the refusal says what is wrong (S25).
func TestPrepareRefuses(t *testing.T) {
	plan := compile(t, preparable)
	for _, c := range []struct {
		name  string
		input map[string]any
		what  string
	}{
		{"no key", map[string]any{}, "input"},
		{"a key of the wrong type", map[string]any{"id": 7}, "input"},
		{"an empty key", map[string]any{"id": ""}, "key"},
		{"a search value that is too long", map[string]any{"id": "k", "country": strings.Repeat("x", 256)}, "search country_code"},
	} {
		_, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo"}, c.input)
		var refused *engine.RefusedError
		if !errors.As(err, &refused) || refused.What != c.what {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	untyped := compile(t, "saga: t\nkey: ${{ input.id }}\nsteps: [{id: a, set: {x: 1}}]\n")
	for want, id := range map[string]any{
		"null": nil, "an empty text": "", "a boolean": true, "a list": []any{"DE89370400440532013000"},
		"a map": map[string]any{"iban": "DE89370400440532013000"}, "a number with a fraction": 1.5,
	} {
		_, _, err := engine.Prepare(untyped, engine.Target{Tenant: "demo"}, map[string]any{"id": id})
		if err == nil || err.Error() != "key: `input.id` gave "+want+"; a business key is a text that is not empty, or an integer" {
			t.Errorf("%v as key: %v", id, err)
		}
	}
	start, search, err := engine.Prepare(plan, engine.Target{Tenant: "demo", Region: "r"}, map[string]any{"id": "k", "country": "DE"})
	if err != nil {
		t.Fatal(err)
	}
	if start.ID != "demo/t/k" || start.Key != "k" || start.Region != "r" {
		t.Errorf("%+v", start)
	}
	if diff := cmp.Diff(map[string]any{"country_code": "DE"}, search); diff != "" {
		t.Errorf("search (-want +got):\n%s", diff)
	}
}

// Sensitive values are in no result, whatever carries them.
func TestRedacted(t *testing.T) {
	const iban, longer = "DE89370400440532013000", "DE893704004405320130001234"
	plan := compile(t, preparable)
	for _, value := range []string{iban, longer} {
		start, _, err := engine.Prepare(plan, engine.Target{Tenant: "demo"}, map[string]any{"id": "k", "iban": value})
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, reject := range []bool{false, true} {
			script := local.Script{Answer: func(*engine.Invocation) (engine.Outcome, time.Duration) {
				if reject {
					return engine.Outcome{Class: engine.Rejected, Code: "NO", Message: "the account " + value + " is closed"}, 0
				}
				return engine.Outcome{Class: engine.Applied}, 0
			}}
			script.Observe = func(_ string, _ engine.Event, commands []engine.Command) {
				for _, c := range commands {
					told = append(told, c.Record.Message)
				}
			}
			r := local.Simulate(plan, start, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), script)
			data, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			text := string(data)
			if strings.Contains(text, value) || !strings.Contains(text, engine.Redacted) {
				t.Errorf("%s", text)
			}
		}
		if strings.Contains(strings.Join(told, " "), value) {
			t.Errorf("records tell %q", told)
		}
	}
	if got := engine.Redact("no, yes and no", []string{"no"}); got != "no, yes and no" {
		t.Errorf("a short value blacks out words: %s", got)
	}
	if got := engine.Redact("no", []string{"no"}); got != engine.Redacted {
		t.Errorf("a short value that stands alone is shown: %s", got)
	}
}
