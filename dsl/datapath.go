package dsl

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// dataPath names values inside the input: fields, and all elements of lists
// ("*").
type dataPath []string

var dataPathForm = regexp.MustCompile(`^input(\.[A-Za-z_][A-Za-z0-9_-]*(\[\*\])*|\[\*\])*$`)

// parseDataPath reads a path such as input.items[*].iban. The leading input is
// not part of the result.
func parseDataPath(s string) (dataPath, error) {
	if !dataPathForm.MatchString(s) {
		return nil, fmt.Errorf("%q is not a path into the input", s)
	}
	s = strings.ReplaceAll(strings.TrimPrefix(s, "input"), "[*]", ".*")
	if s == "" {
		return dataPath{}, nil
	}
	return strings.Split(s[1:], "."), nil
}

// SensitiveValues returns the texts of the values at the plan's sensitive
// paths in an input, for redaction: texts as they are, numbers as JSON, and of
// a list or map every value inside. Booleans, null, and texts that are empty
// are left out: to replace them everywhere would hide nothing and break much.
// The result has no repetitions; its order is that of the paths.
func (p *Plan) SensitiveValues(input any) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range p.Sensitive {
		path, err := parseDataPath(s)
		if err != nil {
			continue
		}
		path.visit(input, func(v any) {
			leaves(v, func(leaf string) {
				if leaf != "" && !seen[leaf] {
					seen[leaf] = true
					out = append(out, leaf)
				}
			})
		})
	}
	return out
}

// visit calls f for every value at the path.
func (p dataPath) visit(v any, f func(any)) {
	if len(p) == 0 {
		f(v)
		return
	}
	switch v := v.(type) {
	case map[string]any:
		if item, ok := v[p[0]]; ok {
			p[1:].visit(item, f)
		}
	case []any:
		if p[0] == "*" {
			for _, item := range v {
				p[1:].visit(item, f)
			}
		}
	}
}

// leaves calls f with the text of every text and number in a value.
func leaves(v any, f func(string)) {
	switch v := v.(type) {
	case string:
		f(v)
	case int, float64:
		if s, err := text(v); err == nil {
			f(s)
		}
	case []any:
		for _, item := range v {
			leaves(item, f)
		}
	case map[string]any:
		for _, k := range canonicalKeys(v) {
			leaves(v[k], f)
		}
	}
}

// Derives reports whether an expression of the plan computes its value from a
// sensitive one of the input, rather than giving it as it is: a part of a text, its
// capitals. Such a value is not among SensitiveValues.
func (p *Plan) Derives(e *Expr) bool {
	if e.path != nil || e.isLiteral || len(p.Sensitive) == 0 {
		return false
	}
	tree, err := parseExpr(e.source)
	if err != nil {
		return false
	}
	found := false
	inputPaths(tree, func(path dataPath, _ ast.Node) {
		for _, text := range p.Sensitive {
			sensitive, err := parseDataPath(text)
			found = found || err == nil && path.overlaps(sensitive)
		}
	})
	return found
}
