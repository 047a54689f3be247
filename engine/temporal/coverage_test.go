package temporal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// coverage is what the histories of the corpus hold.
type coverage struct {
	mu          sync.Mutex
	kinds       map[dsl.Kind]bool
	events      map[engine.EventKind]bool
	commands    map[engine.CommandKind]bool
	transitions map[engine.Transition]bool
}

// TestCorpusReplays proves that this version of the interpreter does what the
// versions that recorded the corpus did, and that the corpus holds every kind of
// step, event, command and transition there is: a new one needs a frozen history.
func TestCorpusReplays(t *testing.T) {
	c := &coverage{kinds: map[dsl.Kind]bool{}, events: map[engine.EventKind]bool{}, commands: map[engine.CommandKind]bool{}, transitions: map[engine.Transition]bool{}}
	t.Run("histories", func(t *testing.T) {
		for _, file := range frozenFiles(t) {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".json.gz"), func(t *testing.T) {
				t.Parallel()
				h := readFrozen(t, file)
				_, seen, err := replay(h)
				if err != nil {
					t.Error(err)
				} else {
					c.add(t, seen, h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()[0].GetData())
				}
			})
		}
	})
	for name, value := range constants(t, "../../dsl", "Kind") {
		if !c.kinds[dsl.Kind(number(t, value))] {
			t.Errorf("no frozen history has a step of %s: add a scenario to cmd/sagad/endtoend/frozen_test.go, then make histories", name)
		}
	}
	for name, value := range constants(t, "..", "EventKind") {
		if !c.events[engine.EventKind(number(t, value))] {
			t.Errorf("no frozen history has an %s", name)
		}
	}
	for name, value := range constants(t, "..", "CommandKind") {
		if !c.commands[engine.CommandKind(number(t, value))] {
			t.Errorf("no frozen history has a %s", name)
		}
	}
	for name, value := range constants(t, "..", "Transition") {
		if !c.transitions[engine.Transition(value)] {
			t.Errorf("no frozen history has a %s", name)
		}
	}
}

func (c *coverage) add(t *testing.T, seen *witness, packed []byte) {
	canonical, err := decompressor.DecodeAll(packed, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := dsl.Load(canonical)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addSteps(plan.Steps)
	for _, k := range seen.events {
		c.events[k] = true
	}
	for _, k := range seen.commands {
		c.commands[k] = true
	}
	for _, k := range seen.transitions {
		c.transitions[k] = true
	}
}

func (c *coverage) addSteps(steps []*dsl.Step) {
	for _, s := range steps {
		c.kinds[s.Kind] = true
		for _, inner := range s.Blocks() {
			c.addSteps(inner)
		}
	}
}

// constants gives the names and values of the constants of a type in a package:
// those that count up from 1 as numbers, texts as they are.
func constants(t *testing.T, dir, of string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if block, ok := d.(*ast.GenDecl); ok && block.Tok == token.CONST {
				addConstants(found, block, of)
			}
		}
	}
	if len(found) < 5 {
		t.Fatalf("only %d constants of %s", len(found), of)
	}
	return found
}

func addConstants(found map[string]string, block *ast.GenDecl, of string) {
	counting := false
	for i, spec := range block.Specs {
		v := spec.(*ast.ValueSpec)
		if typ, ok := v.Type.(*ast.Ident); ok || len(v.Values) > 0 {
			counting = ok && typ.Name == of
		}
		if !counting {
			continue
		}
		value := strconv.Itoa(i + 1)
		if len(v.Values) > 0 {
			if text, ok := v.Values[0].(*ast.BasicLit); ok {
				value, _ = strconv.Unquote(text.Value) // the parser took it
			}
		}
		found[v.Names[0].Name] = value
	}
}

func number(t *testing.T, value string) int {
	t.Helper()
	n, err := strconv.Atoi(value)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestConstants proves that constants reads what stands there.
func TestConstants(t *testing.T) {
	kinds, events, transitions := constants(t, "../../dsl", "Kind"), constants(t, "..", "EventKind"), constants(t, "..", "Transition")
	if dsl.Kind(number(t, kinds["KindCall"])) != dsl.KindCall || dsl.Kind(number(t, kinds["KindComplete"])) != dsl.KindComplete {
		t.Errorf("kinds: %v", kinds)
	}
	if engine.EventKind(number(t, events["EventStarted"])) != engine.EventStarted || engine.EventKind(number(t, events["EventOperator"])) != engine.EventOperator {
		t.Errorf("events: %v", events)
	}
	if engine.Transition(transitions["TransitionClosed"]) != engine.TransitionClosed || len(transitions) < 15 {
		t.Errorf("transitions: %v", transitions)
	}
}
