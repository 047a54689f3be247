package dsl

import (
	"fmt"
	"slices"
	"strings"
)

// spot is where a step stands.
type spot struct {
	step  *Step
	block string // names the list that it stands in, the same in both plans
	words string // the list for people; empty: the saga itself
	index int    // in the list
	after *Step  // nil: it is the first
	owner *Step  // whose list it is; nil: the saga's
}

// place says where a step stands.
func (s *spot) place() string {
	place := "first"
	if s.after != nil {
		place = "after " + s.after.ID
	}
	if s.words != "" {
		place += " in " + s.words
	}
	return place
}

// pairing says which cases or clauses of a step are the same in the other plan:
// their names, in the order written.
type pairing []string

// renames finds the steps that were only given another id: all else is the same.
func renames(old, new *Plan) map[string]string {
	names := map[string]string{}
	gone := map[string]string{} // the form of the steps that are gone
	twice := map[string]bool{}
	for _, id := range canonicalKeys(old.byID) {
		if new.byID[id] == nil {
			form := nameless(old.byID[id])
			twice[form] = gone[form] != ""
			gone[form] = id
		}
	}
	taken := map[string]string{}
	for _, id := range canonicalKeys(new.byID) {
		if old.byID[id] != nil {
			continue
		}
		form := nameless(new.byID[id])
		was := gone[form]
		if was == "" || twice[form] {
			continue
		}
		if other := taken[was]; other != "" { // two steps may be it: neither is
			delete(names, other)
			continue
		}
		names[id], taken[was] = was, id
	}
	return names
}

// nameless is the canonical form of a step without its id.
func nameless(s *Step) string {
	o := s.encode()
	delete(o, "id")
	text, err := MarshalCanonical(map[string]any(o))
	if err != nil {
		panic(err) // it was marshalled when the plan was made
	}
	return string(text)
}

// oldID is the id that a step of the new plan had.
func (d *differ) oldID(s *Step) string {
	if was, ok := d.names[s.ID]; ok {
		return was
	}
	return s.ID
}

// pairUp gives the cases or clauses of two steps their names: what is written
// alike is the same, and otherwise what has a step in common.
func pairUp(old, new []string, oldSteps, newSteps [][]string) (a, b pairing) {
	a, b = make(pairing, len(old)), make(pairing, len(new))
	for i := range a {
		a[i] = fmt.Sprintf("%d", i+1)
	}
	taken := make([]bool, len(old))
	match := func(j int, same func(i int) bool) {
		for i := range old {
			if b[j] == "" && !taken[i] && same(i) {
				b[j], taken[i] = a[i], true
			}
		}
	}
	for j := range new {
		match(j, func(i int) bool { return old[i] == new[j] })
	}
	for j := range new {
		match(j, func(i int) bool {
			return slices.ContainsFunc(oldSteps[i], func(id string) bool { return slices.Contains(newSteps[j], id) })
		})
	}
	for j := range new {
		if b[j] == "" {
			b[j] = fmt.Sprintf("new %d", j+1)
		}
	}
	return a, b
}

// pairBlocks pairs the cases, branches and clauses of the steps that both plans have.
func (d *differ) pairBlocks(old, new *Plan) {
	d.cases, d.catch = map[*Step]pairing{}, map[*Step]pairing{}
	for _, is := range new.byID {
		was := old.byID[d.oldID(is)]
		if was == nil {
			continue
		}
		if was.Kind == is.Kind {
			a, aSteps := caseNames(was)
			b, bSteps := caseNames(is)
			d.cases[was], d.cases[is] = pairUp(a, b, aSteps, bSteps)
		}
		a, aSteps := clauseNames(was)
		b, bSteps := clauseNames(is)
		d.catch[was], d.catch[is] = pairUp(a, b, aSteps, bSteps)
	}
}

