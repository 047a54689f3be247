package dsl

import (
	"cmp"
	"slices"
)

// Range is a part of a source: lines and columns from 1, columns in characters,
// the end exclusive.
type Range struct{ Line, Column, EndLine, EndColumn int }

// holds reports whether a place is in the range.
func (r Range) holds(line, column int) bool {
	after := line > r.Line || line == r.Line && column >= r.Column
	before := line < r.EndLine || line == r.EndLine && column < r.EndColumn
	return after && before
}

// SymbolKind says what a Symbol names.
type SymbolKind string

// The kinds of symbols.
const (
	SymbolStep     SymbolKind = "step"
	SymbolVariable SymbolKind = "variable"
	SymbolSignal   SymbolKind = "signal"
	SymbolActivity SymbolKind = "activity"
)

// Symbol is a name of a definition with the places where it stands.
type Symbol struct {
	Kind SymbolKind
	Name string
	// Declared are the places that give the name its meaning: the id of a step,
	// each set of a variable. Signals and activities have none: they are declared
	// elsewhere.
	Declared []Range
	// Used are the places that read or call it, in the order of the source.
	Used []Range
}

// Inspection is what an editor wants to know of a definition that may be
// unfinished: its problems, its names, and the types in its expressions.
// Expressions are known only as far as the structure of the definition is
// sound. It is immutable.
type Inspection struct {
	Plan        *Plan // nil if there are errors
	Diagnostics Diagnostics
	Symbols     []Symbol // by kind and name

	types []typedRange
}

type typedRange struct {
	at  Range
	typ string
}

// Inspect compiles a definition as Compile does and keeps what it finds out.
func Inspect(src Source, opts Options) *Inspection {
	c := newCompiler(src.Name, opts)
	c.seen = &sightings{symbols: map[symbolKey]*Symbol{}}
	plan := c.compile(c.readYAML(src.Data))
	if c.plan != nil {
		c.symbols()
	}
	i := &Inspection{Diagnostics: c.diags.sort(), types: c.seen.types}
	if !i.Diagnostics.HasErrors() {
		i.Plan = plan
	}
	for _, s := range c.seen.symbols {
		sortRanges(s.Declared)
		sortRanges(s.Used)
		s.Used = slices.Compact(s.Used)
		i.Symbols = append(i.Symbols, *s)
	}
	slices.SortFunc(i.Symbols, func(a, b Symbol) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return i
}

func sortRanges(list []Range) {
	slices.SortFunc(list, func(a, b Range) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// TypeAt gives the type of the smallest part of an expression at a place, as
// messages call it, and the range of that part. ok is false if no expression
// that was checked stands there.
func (i *Inspection) TypeAt(line, column int) (typ string, at Range, ok bool) {
	for _, t := range i.types {
		if t.at.holds(line, column) && (!ok || at.holds(t.at.Line, t.at.Column)) {
			typ, at, ok = t.typ, t.at, true
		}
	}
	return typ, at, ok
}

// SymbolAt gives the name that stands at a place, or nil.
func (i *Inspection) SymbolAt(line, column int) *Symbol {
	for n := range i.Symbols {
		s := &i.Symbols[n]
		for _, at := range slices.Concat(s.Declared, s.Used) {
			if at.holds(line, column) {
				return s
			}
		}
	}
	return nil
}

// sightings is what an inspection takes note of while a definition is compiled.
type sightings struct {
	symbols map[symbolKey]*Symbol
	types   []typedRange
}

type symbolKey struct {
	kind SymbolKind
	name string
}

func (s *sightings) symbol(kind SymbolKind, name string) *Symbol {
	key := symbolKey{kind, name}
	if s.symbols[key] == nil {
		s.symbols[key] = &Symbol{Kind: kind, Name: name}
	}
	return s.symbols[key]
}

func (s *sightings) use(kind SymbolKind, name string, at span) {
	if s != nil && at.line > 0 && name != "" {
		found := s.symbol(kind, name)
		found.Used = append(found.Used, rangeOf(at))
	}
}

func (s *sightings) declare(kind SymbolKind, name string, at span) {
	if at.line > 0 && name != "" {
		found := s.symbol(kind, name)
		found.Declared = append(found.Declared, rangeOf(at))
	}
}

func rangeOf(s span) Range { return Range{s.line, s.column, s.endLine, s.endColumn} }

// symbols takes note of the names that stand outside expressions.
func (c *compiler) symbols() {
	everyStep(c.plan.Steps, func(s *Step) {
		c.seen.declare(SymbolStep, s.ID, c.text.spanOf(c.at[s].get("id")))
		for _, a := range s.Set {
			c.seen.declare(SymbolVariable, a.Name, c.text.spanOf(c.at[assignmentKey{a.Value}]))
		}
		if s.Kind == KindAwait {
			c.seen.use(SymbolSignal, s.Await.Signal, c.text.spanOf(c.at[s].get("await").get("signal")))
		}
		if s.Kind != KindCall {
			return
		}
		c.seen.use(SymbolActivity, s.Call.Activity, c.text.spanOf(c.at[s.Call].get("call")))
		if o := s.Call.Compensate; o != nil {
			c.seen.use(SymbolActivity, o.Activity, c.text.spanOf(c.at[o].get("call")))
		}
		if o := s.Call.Probe; o != nil {
			c.seen.use(SymbolActivity, o.Activity, c.text.spanOf(c.at[o].get("call")))
		}
	})
	for _, u := range c.varUses {
		if !u.set {
			c.seen.use(SymbolVariable, u.name, u.at)
		}
	}
}
