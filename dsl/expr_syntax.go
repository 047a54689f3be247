package dsl

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// syntaxFault turns an error of the parser into one of ours.
func syntaxFault(source string, err error) *fault {
	var e *file.Error
	if !errors.As(err, &e) {
		return &fault{reason: err.Error()}
	}
	f := &fault{from: e.From, to: max(e.To, e.From+1), reason: plainSyntax(e.Message)}
	tokens, _ := lexer.Lex(file.NewSource(source)) // what is no token was reported by the parser
	switch {
	case strings.Contains(e.Message, "maximum allowed nodes"):
		f.reason, f.mend = "the expression is too large", "name its parts in set steps"
	case strings.Contains(e.Message, "token EOF") || strings.Contains(e.Message, "end of expression"):
		f.endsEarly(tokens)
	case strings.Contains(e.Message, `(":")`) && strings.Contains(source, "{"):
		f.mend = "inside a predicate, write a map in parentheses: map(xs, ({a: #}))"
	case strings.HasPrefix(e.Message, "unexpected token"):
		f.unexpected(source, tokens)
	case strings.HasPrefix(e.Message, "Operator ("):
		f.reason, f.mend = "?? stands beside another operator without parentheses", "write parentheses around one of them, such as (a ?? 0) + 1"
	case badNumber.MatchString(e.Message):
		f.reason, f.mend = "a number is not well formed", "write plain decimal digits; text stands in quotes"
	case strings.Contains(e.Message, "unescape") || strings.Contains(e.Message, "char escape"):
		f.reason, f.mend = `the text has a \ that starts nothing`, `write \\ for the character itself`
	case strings.HasPrefix(e.Message, "unrecognized character"):
		f.mend = "text stands in quotes"
	}
	return f
}

var (
	tokenForm = regexp.MustCompile(`(?:Identifier|Number|String|Bytes|Operator|Bracket)\("((?:[^"\\]|\\.)*)"\)`)
	badNumber = regexp.MustCompile(`^(invalid [a-z]+ literal|bad number syntax)`)
)

// plainSyntax says what the parser says without the names of its tokens.
func plainSyntax(message string) string { return tokenForm.ReplaceAllString(message, `"$1"`) }

// closers are the brackets by what closes them.
var closers = map[string]string{"(": ")", "[": "]", "{": "}"}

// openBracket gives the innermost bracket that is open at a place, if there is
// one.
func openBracket(tokens []lexer.Token, before int) (open lexer.Token, found bool) {
	var stack []lexer.Token
	for _, t := range tokens {
		switch {
		case t.From >= before || t.Kind != lexer.Bracket:
		case closers[t.Value] != "":
			stack = append(stack, t)
		case len(stack) > 0:
			stack = stack[:len(stack)-1]
		}
	}
	if len(stack) == 0 {
		return lexer.Token{}, false
	}
	return stack[len(stack)-1], true
}

// endsEarly says what is missing at the end of an expression.
func (f *fault) endsEarly(tokens []lexer.Token) {
	f.reason, f.unfinished = "the expression ends too early", true
	last := len(tokens) - 1
	if last >= 0 && tokens[last].Kind == lexer.EOF {
		last--
	}
	if last < 0 {
		return
	}
	end := tokens[last]
	if end.Kind == lexer.Operator {
		f.mend = fmt.Sprintf("write what belongs behind %s", end.Value)
		return
	}
	if open, ok := openBracket(tokens, end.To); ok {
		f.from, f.to = open.From, open.To
		f.reason, f.mend = fmt.Sprintf("the bracket %s is not closed", open.Value), "write the "+closers[open.Value]+" that belongs to it"
		return
	}
	if slices.ContainsFunc(tokens, func(t lexer.Token) bool { return t.Is(lexer.Operator, "?") }) {
		f.mend = "a choice is written condition ? a : b"
	}
}

// meant gives the operators that other languages write otherwise.
var meant = map[string]string{
	"=": "==", "===": "==", "!==": "!=", "<>": "!=", "!": "!=", "=>": ">=", "=<": "<=", "&": "&&",
}

// operatorAt gives the whole run of operator signs around a place: the parser
// names a part of what it cannot read.
func operatorAt(source string, at int) (from, to int, operator string) {
	runes := []rune(source)
	sign := func(i int) bool { return i >= 0 && i < len(runes) && strings.ContainsRune("=<>!&", runes[i]) }
	from = min(at, len(runes))
	for to = from; sign(to); {
		to++
	}
	for sign(from - 1) {
		from--
	}
	return from, to, string(runes[from:to])
}

// unexpected says how to mend a token that cannot stand where it does.
func (f *fault) unexpected(source string, tokens []lexer.Token) {
	if from, to, operator := operatorAt(source, f.from); meant[operator] != "" {
		f.from, f.to = from, to
		f.mend = "write " + meant[operator]
		if operator != "!" { // which is there, before a value
			f.reason = fmt.Sprintf("the operator %s is not part of expressions", operator)
		}
		return
	}
	i := slices.IndexFunc(tokens, func(t lexer.Token) bool { return t.From == f.from })
	if i < 0 {
		return
	}
	open, inside := openBracket(tokens, f.from)
	switch t := tokens[i]; {
	case t.Kind == lexer.Bracket && closers[t.Value] == "" && (!inside || closers[open.Value] != t.Value):
		f.mend = "no bracket is open that it closes; leave it out, or open one"
	case t.Is(lexer.Operator, "#"):
		f.mend = "# stands inside predicates, such as filter(input.items, #.price > 3)"
	case t.Is(lexer.Operator, ","):
		f.mend = "a list is written [a, b]"
	case t.Is(lexer.Operator, ":"):
		f.mend = "a choice is written condition ? a : b, a map {name: value}"
	case t.Kind == lexer.Operator || closers[t.Value] == "" && t.Kind == lexer.Bracket:
		f.mend = "write a value before it"
	case inside:
		f.mend = "write an operator or a comma before it; text stands in quotes"
	default:
		f.mend = "write an operator before it; text stands in quotes"
	}
}
