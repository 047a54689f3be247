package engine

import (
	"slices"
	"strings"
)

// ForRoot gives a record of a child as it is told to whoever watches the saga
// at the top of the family, which has a step in the child's place. ok is false
// for what that step tells itself.
func (r Record) ForRoot(start *Start) (told Record, ok bool) {
	if start.Parent == nil {
		return r, true
	}
	if r.Path == "" {
		if r.Transition == TransitionStarted || r.Transition == TransitionClosed {
			return r, false
		}
		r.Path = strings.TrimSuffix(start.Parent.Prefix, "/")
	}
	return r, true
}

// Include adds the steps of an open child to the result of an open parent, and
// what is parked in it: the child's step shows them once the child has closed.
func (r *Result) Include(child Result) {
	at := slices.IndexFunc(r.Steps, func(s StepResult) bool { return s.Child == child.ID })
	if at < 0 || child.Status == StatusClosed {
		return
	}
	r.Steps = slices.Insert(r.Steps, at+1, child.Steps...)
	r.Parked = append(r.Parked, child.Parked...)
	slices.SortStableFunc(r.Parked, func(a, b Parked) int { return strings.Compare(a.Path, b.Path) })
	if child.Outcome == OutcomeParked {
		r.Outcome = OutcomeParked
	}
}

// OpenChildren gives the instance IDs of the children that run.
func (r *Result) OpenChildren() []string {
	var ids []string
	for _, s := range r.Steps {
		if s.Child != "" && (s.State == StateRunning || s.State == StateParked) {
			ids = append(ids, s.Child)
		}
	}
	return ids
}

// Addressee gives the instance ID of the saga that a command about a path goes
// to: the innermost open child that has the step, or the saga itself.
func (r *Result) Addressee(path string) string {
	id, deepest := r.ID, 0
	for _, s := range r.Steps {
		if s.Child != "" && s.State == StateRunning && len(s.Path) > deepest && strings.HasPrefix(path, s.Path+"/") {
			id, deepest = s.Child, len(s.Path)
		}
	}
	return id
}
