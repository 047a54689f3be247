package dsl

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// layout is a value as a file writes it: the data, the comments around it and
// the choices of its author that the formatter keeps.
type layout struct {
	kind    yaml.Kind // mapping, sequence or scalar
	flow    bool      // a collection in brackets
	spread  bool      // a collection in brackets over several lines
	entries []*layoutEntry
	foot    []remark // comments after the last entry
	scalar  *layoutScalar
}

// layoutEntry is a key of a map with its value, or an item of a list.
type layoutEntry struct {
	lead  []remark // comments on lines of their own before it
	blank bool     // a blank line stands directly before it
	key   *layoutScalar
	head  *remark // comment behind the key or hyphen of a block
	value *layout
	trail *remark // comment behind the value
}

// remark is a comment.
type remark struct {
	text     string // from the # on
	blank    bool   // a blank line stands before it
	column   int    // from 0
	indent   int    // spaces at the start of its line
	distance int    // from what stands before it on its line
}

// layoutReader reads layouts: it walks through the nodes of a document and the
// text between them side by side. Where no scalar is there is only structure,
// white space and comments.
type layoutReader struct {
	text    *sourceText
	at      place
	line    int      // where the last token ended; -1: there was none
	same    *remark  // comment on that line, until somebody takes it
	pending []remark // comments on lines of their own that belong to nothing yet
	blank   bool     // a blank line was passed since the last token or comment
	err     error
}

// readLayout reads a document. The comments before its first entry come apart:
// they are about the file.
func readLayout(text *sourceText, root *yaml.Node) (l *layout, head []remark, err error) {
	r := &layoutReader{text: text, line: -1}
	r.prologue(root)
	l = r.value(root, 0)
	if len(l.entries) > 0 && !l.flow {
		head, l.entries[0].lead = l.entries[0].lead, nil
	} else {
		head, r.pending = r.pending, nil
	}
	r.skip()
	if r.isMarker("...") {
		r.token(3)
		r.skip()
	}
	if r.same != nil { // behind a document that is one scalar or flow collection
		l.foot = append(l.foot, *r.same)
	}
	l.foot = append(l.foot, r.pending...)
	if r.more() {
		r.fail("the end of the document")
	}
	return l, head, r.err
}

func (r *layoutReader) fail(want string) {
	if r.err == nil {
		r.err = fmt.Errorf("line %d, column %d: %s was expected there", r.at.line+1, r.at.column+1, want)
	}
}

func (r *layoutReader) more() bool { return r.at.line < len(r.text.lines) }

// char returns the character at the cursor, '\n' at the end of a line.
func (r *layoutReader) char() rune { return (&aligner{text: r.text, at: r.at}).char() }

// token goes over characters of the structure.
func (r *layoutReader) token(length int) { r.end(place{r.at.line, r.at.column + length}) }

// end goes to the end of a token. A comment that nobody has taken by now
// belongs to what comes next.
func (r *layoutReader) end(at place) {
	r.untaken()
	r.at, r.line = at, at.line
}

func (r *layoutReader) untaken() {
	if r.same != nil {
		r.pending = append(r.pending, *r.same)
		r.same = nil
	}
}

// skip goes over white space and comments to the next token.
func (r *layoutReader) skip() {
	for r.more() {
		line := r.text.lines[r.at.line]
		for r.at.column < len(line) && (line[r.at.column] == ' ' || line[r.at.column] == '\t') {
			r.at.column++
		}
		switch {
		case r.at.column < len(line) && line[r.at.column] == '#':
			r.comment(string(line[r.at.column:]))
		case r.at.column < len(line):
			return
		case r.at.line != r.line:
			r.blank = true
		}
		r.at = place{r.at.line + 1, 0}
	}
}

func (r *layoutReader) comment(text string) {
	c := remark{text: strings.TrimRight(text, " \t"), column: r.at.column}
	before := string(r.text.lines[r.at.line][:r.at.column])
	c.indent, c.distance = leadingSpaces(before), len(before)-len(strings.TrimRight(before, " \t"))
	if r.at.line == r.line {
		r.untaken()
		r.same = &c
		return
	}
	c.blank, r.blank = r.blank, false
	r.pending = append(r.pending, c)
}

// taken gives the comment on the line of the last token.
func (r *layoutReader) taken() *remark {
	c := r.same
	r.same = nil
	return c
}

func (r *layoutReader) isMarker(marker string) bool {
	if r.at.column > 0 {
		return false
	}
	rest, ok := strings.CutPrefix(string(r.text.line(r.at.line)), marker)
	return ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t')
}

// prologue goes over directives and the marker of a document's start.
func (r *layoutReader) prologue(root *yaml.Node) {
	for r.skip(); r.more() && r.at != startOf(root); r.skip() {
		switch {
		case r.char() == '%' && r.at.column == 0:
			r.at = place{r.at.line + 1, 0}
		case r.isMarker("---"):
			r.token(3)
			r.line = -1 // what is behind it is about the file
		default:
			return
		}
	}
}

func startOf(y *yaml.Node) place { return place{y.Line - 1, y.Column - 1} }

// isNothing reports whether a value is not written at all.
func isNothing(y *yaml.Node) bool {
	return y.Kind == yaml.ScalarNode && y.Value == "" && y.Style == 0
}

func isFlow(y *yaml.Node) bool {
	return y.Kind != yaml.ScalarNode && y.Style&yaml.FlowStyle != 0
}

