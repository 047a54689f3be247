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

// Include adds what an open child has done, its steps and its trace, to the result
// of its parent, and what is parked in it: the parent's own result has them once
// the child has closed. An orphan has heard of no child that has closed, so that
// those are added as well. The outcome stays the parent's own: it is running while
// a child of it is parked.
func (r *Result) Include(child Result) {
	at := slices.IndexFunc(r.Steps, func(s StepResult) bool { return s.Child == child.ID })
	if at < 0 || child.Status == StatusClosed && r.Outcome != OutcomeOrphaned {
		return
	}
	r.Steps = slices.Insert(r.Steps, at+1, child.Steps...)
	r.Trace = append(r.Trace, child.Trace...)
	r.Parked = append(r.Parked, child.Parked...)
	slices.SortStableFunc(r.Parked, func(a, b Parked) int { return strings.Compare(a.Path, b.Path) })
}

// HandedUp takes over from the result of the saga at the top of the family how the
// compensations stand that a closed child has handed up to it. It changes nothing
// while they have not been taken over.
func (r *Result) HandedUp(root Result) {
	if !slices.ContainsFunc(root.Steps, func(s StepResult) bool { return s.Child == r.ID }) {
		return // what stands there is of another try
	}
	theirs := make(map[string]StepResult, len(root.Steps))
	for _, s := range root.Steps {
		theirs[s.Path] = s
	}
	for i, s := range r.Steps {
		if now, ok := theirs[s.Path]; ok && s.Compensation.State == StateArmed && now.Compensation.Key != "" {
			r.Steps[i] = now
		}
	}
}

// LeavesArmed says whether a closed child has handed compensations up to the saga
// at the top of its family.
func (r *Result) LeavesArmed() bool {
	return r.Root != "" && r.Status == StatusClosed && slices.ContainsFunc(r.Steps, func(s StepResult) bool {
		return s.Compensation.State == StateArmed
	})
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
