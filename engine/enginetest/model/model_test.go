package model

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

var (
	cases  = flag.Int("cases", 4000, "how many cases TestModel draws")
	seed   = flag.Uint64("seed", 1, "what TestModel draws them from")
	first  = flag.Int("case", 0, "the first case that TestModel draws")
	replay = flag.String("replay", "", "a definition that TestModel runs again, with the script beside it")
)

// scriptsPerDefinition is how many cases share a definition: compiling takes
// longer than running.
const scriptsPerDefinition = 8

// drawn is a case.
type drawn struct {
	definition *definition
	script     *Script
	plan       *dsl.Plan
	start      *engine.Start
}

// draw draws the cases that share a definition: n and those that follow it.
func draw(seed uint64, n int) ([]drawn, error) {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, uint64(n)))}
	d := g.definition()
	plan, err := compile(d.family())
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, d.family())
	}
	list := make([]drawn, scriptsPerDefinition)
	for i := range list {
		script := g.script()
		start, err := prepare(plan, script)
		if err != nil {
			return nil, err
		}
		g.aim(plan, start, script)
		list[i] = drawn{d, script, plan, start}
	}
	return list, nil
}

// TestModel compares machine and model on random cases.
func TestModel(t *testing.T) {
	if *replay != "" {
		c, err := read(*replay)
		if err != nil {
			t.Fatal(err)
		}
		if diff := c.differs(Run); diff != "" {
			t.Error(diff)
		}
		return
	}
	begin := time.Now()
	var next, failed atomic.Int64
	next.Store(int64(*first))
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for failed.Load() == 0 {
				n := int(next.Add(scriptsPerDefinition)) - scriptsPerDefinition
				if n >= *first+*cases {
					return
				}
				if problem := check(*seed, n, filepath.Join("testdata", "failures")); problem != "" && failed.Add(1) == 1 {
					t.Errorf("seed %d: %s", *seed, problem)
				}
			}
		})
	}
	workers.Wait()
	t.Logf("%d cases in %s", *cases, time.Since(begin).Round(time.Second))
}

// check draws the cases from n on that share a definition, and compares. What
// differs is shrunk and written to a folder.
func check(seed uint64, n int, folder string) string {
	list, err := draw(seed, n)
	if err != nil {
		return fmt.Sprintf("case %d: %s", n, err)
	}
	for i, c := range list {
		if c.differs(Run) == "" {
			continue
		}
		c = c.shrink(Run)
		name := filepath.Join(folder, fmt.Sprintf("%d-%d.yaml", seed, n+i))
		return fmt.Sprintf("case %d: %s\nrun it again with\n\tgo test ./engine/enginetest/model -run TestModel -replay %s",
			n+i, errors.Join(errors.New(c.differs(Run)), c.write(name)), name)
	}
	return ""
}

// differs runs a case on machine and model.
func (c drawn) differs(model interpreter) string {
	return difference(machine(c.plan, c.start, startedAt, c.script), model(c.plan, c.start, startedAt, c.script))
}

// shrink gives the simplest case it finds on which machine and model still
// differ.
func (c drawn) shrink(model interpreter) drawn {
	c.definition, c.script = shrink(c.definition, c.script, func(d *definition, script *Script) bool {
		simpler, err := newCase(d, script)
		return err == nil && simpler.differs(model) != ""
	})
	c, err := newCase(c.definition, c.script)
	if err != nil {
		panic(err) // it was a case a moment ago
	}
	return c
}

// newCase compiles a definition and prepares a script.
func newCase(d *definition, script *Script) (c drawn, err error) {
	c = drawn{definition: d, script: script}
	if c.plan, err = compile(d.family()); err != nil {
		return c, err
	}
	c.start, err = prepare(c.plan, script)
	return c, err
}

// write writes a case: the definition, beside it the script, and the definitions
// of children.
func (c drawn) write(name string) error {
	err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(beside(name, "script"), []byte(c.script.text()), 0o600))
	for saga, yaml := range c.definition.family() {
		file := name
		if saga != root {
			file = beside(name, saga+".yaml")
		}
		err = errors.Join(err, os.WriteFile(file, []byte(yaml), 0o600))
	}
	return err
}

// beside is the name of another file of the same case.
func beside(name, other string) string {
	return strings.TrimSuffix(name, "yaml") + other
}

// read reads what write wrote.
func read(name string) (c drawn, err error) {
	family := map[string]string{}
	files, err := filepath.Glob(beside(name, "*yaml"))
	if err != nil {
		return c, err
	}
	for _, file := range files {
		yaml, err := os.ReadFile(file)
		if err != nil {
			return c, err
		}
		saga := root
		if file != name {
			saga = strings.TrimSuffix(strings.TrimPrefix(file, beside(name, "")), ".yaml")
		}
		family[saga] = string(yaml)
	}
	text, err := os.ReadFile(beside(name, "script"))
	if err != nil {
		return c, err
	}
	if c.script, err = parseScript(string(text)); err != nil {
		return c, err
	}
	if c.plan, err = compile(family); err != nil {
		return c, err
	}
	c.start, err = prepare(c.plan, c.script)
	return c, err
}

// TestMistakes breaks one rule of the model after the other: comparing finds each
// of them, and shrinks what it finds to a few steps.
func TestMistakes(t *testing.T) {
	const enough = 8000
	unseen := slices.Clone(mistakes)
	for n := 0; n < enough && len(unseen) > 0; n += scriptsPerDefinition {
		list, err := draw(1, n)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range list {
			right := machine(c.plan, c.start, startedAt, c.script)
			unseen = slices.DeleteFunc(unseen, func(wrong mistake) bool {
				mutant := func(plan *dsl.Plan, start *engine.Start, at time.Time, script *Script) *Observed {
					return run(plan, start, at, script, wrong)
				}
				if equal(right, mutant(c.plan, c.start, startedAt, c.script)) {
					return false
				}
				t.Run(string(wrong), func(t *testing.T) { shrinks(t, n+i, c, mutant) })
				return true
			})
		}
	}
	for _, wrong := range unseen {
		t.Errorf("not found in %d cases: %s", enough, wrong)
	}
}

// shrinks shrinks a case that a mutant fails, writes it, reads it and finds the
// difference again.
func shrinks(t *testing.T, n int, c drawn, mutant interpreter) {
	c = c.shrink(mutant)
	name := filepath.Join(t.TempDir(), "case.yaml")
	if err := c.write(name); err != nil {
		t.Fatal(err)
	}
	again, err := read(name)
	if err != nil {
		t.Fatal(err)
	}
	if again.differs(mutant) == "" {
		t.Error("what was written does not differ")
	}
	yaml := c.definition.yaml()
	if lines := strings.Count(yaml, "\n"); lines > 30 {
		t.Errorf("%d lines are left", lines)
	}
	t.Logf("found by case %d\n%s%s", n, yaml, c.script.text())
}
