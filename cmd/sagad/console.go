package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/dsl"
)

// Exit codes.
const (
	exitOK      = 0 // completed, or the check passed
	exitOutcome = 1 // the saga ended otherwise or is parked; a check failed
	exitUsage   = 2 // wrong usage, bad input, or what is needed is not there
)

// console is where a command reads and writes.
type console struct {
	in       io.Reader
	out, err io.Writer
	inTTY    bool
	outTTY   bool
	errTTY   bool
	width    func() int
	noColor  bool
}

// terminal is the console of this process. NO_COLOR (no-color.org) and a dumb
// terminal turn colours off.
func terminal() *console {
	return &console{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		inTTY:  term.IsTerminal(int(os.Stdin.Fd())),
		outTTY: term.IsTerminal(int(os.Stdout.Fd())),
		errTTY: term.IsTerminal(int(os.Stderr.Fd())),
		width: func() int {
			if columns, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && columns > 0 {
				return columns
			}
			return 80
		},
		noColor: os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb",
	}
}

// style is how standard output looks.
func (c *console) style() progress.Style {
	return progress.Style{Color: c.outTTY && !c.noColor, Icons: c.outTTY}
}

// errStyle is how standard error looks.
func (c *console) errStyle() progress.Style {
	return progress.Style{Color: c.errTTY && !c.noColor, Icons: c.errTTY}
}

// printer shows the progress of a saga on standard output. When that is for
// JSON it goes to standard error, and only if people look at it.
func (c *console) printer(jsonOutput bool) *progress.Printer {
	switch {
	case !jsonOutput:
		return progress.New(c.out, progress.Options{Style: c.style(), Live: c.outTTY, Width: c.width})
	case c.errTTY:
		return progress.New(c.err, progress.Options{Style: c.errStyle(), Live: true, Width: c.width})
	}
	return progress.New(io.Discard, progress.Options{})
}

// say writes a line to standard output.
func (c *console) say(format string, args ...any) {
	_, _ = fmt.Fprintf(c.out, format+"\n", args...) // who reads it may have gone
}

// note writes a line to standard error.
func (c *console) note(format string, args ...any) {
	_, _ = fmt.Fprintf(c.err, format+"\n", args...) // who reads it may have gone
}

// outcomeError ends a command whose saga did not complete or whose check did
// not pass. What there is to say has been said, unless it has a text.
type outcomeError struct{ text string }

func (e outcomeError) Error() string { return e.text }

// fail writes an error and gives the exit code that belongs to it.
func (c *console) fail(err error) int {
	var outcome outcomeError
	var diagnostics dsl.Diagnostics
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &outcome):
		if outcome.text != "" {
			c.note("sagad: %s", outcome.text)
		}
		return exitOutcome
	case errors.As(err, &diagnostics):
		c.diagnostics(diagnostics)
		return exitUsage
	}
	c.note("%s %s", c.errStyle().Red("sagad:"), err)
	return exitUsage
}

// diagnostics writes problems of a file to standard error.
func (c *console) diagnostics(ds dsl.Diagnostics) {
	for _, d := range ds {
		c.note("%s", diagnosticLine(c.errStyle(), d))
	}
}

func diagnosticLine(style progress.Style, d dsl.Diagnostic) string {
	if !style.Color {
		return d.String()
	}
	place := ""
	if d.File != "" {
		place = d.File + ":"
	}
	if d.Line > 0 {
		place += fmt.Sprintf("%d:%d:", d.Line, d.Column)
	}
	label := style.Red(d.Severity.String() + "[" + d.Code + "]")
	if d.Severity == dsl.SeverityWarning {
		label = style.Yellow(d.Severity.String() + "[" + d.Code + "]")
	}
	text := style.Bold(place) + " " + label + ": " + d.Summary
	if d.Detail != "" {
		text += "; " + d.Detail
	}
	return text
}

// gutterWidth is what stands left of a line in an excerpt: its number and a bar.
const gutterWidth = 8

// excerpt writes the lines of a file that a problem is about to standard output.
func (c *console) excerpt(d dsl.Diagnostic, source []byte) {
	width := excerptWidth
	if c.outTTY {
		width = c.width() - gutterWidth
	}
	style := c.style()
	paint := style.Red
	if d.Severity == dsl.SeverityWarning {
		paint = style.Yellow
	}
	_, _ = fmt.Fprint(c.out, dsl.NewExcerpt(d, source, width).Paint(style.Dim, paint)) // who reads it may have gone
}

// excerptWidth is how many columns of a line are shown where there is no
// terminal.
const excerptWidth = 100
