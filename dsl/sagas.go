package dsl

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Limits of the sagas that a definition runs as children (S9).
const (
	// MaxSagaDepth is how many definitions may stand inside each other, the
	// outermost included: each level is one more part of the children's IDs.
	MaxSagaDepth = 8
	// MaxSagas is the largest number of different sagas that one definition
	// runs, at any depth: the plans of all of them travel with it (S23).
	MaxSagas = 32
)

// Definition is the text of a definition, and where its schemas are.
type Definition struct {
	Source
	Files fs.FS // the folder of the definition, for $ref in schemas; nil: none
}

// Sagas finds the definitions of the sagas that `saga` steps name.
type Sagas interface {
	// Find gives the definition of the saga with a name: its `saga`, not the
	// name of its file. from is the Source.Name of the definition that runs it.
	// The error is an *UnknownSagaError if there is none; every other one says
	// why it cannot be had.
	Find(name, from string) (Definition, error)
}

// UnknownSagaError says that no definition has the name.
type UnknownSagaError struct {
	Names []string // those there are, to suggest one of them
	Where string   // where definitions are looked for, as a clause for people
}

// Error says where definitions were looked for.
func (e *UnknownSagaError) Error() string { return "there is no such saga; " + e.Where }

// Definitions are definitions in memory, by the name of their saga. They are
// Sagas; the schemas of none refer to files.
type Definitions map[string]Source

var _ Sagas = Definitions(nil)

// Find gives the definition with that name.
func (d Definitions) Find(name, _ string) (Definition, error) {
	source, ok := d[name]
	if !ok {
		names := slices.Sorted(maps.Keys(d))
		return Definition{}, &UnknownSagaError{Names: names, Where: "the sagas are " + orList(names)}
	}
	return Definition{Source: source}, nil
}

// nesting is what the compilations of a definition and of the sagas inside it
// share.
type nesting struct {
	sagas Sagas
	canon map[string]*node  // of a canonical plan: the plans of its sagas
	done  map[string]*inner // by name
	chain []string          // the sagas that are being compiled, outermost first
}

// inner is one definition that was compiled because another one runs it.
type inner struct {
	file  string
	plan  *Plan // nil if it cannot be used
	face  *face // what others have to know of it
	diags Diagnostics
}

// child reads a step that runs another saga.
func (c *compiler) child(n, name, with *node) *Child {
	child := &Child{}
	c.at[child] = n
	saga := c.name(name, "the saga", sagaForm, sagaHint)
	if with != nil {
		child.With = c.inputMap(with)
	}
	if saga != "" {
		child.Plan = c.childPlan(name, saga)
	}
	return child
}

// childPlan gives the plan of a saga. What is wrong with it is reported where
// its name stands.
func (c *compiler) childPlan(at *node, name string) *Plan {
	chain := c.nest.chain
	if i := slices.Index(chain, name); i >= 0 {
		c.errorNode(at, CodeRecursion, fmt.Sprintf("the saga %s would run itself: %s", name, strings.Join(slices.Concat(chain[i:], []string{name}), " → ")),
			"a saga does not run itself, not even through others; use foreach, or start another saga when this one has ended")
		return nil
	}
	sub, root := c.open(at, name)
	if sub == nil {
		return nil
	}
	in, ok := c.nest.done[name]
	switch {
	case ok && in.file != sub.file:
		c.errorNode(at, CodeChildSaga, fmt.Sprintf("two definitions are of the saga %s: %s and %s", name, sub.file, in.file), "rename one of them")
		return nil
	case !ok && (len(chain) >= MaxSagaDepth || len(c.nest.done) >= MaxSagas):
		c.tooMany(at, len(chain))
		return nil
	case !ok:
		in = sub.compileAs(name, root)
		c.nest.done[name] = in
	}
	switch {
	case in.plan == nil:
		c.reportChild(at, name, in)
	case in.plan.Saga != name:
		c.errorNode(at, CodeChildSaga, fmt.Sprintf("the definition that was found for the saga %s is of the saga %s", name, in.plan.Saga), "")
	case len(chain)+in.plan.height > MaxSagaDepth:
		c.tooMany(at, MaxSagaDepth)
	default:
		return in.plan
	}
	return nil
}

func (c *compiler) tooMany(at *node, depth int) {
	if depth >= MaxSagaDepth {
		c.errorNode(at, CodeTooLarge, fmt.Sprintf("sagas stand inside each other over %d deep", MaxSagaDepth), "write the steps of one of them where it is run")
		return
	}
	c.errorNode(at, CodeTooLarge, fmt.Sprintf("the definition runs over %d different sagas", MaxSagas), "split it into several sagas")
}

// reportChild says that the definition of a child has errors.
func (c *compiler) reportChild(at *node, name string, in *inner) {
	var all Diagnostics
	for _, d := range in.diags {
		if d.Severity == SeverityError {
			all = append(all, d)
		}
	}
	if all[0].Code == CodeRecursion {
		c.errorNode(at, CodeRecursion, all[0].Summary, all[0].Detail)
		return
	}
	if len(all) == 1 {
		c.errorNode(at, CodeChildSaga, fmt.Sprintf("the definition of the saga %s has an error", name), all[0].String())
		return
	}
	c.errorNode(at, CodeChildSaga, fmt.Sprintf("the definition of the saga %s has %d errors", name, len(all)), "the first is "+all[0].String())
}

// compileAs compiles a definition that another one runs.
func (c *compiler) compileAs(name string, root func() *node) *inner {
	chain := c.nest.chain
	c.nest.chain = slices.Concat(chain, []string{name})
	plan := c.compile(root())
	c.nest.chain = chain
	in := &inner{file: c.file, plan: plan, diags: c.diags.sort()}
	if plan != nil {
		in.face = c.face()
	}
	return in
}

// open finds the definition of a saga. It gives the compiler for it and what
// reads it, or reports why there is none.
func (c *compiler) open(at *node, name string) (*compiler, func() *node) {
	sagas := c.nest.sagas
	switch {
	case c.canon && c.nest.canon[name] == nil:
		c.errorNode(at, CodeUnknownSaga, fmt.Sprintf("the plan of the saga %s is missing", name), "")
		return nil, nil
	case c.canon:
		return c.beside("sagas/"+name, nil), func() *node { return c.nest.canon[name] }
	case sagas == nil:
		c.errorNode(at, CodeUnknownSaga, fmt.Sprintf("the definition of the saga %s is not known here", name),
			"child sagas are looked for beside the definition that runs them and in the folder of definitions")
		return nil, nil
	}
	definition, err := sagas.Find(name, c.file)
	var unknown *UnknownSagaError
	switch {
	case errors.As(err, &unknown):
		c.errorNode(at, CodeUnknownSaga, "there is no saga "+name, didYouMean(name, unknown.Names, unknown.Where))
		return nil, nil
	case err != nil:
		c.errorNode(at, CodeChildSaga, fmt.Sprintf("the saga %s cannot be used: %v", name, err), "")
		return nil, nil
	}
	sub := c.beside(definition.Name, definition.Files)
	return sub, func() *node { return sub.readYAML(definition.Data) }
}

// beside gives a compiler for another definition of the same compilation.
func (c *compiler) beside(file string, files fs.FS) *compiler {
	opts := c.opts
	opts.Files = files
	sub := newCompilation(file, opts, c.nest)
	sub.catalog, sub.canon = c.catalog, c.canon
	return sub
}

// ValidSagaName says whether s can name a saga.
func ValidSagaName(s string) bool { return len(s) <= MaxSagaName && sagaForm.MatchString(s) }
