package dsl

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// span is a range of the source: lines and columns from 1, columns in
// characters, the end exclusive.
type span struct {
	line, column, endLine, endColumn int
}

// sourceText is the text of a definition by lines, so that positions inside
// scalars can be computed from it.
type sourceText struct {
	lines [][]rune

	aligned alignment // the last one, for several places in one scalar
}

// alignment is where the characters of a scalar's value stand.
type alignment struct {
	node   *node
	places []place
	end    place
}

func newSourceText(data []byte) *sourceText {
	var t sourceText
	for line := range strings.SplitSeq(string(data), "\n") {
		t.lines = append(t.lines, []rune(strings.TrimSuffix(line, "\r")))
	}
	return &t
}

// place is a character of the source: line and column from 0.
type place struct{ line, column int }

func (t *sourceText) line(i int) []rune {
	if i < 0 || i >= len(t.lines) {
		return nil
	}
	return t.lines[i]
}

// spanOf returns the range of a whole node: of a scalar its text with its
// quotes, of a list or map its first character.
func (t *sourceText) spanOf(n *node) span {
	if t == nil || n == nil || n.line == 0 {
		return span{}
	}
	s := span{n.line, n.column, n.line, n.column + 1}
	if n.kind == nodeList || n.kind == nodeMap {
		return s
	}
	places, end := t.align(n)
	switch {
	case n.style == styleSingle || n.style == styleDouble:
		s.endLine, s.endColumn = end.line+1, end.column+2
	case len(places) > 0 && n.style == stylePlain:
		last := places[len(places)-1]
		s.endLine, s.endColumn = last.line+1, last.column+2
	}
	return s
}

// spanIn returns the range of the characters from..to (exclusive) of the
// value of a string node.
func (t *sourceText) spanIn(n *node, from, to int) span {
	if t == nil || n == nil || n.line == 0 {
		return span{}
	}
	places, _ := t.align(n)
	if len(places) == 0 {
		return t.spanOf(n)
	}
	from = min(max(from, 0), len(places)-1)
	last := min(max(to-1, from), len(places)-1)
	a, b := places[from], places[last]
	return span{a.line + 1, a.column + 1, b.line + 1, b.column + 2}
}

// align finds the place of each character of a scalar's value, and where its
// text ends (for quoted scalars: the closing quote). It reads the source and
// the value side by side; what does not fit ends the reading, and the
// characters that are left have the last place found.
func (t *sourceText) align(n *node) (places []place, end place) {
	if t.aligned.node != n {
		places, end = t.alignNew(n)
		t.aligned = alignment{n, places, end}
	}
	return t.aligned.places, t.aligned.end
}

func (t *sourceText) alignNew(n *node) (places []place, end place) {
	value := []rune(n.text)
	a := aligner{text: t, at: place{n.line - 1, n.column - 1}}
	switch n.style {
	case styleDouble:
		a.at.column++
		places = a.double(value)
	case styleSingle:
		a.at.column++
		places = a.flow(value, true)
	case styleLiteral, styleFolded:
		places = a.block(value)
	default:
		places = a.flow(value, false)
	}
	for len(places) < len(value) {
		places = append(places, a.at)
	}
	return places, a.at
}

type aligner struct {
	text *sourceText
	at   place
}

// char returns the character at the current place, or '\n' at the end of a
// line.
func (a *aligner) char() rune {
	line := a.text.line(a.at.line)
	if a.at.column < len(line) {
		return line[a.at.column]
	}
	return '\n'
}

func (a *aligner) more() bool { return a.at.line < len(a.text.lines) }

// restIsBlank reports whether only white space is left on the line.
func (a *aligner) restIsBlank() bool {
	for _, r := range a.text.line(a.at.line)[min(a.at.column, len(a.text.line(a.at.line))):] {
		if !unicode.IsSpace(r) {
			return false
		}
	}
	return true
}

