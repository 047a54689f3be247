package dsl

import (
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// How a file is laid out.
const (
	// formatIndent is how far each level is indented.
	formatIndent = 2
	// formatJoin is the longest line that a collection in brackets is joined to
	// when it stands on several.
	formatJoin = 100
	// formatWidth is the longest line with a collection in brackets. A longer one
	// is written as a block.
	formatWidth = 160
)

// layoutPrinter writes layouts.
type layoutPrinter struct {
	rows []row
	size int  // of the rows, in bytes
	kept bool // a text was written last that ends with blank lines of its own
}

// row is a line with the comment behind it.
type row struct {
	text    string
	comment *remark
}

func (p *layoutPrinter) row(text string, c *remark) {
	p.rows = append(p.rows, row{text, c})
	p.size += len(text) + 1
}

// line writes a line that is no text's.
func (p *layoutPrinter) line(text string, c *remark) {
	p.row(text, c)
	p.kept = false
}

// gap writes a blank line, unless it would become part of a text.
func (p *layoutPrinter) gap() {
	if !p.kept {
		p.row("", nil)
	}
}

// String gives the lines. Comments that stood in one column on lines that
// follow each other stand in one column again. Any other moves with the
// indentation of its line, or keeps its distance if that is small.
func (p *layoutPrinter) String() string {
	var b strings.Builder
	for i := 0; i < len(p.rows); {
		end := i + 1
		for end < len(p.rows) && p.rows[i].comment != nil && p.rows[end].comment != nil && p.rows[end].comment.column == p.rows[i].comment.column {
			end++
		}
		writeRows(&b, p.rows[i:end])
		i = end
	}
	return b.String()
}

// closeRemark is the distance up to which a comment belongs to its line alone.
const closeRemark = 2

func writeRows(b *strings.Builder, rows []row) {
	column := 0
	switch c := rows[0].comment; {
	case c == nil:
	case len(rows) > 1:
		column = c.column
	case c.distance > closeRemark:
		column = c.column + leadingSpaces(rows[0].text) - c.indent
	}
	for _, r := range rows {
		if r.comment != nil {
			distance := 1
			if column == 0 {
				distance = max(r.comment.distance, 1)
			}
			column = max(column, utf8.RuneCountInString(r.text)+distance)
		}
	}
	for _, r := range rows {
		b.WriteString(r.text)
		if r.comment != nil {
			b.WriteString(strings.Repeat(" ", column-utf8.RuneCountInString(r.text)) + r.comment.text)
		}
		b.WriteByte('\n')
	}
}

// printLayout writes a document.
func printLayout(l *layout, head []remark, gap bool) string {
	p := &layoutPrinter{}
	p.remarks(head, 0, true)
	if gap && len(head) > 0 {
		p.gap()
	}
	switch {
	case len(l.entries) > 0: // a whole file in brackets is a block all the same
		p.block(l, 0, "")
	default:
		p.lines("", l.inline(false), 0, nil)
		p.remarks(l.foot, 0, true)
	}
	return p.String()
}

// isBlock reports whether a collection is written as a block behind the start of
// a line.
func (l *layout) isBlock(start string) bool {
	switch {
	case l.scalar != nil || len(l.entries) == 0:
		return false
	case !l.flow || l.hasRemarks():
		return true
	}
	width := formatWidth
	if l.spread {
		width = formatJoin
	}
	return l.room(width-utf8.RuneCountInString(start)) < 0
}

// room is what is left of a width behind a value in brackets. It does not go on
// once nothing is left.
func (l *layout) room(left int) int {
	if l.scalar != nil {
		return left - utf8.RuneCountInString(strings.Join(l.scalar.lines(true), " "))
	}
	left -= len("{}") + len(", ")*max(len(l.entries)-1, 0)
	for _, e := range l.entries {
		if left < 0 {
			return left
		}
		if e.key != nil {
			left -= utf8.RuneCountInString(e.key.keyText() + ": ")
		}
		left = e.value.room(left)
	}
	return left
}

// inline gives a scalar or a collection in brackets.
func (l *layout) inline(flow bool) []string {
	if l.scalar != nil {
		return l.scalar.lines(flow)
	}
	parts := make([]string, len(l.entries))
	for i, e := range l.entries {
		parts[i] = strings.Join(e.value.inline(true), " ")
		if e.key != nil {
			parts[i] = e.key.keyText() + ": " + parts[i]
		}
	}
	text := strings.Join(parts, ", ")
	if l.kind == yaml.MappingNode {
		return []string{"{" + text + "}"}
	}
	return []string{"[" + text + "]"}
}

// block writes the entries of a collection. start is what the first line begins
// with instead of its indentation: the hyphen that the collection stands behind.
func (p *layoutPrinter) block(l *layout, indent int, start string) {
	for i, e := range l.entries {
		if p.size > MaxSourceBytes { // too long to be read; what called sees it
			return
		}
		p.remarks(e.lead, indent, i == 0)
		if e.blank && (i > 0 || len(e.lead) > 0) {
			p.gap()
		}
		if start == "" {
			start = strings.Repeat(" ", indent)
		}
		p.entry(e, indent, start)
		start = ""
	}
	p.remarks(l.foot, indent, len(l.entries) == 0)
}

// entry writes a key with its value, or an item with its hyphen.
func (p *layoutPrinter) entry(e *layoutEntry, indent int, start string) {
	label, space := "-", " "
	if e.key != nil {
		label = e.key.keyText() + ":"
	}
	v := e.value
	switch {
	case v.isBlock(start + label + " "):
		p.collection(e, indent, start+label)
	case v.scalar != nil && v.scalar.isBlock():
		p.text(start+label+space, v.scalar, indent, e.remark())
	default:
		lines := v.inline(false)
		if len(lines) == 0 || lines[0] == "" {
			space = ""
		}
		p.lines(start+label+space, lines, indent+formatIndent, e.remark())
	}
}

// collection writes an entry whose value is a block.
func (p *layoutPrinter) collection(e *layoutEntry, indent int, start string) {
	v, c := e.value, e.remark()
	if e.key == nil && c == nil && len(v.entries[0].lead) == 0 {
		p.block(v, indent+formatIndent, start+" ")
		return
	}
	p.line(start, c)
	p.block(v, indent+formatIndent, "")
}

// remark gives the comment on the line of an entry. There is at most one: hoist
// saw to that.
func (e *layoutEntry) remark() *remark {
	if e.head != nil {
		return e.head
	}
	return e.trail
}

// hoist moves a comment that finds no place behind its entry before it.
func (l *layout) hoist() {
	for _, e := range l.entries {
		if e.head != nil && e.trail != nil {
			e.lead = append(e.lead, *e.head)
			e.head = nil
		}
		e.value.hoist()
	}
}

// text writes a literal or folded text.
func (p *layoutPrinter) text(start string, s *layoutScalar, indent int, c *remark) {
	p.line(start+s.header(), c)
	for _, line := range s.raw {
		if line != "" {
			line = strings.Repeat(" ", indent+formatIndent) + line
		}
		p.row(line, nil)
	}
	p.kept = strings.HasSuffix(s.text, "\n\n")
}

// lines writes a value over one or several lines.
func (p *layoutPrinter) lines(start string, lines []string, indent int, c *remark) {
	for i, line := range lines {
		if i > 0 && line != "" {
			start = strings.Repeat(" ", indent)
		} else if i > 0 {
			start = ""
		}
		if i == len(lines)-1 {
			p.line(start+line, c)
		} else {
			p.line(start+line, nil)
		}
	}
	if len(lines) == 0 {
		p.line(start, c)
	}
}

func (p *layoutPrinter) remarks(list []remark, indent int, first bool) {
	for i, c := range list {
		if c.blank && (i > 0 || !first) {
			p.gap()
		}
		p.line(strings.Repeat(" ", indent)+c.text, nil)
	}
}
