package dsl

import (
	"strings"
	"testing"
)

// TestAlignment puts a marker into scalars of every style and looks up its
// place in the source.
func TestAlignment(t *testing.T) {
	for name, source := range map[string]string{
		"plain":                "a: some text ¤ and more",
		"plain in flow":        "a: {b: [x, some ¤ text], c: d}",
		"plain over lines":     "a: some text\n  and more\n\n\n  and ¤ more\n  end",
		"single":               "a: 'some ''quoted'' text ¤'",
		"single over lines":    "a: 'some\n  text ''\n\n\n\n  it''s ¤ here '",
		"double":               `a: "t\tab \" \\ \u00e9 \U0001F600 \x41 ä 😀 ¤ x"`,
		"double over lines":    "a: \"some\n   text \\\n  joined\\n\n\n\n  ¤ end\"",
		"double space at end":  "a: \"some   \n    text ¤\"",
		"literal":              "a: |\n  one\n  two ¤\n  three\nb: c",
		"literal indented":     "a:\n  - b: |-\n\n      one\n        two ä ¤\n\n\n      three\n",
		"literal with header":  "a: |2+\n    one\n  ¤\n\n",
		"literal with comment": "a: | # why\n  one ¤\n",
		"folded":               "a: >\n  one\n  two\n\n  three\n  four ¤\n",
		"folded more indented": "a: >-\n  one\n    two\n    three\n\n\n  four\n  five ¤\n  six",
		"folded blank start":   "a: >\n\n\n  one\n  ¤\n",
		"wide characters":      "ä: {😀: ü, ö: \"größe 😀 ¤\"}",
		"windows line ends":    "a: |\r\n  one\r\n  two ¤\r\nb: 'x\r\n  ¤'\r\n",
	} {
		c := newCompiler("", Options{})
		n := c.readYAML([]byte(source))
		if n == nil || len(c.diags) > 0 {
			t.Errorf("%s: %v", name, c.diags)
			continue
		}
		found := 0
		var visit func(n *node)
		visit = func(n *node) {
			for _, item := range n.items {
				visit(item)
			}
			runes := []rune(n.string())
			for i, r := range runes {
				if r != '¤' {
					continue
				}
				found++
				s := c.text.spanIn(n, i, i+1)
				if line := c.text.line(s.line - 1); s.column > len(line) || line[s.column-1] != '¤' || s.endColumn != s.column+1 || s.endLine != s.line {
					t.Errorf("%s: the marker is not at %+v", name, s)
				}
			}
		}
		visit(n)
		if want := strings.Count(source, "¤"); found != want {
			t.Errorf("%s: found %d of %d markers", name, found, want)
		}
	}
}

// TestSpanOfScalars checks where scalars end.
func TestSpanOfScalars(t *testing.T) {
	for source, want := range map[string]span{
		"a: text":         {1, 4, 1, 8},
		"a: 'te''xt' # x": {1, 4, 1, 12},
		`a: "t\u00e9xt"`:  {1, 4, 1, 15},
		"a: 5":            {1, 4, 1, 5},
		"a: ''":           {1, 4, 1, 6},
		"a: one\n  two":   {1, 4, 2, 6},
		"a: [x]":          {1, 4, 1, 5},
	} {
		c := newCompiler("", Options{})
		n := c.readYAML([]byte(source))
		if got := c.text.spanOf(n.items[0]); got != want {
			t.Errorf("%q spans %+v; want %+v", source, got, want)
		}
	}
}
