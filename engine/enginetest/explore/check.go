package explore

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// violations checks the run that led to s against the invariants.
func (x *explorer) violations(s *state) string {
	run := &x.run
	run.Result, run.Moments = s.family[0].result, run.Moments[:0]
	for _, p := range s.path() {
		run.Moments = append(run.Moments, p.moments...)
	}
	return strings.Join(run.Violations(), "\n")
}

// check looks at a state that was not reached before: what is restored from it
// is the same, and it is not stuck.
func (x *explorer) check(s *state) string {
	for _, m := range s.family {
		if problem := m.resumes(); problem != "" {
			return problem
		}
	}
	if s.stuck() {
		return "the saga is stuck"
	}
	return s.refusesWhenClosed()
}

// resumes checks that a restored saga has the same state and asks again for all
// that is open, and for nothing else (S26).
func (m *member) resumes() string {
	if !m.begun() || m.ready != nil {
		return ""
	}
	restored, err := engine.Restore(m.plan, m.start, m.snapshot)
	if err != nil {
		return "S26: " + err.Error()
	}
	if again, err := restored.Snapshot(); err != nil || !bytes.Equal(again, m.snapshot) {
		return fmt.Sprintf("S26: the state changes with being restored: %v\n%s\n%s", err, m.snapshot, again)
	}
	if m.closed() {
		return ""
	}
	if diff := difference(m.pending(), restored.Resume()); diff != "" {
		return "S26: what is open (-known +resumed)\n" + diff
	}
	m.ready = &ready{restored}
	return ""
}

// pending gives the commands of all that is open, in the order they came in.
func (m *member) pending() (list []engine.Command) {
	for _, inv := range m.open {
		list = append(list, engine.Command{Kind: engine.CommandInvoke, ID: inv.ID, Invoke: inv})
	}
	for _, c := range m.children {
		list = append(list, c.start)
		if c.cancelled {
			list = append(list, engine.Command{Kind: engine.CommandCancelChild, ID: c.start.ID})
		}
	}
	slices.SortStableFunc(list, func(a, b engine.Command) int { return a.ID - b.ID }) // attempts and children are numbered together
	for _, t := range m.timers {
		list = append(list, engine.Command{Kind: engine.CommandStartTimer, ID: t.id, At: t.at, Path: t.path})
	}
	return list
}

// stuck says whether nothing of its own can move the saga, although it is
// neither closed nor parked and waits for no message.
func (s *state) stuck() bool {
	for _, m := range s.family {
		pending := len(m.open) > 0 || len(m.timers) > 0 || m.cancelled || (m.report != nil && m.id > 0) || !m.begun()
		if pending || len(m.result.Parked) > 0 || m.awaits() {
			return false
		}
	}
	return !s.family[0].closed()
}

// awaits says whether a message without a time limit is awaited.
func (m *member) awaits() bool {
	for _, step := range m.result.Steps {
		if step.Signal != "" && step.Until.IsZero() {
			return true
		}
	}
	return false
}

// refusesWhenClosed checks that a closed saga answers and does nothing more.
func (s *state) refusesWhenClosed() string {
	m := s.family[0]
	if !m.closed() {
		return ""
	}
	restored, err := engine.Restore(m.plan, m.start, m.snapshot)
	if err != nil {
		return "S26: " + err.Error()
	}
	commands := restored.Step(engine.Event{Kind: engine.EventCancel, At: s.now, Request: "late"})
	if len(commands) != 1 || commands[0].Kind != engine.CommandReply || commands[0].Reply.Code != engine.RefusedClosed {
		return fmt.Sprintf("S18: a closed saga answers a cancel with %+v", commands)
	}
	if !reflect.DeepEqual(restored.Result(), m.result) {
		return "S19: a closed saga changes"
	}
	return ""
}

// hasEffect says whether the action of a step has one.
func hasEffect(m *member, path string) bool {
	step := m.plan.StepAt(strings.TrimPrefix(path, prefixOf(m.start)))
	return step != nil && step.Call != nil && step.Call.Effect != dsl.EffectNone
}

func prefixOf(start *engine.Start) string {
	if start.Parent == nil {
		return ""
	}
	return start.Parent.Prefix
}
