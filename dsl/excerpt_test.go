package dsl

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func ranged(line, column, endLine, endColumn int) Diagnostic {
	return Diagnostic{Line: line, Column: column, EndLine: endLine, EndColumn: endColumn}
}

func TestExcerpt(t *testing.T) {
	for _, c := range []struct {
		name, source string
		at           Diagnostic
		want         string
	}{
		{"no place", "a: 1\n", Diagnostic{}, ""},
		{"a word", "saga: t\ndedline: 5m\n", ranged(2, 1, 2, 8), "  |\n2 | dedline: 5m\n  | ^^^^^^^\n"},
		{"a byte order mark", "\ufeffsaga: t\n", ranged(1, 1, 1, 5), "  |\n1 | saga: t\n  | ^^^^\n"},
		{"line breaks of Windows", "a: 1\r\nbb: 2\r\n", ranged(2, 1, 2, 3), "  |\n2 | bb: 2\n  | ^^\n"},
		{"a tab before the place", "a:\tbad\n", ranged(1, 4, 1, 7), "  |\n1 | a:    bad\n  |       ^^^\n"},
		{"a tab is the place", "a:\tbad\n", ranged(1, 3, 1, 4), "  |\n1 | a:    bad\n  |   ^^^^\n"},
		{"wide characters", "名: 悪い x\n", ranged(1, 4, 1, 6), "  |\n1 | 名: 悪い x\n  |     ^^^^\n"},
		{"joined characters", "a: e\u0301e\u0301 👩‍👩‍👧 x\n", ranged(1, 9, 1, 10), "  |\n1 | a: e\u0301e\u0301 👩‍👩‍👧 x\n  |       ^^\n"},
		{"what a terminal would obey", "a: \x1b[31mred\u202e\n", ranged(1, 9, 1, 12), "  |\n1 | a: \uFFFD[31mred\uFFFD\n  |         ^^^\n"},
		{"behind the line", "a:\nb: 1\n", ranged(1, 3, 1, 4), "  |\n1 | a:\n  |   ^\n"},
		{"behind the file", "a:\n", ranged(2, 1, 2, 2), "  |\n2 |\n  | ^\n"},
		{"far behind the file", "a:\n", ranged(7, 1, 7, 2), ""},
		{"two lines", "a: \"x\n   y\" z\n", ranged(1, 4, 2, 6), "  |\n1 | a: \"x\n  |    ^^\n2 |    y\" z\n  |    ^^\n"},
		{"many lines", "a: |\n  1\n  2\n  3\n  4\n  5\nb: 2\n", ranged(2, 3, 6, 4), "  |\n2 |   1\n  |   ^\n3 |   2\n  |   ^\n.\n6 |   5\n  |   ^\n"},
		{"up to the next line", "a: 1\nb: 2\n", ranged(1, 1, 2, 1), "  |\n1 | a: 1\n  | ^^^^\n"},
		{"a long line", "a: " + strings.Repeat("x", 50) + " bad " + strings.Repeat("y", 50) + "\n", ranged(1, 55, 1, 58),
			"  |\n1 | …xxxxxxxxxxxxxxxx bad yyyyyyyyyyyyyyyyy…\n  |                   ^^^\n"},
		{"the end of a long line", "a: " + strings.Repeat("x", 50) + " bad\n", ranged(1, 55, 1, 58),
			"  |\n1 | …xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx bad\n  |                                     ^^^\n"},
		{"a long place", "a: " + strings.Repeat("x", 90) + "\n", ranged(1, 4, 1, 94),
			"  |\n1 | a: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\n  |    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, NewExcerpt(c.at, []byte(c.source), 40).String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Whatever the source and the place are, no line is wider than asked, there is a
// mark in each, and it stands under text or right behind it.
func TestExcerptOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := rapid.OneOf(rapid.String(), rapid.StringMatching("([a-z: \t\n]|é|名|👩‍👧|\u202e){0,300}")).Draw(t, "source")
		line, column := rapid.IntRange(1, 5).Draw(t, "line"), rapid.IntRange(1, 200).Draw(t, "column")
		d := ranged(line, column, line+rapid.IntRange(0, 6).Draw(t, "lines"), column+rapid.IntRange(0, 100).Draw(t, "columns"))
		width := rapid.IntRange(0, 60).Draw(t, "width")
		e := NewExcerpt(d, []byte(source), width)
		if got := len(e.Lines); got > maxExcerptLines {
			t.Fatalf("%d lines", got)
		}
		for _, l := range e.Lines {
			if l.Number == 0 {
				continue
			}
			room := max(width, minExcerptWidth)
			if w := cellsWide(l.Text); w > room {
				t.Errorf("the text of line %d takes %d columns of %d: %q", l.Number, w, room, l.Text)
			}
			if len(l.Mark) > room+1 || !strings.HasSuffix(l.Mark, "^") || strings.ContainsAny(l.Text, "\t\x1b\u202e") {
				t.Errorf("%q is marked %q", l.Text, l.Mark)
			}
		}
	})
}

func cellsWide(s string) int {
	w := 0
	for _, c := range shownCells([]byte(s), 1, 1+len(s)) {
		w += c.width
	}
	return w
}

// The excerpt of a place in a line of a megabyte looks at a part of it.
func TestExcerptOfAHugeLine(t *testing.T) {
	source := []byte(strings.Repeat("x", MaxSourceBytes))
	d := ranged(1, MaxSourceBytes/2, 1, MaxSourceBytes)
	if got := testing.AllocsPerRun(3, func() { NewExcerpt(d, source, 80) }); got > 100 {
		t.Errorf("%v allocations", got)
	}
}
