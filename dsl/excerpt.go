package dsl

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Excerpt is the lines of a source that a diagnostic is about, as they are
// shown below it: each with a mark under the range.
type Excerpt struct {
	Lines []ExcerptLine
}

// ExcerptLine is one line of an excerpt. Text and Mark are for a font whose
// characters all have the same width: tabs are written as spaces, control
// characters as the replacement character, and what is too long is cut.
type ExcerptLine struct {
	Number int    // from 1; 0: lines were left out here
	Text   string // without the line break
	Mark   string // spaces and carets; the carets stand under the range
}

const (
	tabWidth         = 4  // of a tab in an excerpt
	minExcerptWidth  = 20 // narrower terminals wrap
	maxExcerptLines  = 4  // of a range of several lines; the rest is left out
	excerptCut       = "…"
	unprintableShown = "\uFFFD"
)

// NewExcerpt gives the lines of the source that a diagnostic is about, none if
// it has no place in it. source is the file that was compiled, width how many
// columns of text a line may take.
func NewExcerpt(d Diagnostic, source []byte, width int) Excerpt {
	if d.Line < 1 {
		return Excerpt{}
	}
	source = bytes.TrimPrefix(source, []byte("\ufeff"))
	width = max(width, minExcerptWidth)
	last := max(d.EndLine, d.Line)
	if last > d.Line && d.EndColumn <= 1 {
		last-- // the range ends with the line break
	}
	var e Excerpt
	rest := skipLines(source, d.Line-1)
	for number := d.Line; number <= last; number++ {
		if rest == nil {
			break
		}
		line, after, more := bytes.Cut(rest, []byte("\n"))
		if rest = after; !more {
			rest = nil
		}
		if last-d.Line >= maxExcerptLines && number > d.Line+1 && number < last {
			if number == d.Line+2 {
				e.Lines = append(e.Lines, ExcerptLine{})
			}
			continue
		}
		from, to := 1, d.EndColumn
		if number == d.Line {
			from = d.Column
		}
		if number != last || number != d.EndLine {
			to = 0
		}
		e.Lines = append(e.Lines, excerptLine(number, bytes.TrimSuffix(line, []byte("\r")), from, to, number > d.Line, width))
	}
	return e
}

// skipLines returns the source behind its first n lines, nil if it has no more.
func skipLines(source []byte, n int) []byte {
	for ; n > 0; n-- {
		i := bytes.IndexByte(source, '\n')
		if i < 0 {
			return nil
		}
		source = source[i+1:]
	}
	return source
}

// cell is a character as it is shown, with the columns of the source it stands
// for.
type cell struct {
	text     string
	width    int
	from, to int // columns from 1, to exclusive
}

// excerptLine marks the columns from..to, to exclusive, of a line; to 0 is the
// end of the line. One in which the range only goes on is marked from its first
// character.
func excerptLine(number int, line []byte, from, to int, goesOn bool, width int) ExcerptLine {
	cells := shownCells(line, from-4*width, from+8*width)
	if to <= 0 {
		to = 1
		if n := len(cells); n > 0 {
			to = cells[n-1].to
		}
	}
	if goesOn {
		for _, c := range cells {
			if strings.TrimSpace(c.text) != "" {
				from = c.from
				break
			}
		}
	}
	to = max(to, from+1)
	first, behind := markedCells(cells, from, to)
	low, high := excerptWindow(cells, first, behind, width)
	var text, mark strings.Builder
	if low > 0 {
		text.WriteString(excerptCut)
		mark.WriteByte(' ')
	}
	for i := low; i < high; i++ {
		text.WriteString(cells[i].text)
		sign := " "
		if i >= first && i < behind {
			sign = "^"
		}
		mark.WriteString(strings.Repeat(sign, cells[i].width))
	}
	if high < len(cells) {
		text.WriteString(excerptCut)
	} else if behind > len(cells) {
		mark.WriteByte('^') // what is missing would stand behind the line
	}
	return ExcerptLine{Number: number, Text: strings.TrimRight(text.String(), " "), Mark: strings.TrimRight(mark.String(), " ")}
}

