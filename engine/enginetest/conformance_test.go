package enginetest

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

var update = flag.Bool("update", false, "write engine/conformance/sagas")

const conformance = "../conformance/sagas"

// TestConformanceFiles proves that the files that another implementation can run
// are the cases of the suite. Each is a folder with a definition, those of its
// child sagas and a test file.
func TestConformanceFiles(t *testing.T) {
	want := map[string]string{}
	for _, c := range slices.Concat(Cases, EdgeCases) {
		if reason := notAFile(&c); reason != "" {
			t.Logf("%s stays in Go: %s", c.Name, reason)
			continue
		}
		for name, text := range conformanceFiles(t, &c) {
			if want[name] != "" {
				t.Errorf("two cases are written to %s", name)
			}
			want[name] = text
		}
	}
	want["plugins.json"] = manifestFile(t)
	if *update {
		old, err := filepath.Glob(filepath.Join(conformance, "*", "saga.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range old {
			if err := os.RemoveAll(filepath.Dir(file)); err != nil {
				t.Fatal(err)
			}
		}
		for name, text := range want {
			path := filepath.Join(conformance, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := map[string]string{}
	paths, err := filepath.Glob(filepath.Join(conformance, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, filepath.Join(conformance, "plugins.json")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(conformance, path)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.ToSlash(name)] = string(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("go test ./engine/enginetest -run ConformanceFiles -update (-want +got):\n%s", diff)
	}
}

// notAFile says why a case cannot be written as a test file.
func notAFile(c *Case) string {
	for _, h := range c.Outside {
		switch {
		case h.Operator != nil && (h.Operator.ID == "" || h.Operator.Actor == ""):
			return "it leaves out what a test file gives every command"
		case h.Operator != nil && !slices.Contains([]string{engine.CommandRetry, engine.CommandSkip, engine.CommandResolve}, h.Operator.Command):
			return "a test file knows its command for a mistake"
		case h.Signal != nil && h.Signal.ID == "":
			return "it leaves out what a test file requires of a message"
		}
	}
	for _, text := range []string{c.Input, c.Steps, canonical(outsideSize(c))} {
		if len(text) > maxFile {
			return "its data is too large to be read"
		}
	}
	for _, answers := range c.Mocks {
		for _, a := range answers {
			if len(canonical(a.Outcome.Output)) > maxFile {
				return "its data is too large to be read"
			}
		}
	}
	return ""
}

// maxFile bounds the data of a case that is written to a file that people read.
const maxFile = 16_000

func outsideSize(c *Case) []any {
	var all []any
	for _, h := range c.Outside {
		if h.Signal != nil {
			all = append(all, h.Signal.Data)
		}
		if h.Operator != nil {
			all = append(all, h.Operator.Input, h.Operator.Output)
		}
	}
	return all
}

var slugForm = regexp.MustCompile(`[^a-z0-9]+`)

func conformanceFiles(t *testing.T, c *Case) map[string]string {
	t.Helper()
	folder := strings.Trim(slugForm.ReplaceAllString(strings.ToLower(c.Name), "-"), "-") + "/"
	head := c.Head
	if head != "" && !strings.HasSuffix(head, "\n") {
		head += "\n"
	}
	files := map[string]string{folder + "saga.yaml": "saga: t\nversion: \"1\"\nkey: ${{ input.id }}\n" + head + "steps:\n" + c.Steps}
	for name, text := range c.Sagas {
		files[folder+name+".yaml"] = "saga: " + name + "\nkey: ${{ input.id }}\n" + text
	}
	for name, text := range files {
		files[name] = formatted(t, name, text)
	}
	name := folder + "saga_test.yaml"
	files[name] = formatted(t, name, caseFile(t, c))
	return files
}

func formatted(t *testing.T, name, text string) string {
	t.Helper()
	out, err := dsl.Format(dsl.Source{Name: name, Data: []byte(text)})
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, text)
	}
	return string(out)
}

// caseFile writes a case as a test file, with JSON where that is YAML too.
func caseFile(t *testing.T, c *Case) string {
	t.Helper()
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("saga: t\nstart: 2026-11-23T10:00:00Z\ntenant: {limit: 300ms}\ncases:")
	line("  - name: %s", canonical(c.Name))
	input := c.Input
	if input == "" {
		input = `{"id": "k"}`
	}
	line("    input: %s", canonical(mustJSON(input)))
	activities := called(t, c)
	if len(activities) > 0 {
		line("    mocks:")
	}
	for _, activity := range activities {
		answers := c.Mocks[activity]
		if answers == nil {
			line("      %s: {output: {}}", activity)
			continue
		}
		var list []any
		for _, a := range answers {
			list = append(list, mockOf(a))
		}
		if len(list) == 1 {
			line("      %s: %s", activity, canonical(list[0]))
		} else {
			line("      %s: %s", activity, canonical(list))
		}
	}
	outsideOf(line, c)
	line("    expect: %s", canonical(expectOf(c)))
	return b.String()
}

// schemas are those of Strict.
var schemas = map[string]string{
	"t.strict":     `"input": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}, "additionalProperties": true}, "output": {"type": "object", "required": ["ref"], "properties": {"ref": {"type": "string"}}, "additionalProperties": true}`,
	"t.undoStrict": `"input": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}, "additionalProperties": true}`,
}

// manifestFile says which activities there are.
func manifestFile(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	all := map[string]bool{}
	for _, c := range slices.Concat(Cases, EdgeCases) {
		plan, err := compileFamily(c.Head, c.Steps, c.Sagas)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range append([]*dsl.Plan{plan}, plan.Sagas()...) {
			for _, s := range p.EveryStep() {
				for _, activity := range s.Activities() {
					all[activity] = true
				}
			}
		}
	}
	b.WriteString("[\n  {\"plugin\": \"t\", \"version\": \"1.0.0\", \"protocol\": 1, \"activities\": [\n")
	for i, activity := range slices.Sorted(maps.Keys(all)) {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, "    {\"name\": %q", activity)
		if s := schemas[activity]; s != "" {
			b.WriteString(", " + s)
		}
		b.WriteString("}")
	}
	b.WriteString("\n  ]}\n]\n")
	return b.String()
}

// called gives the activities that stand in the definitions as actions, or in the
// mocks. Compensations and probes need no mock.
func called(t *testing.T, c *Case) []string {
	t.Helper()
	plan, err := compileFamily(c.Head, c.Steps, c.Sagas)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, p := range append([]*dsl.Plan{plan}, plan.Sagas()...) {
		for _, s := range p.EveryStep() {
			if s.Call != nil {
				all[s.Call.Activity] = true
			}
		}
	}
	for activity := range c.Mocks {
		all[activity] = true
	}
	return slices.Sorted(maps.Keys(all))
}

func mockOf(a Answer) map[string]any {
	m := map[string]any{}
	fail := map[string]any{"code": a.Outcome.Code}
	switch {
	case a.Silent:
		m["unknown"] = map[string]any{"applied": a.Effect}
	case a.Outcome.Class == engine.Applied && a.Outcome.Code != "":
		m["output"], m["invalid"] = map[string]any{}, true
	case a.Outcome.Class == engine.Applied:
		m["output"] = a.Outcome.Output
	case a.Outcome.Class == engine.Rejected:
		m["reject"] = fail
	default:
		m["fail"] = fail
		if a.Outcome.Class == engine.NotSent {
			fail["sent"] = false
		}
		if a.Effect {
			fail["applied"] = true
		}
		if a.Outcome.Final {
			fail["final"] = true
		}
	}
	if a.Delay > 0 {
		m["delay"] = duration(a.Delay)
	}
	return m
}

func duration(d time.Duration) string { return dsl.FormatDuration(d) }

// outsideOf writes what comes from outside.
func outsideOf(line func(string, ...any), c *Case) {
	lists := map[string][]any{}
	for _, h := range c.Outside {
		entry := map[string]any{}
		if h.After > 0 {
			entry["at"] = duration(h.After)
		}
		switch {
		case h.Cancel:
			lists["cancels"] = append(lists["cancels"], entry)
		case h.Signal != nil:
			entry["id"], entry["name"], entry["data"] = h.Signal.ID, h.Signal.Name, h.Signal.Data
			lists["signals"] = append(lists["signals"], entry)
		default:
			o := h.Operator
			entry["command"], entry["path"], entry["id"], entry["actor"], entry["reason"] = o.Command, o.Path, o.ID, o.Actor, o.Reason
			if o.Applied != nil {
				entry["applied"] = *o.Applied
			}
			for key, v := range map[string]any{"output": o.Output, "input": o.Input} {
				if v != nil {
					entry[key] = v
				}
			}
			if o.Reason == "" {
				delete(entry, "reason")
			}
			lists["commands"] = append(lists["commands"], entry)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(lists)) {
		line("    %s:", key)
		for _, entry := range lists[key] {
			line("      - %s", canonical(entry))
		}
	}
}

func expectOf(c *Case) map[string]any {
	e := map[string]any{"outcome": c.Outcome, "trace": texts(strings.Fields(c.Trace))}
	if c.Outcome == "" {
		e["outcome"] = engine.OutcomeCompleted
	}
	if step, code, ok := strings.Cut(c.Cause, " "); ok {
		cause := map[string]any{"code": code}
		if step != "-" {
			cause["step"] = step
		}
		e["cause"] = cause
	}
	if c.AnyOrder {
		e["anyOrder"] = true
	}
	if c.Output != "" {
		e["output"] = mustJSON(c.Output)
	}
	calls, inputs, states := map[string]any{}, map[string]any{}, map[string]any{}
	for activity, n := range c.Calls {
		calls[activity] = n
	}
	for activity, input := range c.Inputs {
		inputs[activity] = mustJSON(input)
	}
	for path, state := range c.States {
		states[path] = string(state)
	}
	for key, m := range map[string]map[string]any{"calls": calls, "inputs": inputs, "states": states} {
		if len(m) > 0 {
			e[key] = m
		}
	}
	if len(c.Outside) > 0 && c.Replies != nil {
		var replies []string
		for _, code := range c.Replies {
			if code == "" {
				code = "accepted"
			}
			replies = append(replies, code)
		}
		e["replies"] = texts(replies)
	}
	return e
}

func texts(list []string) []any {
	all := make([]any, len(list))
	for i, s := range list {
		all[i] = s
	}
	return all
}
