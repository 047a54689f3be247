package dryrun

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// The widest columns, in characters. What is longer is cut; -o json has it whole.
const (
	maxKey        = 28
	maxExpression = 48
	maxValue      = 120
)

// Print writes a report for people: step by step what its expressions give, what
// stood in for its activity, and where the saga ends.
func Print(w io.Writer, style progress.Style, r Report) {
	p := printer{w: w, style: style}
	p.measure(r)
	p.line("%s  %s", style.Bold(strings.TrimSpace(r.Saga+" "+r.Version)), style.Dim("dry run: nothing is called"))
	before, after := split(r.Values)
	p.values(before)
	for _, s := range r.Way {
		p.step(s)
	}
	if len(after) > 0 {
		p.line("output")
		p.values(after)
	}
	p.line("")
	p.end(r)
}

// split takes the values of the saga's output apart: they come last.
func split(values []Value) (before, after []Value) {
	for _, v := range values {
		if v.Key == "output" || strings.HasPrefix(v.Key, "output.") {
			after = append(after, v)
		} else {
			before = append(before, v)
		}
	}
	return before, after
}

type printer struct {
	w               io.Writer
	style           progress.Style
	key, expression int // widths
}

func (p *printer) line(format string, args ...any) {
	_, _ = fmt.Fprintln(p.w, strings.TrimRight(fmt.Sprintf(format, args...), " ")) // who reads it may have gone
}

func (p *printer) measure(r Report) {
	p.key = len("answers")
	all := append([]Value{}, r.Values...)
	for _, s := range r.Way {
		all = append(all, s.Values...)
	}
	for _, v := range all {
		p.key = max(p.key, min(utf8.RuneCountInString(v.Key), maxKey))
		p.expression = max(p.expression, min(utf8.RuneCountInString(v.Expression), maxExpression))
	}
}

func (p *printer) values(values []Value) {
	for _, v := range values {
		text := p.json(v.Value)
		if v.Error != "" {
			text = p.style.Red(cut(progress.Clean(v.Error), 2*maxValue))
		}
		p.line("    %s  %s  %s", pad(v.Key, p.key, maxKey), p.style.Dim(pad(progress.Clean(v.Expression), p.expression, maxExpression)), text)
	}
}

// states say how a step looks. Others look plain.
var states = map[string]struct {
	icon  string
	paint func(progress.Style, string) string
}{
	string(engine.StateSucceeded):   {"✓", progress.Style.Green},
	string(engine.StateSkipped):     {"·", progress.Style.Dim},
	string(engine.StateFailed):      {"✗", progress.Style.Red},
	string(engine.StateRejected):    {"✗", progress.Style.Red},
	string(engine.StateUnknown):     {"?", progress.Style.Yellow},
	string(engine.StateParked):      {"‖", progress.Style.Red},
	string(engine.StateCompensated): {"↩", progress.Style.Yellow},
	string(engine.StateRunning):     {"◷", progress.Style.Blue},
}

func (p *printer) step(s Step) {
	look, ok := states[s.State]
	if !ok {
		look.icon, look.paint = "▸", progress.Style.Bold
	}
	what := s.Kind
	switch {
	case s.Awaits != "":
		what = "await " + s.Awaits
	case s.Calls != "":
		what = strings.TrimPrefix(s.Kind+" "+s.Calls, "call ")
	}
	state := strings.TrimSpace(s.State + " " + s.Code)
	if s.State == entered {
		state = ""
	}
	head := s.Path
	if p.style.Icons {
		head = look.icon + " " + head
	}
	p.line("%s  %s  %s", look.paint(p.style, head), what, look.paint(p.style, state))
	p.values(s.Values)
	for _, a := range s.Answers {
		p.answer(a)
	}
	if s.MadeUp {
		p.line("    %s  %s  %s", pad("message", p.key, maxKey), p.json(s.Message), p.style.Dim("(made up; --signals sends others)"))
	}
}

// sources say where an answer comes from.
var sources = map[string]string{
	FromMock:    "(mock)",
	FromSchema:  "(made up after its schema)",
	FromNothing: "(nothing is known of its output)",
}

func (p *printer) answer(a Answer) {
	text := p.json(a.Output)
	if a.Code != "" {
		text = p.style.Red(a.Code)
	}
	who := "answers"
	if a.Op != engine.OpAction {
		who = a.Activity
	}
	p.line("    %s  %s  %s", pad(who, p.key, maxKey), text, p.style.Dim(sources[a.From]))
}

// end says where the saga ends.
func (p *printer) end(r Report) {
	words := map[string]string{engine.OutcomeRunning: "waits for a message that does not come; send it with --signals"}
	outcome := r.Outcome
	if more := words[r.Outcome]; more != "" {
		outcome += ", " + more
	}
	p.line("%s", p.style.Bold(outcome))
	if r.Cause != nil {
		cause := r.Cause.Code + ": " + r.Cause.Message
		if r.Cause.Step != nil {
			cause = *r.Cause.Step + ": " + cause
		}
		p.line("  cause      %s", progress.Clean(cause))
	}
	p.line("  trace      %s", strings.Join(r.Trace, " → "))
	if r.Output != nil {
		p.line("  output     %s", p.json(r.Output))
	}
	if r.OutputError != "" {
		p.line("  output     %s", p.style.Red(progress.Clean(r.OutputError)))
	}
	if len(r.Unreached) > 0 {
		p.line("  not on it  %s", p.style.Dim(strings.Join(r.Unreached, ", ")))
	}
}

func (p *printer) json(v any) string {
	text, err := dsl.MarshalCanonical(v)
	if err != nil {
		return err.Error()
	}
	return cut(progress.Clean(string(text)), maxValue)
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func pad(s string, width, most int) string {
	s = cut(s, most)
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}
