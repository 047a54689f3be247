package dsl

import "strings"

// exprEnd returns where the expression that starts at s[0] ends, which is
// before the first }} outside of quotes and braces, or -1.
func exprEnd(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"', '\'', '`':
			n := quotedLength(s[i:])
			if n < 0 {
				return strings.Index(s, "}}")
			}
			i += n - 1
		case '{':
			depth++
		case '}':
			if depth > 0 {
				depth--
			} else if strings.HasPrefix(s[i:], "}}") {
				return i
			}
		}
	}
	return -1
}

// quotedLength returns the length of the quoted text that starts at s[0],
// or -1 if it does not end.
func quotedLength(s string) int {
	quote := s[0]
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quote != '`':
			i++
		case s[i] == quote:
			return i + 1
		}
	}
	return -1
}

// checkTokens reports what the lexer would silently drop or take amiss:
// comments, and text that does not end.
func checkTokens(s string) *fault {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"' || s[i] == '\'' || s[i] == '`':
			n := quotedLength(s[i:])
			if n < 0 {
				f := tokenFault(s, i, i+1, "the quote is not closed", "end the text with "+s[i:i+1])
				f.unfinished = true
				return f
			}
			i += n - 1
		case strings.HasPrefix(s[i:], "//") || strings.HasPrefix(s[i:], "/*"):
			return tokenFault(s, i, i+2, "a comment inside an expression", "write a YAML comment with # on a line of its own")
		case strings.HasPrefix(s[i:], "${{"):
			return tokenFault(s, i, i+3, "${{ inside an expression", "one pair of ${{ }} is enough")
		}
	}
	return nil
}

func tokenFault(s string, from, to int, reason, mend string) *fault {
	return &fault{from: runeOffset(s, from), to: runeOffset(s, to), reason: reason, mend: mend}
}
