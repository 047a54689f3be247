package dsl

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestPivotOrderIsProved compares the checks of S11 with a dumb model that
// walks one way after the other through a definition: what lint accepts breaks
// S11 on no way, and for what it refuses there is a way that does.
func TestPivotOrderIsProved(t *testing.T) {
	refused := 0
	rapid.Check(t, func(t *rapid.T) {
		children := drawChildren(t)
		g := stepGenerator{t: t, sagas: slices.Sorted(maps.Keys(children))}
		source := head + "steps:\n" + g.list(2, "  ")
		plan, diags := Compile(Source{Data: []byte(source)}, Options{Sagas: children})
		broken := false
		for _, d := range diags {
			switch d.Code {
			case CodePivotOrder, CodePivotInBlock, CodeFailAfterPivot:
				broken = true
			case CodeUnreachable, CodePivotInDoubt, CodeCompleteInside, CodeCatch:
			default:
				t.Fatalf("%v\n%s", d, source)
			}
		}
		if broken {
			refused++
		}
		// The plan of a refused definition is still what was read.
		c := newCompiler("", Options{Sagas: children})
		c.definition(c.readYAML([]byte(source)))
		violation, exhausted := violates(c.plan.Steps)
		switch {
		case broken && violation == "" && !exhausted:
			t.Skip("too many ways")
		case !broken && violation != "":
			t.Fatalf("lint accepts a definition in which %s:\n%s%s", violation, source, children)
		case broken && violation == "":
			t.Fatalf("lint refuses, and no way breaks the rule:\n%v\n%s%s", diags, source, children)
		}
		if !broken && plan == nil && !diags.HasErrors() {
			t.Fatal("no plan and no error")
		}
	})
	if refused == 0 {
		t.Error("no definition was refused: the test shows nothing")
	}
}

// TestReadsAreProved does the same for reads of steps: lint accepts
// steps.x.output exactly where x ran on every way that leads there.
func TestReadsAreProved(t *testing.T) {
	refused, accepted := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		g := stepGenerator{t: t, reads: true}
		source := head + "steps:\n" + g.list(2, "  ")
		_, diags := Compile(Source{Data: []byte(source)}, Options{})
		broken := false
		for _, d := range diags {
			switch d.Code {
			case CodeStepOrder, CodeMaybeAbsent:
				broken = true
			case CodeUnreachable, CodeCatch, CodeCompleteInside:
				t.Skip("what is never reached is checked, and not walked")
			case CodeUnusedVariable:
			default:
				t.Fatalf("%v\n%s", d, source)
			}
		}
		c := newCompiler("", Options{})
		c.definition(c.readYAML([]byte(source)))
		violation, exhausted := violates(c.plan.Steps)
		switch {
		case broken && violation == "" && !exhausted:
			t.Skip("too many ways")
		case !broken && violation != "":
			t.Fatalf("lint accepts a definition in which %s:\n%s", violation, source)
		case broken && violation == "":
			t.Fatalf("lint refuses, and every way is fine:\n%v\n%s", diags, source)
		case broken:
			refused++
		case strings.Contains(source, "steps.s"):
			accepted++
		}
	})
	if total := refused + accepted; total >= 500 && (refused == 0 || accepted == 0) { // few draws may miss one of them
		t.Errorf("%d definitions with reads were refused and %d accepted: the test shows nothing", refused, accepted)
	}
}

// maxWays bounds the search for a way that breaks the rule.
const maxWays = 20_000

// violates tries every way through the steps, one choice after the other.
func violates(steps []*Step) (violation string, exhausted bool) {
	w := pathWalk{}
	for range maxWays {
		w.next, w.after, w.inside, w.ran = 0, false, 0, map[string]bool{}
		w.list(steps)
		if w.violation != "" {
			return w.violation, false
		}
		// The last choice that has another possibility takes it.
		for len(w.choices) > 0 {
			last := &w.choices[len(w.choices)-1]
			if last.taken++; last.taken < last.of {
				break
			}
			w.choices = w.choices[:len(w.choices)-1]
		}
		if len(w.choices) == 0 {
			return "", true
		}
	}
	return "", false
}

