package dsl

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// untidy writes random definitions the way that hurried people do: any
// indentation, blocks and brackets, quotes, blank lines, and comments wherever
// YAML takes one.
type untidy struct {
	t        *rapid.T
	b        strings.Builder
	comments int
}

func (u *untidy) chance(percent int, what string) bool {
	return rapid.IntRange(1, 100).Draw(u.t, what) <= percent
}

func (u *untidy) pick(what string, of ...string) string { return rapid.SampledFrom(of).Draw(u.t, what) }

// comment ends a line with a comment or without one.
func (u *untidy) end() {
	if u.chance(15, "trailing") {
		u.comments++
		fmt.Fprintf(&u.b, "%s# c%d", strings.Repeat(" ", rapid.IntRange(1, 9).Draw(u.t, "gap")), u.comments)
	} else if u.chance(10, "spaces") {
		u.b.WriteString("  ")
	}
	u.b.WriteString("\n")
}

// between writes blank lines and comments of their own.
func (u *untidy) between(indent int) {
	for u.chance(15, "between") {
		if u.chance(50, "blank") {
			u.b.WriteString(u.pick("blank", "\n", "   \n", "\n\n"))
			continue
		}
		u.comments++
		fmt.Fprintf(&u.b, "%s#%sc%d\n", strings.Repeat(" ", rapid.IntRange(0, indent+4).Draw(u.t, "column")), u.pick("space", " ", ""), u.comments)
	}
}

var untidyTexts = []string{
	"a", "a text", "${{ input.a }}", "${{input.a}}", "Order ${{input.a}} of ${{  input.b }}", "yes", "12", "a: b", "a #b", "it's", `say "a"`, "", "ü", "2026-11-23",
	"${{ map(input.a, #.b) }}", "*", "- a", "a, b", "{", "null", "$${{ a }}", "back\\slash", "tab\tin it", "/path", "~",
}

