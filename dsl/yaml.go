package dsl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// The limits of the text of a definition.
const (
	// MaxSourceBytes is the largest definition. Its plan travels in the saga's
	// input, which Temporal bounds.
	MaxSourceBytes = 1 << 20
	// MaxSourceDepth is the deepest nesting of lists and maps.
	MaxSourceDepth = 200
)

// readYAML turns the text of a definition into nodes. It reports everything in
// it that is YAML but not the plain data a definition is made of. The result is
// nil if there is no value to go on with.
func (c *compiler) readYAML(data []byte) *node {
	if len(data) > MaxSourceBytes {
		c.errorAt(span{}, CodeTooLarge, fmt.Sprintf("the definition has %d bytes; the limit is %d", len(data), MaxSourceBytes),
			"split it into several sagas")
		return nil
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !c.checkEncoding(data) {
		return nil
	}
	c.text = newSourceText(data)
	first, err := decodeYAML(data)
	if err != nil {
		c.yamlError(data, err)
		return nil
	}
	if first == nil || len(first.Content) == 0 {
		c.errorAt(span{1, 1, 1, 1}, CodeSyntax, c.what+" is empty", c.start)
		return nil
	}
	if second := first.Content[1:]; len(second) > 0 {
		c.errorAt(span{second[0].Line, second[0].Column, second[0].Line, second[0].Column + 1}, CodeYAML,
			"a second document", "one file holds one definition")
	}
	root := c.yamlNode(first.Content[0], 1)
	if c.tooDeep {
		return nil // what is cut off is no definition
	}
	return root
}

// checkEncoding reports text that is not UTF-8, and line breaks that YAML
// counts and editors do not.
func (c *compiler) checkEncoding(data []byte) bool {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		var what string
		switch {
		case r == utf8.RuneError && size <= 1:
			what = "the file is not UTF-8"
		case r == 0x85 || r == 0x2028 || r == 0x2029:
			what = fmt.Sprintf("the line break %U", r)
		}
		if what != "" {
			line, column := lineColumn(data, i)
			c.errorAt(span{line, column, line, column + 1}, CodeYAML, what, "save the file as UTF-8 with ordinary line breaks")
			return false
		}
		i += size
	}
	return true
}

// decodeYAML returns a document node whose content is the root of the first
// document and, if there is one, the root of the second.
func decodeYAML(data []byte) (doc *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the text cannot be read as YAML: %v", r)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(data))
	doc = new(yaml.Node)
	if err := dec.Decode(doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	var next yaml.Node
	switch err := dec.Decode(&next); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, err
	default:
		doc.Content = append(doc.Content, next.Content...)
	}
	return doc, nil
}

var yamlErrorLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// unquoted finds an entry like the x? or x[key] of a trace, which is text
// everywhere but in brackets: there the library takes the question mark for the mark
// of a key, and the bracket for that of a list.
var unquoted = regexp.MustCompile(`[\[, ](~?[A-Za-z_](?:[\w/.-]|\[[^\s\[\]]*\])*(?:\?|\[[^\s\[\]]*\][\w/.!?-]*))\s*[,\]}]`)

