package dsl

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// layoutScalar is a scalar as a file writes it.
type layoutScalar struct {
	*node
	raw  []string // its lines, without their indentation; of a block its text
	expr bool     // its text may hold expressions
}

// scalar reads the scalar at the cursor.
func (r *layoutReader) scalar(y *yaml.Node, enclosing int) *layoutScalar {
	c := compiler{}
	n := c.yamlNode(y, 1)
	s := &layoutScalar{node: n}
	if n.style == styleLiteral || n.style == styleFolded {
		s.raw = r.blockScalar(enclosing)
		return s
	}
	from, to := r.at, r.at
	switch n.style {
	case styleDouble, styleSingle:
		to = r.quoteEnd(n.style == styleDouble)
	default:
		to = r.plainEnd(n)
	}
	for i := from.line; i <= to.line; i++ {
		line := r.text.line(i)
		if i == to.line {
			line = line[:min(to.column, len(line))]
		}
		if i == from.line {
			line = line[min(from.column, len(line)):]
		}
		s.raw = append(s.raw, trimFolded(string(line), i > from.line, i < to.line))
	}
	r.end(to)
	return s
}

// plainEnd finds the place after the scalar without quotes at the cursor.
func (r *layoutReader) plainEnd(n *node) place {
	value, line := []rune(n.text), r.text.line(r.at.line)
	if end := r.at.column + len(value); end <= len(line) && slices.Equal(line[r.at.column:end], value) {
		return place{r.at.line, end}
	}
	places, _ := r.text.align(n)
	end := places[len(places)-1]
	end.column++
	return end
}