// value reads a value. enclosing is the column of the block that it stands in.
func (r *layoutReader) value(y *yaml.Node, enclosing int) *layout {
	l := &layout{kind: y.Kind, flow: isFlow(y)}
	if isNothing(y) {
		l.scalar = &layoutScalar{node: &node{kind: nodeNull}}
		return l
	}
	r.skip()
	if r.at != startOf(y) {
		r.fail("a value")
		r.at = startOf(y)
	}
	switch {
	case y.Kind == yaml.ScalarNode:
		l.scalar = r.scalar(y, enclosing)
	case l.flow:
		r.flow(l, y, enclosing)
	case y.Kind == yaml.MappingNode:
		r.blockMap(l, y)
	default:
		r.blockList(l, y, enclosing)
	}
	return l
}

func (r *layoutReader) blockMap(l *layout, y *yaml.Node) {
	column := y.Column - 1
	for i := 0; i+1 < len(y.Content); i += 2 {
		e := r.entry(y.Content[i], column)
		r.valueOf(e, y.Content[i+1], column)
		r.trail(e)
		l.entries = append(l.entries, e)
	}
	r.close(l, column)
}

func (r *layoutReader) blockList(l *layout, y *yaml.Node, enclosing int) {
	column := y.Column - 1
	for _, item := range y.Content {
		r.skip()
		e := r.begin()
		if r.char() != '-' {
			r.fail("a hyphen")
		}
		r.token(1)
		r.valueOf(e, item, column)
		r.trail(e)
		l.entries = append(l.entries, e)
	}
	if column == enclosing { // a list that is not indented: its comments are those of the map
		column++
	}
	r.close(l, column)
}

// close gives a block the comments after its last entry that are indented like
// it, unless they are about the entry of another block that comes next.
func (r *layoutReader) close(l *layout, column int) {
	r.skip()
	next := -1
	if r.more() && !r.isMarker("...") {
		next = r.at.column
	}
	for len(r.pending) > 0 && r.pending[0].column >= column && r.pending[0].column > next {
		l.foot = append(l.foot, r.pending[0])
		r.pending = r.pending[1:]
	}
}

// begin starts an entry at the cursor, with the comments before it.
func (r *layoutReader) begin() *layoutEntry {
	r.untaken()
	e := &layoutEntry{lead: r.pending, blank: r.blank}
	r.pending, r.blank = nil, false
	return e
}

// entry reads a key and the colon behind it, which a flow map may lack.
func (r *layoutReader) entry(key *yaml.Node, enclosing int) *layoutEntry {
	r.skip()
	e := r.begin()
	if r.char() == '?' && (startOf(key) != r.at) {
		r.token(1)
	}
	e.key = r.value(key, enclosing).scalar
	if e.key == nil {
		r.fail("a key that is text")
		e.key = &layoutScalar{node: &node{kind: nodeNull}}
	}
	before := *r
	if r.skip(); r.char() == ':' && r.more() {
		r.token(1)
	} else {
		*r = before
	}
	return e
}

// valueOf reads the value of an entry with the comments before it. Those before
// a value that will stand on the line of its key go before the entry.
func (r *layoutReader) valueOf(e *layoutEntry, y *yaml.Node, enclosing int) {
	if !isNothing(y) {
		r.skip()
		e.head = r.taken()
		if y.Kind == yaml.ScalarNode || isFlow(y) {
			e.lead = append(e.lead, r.pending...)
			r.pending, r.blank = nil, false
		}
	}
	e.value = r.value(y, enclosing)
	if e.value.flow && len(e.value.entries) == 0 {
		e.lead = append(e.lead, e.value.foot...)
		e.value.foot = nil
	}
}

// trail gives an entry the comment behind its value.
func (r *layoutReader) trail(e *layoutEntry) {
	r.skip()
	if e.trail == nil {
		e.trail = r.taken()
	}
}

// flow reads a collection in brackets, or the one pair without brackets that an
// item of a list may be.
func (r *layoutReader) flow(l *layout, y *yaml.Node, enclosing int) {
	first := r.at.line
	open, shut := '[', ']'
	step := 1
	if y.Kind == yaml.MappingNode {
		open, shut, step = '{', '}', 2
	}
	bare := r.char() != open
	if bare && (step == 1 || len(y.Content) != 2) {
		r.fail("a bracket")
		return
	}
	if !bare {
		r.token(1)
	}
	for i := 0; i+step <= len(y.Content); i += step {
		var e *layoutEntry
		if step == 2 {
			e = r.entry(y.Content[i], enclosing)
		} else {
			r.skip()
			e = r.begin()
		}
		r.valueOf(e, y.Content[i+step-1], enclosing)
		l.entries = append(l.entries, e)
		if bare {
			return
		}
		r.trail(e)
		if r.char() == ',' {
			r.token(1)
			r.trail(e)
		}
	}
	r.skip()
	r.untaken()
	l.foot, r.pending, r.blank = r.pending, nil, false
	if r.char() != shut {
		r.fail("a closing bracket")
	}
	r.token(1)
	l.spread = r.line != first
}

// hasRemarks reports whether there are comments inside a value.
func (l *layout) hasRemarks() bool {
	if len(l.foot) > 0 {
		return true
	}
	for _, e := range l.entries {
		if len(e.lead) > 0 || e.head != nil || e.trail != nil || e.value.hasRemarks() {
			return true
		}
	}
	return false
}
