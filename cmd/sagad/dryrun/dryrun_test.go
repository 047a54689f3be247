package dryrun_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/cmd/sagad/dryrun"
	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/local"
)

var update = flag.Bool("update", false, "write the goldens")

var manifests = []dsl.Manifest{
	{Plugin: "stock", Activities: []dsl.ManifestActivity{
		{Name: "stock.take", Output: json.RawMessage(`{"type": "object", "required": ["place"], "properties": {"place": {"type": "string"}}}`)},
		{Name: "stock.give", Output: json.RawMessage(`{"type": "object"}`)},
	}},
	{Plugin: "bank", Activities: []dsl.ManifestActivity{
		{Name: "bank.pay", Errors: []string{"DECLINED"}, Output: json.RawMessage(`{"type": "object", "required": ["receipt"], "properties": {"receipt": {"type": "string"}}}`)},
	}},
}

// play makes a dry run of testdata/way.yaml.
func play(t *testing.T, input string, o dryrun.Options) dryrun.Report {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "way.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	o.Manifests = manifests
	plan, ds := dsl.Compile(dsl.Source{Name: "way.yaml", Data: text}, dsl.Options{Manifests: manifests})
	if plan == nil {
		t.Fatal(ds)
	}
	data, err := dsl.ParseJSON([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	target := engine.Target{Tenant: "demo", Region: "eu-west-1", Settings: map[string]any{"country": "LU"}}
	start, search, err := engine.Prepare(plan, target, data)
	if err != nil {
		t.Fatal(err)
	}
	return dryrun.Run(plan, start, search, time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC), o)
}

const (
	small = `{"id": "w-1", "card": "4111111111111111", "items": [{"sku": "a", "price": 300}, {"sku": "b", "price": 400}, {"sku": "c", "price": 1}]}`
	large = `{"id": "w-2", "card": "4111111111111111", "items": [{"sku": "a", "price": 3000}]}`
)

func TestPrint(t *testing.T) {
	declined := func(inv *engine.Invocation) (engine.Outcome, time.Duration, bool) {
		return engine.Outcome{Class: engine.Rejected, Code: "DECLINED", Message: "no money on 4111111111111111"}, time.Second, inv.Activity == "bank.pay"
	}
	for name, r := range map[string]dryrun.Report{
		"small":    play(t, small, dryrun.Options{}),
		"large":    play(t, large, dryrun.Options{}),
		"declined": play(t, small, dryrun.Options{Answer: declined}),
		"silence":  play(t, large, dryrun.Options{At: []local.Timed{}}),
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			dryrun.Print(&got, progress.Style{}, r)
			golden := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(got.String(), "4111111111111111") {
				t.Error("a sensitive value is shown")
			}
		})
	}
}

// Every expression of the way is there, and nothing sensitive.
func TestReport(t *testing.T) {
	r := play(t, small, dryrun.Options{})
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "4111111111111111") {
		t.Errorf("a sensitive value is shown: %s", text)
	}
	var paths []string
	for _, s := range r.Way {
		paths = append(paths, s.Path)
	}
	if want := []string{"total", "each", "take[a]", "take[b]", "take[c]", "route", "small", "pay", "tell"}; !slices.Equal(paths, want) {
		t.Errorf("way %v, want %v", paths, want)
	}
	if want := []string{"large", "declined"}; !slices.Equal(r.Unreached, want) {
		t.Errorf("unreached %v, want %v", r.Unreached, want)
	}
	if r.Outcome != engine.OutcomeCompleted {
		t.Error(r.Outcome)
	}
}

// What is computed from a sensitive value is as sensitive, wherever it is read, and
// an activity refuses what its manifest forbids.
func TestDerivedAndForbidden(t *testing.T) {
	forbidding := []dsl.Manifest{{Plugin: "t", Activities: []dsl.ManifestActivity{
		{Name: "t.a", Input: json.RawMessage(`{"type": "object", "properties": {"first": {"type": "string"}}}`)},
		{Name: "t.b", Input: json.RawMessage(`{"type": "object", "properties": {"note": {"type": "string"}}}`)},
	}}}
	plan, ds := dsl.Compile(dsl.Source{Name: "s.yaml", Data: []byte(`saga: s
key: ${{ input.id }}
input: {type: object, required: [id, card], properties: {id: {type: string}, card: {type: string}, note: {type: string}}}
sensitive: [input.card]
steps:
  - {id: cut, set: {part: "${{ input.card[0:6] }}", low: "${{ lower(input.card) }}"}}
  - {id: a, call: t.a, effect: none, with: {first: "${{ vars.part[0:6] }}"}}
  - {id: b, call: t.b, effect: none, with: {note: "${{ input.note }}"}, catch: [{on: [INVALID_INPUT], do: [{id: f, fail: {code: BAD, message: "card ${{ vars.part }}"}}]}]}
`)}, dsl.Options{Manifests: forbidding})
	if plan == nil {
		t.Fatal(ds)
	}
	start, search, err := engine.Prepare(plan, engine.Target{Tenant: "demo", Region: "r"}, map[string]any{"id": "k", "card": "SECRETCARD"})
	if err != nil {
		t.Fatal(err)
	}
	r := dryrun.Run(plan, start, search, time.Unix(0, 0), dryrun.Options{Manifests: forbidding})
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "SECRET") || strings.Contains(string(text), "secretcard") {
		t.Errorf("shown: %s", text)
	}
	if want := []string{"cut", "a", "b!", "f!"}; !slices.Equal(r.Trace, want) || r.Way[2].Code != engine.CodeInvalidInput {
		t.Errorf("trace %v, want %v; %+v", r.Trace, want, r.Way)
	}
}