// markedCells gives the cells that a range of columns touches. Behind the end
// of the line is one more cell.
func markedCells(cells []cell, from, to int) (first, behind int) {
	first = len(cells)
	for i, c := range cells {
		if c.to > from {
			first = i
			break
		}
	}
	behind = first + 1
	for behind < len(cells) && cells[behind].from < to {
		behind++
	}
	return first, behind
}

// excerptWindow chooses the cells to show: all if there is room, otherwise
// those around the marked ones, of which the first counts most.
func excerptWindow(cells []cell, first, behind, width int) (low, high int) {
	total := 0
	for _, c := range cells {
		total += c.width
	}
	if total <= width {
		return 0, len(cells)
	}
	room := width - 2 // for the signs that something was cut
	marked := 0
	for _, c := range cells[min(first, len(cells)):min(behind, len(cells))] {
		marked += c.width
	}
	lead := max((room-marked)/2, room/4) // what is shown before the mark
	low = min(first, len(cells))
	for used := 0; low > 0 && used+cells[low-1].width <= lead; low-- {
		used += cells[low-1].width
	}
	used := 0
	for high = low; high < len(cells) && used+cells[high].width <= room; high++ {
		used += cells[high].width
	}
	for low > 0 && used+cells[low-1].width <= room { // the end of the line left room
		low--
		used += cells[low].width
	}
	return low, high
}

// shownCells gives the columns from..to of a line by the characters that a
// reader sees: a line may be as long as the file. What could move the cursor,
// colour the screen or turn the direction of writing is shown as the
// replacement character.
func shownCells(line []byte, from, to int) []cell {
	var cells []cell
	column, state := 1, -1
	for ; column < from && len(line) > 0; column++ {
		_, size := utf8.DecodeRune(line)
		line = line[size:]
	}
	for rest := string(line[:min(len(line), (to-column)*utf8.UTFMax)]); rest != "" && column < to; {
		var text string
		var width int
		text, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		c := cell{text: text, width: width, from: column, to: column + utf8.RuneCountInString(text)}
		switch r, _ := utf8.DecodeRuneInString(text); {
		case text == "\t":
			c.text, c.width = strings.Repeat(" ", tabWidth), tabWidth
		case strings.ContainsFunc(text, unshown) || r == utf8.RuneError:
			c.text, c.width = unprintableShown, 1
		case width == 0: // a mark without the letter it belongs to
			c.text, c.width = unprintableShown, 1
		}
		column = c.to
		cells = append(cells, c)
	}
	return cells
}

func unshown(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// String writes the excerpt with the numbers of its lines, as it stands below
// the diagnostic. It ends with a line break unless it is empty.
func (e Excerpt) String() string {
	plain := func(s string) string { return s }
	return e.Paint(plain, plain)
}

// Paint writes the excerpt as String does, with the gutter and the marks as two
// functions give them, for colours.
func (e Excerpt) Paint(gutter, mark func(string) string) string {
	if len(e.Lines) == 0 {
		return ""
	}
	var b strings.Builder
	digits := len(strconv.Itoa(e.Lines[len(e.Lines)-1].Number))
	blank := strings.Repeat(" ", digits) + " |"
	b.WriteString(gutter(blank) + "\n")
	for _, l := range e.Lines {
		if l.Number == 0 {
			b.WriteString(gutter(strings.Repeat(".", digits)) + "\n")
			continue
		}
		b.WriteString(gutter(fmt.Sprintf("%*d |", digits, l.Number)))
		if l.Text != "" {
			b.WriteString(" " + l.Text)
		}
		carets := strings.TrimLeft(l.Mark, " ")
		b.WriteString("\n" + gutter(blank) + " " + l.Mark[:len(l.Mark)-len(carets)] + mark(carets) + "\n")
	}
	return b.String()
}
