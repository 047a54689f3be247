package testreport

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/engine/sagatest"
)

// Printer writes for people.
type Printer struct {
	W     io.Writer
	Style progress.Style
}

func (p *Printer) line(format string, args ...any) {
	_, _ = fmt.Fprintln(p.W, strings.TrimRight(fmt.Sprintf(format, args...), " ")) // who reads it may have gone
}

// File writes what became of a file. runs are those of its matrix.
func (p *Printer) File(file string, cases []Case, m sagatest.Matrix, took time.Duration) {
	failed := 0
	for _, c := range cases {
		if !c.Passed {
			failed++
		}
	}
	word := p.Style.Green("ok  ")
	if failed > 0 || len(m.Violations) > 0 {
		word = p.Style.Red("FAIL")
	}
	what := plural(len(cases), "case")
	if failed > 0 {
		what += fmt.Sprintf(", %d failed", failed)
	}
	if m.Runs > 0 {
		what += fmt.Sprintf(", matrix of %s", plural(m.Runs, "run"))
	}
	if m.Left > 0 {
		what += fmt.Sprintf(" (%d more were left out)", m.Left)
	}
	if n := len(m.Violations); n > 0 {
		what += fmt.Sprintf(" with %s", plural(n, "violation"))
	}
	p.line("%s  %s  %s  %s", word, file, what, p.Style.Dim(took.Round(time.Millisecond).String()))
	for _, c := range cases {
		if !c.Passed {
			p.failed(c)
		}
	}
	p.violations(file, m.Violations)
}

func (p *Printer) failed(c Case) {
	p.line("")
	p.line("  %s  %s", p.Style.Bold(c.Name), p.Style.Dim(fmt.Sprintf("%s:%d", c.File, c.Line)))
	for _, f := range c.Failures {
		p.line("    %s", p.Style.Red(progress.Clean(f.Message)))
		switch want := f.Want.(type) {
		case []string:
			got, _ := f.Got.([]string)
			p.beside(want, got)
		case map[string]any, []any:
			p.line("      expected  %s", compact(f.Want))
			p.line("      got       %s", compact(f.Got))
		case nil:
		default:
			if f.What == "output" || f.What == "inputs" {
				p.line("      expected  %s", compact(f.Want))
				p.line("      got       %s", compact(f.Got))
			}
		}
	}
}

// around is how many entries of long lists are shown before the place where they
// part, and after it.
const around = 8

// beside shows two lists next to each other, with a mark where they part.
func (p *Printer) beside(want, got []string) {
	apart := 0
	for apart < len(want) && apart < len(got) && want[apart] == got[apart] {
		apart++
	}
	from, to := max(0, apart-around), min(max(len(want), len(got)), apart+around)
	width := utf8.RuneCountInString("expected")
	for _, w := range want[min(from, len(want)):min(to, len(want))] {
		width = max(width, utf8.RuneCountInString(w))
	}
	p.line("      %s", p.Style.Dim(pad("expected", width)+"  got"))
	if from > 0 {
		p.line("      %s", p.Style.Dim(fmt.Sprintf("(%d before)", from)))
	}
	for i := from; i < to; i++ {
		line := pad(at(want, i), width) + "  " + at(got, i)
		switch {
		case i == apart:
			p.line("    %s %s", p.Style.Red("→"), p.Style.Red(progress.Clean(line)))
		case at(want, i) != at(got, i):
			p.line("      %s", p.Style.Yellow(progress.Clean(line)))
		default:
			p.line("      %s", progress.Clean(line))
		}
	}
	if rest := max(len(want), len(got)) - to; rest > 0 {
		p.line("      %s", p.Style.Dim(fmt.Sprintf("(%d more)", rest)))
	}
}

// maxViolations is how many violations of a file are shown; -o json has all.
const maxViolations = 10

func (p *Printer) violations(file string, all []sagatest.Violation) {
	for i, v := range all {
		if i == maxViolations {
			p.line("  (%d more; -o json has them all)", len(all)-i)
			return
		}
		p.line("")
		p.line("  %s  %s", p.Style.Bold(v.Case+" / "+v.Fault), p.Style.Dim(file))
		p.line("    %s", p.Style.Red(progress.Clean(v.Rule)))
		p.line("      trace  %s", strings.Join(v.Trace, " → "))
	}
}

// Cover writes what is not reached of a definition.
func (p *Printer) Cover(c Coverage) {
	count := map[string][2]int{}
	for _, item := range c.Items {
		n := count[item.Kind]
		n[1]++
		if item.Hit {
			n[0]++
		}
		count[item.Kind] = n
	}
	var parts []string
	for _, kind := range []string{sagatest.CoverStep, sagatest.CoverBranch, sagatest.CoverCatch, sagatest.CoverCompensation} {
		if n := count[kind]; n[1] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d of %d", plurals[kind], n[0], n[1]))
		}
	}
	percent := fmt.Sprintf("%3d%%", c.Percent())
	if c.Percent() == 100 {
		percent = p.Style.Green(percent)
	} else {
		percent = p.Style.Yellow(percent)
	}
	p.line("%s  %s  %s", percent, p.Style.Bold(c.Saga), strings.Join(parts, ", "))
	for _, item := range c.Items {
		if !item.Hit {
			place := fmt.Sprintf("%s:%d", c.File, item.Line)
			p.line("      %s  %s  %s", p.Style.Dim(place), item.Step, notReached(item))
		}
	}
}

var plurals = map[string]string{
	sagatest.CoverStep: "steps", sagatest.CoverBranch: "branches", sagatest.CoverCatch: "catches", sagatest.CoverCompensation: "compensations",
}

func notReached(c sagatest.Covered) string {
	switch c.Kind {
	case sagatest.CoverStep:
		return "never runs"
	case sagatest.CoverBranch:
		return "never: " + c.What
	case sagatest.CoverCatch:
		return "never: catch " + c.What
	}
	return "never: compensation " + c.What
}

// Sum writes the last line.
func (p *Printer) Sum(r Report) {
	text := fmt.Sprintf("%s passed, %d failed", plural(r.Passed, "case"), r.Failed)
	if r.Matrix.Runs > 0 {
		text += fmt.Sprintf("; matrix of %s, %s", plural(r.Matrix.Runs, "run"), plural(len(r.Matrix.Violations), "violation"))
	}
	if r.OK() {
		p.line("%s", p.Style.Green(text))
	} else {
		p.line("%s", p.Style.Red(text))
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

func compact(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return progress.Clean(string(text))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
