package dsl

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// scalarGenerator writes one text of a definition in any of the ways that YAML
// has, with expressions inside whose last names are unknown: bad0, bad1, ...
type scalarGenerator struct {
	t    *rapid.T
	n    int    // expressions so far
	stop string // characters that the style does not take
}

func (g *scalarGenerator) word() string {
	words := []string{"plain", "é", "名前", "👩‍👩‍👧", "a\u0301", "$", "$${{ x }}", "{", "}}", "''", `\t`, `\u00e9`, `\"`, "x:y", "#no", "- "}
	for {
		w := rapid.SampledFrom(words).Draw(g.t, "word")
		if !strings.ContainsAny(w, g.stop) {
			return w
		}
	}
}

func (g *scalarGenerator) line() string {
	parts := []string{"x"}
	for range rapid.IntRange(0, 4).Draw(g.t, "parts") {
		if rapid.Bool().Draw(g.t, "expr") {
			space := rapid.SampledFrom([]string{" ", "", "  "}).Draw(g.t, "space")
			parts = append(parts, fmt.Sprintf("${{%sinput.bad%d%s}}", space, g.n, space))
			g.n++
		} else {
			parts = append(parts, g.word())
		}
	}
	return strings.Join(parts, rapid.SampledFrom([]string{" ", "  "}).Draw(g.t, "between"))
}

func (g *scalarGenerator) lines(indent string, more, blank bool) []string {
	var lines []string
	for range rapid.IntRange(1, 5).Draw(g.t, "lines") {
		extra := ""
		if more && len(lines) > 0 {
			extra = rapid.SampledFrom([]string{"", "", "  ", "\t"}).Draw(g.t, "extra")
		}
		lines = append(lines, indent+extra+g.line())
		if blank && rapid.IntRange(0, 4).Draw(g.t, "blank") == 0 {
			lines = append(lines, rapid.SampledFrom([]string{"", indent, "  "}).Draw(g.t, "white"))
		}
	}
	return lines
}

// value writes the text as the value of a key that stands at four spaces.
func (g *scalarGenerator) value() string {
	style := rapid.SampledFrom([]string{"|", ">", "plain", "single", "double"}).Draw(g.t, "style")
	indent := strings.Repeat(" ", rapid.IntRange(5, 9).Draw(g.t, "indent"))
	switch style {
	case "|", ">":
		header := style
		if rapid.Bool().Draw(g.t, "indicator") {
			header += fmt.Sprint(len(indent) - 4)
		}
		header += rapid.SampledFrom([]string{"", "-", "+"}).Draw(g.t, "chomp")
		return header + "\n" + strings.Join(g.lines(indent, true, true), "\n")
	case "plain":
		g.stop = `:#{}-$'"`
	case "single":
		g.stop = ""
		return "'" + strings.TrimLeft(strings.Join(g.lines(indent, false, true), "\n"), " ") + "'"
	case "double":
		g.stop = "'"
		end := rapid.SampledFrom([]string{"\n", "\\\n"}).Draw(g.t, "end")
		return `"` + strings.TrimLeft(strings.Join(g.lines(indent, false, end == "\n"), end), " ") + `"`
	}
	return strings.TrimLeft(strings.Join(g.lines(indent, false, true), "\n"), " ")
}

// However a text is written, the range of a diagnostic in an expression inside
// it is exactly the token.
func TestRangesInScalars(t *testing.T) {
	seen := 0
	rapid.Check(t, func(t *rapid.T) {
		g := &scalarGenerator{t: t}
		source := "saga: t\nkey: ${{ input.id }}\ninput: {type: object, properties: {id: {type: string}}}\nsteps:\n" +
			"- id: stop\n  fail:\n    code: NO\n    message: " + g.value() + "\n"
		if rapid.Bool().Draw(t, "windows") {
			source = strings.ReplaceAll(source, "\n", "\r\n")
		}
		if rapid.Bool().Draw(t, "mark") {
			source = "\ufeff" + source
		}
		_, diags := Compile(Source{Data: []byte(source)}, Options{})
		found := 0
		lines := newSourceText([]byte(strings.TrimPrefix(source, "\ufeff"))).lines
		for _, d := range diags {
			name, ok := strings.CutPrefix(strings.TrimSuffix(d.Summary, "; it has id"), "there is no field ")
			switch {
			case d.Code == CodeSyntax:
				t.Skip("no YAML")
			case !ok:
				t.Fatalf("%v\n%s", d, source)
			case d.Line != d.EndLine:
				t.Fatalf("the range of %v ends in line %d\n%s", d, d.EndLine, source)
			}
			if at := string(lines[d.Line-1][d.Column-1 : d.EndColumn-1]); at != name {
				t.Fatalf("%v stands at %q\n%s", d, at, source)
			}
			found++
		}
		if found != g.n {
			t.Fatalf("%d of %d expressions are reported:\n%v\n%s", found, g.n, diags, source)
		}
		seen += found
	})
	if seen == 0 {
		t.Error("no expression was reported: the test shows nothing")
	}
}