// fold goes over a line break inside a flow scalar with the blank lines and
// the indentation after it. It stands for one space, or for as many breaks as
// there are blank lines; it returns how many characters of the value these
// are.
func (a *aligner) fold() int {
	blank := 0
	for a.at.line++; a.more(); a.at.line++ {
		a.at.column = 0
		if !a.restIsBlank() {
			break
		}
		blank++
	}
	for a.more() && (a.char() == ' ' || a.char() == '\t') {
		a.at.column++
	}
	return max(blank, 1)
}

// flow aligns a plain or single-quoted scalar.
func (a *aligner) flow(value []rune, quoted bool) []place {
	var places []place
	for i := 0; i < len(value) && a.more(); {
		if a.restIsBlank() && (value[i] == ' ' || value[i] == '\n') {
			here := a.at
			for n := a.fold(); n > 0 && i < len(value); n-- {
				places = append(places, here)
				i++
			}
			continue
		}
		if a.char() != value[i] {
			return places
		}
		places = append(places, a.at)
		a.at.column++
		if quoted && value[i] == '\'' {
			a.at.column++
		}
		i++
	}
	return places
}

// double aligns a double-quoted scalar.
func (a *aligner) double(value []rune) []place {
	var places []place
	for i := 0; i < len(value) && a.more(); {
		c := a.char()
		switch {
		case c == '\\' && a.escapedBreak():
			a.fold()
		case c == '\\':
			places = append(places, a.at)
			a.at.column += a.escapeLength()
			i++
		case a.restIsBlank():
			here := a.at
			for n := a.fold(); n > 0 && i < len(value); n-- {
				places = append(places, here)
				i++
			}
		case c != value[i]:
			return places
		default:
			places = append(places, a.at)
			a.at.column++
			i++
		}
	}
	return places
}

// escapedBreak reports whether the backslash here is the last character of
// its line: the line goes on without a space.
func (a *aligner) escapedBreak() bool {
	return a.at.column == len(a.text.line(a.at.line))-1
}

// escapeLength is the number of characters of the escape that starts here.
func (a *aligner) escapeLength() int {
	line := a.text.line(a.at.line)
	if a.at.column+1 >= len(line) {
		return 1
	}
	switch line[a.at.column+1] {
	case 'x':
		return 4
	case 'u':
		return 6
	case 'U':
		return 10
	default:
		return 2
	}
}

// block aligns a literal or folded scalar. Its text starts on the line after
// the header.
func (a *aligner) block(value []rune) []place {
	a.at.line++
	indent := a.blockIndent(value)
	a.at.column = indent
	var places []place
	for i := 0; i < len(value) && a.more(); {
		line := a.text.line(a.at.line)
		switch {
		case a.at.column < len(line) && line[a.at.column] == value[i]:
			places = append(places, a.at)
			a.at.column++
			i++
		case a.at.column >= len(line) && (value[i] == '\n' || value[i] == ' '):
			places = append(places, a.at)
			a.at = place{a.at.line + 1, indent}
			i++
		case a.at.column >= len(line): // a blank line that folding took away
			a.at = place{a.at.line + 1, indent}
		default:
			return places
		}
	}
	return places
}

// blockIndent returns the indentation of a block scalar: that of its first
// line that is not blank, without the spaces there that belong to the value.
func (a *aligner) blockIndent(value []rune) int {
	for i := a.at.line; i < len(a.text.lines); i++ {
		line := a.text.lines[i]
		if strings.TrimSpace(string(line)) == "" {
			continue
		}
		first := strings.TrimLeft(string(value), "\n")
		return leadingSpaces(string(line)) - leadingSpaces(first)
	}
	return 0
}

func leadingSpaces(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }

// runeCursor turns offsets in bytes of one text after the other into offsets in
// characters. It goes on from the last one.
type runeCursor struct {
	node         *node
	bytes, runes int
}

func (r *runeCursor) at(n *node, bytes int) int {
	if r.node != n || bytes < r.bytes {
		*r = runeCursor{node: n}
	}
	r.runes += utf8.RuneCountInString(n.string()[r.bytes:bytes])
	r.bytes = bytes
	return r.runes
}

// runeOffset turns an offset in bytes into one in characters.
func runeOffset(s string, bytes int) int { return utf8.RuneCountInString(s[:bytes]) }