// drawChildren writes up to three sagas that lint accepts; each may run those
// before it.
func drawChildren(t *rapid.T) Definitions {
	children := Definitions{}
	for i := range rapid.IntRange(0, 3).Draw(t, "children") {
		name := fmt.Sprintf("c%d", i)
		g := stepGenerator{t: t, sagas: slices.Sorted(maps.Keys(children))}
		source := Source{Data: []byte("saga: " + name + "\nkey: ${{ input.id }}\nsteps:\n" + g.list(1, "  "))}
		if plan, _ := Compile(source, Options{Sagas: children}); plan != nil {
			children[name] = source
		}
	}
	return children
}

// String is the text of all definitions, for messages.
func (d Definitions) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(d)) {
		fmt.Fprintf(&b, "--- %s\n%s", name, d[name].Data)
	}
	return b.String()
}

// stepGenerator writes random steps.
type stepGenerator struct {
	t     *rapid.T
	n     int
	reads bool     // no effects, but reads of steps
	sagas []string // that steps may run
}

func (g *stepGenerator) pick(what string, of ...string) string {
	return rapid.SampledFrom(of).Draw(g.t, what)
}

func (g *stepGenerator) list(depth int, indent string) string {
	var b strings.Builder
	for range rapid.IntRange(1, 2).Draw(g.t, "steps") {
		b.WriteString(g.step(depth, indent))
	}
	return b.String()
}

func (g *stepGenerator) step(depth int, indent string) string {
	g.n++
	kinds := []string{"none", "comp", "comp", "pivot", "retriable", "fail", "wait"}
	if g.reads {
		kinds = []string{"none", "read", "read", "fail", "wait"}
	}
	if len(g.sagas) > 0 {
		kinds = append(kinds, "saga", "saga")
	}
	if depth > 0 {
		kinds = append(kinds, "scope", "switch", "parallel", "foreach", "complete")
	}
	in := indent + "  "
	s := fmt.Sprintf("%s- id: s%d\n", indent, g.n)
	if g.pick("if", "no", "no", "yes") == "yes" {
		s += in + "if: input.x\n"
	}
	inner := func() string { return g.list(depth-1, in+"    ") }
	switch kind := g.pick("kind", kinds...); kind {
	case "none", "pivot", "retriable":
		s += in + "call: t.a\n" + in + "effect: " + kind + "\n"
	case "read":
		s += in + fmt.Sprintf("set: {v%d: \"${{ steps.s%d.output }}\"}\n", g.n, rapid.IntRange(1, g.n).Draw(g.t, "read"))
	case "comp":
		s += in + "call: t.a\n" + in + "compensate: {call: t.b}\n"
	case "saga":
		s += in + "saga: " + g.pick("saga", g.sagas...) + "\n"
	case "fail":
		s += in + "fail: {code: NO}\n"
	case "complete":
		s += in + "complete: {}\n"
	case "wait":
		s += in + "await: {signal: s, timeout: 1s}\n"
	case "scope":
		s += in + "scope:\n" + in + "  do:\n" + inner()
	case "foreach":
		s += in + "foreach:\n" + in + fmt.Sprintf("  as: item%d\n", g.n) + in + "  in: input.list\n" + in + "  do:\n" + inner()
	case "switch":
		s += in + "switch:\n" + in + "  - when: input.y\n" + in + "    do:\n" + inner()
		if g.pick("else", "no", "yes") == "yes" {
			s += in + "  - else:\n" + inner()
		}
	case "parallel":
		s += in + "parallel:\n" + in + "  branches:\n" + in + "    one:\n" + g.list(depth-1, in+"      ") + in + "    two:\n" + g.list(depth-1, in+"      ")
	}
	if depth > 0 {
		switch g.pick("catch", "no", "no", "some", "all") {
		case "some":
			s += in + "catch:\n" + in + "  - on: [A]\n" + in + "    do:\n" + inner()
		case "all":
			s += in + "catch:\n" + in + "  - on: [\"*\"]\n" + in + "    do:\n" + inner()
		}
	}
	return s
}

// pathWalk walks one way: the one of its choices.
type pathWalk struct {
	choices   []choice
	next      int  // the choice that comes next
	after     bool // the point of no return is passed
	inside    int  // blocks around whose parts run at the same time
	ran       map[string]bool
	violation string
}

type choice struct{ taken, of int }

// choose returns one of n possibilities.
func (w *pathWalk) choose(n int) int {
	if w.next == len(w.choices) {
		w.choices = append(w.choices, choice{0, n})
	}
	w.next++
	return w.choices[w.next-1].taken
}

type ending uint8

