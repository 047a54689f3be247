package editortest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/schemas"
)

// workspace opens an editor on a folder in which the published schemas lie, set
// up as the page about editors says. special.yaml and special_test.yaml have the
// schemas of the shipped plugins.
func workspace(t *testing.T) *editor {
	t.Helper()
	modules(t)
	folder := t.TempDir()
	put := func(name string, text []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	saga, err := dsl.SagaSchema(manifests(t))
	special := put("special.v1.json", saga, err)
	test, err := dsl.TestSchema(manifests(t))
	specialTest := put("specialtest.v1.json", test, err)
	return openEditor(t, folder, map[string]any{
		put("saga.v1.json", schemas.Saga, nil):     []string{"payment.yaml"},
		put("test.v1.json", schemas.Test, nil):     []string{"some_test.yaml"},
		put("tenant.v1.json", schemas.Tenant, nil): []string{"tenants/*.yaml"},
		put("config.v1.json", schemas.Config, nil): []string{"sagad.yaml"},
		special:     []string{"special.yaml"},
		specialTest: []string{"special_test.yaml"},
	})
}

const head = "saga: a\nkey: ${{ input.id }}\nsteps:\n  - id: a\n"

// A broken file is marked where it is broken; a good one is not.
func TestDiagnosticsInEditors(t *testing.T) {
	e := workspace(t)
	for _, c := range []struct{ name, text, want string }{
		{"payment.yaml", head + "    call: ledger.hold\n    effect: none\n", ""},
		{"payment.yaml", head + "    call: ledger.hold\n    efect: none\n", "5: Property efect is not allowed."},
		{"payment.yaml", head + "    sleep: soon\n", "4: String does not match the pattern"},
		{"tenants/acme.yaml", "tenant: acme\ncountry: SE\n", `0: Missing property "timezone".`},
		{"sagad.yaml", "search: {amount: integer}\n", "0: Value is not accepted"},
		{"some_test.yaml", "saga: a\ncases:\n  - name: n\n    expect: {outcome: done}\n", "3: Value is not accepted"},
		{"special.yaml", head + "    call: ledger.hodl\n    effect: none\n", `4: Value must be "cards.`},
		{"special.yaml", head + "    call: ledger.balances\n    effect: none\n", ""},
		// By the line at the top, whatever the file is called.
		{"other.yaml", "# yaml-language-server: $schema=../saga.v1.json\n" + head + "    cal: x\n", "5: Property cal is not allowed."},
	} {
		p := e.open(c.name, c.text)
		found := p.problems()
		shown := slices.ContainsFunc(found, func(f problem) bool { return strings.HasPrefix(f.String(), c.want) })
		if c.want == "" && len(found) > 0 || c.want != "" && !shown {
			t.Errorf("%v are shown, want %q, of %s\n%s", found, c.want, c.name, c.text)
		}
	}
}

// Shipped definitions are not marked by the schema of the shipped plugins.
func TestShippedDefinitionsInEditors(t *testing.T) {
	e := workspace(t)
	names, texts := shipped(t, "saga")
	for i, name := range names {
		if strings.Contains(name, "dsl/testdata") {
			continue
		}
		// The line at the top would name another schema.
		p := e.open("special.yaml", strings.Replace(texts[i], "yaml-language-server:", "", 1))
		if found := p.problems(); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// Completion offers keys with their descriptions, the words that a key takes,
// and with manifests the activities and their fields.
func TestCompletionInEditors(t *testing.T) {
	e := workspace(t)
	for _, c := range []struct {
		name, text string
		want       []string // label, or label: part of its description
	}{
		{"payment.yaml", head + "    |\n", []string{"call: Run an activity of a plugin", "parallel", "await: Wait for a message", "if: The step is skipped"}},
		{"payment.yaml", head + "    call: x.y\n    |\n", []string{"compensate: takes the effect", "effect", "probe", "retry", "with"}},
		{"payment.yaml", head + "    call: x.y\n    effect: |\n", []string{"none", "pivot", "retriable"}},
		{"payment.yaml", head + "    foreach:\n      in: input.list\n      |\n", []string{"concurrency: How many items", "do", "key"}},
		{"payment.yaml", "saga: a\n|\n", []string{"deadline", "sensitive: encrypted", "steps"}},
		{"payment.yaml", "saga: a\ninput:\n  type: object\n  |\n", []string{"properties", "required: must be there"}},
		{"some_test.yaml", "saga: a\ncases:\n  - name: n\n    |\n", []string{"mocks: answers", "expect", "signals"}},
		{"special.yaml", head + "    call: |\n", []string{"ledger.hold: Reserves money", "rails.submit"}},
		{"special.yaml", head + "    call: ledger.hold\n    compensate:\n      call: |\n", []string{"ledger.release: Compensates hold"}},
		{"special.yaml", head + "    call: ledger.hold\n    effect: none\n    with:\n      |\n", []string{"account: IBAN", "amount: what to reserve"}},
		{"special.yaml", head + "    call: ledger.hold\n    effect: none\n    with:\n      amount:\n        |\n", []string{"minor: minor units", "currency"}},
		{"special_test.yaml", "saga: a\ncases:\n  - name: n\n    mocks:\n      |\n", []string{"ledger.hold: Reserves money"}},
		{"special_test.yaml", "saga: a\ncases:\n  - name: n\n    mocks:\n      ledger.hold:\n        output:\n          |\n", []string{"holdId"}},
	} {
		p := e.open(c.name, c.text)
		p.problems() // it is read then
		found := p.complete()
		for _, want := range c.want {
			label, part, _ := strings.Cut(want, ": ")
			if s, ok := found[label]; !ok || !strings.Contains(string(s.Documentation), part) {
				t.Errorf("%s is not suggested (%s) in %s\n%s", want, s.Documentation, c.name, c.text)
			}
		}
		for label, s := range found {
			if strings.Contains(s.InsertText, "[object") {
				t.Errorf("%s inserts %q in %s\n%s", label, s.InsertText, c.name, c.text)
			}
		}
	}
}

// Hovering explains a key, and an activity, in a few lines.
func TestHoverInEditors(t *testing.T) {
	e := workspace(t)
	for _, c := range []struct{ name, text, want string }{
		{"payment.yaml", head + "    call: x.y\n    ef|fect: none\n", "its success is the point of no return"},
		{"payment.yaml", head + "    call: x.y\n    compen|sate: {call: x.z}\n", "takes the effect of the step's action back"},
		{"payment.yaml", head + "    aw|ait: {signal: s}\n", "Wait for a message from outside"},
		{"tenants/acme.yaml", "ten|ant: acme\n", "also the name of the file"},
		{"sagad.yaml", "tem|poral: embedded\n", "HOST:PORT"},
		{"some_test.yaml", "saga: a\nmat|rix: true\n", "every kind of fault"},
		{"special.yaml", head + "    call: ledger|.hold\n", "Reserves money on a customer's account"},
		{"special.yaml", head + "    call: ledger.hold\n    with: {acc|ount: x}\n", "IBAN of the customer's account"},
	} {
		p := e.open(c.name, c.text)
		p.problems() // it is read then
		if text := p.hover(); !strings.Contains(text, c.want) || strings.Count(text, "\n") > 25 {
			t.Errorf("hovering shows\n%s\nwant %q, of %s\n%s", text, c.want, c.name, c.text)
		}
	}
}

// The settings on the page about editors give every file of a project its schema.
func TestSettingsOfThePage(t *testing.T) {
	modules(t)
	page, err := os.ReadFile(filepath.Join(repository, "docs", "editors.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```json file=.vscode/settings.json\n")
	text, _, _ := strings.Cut(rest, "```")
	var settings struct {
		Schemas map[string]any `json:"yaml.schemas"`
	}
	if err := json.Unmarshal([]byte(text), &settings); err != nil || len(settings.Schemas) != len(schemas.All()) {
		t.Fatalf("the page has the settings %s (%v)", text, err)
	}
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "schemas"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, p := range schemas.All() {
		if err := os.WriteFile(filepath.Join(folder, "schemas", p.File), p.Bytes, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e := openEditor(t, folder, settings.Schemas)
	for name, want := range map[string]string{
		"definitions/mine/payment.yaml":            `0: Missing property "saga".`,
		"definitions/payment.yaml":                 `0: Missing property "saga".`,
		"definitions/mine/payment_test.yaml":       `0: Missing property "cases".`,
		"definitions/tenants/acme.yaml":            `0: Missing property "timezone".`,
		"sagad.yaml":                               "0: Property nothing is not allowed.",
		"definitions/mine/testdata/a.signals.yaml": "",
		"compose.yaml":                             "",
	} {
		found := e.openAt(name, "nothing: here\n").problems()
		shown := slices.ContainsFunc(found, func(f problem) bool { return strings.HasPrefix(f.String(), want) })
		if want == "" && len(found) > 0 || want != "" && !shown {
			t.Errorf("%v are shown, want %q, of %s", found, want, name)
		}
		// Only definitions have steps: no file has two schemas.
		isDefinition := strings.HasSuffix(name, "payment.yaml")
		if steps := slices.ContainsFunc(found, func(f problem) bool { return strings.Contains(f.Message, `"steps"`) }); steps != isDefinition {
			t.Errorf("%v are shown of %s", found, name)
		}
	}
}
