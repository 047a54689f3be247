package dsl

import (
	"fmt"
	"io/fs"
)

// Source is the text of a definition and the name that diagnostics give it.
type Source struct {
	Name string
	Data []byte
}

// Options says what a definition is compiled against. The zero value is
// valid: nothing is known of the activities.
type Options struct {
	// Manifests are what the plugins offer.
	Manifests []Manifest
	// Catalog is what the plugins offer, compiled before. It stands for
	// Manifests, which are not looked at then.
	Catalog *Catalog
	// RequireActivities makes an activity that no manifest names an error. It
	// is a warning otherwise, and none at all if there are no manifests.
	RequireActivities bool
	// SearchAttributes are the search attributes that are declared. Nil stands
	// for country_code and clearing_batch_id, both keywords.
	SearchAttributes map[string]SearchType
	// Files is the folder of the definition, for $ref in schemas. If it is nil
	// such a reference is an error.
	Files fs.FS
	// Sagas finds the definitions of child sagas. They are compiled against the
	// same options, Files apart. If it is nil a saga step is an error.
	Sagas Sagas
	// Tenants are those whose sagas the definition shall run for: sensitive data
	// must not leave the regions of any of them. None: nothing is said of that.
	Tenants []Tenant
}

// Compile checks a definition and compiles it. It reports every problem it
// finds, sorted by position; the plan is nil exactly if one of them is an
// error. Equal sources and options give equal plans and diagnostics.
func Compile(src Source, opts Options) (*Plan, Diagnostics) {
	c := newCompiler(src.Name, opts)
	plan := c.compile(c.readYAML(src.Data))
	diags := c.diags.sort()
	if diags.HasErrors() {
		return nil, diags
	}
	return plan, diags
}

// MaxDiagnostics bounds how many problems of one definition are reported.
const MaxDiagnostics = 500

// compiler carries one compilation.
type compiler struct {
	file     string
	what     string // is read, for people: the definition
	start    string // how such a file starts
	opts     Options
	text     *sourceText // nil: no places
	diags    Diagnostics
	catalog  catalog
	informed bool     // manifests were given, be it none
	nest     *nesting // shared with the definitions of child sagas
	defaults defaults
	cursor   runeCursor
	seen     *sightings // nil: nobody inspects
	tooDeep  bool       // the text is nested over MaxSourceDepth
	canon    bool       // the nodes come from a canonical plan

	plan  *Plan
	steps map[string]*Step // by id
	at    map[any]*node    // where the parts of the plan are written
	uses  map[*Expr]*exprUse

	types     map[*Expr]*typ // of the expressions that were checked
	result    *typ           // of the saga's output; nil: it never ends by itself
	pivots    childPivots
	outputs   map[string]*typ  // of the steps that were checked, by id
	foreachOf map[*Step]*Step  // the innermost foreach around a step
	branches  map[*Step][]turn // the blocks around a step
	read      map[string]bool  // steps whose output is read
	assigned  map[string]bool  // variables that some step sets
	varUses   []varUse         // where variables are set and read

	keyParts []*Expr // expressions of an interpolated business key
	secrets  []*node // $secret keys that no activity's input has taken yet
}

func newCompiler(file string, opts Options) *compiler {
	c := newCompilation(file, opts, &nesting{sagas: opts.Sagas, done: map[string]*inner{}})
	known := opts.Catalog
	if known == nil {
		known = NewCatalog(opts.Manifests)
	}
	c.catalog = known.activities
	for _, problem := range known.problems {
		problem.File = file
		c.diags = append(c.diags, problem)
	}
	return c
}

// newReader gives a compiler that reads another file than a definition: what it is,
// and how one starts.
func newReader(file, what, start string) *compiler {
	c := newCompiler(file, Options{})
	c.what, c.start = what, start
	return c
}

// newCompilation gives a compiler without a catalog.
func newCompilation(file string, opts Options, nest *nesting) *compiler {
	if opts.SearchAttributes == nil {
		opts.SearchAttributes = defaultSearchAttributes
	}
	return &compiler{
		file:  file,
		what:  "the definition",
		start: "start with saga: NAME",
		opts:  opts,

		informed: opts.Manifests != nil || opts.Catalog != nil,

		nest:  nest,
		steps: map[string]*Step{},
		at:    map[any]*node{},
		uses:  map[*Expr]*exprUse{},

		types:     map[*Expr]*typ{},
		outputs:   map[string]*typ{},
		foreachOf: map[*Step]*Step{},
		branches:  map[*Step][]turn{},
		read:      map[string]bool{},
		assigned:  map[string]bool{},
	}
}

// compile turns nodes into a plan. What is wrong is in c.diags; the plan is of
// use only if there is no error among them.
func (c *compiler) compile(root *node) *Plan {
	if root == nil {
		return nil
	}
	c.definition(root)
	if c.plan == nil {
		return nil
	}
	c.check()
	if c.diags.HasErrors() {
		return nil
	}
	if err := c.plan.seal(); err != nil {
		c.errorAt(span{}, CodeTooLarge, err.Error(), "")
		return nil
	}
	return c.plan
}

// full reports whether no more errors are reported.
func (c *compiler) full() bool { return len(c.diags) >= MaxDiagnostics && c.diags.HasErrors() }

func (c *compiler) report(at span, severity Severity, code, summary, detail string) {
	// However many warnings there are, one error is kept: it decides.
	if len(c.diags) >= MaxDiagnostics && (severity != SeverityError || c.diags.HasErrors()) {
		return
	}
	c.diags = append(c.diags, Diagnostic{
		File: c.file, Line: at.line, Column: at.column, EndLine: at.endLine, EndColumn: at.endColumn,
		Severity: severity, Code: code, Summary: summary, Detail: detail,
	})
}

func (c *compiler) errorAt(at span, code, summary, detail string) {
	c.report(at, SeverityError, code, summary, detail)
}

func (c *compiler) errorNode(n *node, code, summary, detail string) {
	c.errorAt(c.text.spanOf(n), code, summary, detail)
}

// errorExpr reports a whole expression.
func (c *compiler) errorExpr(e *Expr, code, summary, detail string) {
	u := c.uses[e]
	if u == nil {
		c.errorAt(span{}, code, summary, detail)
		return
	}
	c.errorAt(c.exprSpan(u, 0, len([]rune(e.source))), code, summary, detail)
}

func (c *compiler) warnNode(n *node, code, summary, detail string) {
	c.report(c.text.spanOf(n), SeverityWarning, code, summary, detail)
}

// expect reports a node that is not of the kind a key takes.
func (c *compiler) expect(n *node, kind nodeKind, what string) bool {
	if n.kind == kind {
		return true
	}
	c.errorNode(n, CodeWrongType, fmt.Sprintf("%s is %s, not %s", what, n.kind, kind), mendKinds[kind])
	return false
}

// mendKinds says how a value of a kind is written, where that says more than the
// name of the kind.
var mendKinds = map[nodeKind]string{
	nodeBool: "write true or false",
	nodeInt:  "write a whole number, without quotes",
	nodeList: "write each entry on a line of its own behind a hyphen, or [a, b]",
	nodeMap:  "write each key on a line of its own with its value behind a colon, or {key: value}",
}
