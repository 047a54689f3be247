package progress

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/dsl/graph"
	"github.com/sagad/sagad/engine"
)

// Overlay gives how a saga stands on the graph of its plan. What happened once
// shows its attempts, its time and its code; what happened for many items shows
// how many stand where.
func Overlay(plan *dsl.Plan, r engine.Result) *graph.Run {
	o := &overlay{r: r, steps: map[string][]engine.StepResult{}, backs: map[string][]engine.StepResult{}, items: map[string]map[string]bool{}}
	prefix := childPrefix(plan, r)
	for _, row := range r.Steps {
		if path, ok := strings.CutPrefix(row.Path, prefix); ok {
			o.add(plan, path, row)
		}
	}
	run := &graph.Run{
		ID: Clean(r.ID), Outcome: r.Outcome, State: outcomeState(r.Outcome), Facts: facts(r),
		Steps: map[string]graph.Status{}, Backs: map[string]graph.Status{},
	}
	for path, rows := range o.steps {
		run.Steps[path] = o.status(rows, stepState, o.stepNotes)
	}
	for path, rows := range o.backs {
		run.Backs[path] = o.status(rows, backState, o.backNotes)
	}
	if r.Status == engine.StatusOpen && r.Direction == engine.Forward {
		o.pending(run, plan.Steps)
	}
	for path, keys := range o.items {
		status := run.Steps[path] // its own row: parked
		status.Notes = append([]string{counted(len(keys), "item")}, status.Notes...)
		run.Steps[path] = status
	}
	return run
}

// childPrefix gives what the paths of a saga begin with that is a child itself.
func childPrefix(plan *dsl.Plan, r engine.Result) string {
	if len(r.Steps) == 0 || r.ID == "" || plan.StepAt(r.Steps[0].Path) != nil {
		return ""
	}
	return r.Steps[0].Path[:strings.LastIndexByte(r.Steps[0].Path, '/')+1]
}

