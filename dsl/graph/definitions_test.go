package graph

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sagad/sagad/dsl"
)

const examples = "../../definitions/examples"

// shelf finds sagas in a folder.
type shelf string

func (s shelf) Find(name, _ string) (dsl.Definition, error) {
	var found dsl.Definition
	err := filepath.WalkDir(string(s), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && strings.Contains("\n"+string(text), "\nsaga: "+name+"\n") && !strings.HasSuffix(path, "_test.yaml") {
			found = dsl.Definition{Source: dsl.Source{Name: path, Data: text}, Files: os.DirFS(filepath.Dir(path))}
		}
		return err
	})
	if err == nil && found.Data == nil {
		err = fmt.Errorf("no saga %s in %s", name, string(s))
	}
	return found, err
}

// compileFile compiles a definition with the sagas beside it.
func compileFile(t testing.TB, path string, sagas dsl.Sagas) *dsl.Plan {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	if sagas == nil {
		sagas = shelf(dir)
	}
	plan, diags := dsl.Compile(dsl.Source{Name: path, Data: text}, dsl.Options{Files: os.DirFS(dir), Sagas: sagas})
	if plan == nil {
		t.Fatal(diags)
	}
	return plan
}

// compile compiles steps.
func compile(t testing.TB, steps string) *dsl.Plan {
	t.Helper()
	plan, diags := dsl.Compile(dsl.Source{Data: []byte("saga: t\nkey: ${{ input.id }}\nsteps:\n" + steps)}, dsl.Options{Sagas: children})
	if plan == nil {
		t.Fatalf("%v\n%s", diags, steps)
	}
	return plan
}

// children are sagas that definitions of tests run.
var children = dsl.Definitions{
	"other":  {Name: "other.yaml", Data: []byte("saga: other\nkey: ${{ input.id }}\nsteps: [{id: o, call: t.o, compensate: {call: t.undo}}]\n")},
	"hold":   {Name: "hold.yaml", Data: []byte("saga: hold\nkey: ${{ input.id ?? \"h\" }}\nsteps:\n  - {id: take, call: t.take, compensate: {call: t.give}}\n")},
	"payout": {Name: "payout.yaml", Data: []byte("saga: payout\nkey: ${{ input.id }}\nsteps:\n  - {id: h, saga: hold, with: {}}\n  - {id: note, set: {x: 1}}\n")},
	"finish": {Name: "finish.yaml", Data: []byte("saga: finish\nkey: ${{ input.id }}\nsteps:\n  - {id: settle, call: t.settle, effect: retriable}\n")},
}

const hostile = `  - id: end
    name: 'a "b" <c> #d; "e" 100% & [x] {y} (z) | end --> ~ \ %% comment'
    if: input.x == "subgraph" && input.y != 'end'
    set: {graph: 1}
  - {id: graph, scope: {do: [{id: click, sleep: "${{ input.a + \"s\" }}"}]}}
  - {id: subgraph, switch: [{when: "input.z in [\"a\", {b: 1}.b]", do: [{id: style, parallel: {branches: {end: [{id: class, set: {a: 1}}]}}}]}]}
  - {id: tick, name: '` + "`x`" + `', sleep: 1s}
`

const family = `  - id: each
    foreach: {in: input.list, key: item.id, do: [{id: pay, saga: payout, with: {id: "${{ item.id }}"}}]}
  - id: last
    saga: finish
    with: "${{ input }}"
    catch: [{on: ["*"], do: [{id: note, saga: hold}]}]
`

// plans are the definitions that the tests draw.
func plans(t testing.TB) map[string]*dsl.Plan {
	all := map[string]*dsl.Plan{
		"everything": compileFile(t, "../testdata/agree/everything.yaml", children),
		"hostile":    compile(t, hostile),
		"family":     compile(t, family),
		"deep":       compile(t, deep(5, "  ")),
		"wide":       compile(t, wide(30)),
		"long":       compile(t, long(300)),
	}
	files, err := filepath.Glob(examples + "/*/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no definitions", err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.HasPrefix(sagaOf(string(text)), "saga: ") && !strings.HasSuffix(file, "_test.yaml") {
			all[strings.TrimSuffix(filepath.Base(file), ".yaml")] = compileFile(t, file, nil)
		}
	}
	return all
}

// sagaOf gives the first line of a text that is no comment.
func sagaOf(text string) string {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			return line
		}
	}
	return ""
}

