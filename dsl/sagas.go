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
	// name of its file. The error is fs.ErrNotExist if there is none; every
	// other one says why it cannot be had.
	Find(name string) (Definition, error)
	// Names are the names of all sagas, to suggest one of them.
	Names() []string
	// Where says where definitions are looked for, as a clause for people.
	Where() string
}

// Definitions are definitions in memory, by the name of their saga. They are
// Sagas; the schemas of none refer to files.
type Definitions map[string]Source

var _ Sagas = Definitions(nil)

// Find gives the definition with that name.
func (d Definitions) Find(name string) (Definition, error) {
	source, ok := d[name]
	if !ok {
		return Definition{}, fs.ErrNotExist
	}
	return Definition{Source: source}, nil
}

// Names gives the names, sorted.
func (d Definitions) Names() []string { return slices.Sorted(maps.Keys(d)) }

// Where names them all.
func (d Definitions) Where() string { return "the sagas are " + orList(d.Names()) }

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
	plan  *Plan // nil if it cannot be used
	face  *face // what others have to know of it
	diags Diagnostics
	code  string // why there is nothing to compile
	what  string
	mend  string
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
		c.errorNode(at, CodeRecursion, fmt.Sprintf("the saga %s would run itself: %s", name, strings.Join(append(chain[i:len(chain):len(chain)], name), " → ")),
			"a saga does not run itself, not even through others; use foreach, or start another saga when this one has ended")
		return nil
	}
	in, ok := c.nest.done[name]
	if !ok {
		in = c.compileChild(name)
		c.nest.done[name] = in
	}
	switch {
	case in.what != "":
		c.errorNode(at, in.code, in.what, in.mend)
	case in.plan == nil:
		c.reportChild(at, name, in)
	case len(chain)+in.plan.height > MaxSagaDepth:
		c.tooDeep(at)
	default:
		return in.plan
	}
	return nil
}

func (c *compiler) tooDeep(at *node) {
	c.errorNode(at, CodeTooLarge, fmt.Sprintf("sagas stand inside each other over %d deep", MaxSagaDepth), "write the steps of one of them where it is run")
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

// compileChild finds the definition of a saga and compiles it.
func (c *compiler) compileChild(name string) *inner {
	nest := c.nest
	if len(nest.chain) >= MaxSagaDepth {
		return &inner{code: CodeTooLarge, what: fmt.Sprintf("sagas stand inside each other over %d deep", MaxSagaDepth), mend: "write the steps of one of them where it is run"}
	}
	if len(nest.done) >= MaxSagas {
		return &inner{code: CodeTooLarge, what: fmt.Sprintf("the definition runs over %d different sagas", MaxSagas), mend: "split it into several sagas"}
	}
	root, sub, failed := c.open(name)
	if failed != nil {
		return failed
	}
	chain := nest.chain
	nest.chain = append(chain[:len(chain):len(chain)], name)
	plan := sub.compile(root)
	nest.chain = chain
	if plan != nil && plan.Saga != name {
		return &inner{code: CodeChildSaga, what: fmt.Sprintf("the definition that was found for the saga %s is of the saga %s", name, plan.Saga)}
	}
	in := &inner{plan: plan, diags: sub.diags.sort()}
	if plan != nil {
		in.face = sub.face()
	}
	return in
}

// open finds the definition of a saga and reads it, and gives the compiler for
// it.
func (c *compiler) open(name string) (*node, *compiler, *inner) {
	if c.canon {
		root := c.nest.canon[name]
		if root == nil {
			return nil, nil, &inner{code: CodeUnknownSaga, what: fmt.Sprintf("the plan of the saga %s is missing", name)}
		}
		return root, c.beside("sagas/"+name, nil), nil
	}
	sagas := c.nest.sagas
	if sagas == nil {
		return nil, nil, &inner{code: CodeUnknownSaga, what: fmt.Sprintf("the definition of the saga %s is not known here", name),
			mend: "child sagas are looked for beside the definition that runs them and in the folder of definitions"}
	}
	definition, err := sagas.Find(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, &inner{code: CodeUnknownSaga, what: fmt.Sprintf("there is no saga %s", name),
			mend: didYouMean(name, sagas.Names(), sagas.Where())}
	case err != nil:
		return nil, nil, &inner{code: CodeChildSaga, what: fmt.Sprintf("the saga %s cannot be used: %v", name, err)}
	}
	sub := c.beside(definition.Name, definition.Files)
	return sub.readYAML(definition.Data), sub, nil
}

// beside gives a compiler for another definition of the same compilation.
func (c *compiler) beside(file string, files fs.FS) *compiler {
	opts := c.opts
	opts.Files = files
	sub := newCompilation(file, opts, c.nest)
	sub.catalog, sub.canon = c.catalog, c.canon
	return sub
}
