package dsl

import (
	"errors"
	"fmt"
	"regexp"
	"sync"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
)

// budgetName is the name under which a running expression finds its budget.
// No expression can spell it.
const budgetName = "\x00budget"

// budget counts the work of one evaluation down.
type budget struct{ left int }

var errWork = &fault{reason: "the expression does too much work", mend: "use it on less data"}

func (b *budget) spend(n int) error {
	if b.left -= n; b.left < 0 || n < 0 {
		return errWork
	}
	return nil
}

// spendText pays for a text of n bytes.
func (b *budget) spendText(n int) error {
	if n > MaxTextBytes {
		return &fault{reason: fmt.Sprintf("a text of %d bytes is over the limit of %d", n, MaxTextBytes)}
	}
	return b.spend(1 + n/64)
}

// machine is a virtual machine with what belongs to one evaluation.
type machine struct {
	vm     vm.VM
	env    map[string]any
	budget budget
}

var machines = sync.Pool{New: func() any {
	m := &machine{env: make(map[string]any, 8)}
	m.vm.MemoryBudget = 4 * MaxExprWork
	return m
}}

// run evaluates on a virtual machine.
func (e *Expr) run(env Env) (v any, err error) {
	m := machines.Get().(*machine)
	defer func() {
		if r := recover(); r != nil {
			// The machine may be in any state: drop it.
			v, err = nil, (&fault{reason: fmt.Sprintf("the expression cannot be evaluated: %v", r)}).in(e.source)
			return
		}
		m.clear()
		machines.Put(m)
	}()
	m.budget.left = MaxExprWork
	m.env[budgetName] = &m.budget
	for _, name := range e.names {
		m.env[name] = env[name]
	}
	v, err = m.vm.Run(e.program, m.env)
	if err != nil {
		return nil, runFault(err).in(e.source)
	}
	if v, err = normal(&m.budget, v, 0); err != nil {
		return nil, asFault(err).in(e.source)
	}
	return v, nil
}

// clear forgets the data of the evaluation, so that a pooled machine keeps
// none of it alive.
func (m *machine) clear() {
	clear(m.env)
	clear(m.vm.Stack[:cap(m.vm.Stack)])
	clear(m.vm.Variables)
	for _, s := range m.vm.Scopes[:cap(m.vm.Scopes)] {
		if s != nil {
			*s = vm.Scope{}
		}
	}
}

// normal checks that a result is JSON data. What an expression computed is
// normal already, so that this only walks; it never changes anything.
func normal(b *budget, v any, depth int) (any, error) {
	if err := b.spend(1); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case nil, bool, int, string:
		return v, nil
	case float64:
		n, err := normalFloat(v)
		if err != nil {
			return nil, &fault{reason: err.Error()}
		}
		return n, nil
	case []any:
		for _, item := range v {
			if _, err := normalPart(b, item, depth); err != nil {
				return nil, err
			}
		}
		return v, nil
	case map[string]any:
		for _, item := range v {
			if _, err := normalPart(b, item, depth); err != nil {
				return nil, err
			}
		}
		return v, nil
	default:
		return nil, &fault{reason: "the result is " + describe(v) + ", which is not JSON data"}
	}
}

func normalPart(b *budget, v any, depth int) (any, error) {
	if depth >= MaxJSONDepth {
		return nil, &fault{reason: fmt.Sprintf("the result is nested over %d levels deep", MaxJSONDepth)}
	}
	return normal(b, v, depth+1)
}

func asFault(err error) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	return &fault{reason: err.Error()}
}

var (
	fetchPanic = regexp.MustCompile(`^cannot fetch (.*) from (\S+)$`)
	rangePanic = regexp.MustCompile(`^index out of range: (-?\d+) \(array length is (\d+)\)$`)
	indexPanic = regexp.MustCompile(`^invalid operation: int\((\S+)\)$`)
)

// runFault turns an error of the virtual machine into one of ours.
func runFault(err error) *fault {
	var e *file.Error
	if !errors.As(err, &e) {
		return asFault(err)
	}
	at := func(f fault) *fault {
		f.from, f.to = e.From, max(e.To, e.From+1)
		return &f
	}
	var f *fault
	if errors.As(e.Prev, &f) {
		return at(*f)
	}
	if m := fetchPanic.FindStringSubmatch(e.Message); m != nil {
		return at(*fetchFault(m[1], goTypes[m[2]]))
	}
	if m := rangePanic.FindStringSubmatch(e.Message); m != nil {
		return at(fault{reason: fmt.Sprintf("index %s is outside a list of %s", m[1], m[2])})
	}
	if m := indexPanic.FindStringSubmatch(e.Message); m != nil {
		return at(fault{reason: "a list is read with " + goTypes[m[1]] + " as its index"})
	}
	return at(fault{reason: "the expression cannot be evaluated: " + e.Message})
}

// goTypes names the Go types that occur in errors of the virtual machine.
var goTypes = map[string]string{
	"<nil>":                  "null",
	"bool":                   "a boolean",
	"int":                    "an integer",
	"float64":                "a number",
	"string":                 "text",
	"[]interface {}":         "a list",
	"map[string]interface{}": "a map",
}

// fetchFault is what happens when a field is read from what has none.
func fetchFault(field, from string) *fault {
	if from == "" {
		from = "a value without fields"
	}
	f := &fault{reason: fmt.Sprintf("%s is read from %s", field, from)}
	if from == "null" {
		f.mend = "write ?." + field + " and a default after ??"
	}
	return f
}

// describe names the type of a value for messages.
func describe(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case int:
		return "an integer"
	case float64:
		return "a number"
	case string:
		return "text"
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	default:
		return fmt.Sprintf("a %T", v)
	}
}

func mendBool(v any) string {
	if v == nil {
		return "write a default, such as ?? false"
	}
	return "compare it with something"
}