// caseNames gives the cases of a switch or the branches of a parallel, with the
// ids of their steps.
func caseNames(s *Step) (names []string, steps [][]string) {
	if s.Parallel != nil {
		for _, b := range s.Parallel.Branches {
			names, steps = append(names, b.Name), append(steps, idsOf(b.Do))
		}
	}
	if s.Switch == nil {
		return names, steps
	}
	for _, c := range s.Switch.Cases {
		name := "else"
		if c.When != nil {
			name = "case " + c.When.source
		}
		names, steps = append(names, name), append(steps, idsOf(c.Do))
	}
	return names, steps
}

func clauseNames(s *Step) (names []string, steps [][]string) {
	for _, c := range s.Catch {
		names, steps = append(names, strings.Join(c.On, ", ")), append(steps, idsOf(c.Do))
	}
	return names, steps
}

func idsOf(steps []*Step) []string {
	ids := make([]string, len(steps))
	for i, s := range steps {
		ids[i] = s.ID
	}
	return ids
}

// spots finds where the steps of a plan stand, by their old ids.
func (d *differ) spots(p *Plan) map[string]*spot {
	found := map[string]*spot{}
	var walk func(list []*Step, block, words string, owner *Step)
	walk = func(list []*Step, block, words string, owner *Step) {
		var after *Step
		for i, s := range list {
			id := d.oldID(s)
			found[id] = &spot{step: s, block: block, words: words, index: i, after: after, owner: owner}
			after = s
			for _, b := range d.blocks(s) {
				walk(b.do, id+"/"+b.name, b.words+" of "+s.ID, s)
			}
		}
	}
	walk(p.Steps, "", "", nil)
	return found
}

// blockOf is one list of steps inside a step.
type blockOf struct {
	name  string // the same in both plans
	words string
	do    []*Step
}

func (d *differ) blocks(s *Step) []blockOf {
	var all []blockOf
	named := func(names pairing, i int) string {
		if i < len(names) {
			return names[i]
		}
		return fmt.Sprintf("own %d", i+1)
	}
	switch {
	case s.Parallel != nil:
		for i, b := range s.Parallel.Branches {
			all = append(all, blockOf{"branch " + named(d.cases[s], i), "branch " + b.Name, b.Do})
		}
	case s.Foreach != nil:
		all = append(all, blockOf{"do", "the items", s.Foreach.Do})
	case s.Scope != nil:
		all = append(all, blockOf{"do", "the scope", s.Scope.Do})
	case s.Switch != nil:
		names, _ := caseNames(s)
		for i, c := range s.Switch.Cases {
			all = append(all, blockOf{"case " + named(d.cases[s], i), short(names[i]), c.Do})
		}
	}
	names, _ := clauseNames(s)
	for i, c := range s.Catch {
		all = append(all, blockOf{"catch " + named(d.catch[s], i), "the handler of " + names[i], c.Do})
	}
	return all
}

// findMoved finds the fewest steps whose move makes one order the other.
func (d *differ) findMoved() {
	d.moved = map[string]struct{}{}
	lists := map[string][]string{}
	for _, id := range canonicalKeys(d.is) {
		was := d.was[id]
		switch {
		case was == nil:
		case was.block != d.is[id].block:
			d.moved[id] = struct{}{}
		default:
			lists[was.block] = append(lists[was.block], id)
		}
	}
	for _, block := range canonicalKeys(lists) {
		ids := lists[block]
		slices.SortFunc(ids, func(a, b string) int { return d.is[a].index - d.is[b].index })
		order := make([]int, len(ids))
		for i, id := range ids {
			order[i] = d.was[id].index
		}
		kept := longestRise(order)
		for i, id := range ids {
			if !kept[i] {
				d.moved[id] = struct{}{}
			}
		}
	}
}

// longestRise marks a longest rising subsequence.
func longestRise(list []int) []bool {
	length, before := make([]int, len(list)), make([]int, len(list))
	best := -1
	for i := range list {
		length[i], before[i] = 1, -1
		for j := range i {
			if list[j] < list[i] && length[j]+1 > length[i] {
				length[i], before[i] = length[j]+1, j
			}
		}
		if best < 0 || length[i] > length[best] {
			best = i
		}
	}
	kept := make([]bool, len(list))
	for i := best; i >= 0; i = before[i] {
		kept[i] = true
	}
	return kept
}