// deep nests blocks of all kinds.
func deep(levels int, indent string) string {
	if levels == 0 {
		return indent + "- {id: leaf, call: t.leaf, compensate: {call: t.undo}, catch: [{on: [X], do: [{id: caught, call: t.caught, compensate: {call: t.undo}}]}]}\n" +
			indent + "- {id: after, name: A step with quite a long name that goes on and on and on and then some more, call: t.after, effect: none}\n"
	}
	inner := deep(levels-1, indent+"      ")
	id := fmt.Sprintf("l%d", levels)
	switch levels % 4 {
	case 0:
		return indent + "- id: " + id + "\n" + indent + "  foreach:\n" + indent + "    in: input.list\n" + indent + "    do:\n" + inner
	case 1:
		return indent + "- id: " + id + "\n" + indent + "  parallel:\n" + indent + "    branches:\n" + indent + "     a:\n" + inner +
			indent + "     b: [{id: " + id + "b, call: t.b, compensate: {call: t.undo}}]\n"
	case 2:
		return indent + "- id: " + id + "\n" + indent + "  if: input.yes == true\n" + indent + "  switch:\n" + indent + "   - when: input.x == 1\n" + indent + "     do:\n" + inner +
			indent + "   - when: input.x == 2\n" + indent + "     do: [{id: " + id + "b, set: {x: 1}}]\n"
	}
	return indent + "- id: " + id + "\n" + indent + "  scope:\n" + indent + "    do:\n" + inner + indent + "  catch: [{on: ['*'], do: [{id: " + id + "c, set: {x: 2}}]}]\n"
}

// wide has many branches.
func wide(branches int) string {
	var b strings.Builder
	b.WriteString("  - {id: before, call: t.before, compensate: {call: t.undo}}\n  - id: all\n    parallel:\n      branches:\n")
	for i := range branches {
		if i%3 == 0 {
			fmt.Fprintf(&b, "        b%d: [{id: r%d, call: t.read, effect: none}]\n", i, i)
		} else {
			fmt.Fprintf(&b, "        b%d: [{id: c%d, call: t.c, compensate: {call: t.undo}}, {id: d%d, call: t.d, compensate: {call: t.undo}}]\n", i, i, i)
		}
	}
	b.WriteString("  - {id: pay, call: t.pay, effect: pivot, probe: {call: t.status}}\n")
	return b.String()
}

// long has many steps.
func long(steps int) string {
	var b strings.Builder
	for i := range steps {
		fmt.Fprintf(&b, "  - {id: s%d, call: t.s, compensate: {call: t.undo}}\n", i)
	}
	return b.String()
}

// writer writes random steps that lint accepts.
type writer struct {
	r   *rapid.T
	ids int
}

func (w *writer) n(limit int) int { return rapid.IntRange(0, limit-1).Draw(w.r, "n") }

func (w *writer) id() string {
	w.ids++
	return fmt.Sprintf("s%d", w.ids)
}

// list writes steps in flow style.
func (w *writer) list(depth int) string {
	var steps []string
	for range 1 + w.n(3) {
		steps = append(steps, w.step(depth))
	}
	return "[" + strings.Join(steps, ", ") + "]"
}

func (w *writer) step(depth int) string {
	id := w.id()
	head := "{id: " + id
	if w.n(3) == 0 {
		head += ", if: input." + id + " == true"
	}
	if w.n(4) == 0 {
		head += ", name: A longer name of the step that goes over several lines of " + id
	}
	if w.n(4) == 0 && depth > 0 {
		head += ", catch: [{on: [A, B], do: " + w.list(depth-1) + "}, {on: ['*'], do: " + w.list(0) + "}]"
		return head + ", call: t.a, compensate: {call: t.undo}}"
	}
	kinds := 6
	if depth > 0 {
		kinds = 11
	}
	switch w.n(kinds) {
	case 0, 1:
		return head + ", call: plugin." + id + ", compensate: {call: plugin.undo}}"
	case 2:
		return head + ", call: t.read, effect: none}"
	case 3:
		return head + ", sleep: 3s}"
	case 4:
		return head + ", set: {" + id + ": 1}}"
	case 5:
		return head + ", saga: payout, with: {id: x}}"
	case 6, 7:
		branches := ""
		for i := range 1 + w.n(3) {
			branches += fmt.Sprintf("b%d: %s, ", i, w.list(depth-1))
		}
		return head + ", parallel: {branches: {" + branches + "}}}"
	case 8:
		return head + ", foreach: {in: input.list, as: item_" + id + ", do: " + w.list(depth-1) + "}}"
	case 9:
		cases := fmt.Sprintf("{when: input.%s == 1, do: %s}, ", id, w.list(depth-1))
		if w.n(2) == 0 {
			cases += "{else: " + w.list(depth-1) + "}"
		}
		return head + ", switch: [" + cases + "]}"
	}
	return head + ", scope: {do: " + w.list(depth-1) + "}, catch: [{on: [C], do: " + w.list(depth-1) + "}]}"
}

func (w *writer) saga() string {
	text := ""
	for range 1 + w.n(4) {
		text += "  - " + w.step(3) + "\n"
	}
	switch w.n(4) {
	case 0:
		text += "  - {id: pay, call: t.pay, effect: pivot, probe: {call: t.status}}\n  - {id: settle, call: t.settle, effect: retriable}\n"
	case 1:
		text += "  - {id: settle, call: t.settle, effect: retriable}\n"
	case 2:
		text += "  - {id: pay, call: t.pay, effect: pivot, probe: {call: t.status}, catch: [{on: [LIMIT], do: [{id: pay2, call: t.pay, effect: pivot, probe: {call: t.status}}]}, {on: ['*'], do: [{id: stop, fail: {code: NO}}]}]}\n"
	}
	return text
}