// scalar writes a text in one of the ways there are.
func (u *untidy) scalar(flow bool) {
	s := rapid.SampledFrom(untidyTexts).Draw(u.t, "text")
	switch u.pick("style", "plain", "single", "double") {
	case "plain":
		if isPlain(s, flow) || !flow && strings.HasPrefix(s, "${{") && !strings.Contains(s, " #") {
			u.b.WriteString(s)
			return
		}
		fallthrough
	case "single":
		u.b.WriteString("'" + strings.ReplaceAll(s, "'", "''") + "'")
	default:
		u.b.WriteString(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\t", `\t`).Replace(s) + `"`)
	}
}

// brackets writes a value in brackets; it may go over lines.
func (u *untidy) brackets(depth, indent int) {
	gap := func() {
		switch {
		case u.chance(10, "break"):
			u.end()
			u.between(indent)
			u.b.WriteString(strings.Repeat(" ", indent+1))
		case u.chance(30, "space"):
			u.b.WriteString(" ")
		}
	}
	switch kind := u.pick("kind", "scalar", "map", "list"); {
	case depth <= 0 || kind == "scalar":
		u.scalar(true)
	case kind == "map":
		u.b.WriteString("{")
		n := rapid.IntRange(0, 3).Draw(u.t, "keys")
		for i := range n {
			gap()
			fmt.Fprintf(&u.b, "%s: ", u.pick("key", fmt.Sprintf("k%d", i), fmt.Sprintf(`"k%d"`, i)))
			u.brackets(depth-1, indent+1)
			gap()
			if i < n-1 || u.chance(20, "comma") {
				u.b.WriteString(",")
			}
		}
		gap()
		u.b.WriteString("}")
	default:
		u.b.WriteString("[")
		n := rapid.IntRange(0, 3).Draw(u.t, "items")
		for i := range n {
			gap()
			u.brackets(depth-1, indent+1)
			gap()
			if i < n-1 {
				u.b.WriteString(",")
			}
		}
		gap()
		u.b.WriteString("]")
	}
}

// value writes what stands behind a key or hyphen, up to the end of its line.
func (u *untidy) value(depth, indent int) {
	deeper := indent + rapid.IntRange(1, 4).Draw(u.t, "indent")
	switch kind := u.pick("value", "scalar", "brackets", "block", "map", "list", "lines"); {
	case kind == "brackets":
		u.b.WriteString(" ")
		u.brackets(2, deeper)
		u.end()
	case kind == "block":
		u.b.WriteString(u.pick("header", " |", " >", " |-", " >-", " |+"))
		u.end()
		for range rapid.IntRange(1, 3).Draw(u.t, "lines") {
			fmt.Fprintf(&u.b, "%s%s\n", strings.Repeat(" ", deeper), u.pick("line", "text", "# no comment", "a: b", "- c"))
			if u.chance(20, "gap") {
				u.b.WriteString("\n")
			}
		}
	case kind == "lines":
		quote := u.pick("quote", "", `"`, "'")
		fmt.Fprintf(&u.b, " %sfirst\n%ssecond%s", quote, strings.Repeat(" ", deeper), quote)
		u.end()
	case depth <= 0 || kind == "scalar":
		u.b.WriteString(" ")
		u.scalar(false)
		u.end()
	case kind == "map":
		u.end()
		for i := range rapid.IntRange(1, 3).Draw(u.t, "keys") {
			u.between(deeper)
			fmt.Fprintf(&u.b, "%sk%d:", strings.Repeat(" ", deeper), i)
			u.value(depth-1, deeper)
		}
	default:
		u.end()
		for range rapid.IntRange(1, 3).Draw(u.t, "items") {
			u.between(deeper)
			fmt.Fprintf(&u.b, "%s-", strings.Repeat(" ", deeper))
			u.value(depth-1, deeper+1)
		}
	}
}

func (u *untidy) definition() string {
	u.between(0)
	for _, key := range rapid.Permutation([]string{"saga", "key", "description", "output", "steps", "other"}).Draw(u.t, "order") {
		u.between(0)
		u.b.WriteString(key + ":")
		if key != "steps" {
			u.value(3, 0)
			continue
		}
		u.end()
		indent := rapid.IntRange(0, 3).Draw(u.t, "indent")
		for i := range rapid.IntRange(1, 3).Draw(u.t, "steps") {
			u.between(indent)
			inner := rapid.IntRange(1, 3).Draw(u.t, "hyphen")
			fmt.Fprintf(&u.b, "%s-%s", strings.Repeat(" ", indent), strings.Repeat(" ", inner))
			for j, key := range rapid.Permutation([]string{"id", "call", "with", "set", "catch", "extra"}).Draw(u.t, "keys") {
				if j > 0 {
					u.between(indent + 1 + inner)
					u.b.WriteString(strings.Repeat(" ", indent+1+inner))
				}
				if key == "id" {
					fmt.Fprintf(&u.b, "id: s%d", i)
					u.end()
					continue
				}
				u.b.WriteString(key + ":")
				u.value(2, indent+1+inner)
			}
		}
	}
	u.between(0)
	return u.b.String()
}

// Whatever people write is formatted: with every comment, once and for all, and
// with the plan and diagnostics that it had.
func TestFormatRandom(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		u := &untidy{t: rt}
		text := u.definition()
		if _, diags := readForm("", []byte(text)); diags.HasErrors() {
			rt.Skip("not YAML")
		}
		out, err := Format(Source{Data: []byte(text)})
		if err != nil {
			rt.Fatalf("%v\n%s", err, text)
		}
		if again, err := Format(Source{Data: out}); err != nil || string(again) != string(out) {
			rt.Fatalf("%v\n--- text\n%s\n--- once\n%s\n--- twice\n%s", err, text, out, again)
		}
		for i := range u.comments {
			if c := fmt.Sprintf("c%d\n", i+1); !strings.Contains(string(out), c) {
				rt.Fatalf("the comment %s is lost\n--- text\n%s\n--- formatted\n%s", c, text, out)
			}
		}
		if slices.ContainsFunc(strings.Split(string(out), "\n"), func(line string) bool { return strings.HasSuffix(line, " ") && strings.Contains(line, ":") }) {
			rt.Fatalf("a space is left at the end of a line\n%s", out)
		}
	})
}
