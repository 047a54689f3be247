package dsl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Format gives the text of a definition, a test file, a tenant or a
// configuration as sagad writes it, with all its comments. Formatting twice
// changes nothing, and what the text means stays: the same data, and for a
// definition the same plan or the same diagnostics.
//
// Kept are blocks and brackets, line breaks in texts, comments that stand in one
// column, and one blank line where there are some. Normalised are
// indentation, quotes, spaces, line ends and the order of the keys of
// definitions and tenants. Brackets that do not fit on a line become a block.
//
// An error is Diagnostics if the text cannot be read, and a *FormatError if
// the formatter is at fault; there is no text then.
func Format(src Source) ([]byte, error) {
	text := strings.TrimPrefix(string(src.Data), "\ufeff")
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	before, diags := readForm(src.Name, []byte(text))
	if onlyRemarks(text) {
		return formatRemarks(text), nil
	}
	if diags.HasErrors() {
		return nil, diags
	}
	if before.kind != nodeMap && before.kind != nodeList {
		return nil, Diagnostics{{
			File: src.Name, Line: 1, Column: 1, EndLine: 1, EndColumn: 2, Severity: SeverityError, Code: CodeWrongType,
			Summary: "the file holds " + before.kind.String() + ", not keys with values", Detail: "name a definition, a test file, a tenant or a configuration",
		}}
	}
	doc, err := decodeYAML([]byte(text))
	if err != nil {
		return nil, &FormatError{src.Name, err}
	}
	if key := longKey(before); key != nil {
		return nil, Diagnostics{{
			File: src.Name, Line: key.line, Column: key.column, EndLine: key.line, EndColumn: key.column + 1, Severity: SeverityError, Code: CodeTooLarge,
			Summary: fmt.Sprintf("a key has %d characters", utf8.RuneCountInString(key.text)), Detail: fmt.Sprintf("keys of over %d cannot be formatted; write a shorter one", maxKey),
		}}
	}
	out, remarks, err := formatDocument(text, doc.Content[0])
	if err != nil {
		return nil, &FormatError{src.Name, err}
	}
	if len(out) > MaxSourceBytes {
		return nil, Diagnostics{{
			File: src.Name, Severity: SeverityError, Code: CodeTooLarge,
			Summary: fmt.Sprintf("formatted it would have over the %d bytes that are the limit", MaxSourceBytes), Detail: "split it into several sagas",
		}}
	}
	if err := sameMeaning(src.Name, before, []byte(text), []byte(out), remarks); err != nil {
		return nil, &FormatError{src.Name, err}
	}
	return []byte(out), nil
}

// maxKey is the longest key: YAML takes one of over 1024 characters, quotes and
// escapes included, only with a ? before it.
const maxKey = 250

// longKey finds a key that is too long to be written.
func longKey(n *node) *node {
	for i, item := range n.items {
		if i < len(n.keys) && utf8.RuneCountInString(n.keys[i].text) > maxKey {
			return n.keys[i]
		}
		if key := longKey(item); key != nil {
			return key
		}
	}
	return nil
}

// FormatError says that a text was not formatted although there is nothing
// wrong with it: the formatter could not keep its meaning. That is a mistake of
// this package.
type FormatError struct {
	Name string // of the source
	Err  error  // what would have become different
}

// Error says what happened and what to do.
func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: formatting would change what it means (%v), so it is left as it is; this is a mistake of sagad: please report it with the file", e.Name, e.Err)
}

// Unwrap gives the reason.
func (e *FormatError) Unwrap() error { return e.Err }

func formatDocument(text string, root *yaml.Node) (string, []string, error) {
	source := newSourceText([]byte(text))
	if n := len(source.lines); len(source.lines[n-1]) == 0 {
		source.lines = source.lines[:n-1]
	}
	l, head, err := readLayout(source, root)
	if err != nil {
		return "", nil, err
	}
	remarks := l.remarks(head)
	gap := !l.flow && len(l.entries) > 0 && l.entries[0].blank
	if len(l.entries) > 0 {
		l.entries[0].blank = false
	}
	l.arrange()
	l.hoist()
	return printLayout(l, head, gap), remarks, nil
}