func facts(r engine.Result) []string {
	list := []string{"started " + r.StartedAt.UTC().Format(time.DateTime) + " UTC, " + short(time.Duration(r.Elapsed))}
	if r.Root != "" {
		list = append(list, "child of "+Clean(r.Root))
	}
	if c := r.Cause; c != nil {
		list = append(list, "cause "+joinWords(prefixed(c.Path), Reason(c.Code, c.Message)))
	}
	if r.Interventions > 0 {
		list = append(list, "operators: "+counted(r.Interventions, "intervention"))
	}
	return list
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func outcomeState(outcome string) graph.State {
	switch outcome {
	case engine.OutcomeRunning:
		return graph.StateRunning
	case engine.OutcomeCompensating:
		return graph.StateCompensating
	case engine.OutcomeParked:
		return graph.StateParked
	case engine.OutcomeCompleted:
		return graph.StateSucceeded
	case engine.OutcomeCompensated:
		return graph.StateCompensated
	case engine.OutcomeResolved:
		return graph.StateSkipped
	}
	return graph.StateFailed
}

// overlay collects the rows of a result by the node that stands for them.
type overlay struct {
	r            engine.Result
	steps, backs map[string][]engine.StepResult
	items        map[string]map[string]bool // keys of items by the path of their foreach
}

// add takes a row. Its compensation belongs to its own node and, where a child
// saga is one node, to that one.
func (o *overlay) add(plan *dsl.Plan, path string, row engine.StepResult) {
	segments := strings.Split(path, "/")
	node, whole := "", ""
	for i, segment := range segments {
		id, keys, _ := strings.Cut(segment, "[")
		if plan != nil {
			o.count(plan, id, node, whole, keys)
			if s := plan.StepAt(id); s != nil && s.Child != nil {
				plan = s.Child.Plan
			} else {
				plan = nil
			}
		}
		node, whole = node+id, whole+segment
		if state := row.Compensation.State; state != "" && state != engine.StateDisarmed {
			o.backs[node] = append(o.backs[node], row)
		}
		if i == len(segments)-1 {
			o.steps[node] = append(o.steps[node], row)
		}
		node, whole = node+"/", whole+"/"
	}
}

// pending marks the steps of foreach blocks that an open saga has yet to come to:
// its result knows no items of them, and so has no rows.
func (o *overlay) pending(run *graph.Run, steps []*dsl.Step) {
	next := 0 // behind the last step that was reached
	for i, s := range steps {
		if o.reached(s) {
			next = i + 1
		}
	}
	for i, s := range steps {
		switch {
		case s.Parallel != nil || s.Scope != nil:
			for _, inner := range bodies(s) {
				o.pending(run, inner)
			}
		case s.Foreach != nil && i >= next:
			markPending(run, s.Foreach.Do)
		}
	}
}

func markPending(run *graph.Run, steps []*dsl.Step) {
	for _, s := range steps {
		inside := bodies(s)
		if len(inside) == 0 { // a block has the state of what is in it
			run.Steps[s.ID] = graph.Status{State: graph.StatePending}
		}
		for _, inner := range inside {
			markPending(run, inner)
		}
	}
}

// bodies gives the lists inside a step, without those of its handlers.
func bodies(s *dsl.Step) [][]*dsl.Step { return s.Blocks()[:len(s.Blocks())-len(s.Catch)] }

// reached reports whether the saga has come to a step, or into it.
func (o *overlay) reached(s *dsl.Step) bool {
	for _, row := range o.steps[s.ID] {
		if row.State != engine.StatePending {
			return true
		}
	}
	return slices.ContainsFunc(s.Blocks(), func(inner []*dsl.Step) bool { return slices.ContainsFunc(inner, o.reached) })
}

// count notes the items that a step with these keys stands in.
func (o *overlay) count(plan *dsl.Plan, id, node, whole, keys string) {
	if keys == "" {
		return
	}
	parts := strings.SplitAfter(keys, "[")
	around, _ := foreachAround(plan.Steps, id)
	for i, each := range around {
		if i >= len(parts) {
			return
		}
		path := node + each.ID
		if o.items[path] == nil {
			o.items[path] = map[string]bool{}
		}
		o.items[path][whole+strings.Join(parts[:i+1], "")] = true
	}
}

// foreachAround gives the foreach steps around a step, outermost first.
func foreachAround(steps []*dsl.Step, id string) (around []*dsl.Step, found bool) {
	for _, s := range steps {
		if s.ID == id {
			return nil, true
		}
		for i, inner := range s.Blocks() {
			around, found := foreachAround(inner, id)
			switch {
			case found && s.Foreach != nil && i == 0: // what follows are handlers
				return append([]*dsl.Step{s}, around...), true
			case found:
				return around, true
			}
		}
	}
	return nil, false
}

// status puts rows of one node together: one row tells everything, of many the
// worst state tells, with the number of each.
func (o *overlay) status(rows []engine.StepResult, stateOf func(engine.StepResult) graph.State, notes func(engine.StepResult) []string) graph.Status {
	if len(rows) == 1 {
		return graph.Status{State: stateOf(rows[0]), Notes: notes(rows[0])}
	}
	counts := map[graph.State]int{}
	codes := map[graph.State]string{}
	for _, row := range rows {
		state := stateOf(row)
		counts[state]++
		if codes[state] == "" {
			codes[state] = Clean(row.Code)
		}
	}
	var status graph.Status
	for _, state := range worst {
		if counts[state] == 0 {
			continue
		}
		if status.State == "" {
			status.State = state
		}
		note := fmt.Sprintf("%d %s", counts[state], state)
		if codes[state] != "" && (state == graph.StateFailed || state == graph.StateRejected || state == graph.StateUnknown || state == graph.StateParked) {
			note += " (" + codes[state] + ")"
		}
		status.Notes = append(status.Notes, note)
	}
	if len(status.Notes) == 1 {
		status.Notes[0] = fmt.Sprintf("all %d", len(rows))
	}
	return status
}

// worst are the states, the one first that an operator has to know of first.
var worst = []graph.State{
	graph.StateParked, graph.StateUnknown, graph.StateFailed, graph.StateRejected, graph.StateCompensating, graph.StateRunning, graph.StateCompensated,
	graph.StateArmed, graph.StateSucceeded, graph.StateSkipped, graph.StatePending,
}

// stepState gives the state of a step. The words are the same.
func stepState(row engine.StepResult) graph.State { return graph.State(row.State) }

func backState(row engine.StepResult) graph.State { return graph.State(row.Compensation.State) }

func (o *overlay) stepNotes(row engine.StepResult) []string {
	var notes []string
	if row.Attempts > 1 {
		notes = append(notes, counted(row.Attempts, "attempt"))
	}
	if d, ok := took(row); ok && d > 0 {
		notes = append(notes, short(d))
	}
	if row.Code != "" && row.State != engine.StateCompensated {
		notes = append(notes, Clean(row.Code))
	}
	if !row.Until.IsZero() {
		notes = append(notes, "until "+row.Until.UTC().Format(time.DateTime)+" UTC")
	}
	return notes
}

func (o *overlay) backNotes(row engine.StepResult) []string {
	var notes []string
	if n := row.Compensation.Attempts; n > 1 {
		notes = append(notes, counted(n, "attempt"))
	}
	if row.Compensation.State == engine.StateCompensated && !row.ClosedAt.IsZero() {
		notes = append(notes, "at "+short(row.ClosedAt.Sub(o.r.StartedAt)))
	}
	if row.Compensation.State == engine.StateParked && row.Code != "" {
		notes = append(notes, Clean(row.Code))
	}
	return notes
}