func (c *compiler) yamlError(data []byte, err error) {
	at, what := span{1, 1, 1, 2}, err.Error()
	if m := yamlErrorLine.FindStringSubmatch(what); m != nil {
		what = m[2]
		reported, _ := strconv.Atoi(m[1])
		line := min(max(reported, brokenLine(data, reported), 1), len(c.text.lines))
		text := c.text.line(line - 1)
		first := len(text) - len([]rune(strings.TrimLeft(string(text), " ")))
		at = span{line, first + 1, line, len(text) + 1}
	}
	detail := "check the indentation, the quotes and the brackets around this line"
	text := c.text.line(at.line - 1)
	switch tab := slices.Index(text, '\t'); {
	case tab >= 0 && (strings.TrimSpace(string(text[:tab])) == "" || strings.Contains(what, "tab")):
		what, detail = "a tab stands in the indentation", "indent with spaces: YAML takes no tabs there"
		at = span{at.line, tab + 1, at.line, tab + 2}
	case strings.HasPrefix(what, "mapping values are not allowed"):
		detail = "quote the value if it has a colon before a space, or check the indentation"
	case strings.HasPrefix(what, "found character that cannot start any token"):
		detail = "quote a value that starts with @, % or `"
	case strings.HasPrefix(what, "did not find expected ',' or") && unquotedExpr(text) >= 0:
		from := unquotedExpr(text)
		to := len(text)
		if end := exprEnd(string(text[from+3:])); end >= 0 {
			to = from + 3 + runeOffset(string(text[from+3:]), end) + 2
		}
		what, detail = "an expression stands in brackets without quotes", fmt.Sprintf("quote it: %q", string(text[from:to]))
		at = span{at.line, from + 1, at.line, to + 1}
	case strings.HasPrefix(what, "did not find expected alphabetic or numeric character") && star.MatchString(string(text)):
		from := runeOffset(string(text), star.FindStringIndex(string(text))[0]) + 1
		what, detail = "a bare * is an alias to YAML", `quote it: "*"`
		at = span{at.line, from + 1, at.line, from + 2}
	case strings.HasPrefix(what, "did not find expected '-' indicator"), strings.HasPrefix(what, "did not find expected key"):
		what, detail = "the line fits neither the list nor the map around it", "line it up with the keys or hyphens that it belongs to, or close the quote or bracket above it"
	case strings.HasPrefix(what, "did not find expected ',' or") && unquoted.MatchString(string(text)):
		found := unquoted.FindStringSubmatchIndex(string(text))
		from, to := runeOffset(string(text), found[2]), runeOffset(string(text), found[3])
		what, detail = "a value in brackets has signs that YAML takes for its own", fmt.Sprintf("quote it: %q", string(text[from:to]))
		at = span{at.line, from + 1, at.line, to + 1}
	}
	c.errorAt(at, CodeSyntax, what, detail)
}

var star = regexp.MustCompile(`[\[, ]\*(?:[\], ]|$)`)

// unquotedExpr gives where on a line the first expression stands inside brackets
// that no quotes protect, -1 if there is none.
func unquotedExpr(line []rune) int {
	depth, quote := 0, rune(0)
	for i, r := range line {
		switch {
		case quote != 0:
			if r == quote && line[i-1] != '\\' {
				quote = 0
			}
		case r == '"' || r == '\'':
			quote = r
		case r == '$' && depth > 0 && strings.HasPrefix(string(line[i:]), "${{"):
			return i
		case r == '{' || r == '[':
			depth++
		case r == '}' || r == ']':
			depth--
		}
	}
	return -1
}

// maxBrokenBytes bounds the search for the line of a syntax error.
const maxBrokenBytes = 2 * MaxSourceBytes

// brokenLine returns the line after the longest start of the text that is
// YAML. The library names the line where the surrounding list or map begins,
// which may be far above the mistake.
func brokenLine(data []byte, from int) int {
	broken, end, read := from, 0, 0
	for line := 1; end < len(data) && read < maxBrokenBytes; line++ {
		next := bytes.IndexByte(data[end:], '\n')
		if next < 0 {
			break
		}
		end += next + 1
		if line < from-1 {
			continue
		}
		read += end
		if _, err := decodeYAML(data[:end]); err == nil {
			broken = line + 1
		}
	}
	return broken
}

// charAt gives the first character of a node, which may be its tag; 0 if there
// is none.
func (t *sourceText) charAt(y *yaml.Node) rune {
	if t == nil {
		return 0
	}
	if line := t.line(y.Line - 1); y.Column-1 < len(line) {
		return line[y.Column-1]
	}
	return 0
}

func yamlSpan(y *yaml.Node) span { return span{y.Line, y.Column, y.Line, y.Column + 1} }

