package dsl

import (
	"bytes"
	"fmt"
	"slices"
)

// ChangeClass says what a change of a definition touches.
type ChangeClass string

// The classes of changes, those first that need most care.
const (
	ChangeOrder        ChangeClass = "order"        // what runs, and in which order
	ChangeCompensation ChangeClass = "compensation" // actions, their effects, and what takes them back
	ChangeTypes        ChangeClass = "types"        // data: what is taken, passed on and given
	ChangeTiming       ChangeClass = "timing"       // time limits, retries and concurrency
	ChangeTexts        ChangeClass = "texts"        // what only people read
)

// ChangeClasses are the classes in their order.
var ChangeClasses = []ChangeClass{ChangeOrder, ChangeCompensation, ChangeTypes, ChangeTiming, ChangeTexts}

// ChangeKind says how something changed.
type ChangeKind string

// The kinds of changes. Stricter and looser are those of schemas: every value
// that the new one takes was taken before, or the other way round.
const (
	ChangeAdded    ChangeKind = "added"
	ChangeRemoved  ChangeKind = "removed"
	ChangeRenamed  ChangeKind = "renamed"
	ChangeMoved    ChangeKind = "moved"
	ChangeChanged  ChangeKind = "changed"
	ChangeStricter ChangeKind = "stricter"
	ChangeLooser   ChangeKind = "looser"
)

// Change is one difference between two definitions.
type Change struct {
	Saga  string      `json:"saga"` // the definition it is in: the one compared, or a child of it
	Path  string      `json:"path"` // such as steps.hold.with.amount; a step is found by its id
	Class ChangeClass `json:"class"`
	Kind  ChangeKind  `json:"kind"`
	Old   any         `json:"old"`  // JSON data; nil: there was nothing
	New   any         `json:"new"`  // JSON data; nil: there is nothing
	Text  string      `json:"text"` // what is different at the path, for people
}

// Diff compares two plans. The changes are sorted by class, and within one in
// the order of the definition; there is none exactly if the plans have the same
// digest. Formatting, comments and the order of keys are no changes.
//
// Steps are compared by their id. Child sagas are compared by their name, each
// once.
func Diff(old, new *Plan) []Change {
	d := &differ{saga: new.Saga}
	d.plans(old, new)
	for _, was := range old.sagas {
		for _, is := range new.sagas {
			if is.Saga == was.Saga {
				child := &differ{saga: is.Saga}
				child.plans(was, is)
				d.changes = append(d.changes, child.changes...)
			}
		}
	}
	slices.SortStableFunc(d.changes, func(a, b Change) int {
		return slices.Index(ChangeClasses, a.Class) - slices.Index(ChangeClasses, b.Class)
	})
	return d.changes
}

// differ compares two plans, without their children.
type differ struct {
	saga    string
	changes []Change

	names map[string]string   // old ids of renamed steps, by their new ones
	cases map[*Step]pairing   // cases of switches, branches of parallels
	catch map[*Step]pairing   // clauses of the catches
	was   map[string]*spot    // of the old steps, by id
	is    map[string]*spot    // of the new steps, by old id
	moved map[string]struct{} // old ids
}

func (d *differ) add(class ChangeClass, kind ChangeKind, path string, old, new any, format string, args ...any) {
	d.changes = append(d.changes, Change{
		Saga: d.saga, Path: path, Class: class, Kind: kind, Old: old, New: new, Text: fmt.Sprintf(format, args...),
	})
}

// own is the canonical form of a plan without its children.
func (p *Plan) own() []byte {
	text, err := MarshalCanonical(p.encode())
	if err != nil { // it was marshalled when the plan was made
		panic(err)
	}
	return text
}

func (d *differ) plans(old, new *Plan) {
	if bytes.Equal(old.own(), new.own()) {
		return
	}
	if old.Saga != new.Saga {
		d.add(ChangeTypes, ChangeRenamed, "saga", old.Saga, new.Saga, "%s → %s: to whoever starts it this is another saga", old.Saga, new.Saga)
	}
	d.text("version", old.Version, new.Version)
	d.text("description", old.Description, new.Description)
	d.bare(ChangeTypes, "key", old.Key, new.Key)
	d.delay("deadline", old.Deadline, new.Deadline)
	d.scalar(ChangeTiming, "cancelGrace", FormatDuration(old.CancelGrace), FormatDuration(new.CancelGrace))
	d.schema("input", old.Input, new.Input)
	d.sensitive(old.Sensitive, new.Sensitive)
	d.search(old.Search, new.Search)
	d.steps(old, new)
	d.value(ChangeTypes, "output", old.Output, new.Output)
	if len(d.changes) == 0 {
		d.add(ChangeOrder, ChangeChanged, "", old.Digest, new.Digest, "the plans differ in something that has no name here")
	}
}

func (d *differ) sensitive(old, new []string) {
	before := len(d.changes)
	for _, path := range new {
		if !slices.Contains(old, path) {
			d.add(ChangeTypes, ChangeAdded, "sensitive", nil, path, "%s is taken out of what is shown", path)
		}
	}
	for _, path := range old {
		if !slices.Contains(new, path) {
			d.add(ChangeTypes, ChangeRemoved, "sensitive", path, nil, "%s is shown in the clear now", path)
		}
	}
	if len(d.changes) == before && !slices.Equal(old, new) {
		d.add(ChangeTexts, ChangeMoved, "sensitive", encodeTexts(old), encodeTexts(new), "the same paths in another order")
	}
}

func (d *differ) search(old, new []SearchValue) {
	values := func(list []SearchValue) map[string]any {
		m := map[string]any{}
		for _, s := range list {
			m[s.Name] = s.Value.source()
		}
		return m
	}
	d.data(ChangeTypes, "search", values(old), values(new))
}