// remarks gives the comments of a document.
func (l *layout) remarks(list []remark) []string {
	var all []string
	add := func(list []remark) {
		for _, c := range list {
			all = append(all, c.text)
		}
	}
	add(list)
	for _, e := range l.entries {
		add(e.lead)
		for _, c := range []*remark{e.head, e.trail} {
			if c != nil {
				all = append(all, c.text)
			}
		}
		all = append(all, e.value.remarks(nil)...)
	}
	add(l.foot)
	return all
}

// onlyRemarks reports whether a file has no data.
func onlyRemarks(text string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return false
		}
	}
	return utf8.ValidString(text)
}

// formatRemarks formats a file without data.
func formatRemarks(text string) []byte {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" || len(out) > 0 && out[len(out)-1] != "" {
			out = append(out, line)
		}
	}
	if len(out) == 0 {
		return nil // an empty file stays one
	}
	return []byte(strings.TrimRight(strings.Join(out, "\n"), "\n") + "\n")
}

// readForm reads a text as data.
func readForm(name string, text []byte) (*node, Diagnostics) {
	c := newCompiler(name, Options{})
	root := c.readYAML(text)
	return root, c.diags.sort()
}

// sameMeaning proves that formatting kept data and comments, and what the
// compiler says.
func sameMeaning(name string, before *node, text, out []byte, remarks []string) error {
	after, diags := readForm(name, out)
	if diags.HasErrors() {
		return fmt.Errorf("it could not be read any more: %s", diags[0])
	}
	if err := sameData(before, after, false); err != nil {
		return err
	}
	doc, err := decodeYAML(out)
	if err != nil {
		return err
	}
	source := newSourceText(out)
	source.lines = source.lines[:len(source.lines)-1]
	l, head, err := readLayout(source, doc.Content[0])
	if err != nil {
		return err
	}
	slices.Sort(remarks)
	if got := l.remarks(head); !slices.Equal(slices.Sorted(slices.Values(got)), remarks) {
		return errors.New("a comment is lost")
	}
	if before.get("saga") == nil || before.get("steps") == nil {
		return nil
	}
	if a, b := verdict(text), verdict(out); a != b {
		return fmt.Errorf("the compiler finds %s instead of %s", b, a)
	}
	return nil
}

// sameData compares two values. The order of keys counts only where they are
// branches, and the spaces at the edges of expressions nowhere.
func sameData(a, b *node, ordered bool) error {
	if a.kind != b.kind || len(a.items) != len(b.items) {
		return fmt.Errorf("line %d would be %s instead of %s", a.line, b.kind, a.kind)
	}
	switch a.kind {
	case nodeString:
		if trimExpressions(a.string()) != trimExpressions(b.string()) {
			return fmt.Errorf("the text on line %d would be %q", a.line, b.string())
		}
	case nodeMap:
		for i, k := range a.keys {
			if b.get(k.string()) == nil || ordered && b.keys[i].string() != k.string() {
				return fmt.Errorf("the key %s on line %d is not kept", k.string(), k.line)
			}
			if err := sameData(a.items[i], b.get(k.string()), k.string() == "branches"); err != nil {
				return err
			}
		}
	case nodeList:
		for i, item := range a.items {
			if err := sameData(item, b.items[i], false); err != nil {
				return err
			}
		}
	default:
		if a.value != b.value {
			return fmt.Errorf("%s on line %d would be %s", a.text, a.line, b.text)
		}
	}
	return nil
}

// verdict is what the compiler makes of a definition without its surroundings:
// the digest of its plan, or what it finds.
func verdict(text []byte) string {
	plan, diags := Compile(Source{Data: text}, Options{})
	if plan != nil {
		return plan.Digest
	}
	found := make([]string, len(diags))
	for i, d := range diags {
		found[i] = d.Severity.String() + "[" + d.Code + "]"
	}
	slices.Sort(found)
	return strings.Join(found, " ")
}