// yamlNode converts one YAML node. It never returns nil.
func (c *compiler) yamlNode(y *yaml.Node, depth int) *node {
	n := &node{line: y.Line, column: y.Column}
	switch {
	case depth > MaxSourceDepth:
		if !c.tooDeep {
			c.errorAt(yamlSpan(y), CodeTooLarge, fmt.Sprintf("nested over %d levels deep", MaxSourceDepth), "split what stands there into values of its own")
		}
		c.tooDeep = true
		return n
	case y.Kind == yaml.AliasNode:
		c.errorAt(yamlSpan(y), CodeYAML, "an alias", "definitions have no anchors and aliases; write the value out")
		return n
	case y.Anchor != "":
		c.errorAt(yamlSpan(y), CodeYAML, "an anchor", "definitions have no anchors and aliases; write the value out")
	case y.Style&yaml.TaggedStyle != 0:
		c.errorAt(yamlSpan(y), CodeYAML, "the tag "+y.Tag, "definitions have no tags; quote what shall be text")
	case c.text.charAt(y) == '!': // the library is silent on it
		c.errorAt(yamlSpan(y), CodeYAML, "the tag !", "definitions have no tags; quote what shall be text")
	}
	switch y.Kind {
	case yaml.MappingNode:
		c.yamlMap(n, y, depth)
	case yaml.SequenceNode:
		n.kind = nodeList
		for _, item := range y.Content {
			n.items = append(n.items, c.yamlNode(item, depth+1))
		}
	default:
		c.yamlScalar(n, y)
	}
	return n
}

func (c *compiler) yamlMap(n *node, y *yaml.Node, depth int) {
	n.kind = nodeMap
	lines := make(map[string]int, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content); i += 2 {
		k := y.Content[i]
		if k.Kind == yaml.ScalarNode && k.Tag == "!!merge" {
			c.errorAt(yamlSpan(k), CodeYAML, "a merge key", "definitions have no merge keys; write the keys out")
			continue
		}
		key := c.yamlNode(k, depth+1)
		if key.kind != nodeString {
			c.errorNode(key, CodeYAML, "a key that is "+key.kind.String(), "quote it if it shall be text")
			continue
		}
		name := key.string()
		if line, twice := lines[name]; twice {
			c.errorNode(key, CodeDuplicateKey, fmt.Sprintf("the key %q stands twice", name), fmt.Sprintf("it is on line %d already", line))
			continue
		}
		lines[name] = k.Line
		n.keys = append(n.keys, key)
		n.items = append(n.items, c.yamlNode(y.Content[i+1], depth+1))
	}
}

var yamlStyles = map[yaml.Style]scalarStyle{
	yaml.SingleQuotedStyle: styleSingle,
	yaml.DoubleQuotedStyle: styleDouble,
	yaml.LiteralStyle:      styleLiteral,
	yaml.FoldedStyle:       styleFolded,
}

func (c *compiler) yamlScalar(n *node, y *yaml.Node) {
	n.text = y.Value
	n.style = yamlStyles[y.Style&^yaml.TaggedStyle&^yaml.FlowStyle]
	n.kind, n.value = nodeString, any(y.Value)
	if n.style != stylePlain {
		return
	}
	switch y.Tag {
	case "!!null":
		n.kind, n.value = nodeNull, nil
	case "!!bool":
		n.kind, n.value = nodeBool, strings.EqualFold(y.Value, "true")
	case "!!int", "!!float":
		c.yamlNumber(n)
	}
}

var (
	decimalInt   = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	decimalFloat = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
)

// yamlNumber gives a plain scalar that YAML takes for a number its value. Only
// the forms that JSON has are numbers, so that nobody reads 010 or 1_000
// otherwise than the next person.
func (c *compiler) yamlNumber(n *node) {
	if !decimalFloat.MatchString(n.text) {
		c.errorNode(n, CodeNumber, fmt.Sprintf("%q is a number in a form that is not allowed", n.text),
			"write plain decimal digits, or quote it if it is text")
		n.kind, n.value = nodeInt, 0
		return
	}
	v, err := parseNumber(n.text, decimalInt.MatchString(n.text))
	if err != nil {
		c.errorNode(n, CodeNumber, err.Error(), "quote it if it is text")
		v = 0
	}
	n.value = v
	n.kind = nodeInt
	if _, ok := v.(float64); ok {
		n.kind = nodeFloat
	}
}
