package model

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	cases  = flag.Int("cases", 20_000, "how many cases TestModel draws")
	seed   = flag.Uint64("seed", 1, "what TestModel draws them from")
	first  = flag.Int("case", 0, "the first case that TestModel draws")
	replay = flag.String("replay", "", "a definition that TestModel runs again, with the script beside it")
)

// scriptsPerDefinition is how many cases share a definition: compiling takes
// longer than running.
const scriptsPerDefinition = 8

// draw draws a case.
func draw(seed uint64, n int) (*definition, *Script) {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, uint64(n/scriptsPerDefinition)))}
	d := g.definition()
	g.Rand = rand.New(rand.NewPCG(seed, 1<<40+uint64(n)))
	return d, g.script()
}

// TestModel compares machine and model on random cases.
func TestModel(t *testing.T) {
	if *replay != "" {
		replayCase(t, *replay)
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
				for i := n; i < n+scriptsPerDefinition; i++ {
					if problem := check(*seed, i); problem != "" && failed.Add(1) == 1 {
						t.Errorf("case %d of seed %d: %s", i, *seed, problem)
					}
				}
			}
		})
	}
	workers.Wait()
	t.Logf("%d cases in %s", *cases, time.Since(begin).Round(time.Second))
}

func check(seed uint64, n int) string {
	d, script := draw(seed, n)
	return trial(d.yaml(), script)
}

func trial(yaml string, script *Script) string {
	plan, err := compile(yaml)
	if err != nil {
		return err.Error() + "\n" + yaml
	}
	start, err := prepare(plan, script)
	if err != nil {
		return err.Error()
	}
	if diff := difference(machine(plan, start, startedAt, script), Run(plan, start, startedAt, script)); diff != "" {
		return fmt.Sprintf("%s\n%s\n%s", diff, yaml, script.text())
	}
	return ""
}

func replayCase(t *testing.T, name string) {
	yaml, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(strings.TrimSuffix(name, ".yaml") + ".script")
	if err != nil {
		t.Fatal(err)
	}
	script, err := parseScript(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if problem := trial(string(yaml), script); problem != "" {
		t.Error(problem)
	}
}