// trimFolded takes away the white space around a line break in a flow scalar,
// which means nothing, unless a backslash says that it does.
func trimFolded(line string, left, right bool) string {
	if left {
		line = strings.TrimLeft(line, " \t")
	}
	if right {
		if short := strings.TrimRight(line, " \t"); short == line || !strings.HasSuffix(short, `\`) {
			line = short
		}
	}
	return line
}

// quoteEnd finds the place after the closing quote of the scalar at the cursor.
func (r *layoutReader) quoteEnd(double bool) place {
	quote := '\''
	if double {
		quote = '"'
	}
	at := place{r.at.line, r.at.column + 1}
	for at.line < len(r.text.lines) {
		line := r.text.lines[at.line]
		switch {
		case at.column >= len(line):
			at = place{at.line + 1, 0}
		case double && line[at.column] == '\\':
			at.column += 2
		case line[at.column] == quote && !double && at.column+1 < len(line) && line[at.column+1] == quote:
			at.column += 2
		case line[at.column] == quote:
			at.column++
			return at
		default:
			at.column++
		}
	}
	r.fail("a closing quote")
	return at
}

var blockHeader = regexp.MustCompile(`^[|>][-+]?([1-9]?)[-+]?[ \t]*(#.*)?$`)

// blockScalar reads the lines of a literal or folded scalar. The comment behind
// its header is kept for whoever owns the scalar.
func (r *layoutReader) blockScalar(enclosing int) []string {
	line := r.text.line(r.at.line)
	m := blockHeader.FindStringSubmatch(string(line[r.at.column:]))
	if m == nil {
		r.fail("the header of a block of text")
		return nil
	}
	keep := strings.Contains(strings.SplitN(m[0], "#", 2)[0], "+")
	comment := remark{text: strings.TrimRight(m[2], " \t"), column: len(line) - len([]rune(m[2]))}
	before := strings.TrimSuffix(m[0], m[2])
	comment.indent, comment.distance = leadingSpaces(string(line)), len(before)-len(strings.TrimRight(before, " \t"))
	first := r.at.line + 1
	indent := r.blockIndent(first, enclosing, m[1])
	last := r.at.line
	var lines []string
	for i := first; i < len(r.text.lines); i++ {
		text := string(r.text.lines[i])
		if leadingSpaces(text) < indent && strings.Trim(text, " ") != "" {
			break
		}
		text = text[min(indent, len(text)):]
		lines = append(lines, text)
		if text != "" || keep {
			last = i
		}
	}
	lines = lines[:last-r.at.line]
	r.end(place{last, len(r.text.line(last))})
	if comment.text != "" {
		r.same = &comment
	}
	return lines
}

// blockIndent finds the indentation of a block scalar, as the library does.
func (r *layoutReader) blockIndent(first, enclosing int, digit string) int {
	if digit != "" {
		return enclosing + int(digit[0]-'0')
	}
	indent := 0
	for i := first; i < len(r.text.lines); i++ {
		text := string(r.text.lines[i])
		indent = max(indent, leadingSpaces(text))
		if strings.Trim(text, " ") != "" {
			break
		}
	}
	return max(indent, enclosing+1, 1)
}

// isBlock reports whether a scalar is printed as a block of text: one that has
// no text is not.
func (s *layoutScalar) isBlock() bool {
	return (s.style == styleLiteral || s.style == styleFolded) && strings.Trim(s.text, "\n") != ""
}

// header gives the first line of a block of text. How its end is chomped is said
// by the text itself, so that the end of a file may gain a line break.
func (s *layoutScalar) header() string {
	header := "|"
	if s.style == styleFolded {
		header = ">"
	}
	for _, line := range s.raw {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			header += fmt.Sprint(formatIndent)
		}
		if strings.Trim(line, " ") != "" {
			break
		}
	}
	switch {
	case !strings.HasSuffix(s.text, "\n"):
		header += "-"
	case strings.HasSuffix(s.text, "\n\n"):
		header += "+"
	}
	return header
}

// lines gives a scalar that is no block of text as it is printed: in brackets on
// one line, otherwise on those that its author chose.
func (s *layoutScalar) lines(flow bool) []string {
	if s.kind != nodeString {
		if len(s.raw) == 0 && flow {
			return []string{"null"}
		}
		return s.raw
	}
	value := s.text
	if s.expr && (flow || len(s.raw) == 1) {
		value = trimExpressions(value)
	}
	switch {
	case len(s.raw) > 1 && !flow && s.style <= styleDouble:
		return s.raw
	case s.style != stylePlain && isPlain(value, flow):
		return []string{value}
	case s.style == styleSingle && !strings.ContainsAny(value, `"\`):
		return []string{quoted(value)}
	case len(s.raw) == 1 && s.style <= styleDouble && value == s.text:
		return s.raw
	case s.style == stylePlain && isPlain(value, flow):
		return []string{value}
	}
	return []string{quoted(value)}
}

var plainKey = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_.$/-]*$`)

// keyText gives a key as it is printed.
func (s *layoutScalar) keyText() string {
	switch {
	case plainKey.MatchString(s.text) && !readOtherwise(s.text):
		return s.text
	case len(s.raw) == 1 && s.style == stylePlain:
		return s.raw[0]
	}
	return quoted(s.text)
}

// readOtherwise reports whether some reader of YAML takes a word for something
// else than text.
func readOtherwise(s string) bool {
	return slices.Contains([]string{"true", "false", "yes", "no", "on", "off", "y", "n", "null"}, strings.ToLower(s))
}

// isPlain reports whether quotes around a text can go: every reader of YAML
// takes it for the same text without them.
func isPlain(s string, flow bool) bool {
	if s == "" || readOtherwise(s) || strings.HasSuffix(s, " ") || strings.HasSuffix(s, ":") {
		return false
	}
	first := []rune(s)[0]
	if !unicode.IsLetter(first) && !strings.ContainsRune("_/$", first) {
		return false
	}
	if strings.Contains(s, ": ") || strings.Contains(s, " #") || strings.ContainsAny(s, `"'\`) {
		return false
	}
	if flow && strings.ContainsAny(s, ",[]{}:?") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == '\ufeff' || r == unicode.ReplacementChar })
}

// quoted gives a text on one line: in double quotes, or in single ones if it
// would need escapes otherwise and none in those.
func quoted(s string) string {
	printable := !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
	if printable && strings.ContainsAny(s, `"\`) && !strings.Contains(s, "'") {
		return "'" + s + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// trimExpressions puts one space at each edge of the expressions in a text that
// stands on one line. An expression that has no end or no text is left alone.
func trimExpressions(s string) string {
	var b strings.Builder
	for {
		start := strings.Index(s, "${{")
		if start < 0 {
			break
		}
		b.WriteString(s[:start+3])
		escaped := start > 0 && s[start-1] == '$'
		s = s[start+3:]
		length := exprEnd(s)
		if escaped || length < 0 {
			continue
		}
		source := s[:length]
		if trimmed := strings.Trim(source, " "); trimmed != "" {
			source = " " + trimmed + " "
		}
		b.WriteString(source + "}}")
		s = s[length+2:]
	}
	b.WriteString(s)
	return b.String()
}