const (
	endsWell ending = iota
	endsFailed
	endsSaga
)

func (w *pathWalk) coin() bool { return w.choose(2) == 1 }

func (w *pathWalk) breaks(s *Step, what string) {
	if w.violation == "" {
		w.violation = fmt.Sprintf("%s: %s", s.ID, what)
	}
}

func (w *pathWalk) list(steps []*Step) ending {
	for _, s := range steps {
		if e := w.step(s); e != endsWell {
			return e
		}
	}
	return endsWell
}

func (w *pathWalk) step(s *Step) ending {
	if s.If != nil && w.coin() {
		return endsWell // skipped
	}
	e := w.handled(s)
	if e == endsWell {
		w.ran[s.ID] = true
	}
	return e
}

// handled runs a step and, if it fails, its handlers.
func (w *pathWalk) handled(s *Step) ending {
	e := endsFailed
	if s.If == nil || w.coin() { // or it cannot be evaluated
		e = w.body(s)
	}
	if e != endsFailed {
		return e
	}
	for _, c := range s.Catch {
		if c.On[0] == "*" || w.coin() {
			return w.list(c.Do)
		}
	}
	return endsFailed
}

// either ends well or fails.
func (w *pathWalk) either() ending {
	if w.coin() {
		return endsFailed
	}
	return endsWell
}

func (w *pathWalk) body(s *Step) ending {
	switch s.Kind {
	case KindCall:
		return w.call(s)
	case KindFail:
		if w.after {
			w.breaks(s, "fail after the point of no return")
		}
		return endsFailed
	case KindComplete:
		return endsSaga
	case KindSaga:
		return w.child(s)
	case KindScope:
		return w.list(s.Scope.Do)
	case KindSwitch:
		n := len(s.Switch.Cases)
		i := w.choose(n + 1)
		if i == n {
			if s.Switch.Cases[n-1].When == nil {
				i = n - 1
			} else {
				return w.either()
			}
		}
		return w.list(s.Switch.Cases[i].Do)
	case KindParallel:
		w.inside++
		defer func() { w.inside-- }()
		e, before, after := endsWell, w.ran, maps.Clone(w.ran)
		defer func() { w.ran = after }()
		first := w.choose(len(s.Parallel.Branches))
		for i := range s.Parallel.Branches {
			i = (i + first) % len(s.Parallel.Branches)
			w.ran = maps.Clone(before)
			if w.list(s.Parallel.Branches[i].Do) != endsWell {
				e = endsFailed
			}
			maps.Copy(after, w.ran)
		}
		return e
	case KindForeach:
		w.inside++
		defer func() { w.inside-- }()
		before := w.ran
		defer func() { w.ran = before }()
		for range w.choose(3) {
			w.ran = maps.Clone(before)
			if w.list(s.Foreach.Do) != endsWell {
				return endsFailed
			}
		}
		return endsWell
	case KindSet:
		read := strings.Split(s.Set[0].Value.expr.source, ".")[1]
		if !w.ran[read] {
			w.breaks(s, "reads "+read+", which has not run")
		}
		return w.either()
	default:
		return w.either()
	}
}

// child walks the steps of a child saga in the place of the step that runs it.
func (w *pathWalk) child(s *Step) ending {
	if w.coin() { // its input fails: it does not start
		return endsFailed
	}
	before, ran := w.after, w.ran
	w.ran = map[string]bool{}
	e := w.list(s.Child.Plan.Steps)
	w.ran = ran
	switch {
	case e == endsSaga: // only the child's
		return endsWell
	case e == endsFailed && w.after && !before:
		return endsSaga // it parks, and nothing follows
	}
	return e
}

func (w *pathWalk) call(s *Step) ending {
	switch s.Call.Effect {
	case EffectCompensatable:
		if w.after {
			w.breaks(s, "a compensatable step after the point of no return")
		}
	case EffectPivot:
		if w.after || w.inside > 0 {
			w.breaks(s, "a pivot after the point of no return or inside a block")
		}
		if w.either() == endsFailed {
			return endsFailed
		}
		w.after = true
		return endsWell
	case EffectRetriable:
		if !w.after && w.inside > 0 {
			w.breaks(s, "a retriable step inside a block before the point of no return")
		}
		if w.coin() { // its input fails: nothing is scheduled
			return endsFailed
		}
		w.after = true
	}
	return w.either()
}
