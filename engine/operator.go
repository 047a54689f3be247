package engine

import (
	"fmt"
	"slices"
	"strings"
)

// The commands of an operator (S18).
const (
	CommandRetry   = "retry"
	CommandSkip    = "skip"
	CommandResolve = "resolve"
)

// Operator is a command about a parked operation. Who gave it, when and why is
// recorded.
type Operator struct {
	ID      string `json:"id"`      // the sender's; a second command with the same ID is dropped
	Command string `json:"command"` // CommandRetry, CommandSkip or CommandResolve
	Path    string `json:"path"`
	Actor   string `json:"actor"`
	Reason  string `json:"reason,omitempty"` // skip: why; resolve: the evidence

	Applied *bool `json:"applied,omitempty"` // resolve: what the evidence shows
	Output  any   `json:"output,omitempty"`  // resolve as applied: the action's output
	Input   any   `json:"input,omitempty"`   // retry: a corrected input; null keeps the frozen one
}

// operate takes an operator's command.
func (m *Machine) operate(o *Operator, request string) {
	if m.commanded[o.ID] {
		m.reply(Reply{Request: request, Accepted: true, Message: "this command was taken before"})
		return
	}
	forced := m.forced
	m.forced = forced || o.Command != CommandRetry // before the command ends the saga
	before := len(m.out)
	code, err := m.apply(o)
	if err != nil {
		m.forced = forced
		m.record(Record{Transition: TransitionRefused, Path: o.Path, Code: code, Message: err.Error()})
		m.reply(Reply{Request: request, Code: code, Message: err.Error()})
		return
	}
	if m.commanded == nil {
		m.commanded = make(map[string]bool)
	}
	m.commanded[o.ID] = true
	m.interventions++
	taken := Record{At: m.now, Transition: TransitionOperator, Path: o.Path, Command: o.Command, Actor: o.Actor, Reason: m.redact(o.Reason)}
	m.out = slices.Insert(m.out, before, Command{Kind: CommandRecord, Record: taken})
	m.reply(Reply{Request: request, Accepted: true, Message: o.Command + " taken for " + o.Path})
}

// apply finds what is parked at the path and carries the command out.
func (m *Machine) apply(o *Operator) (code string, err error) {
	switch {
	case o.ID == "" || o.Actor == "":
		return RefusedNotPossible, fmt.Errorf("a command needs an ID and who gives it")
	case o.Command != CommandRetry && strings.TrimSpace(o.Reason) == "":
		return RefusedNotPossible, fmt.Errorf("%s needs a reason or evidence", o.Command)
	case o.Command != CommandRetry && o.Command != CommandSkip && o.Command != CommandResolve:
		return RefusedNotPossible, fmt.Errorf("%q is not a command: retry, skip or resolve", o.Command)
	case o.Command == CommandResolve && o.Applied == nil:
		return RefusedNotPossible, fmt.Errorf("resolve needs to know whether the effect was applied")
	}
	for _, n := range m.leaves {
		if n.path == o.Path && n.parked != nil {
			if len(n.commands()) == 0 {
				return RefusedNotPossible, fmt.Errorf("what %s has left is still being read; then it goes on by itself or says which commands fit", n.child.id)
			}
			if !slices.Contains(n.commands(), o.Command) {
				return RefusedNotPossible, fmt.Errorf("%s does not fit %s; it takes %s", o.Command, o.Path, strings.Join(n.commands(), " or "))
			}
			return m.applyToStep(n, o)
		}
	}
	for _, e := range m.armed {
		if e.node.path == o.Path && e.parked != nil {
			return m.applyToEntry(e, o)
		}
	}
	return RefusedNotParked, fmt.Errorf("nothing is parked at %s", o.Path)
}

func (m *Machine) applyToStep(n *node, o *Operator) (code string, err error) {
	p := n.parked
	m.confirmed = m.confirmed || p.failure.Code == CodeReset
	switch o.Command {
	case CommandSkip:
		m.unpark(n)
		m.skipParked(n)
	case CommandRetry:
		return m.retryStep(n, o)
	case CommandResolve:
		if n.call != nil && !*o.Applied && n.call.applied {
			return RefusedNotPossible, fmt.Errorf("%s is known to have been applied; resolve it as applied, with its output", o.Path)
		}
		if n.child != nil {
			return m.resolveChild(n, o)
		}
		m.unpark(n)
		if *o.Applied {
			m.actionApplied(n, o.Output)
			return "", nil
		}
		n.call.ambiguous = false
		m.fail(n, p.failure, StateRejected)
	}
	return "", nil
}

func without(commands []string, command string) []string {
	return slices.DeleteFunc(commands, func(c string) bool { return c == command })
}

// retryStep sends a parked step out again. A corrected input is a new
// generation of the key, and allowed only when the old one had no effect (S18).
func (m *Machine) retryStep(n *node, o *Operator) (code string, err error) {
	if n.stopped() { // what is around it ends; nothing new starts (S7)
		return RefusedNotPossible, fmt.Errorf("%s is being left and starts nothing new; it takes %s", o.Path, strings.Join(without(n.commands(), CommandRetry), " or "))
	}
	if n.call == nil { // it never got as far as an attempt
		if o.Input != nil {
			return RefusedNotPossible, fmt.Errorf("%s has no input that could be corrected", o.Path)
		}
		m.unpark(n)
		m.closeLeaf(n)
		n.state = StateRunning
		m.begin(n)
		return "", nil
	}
	c := n.call
	if o.Input != nil {
		if c.ambiguous {
			return RefusedNotPossible, fmt.Errorf("%s may have had its effect; resolve it as not applied before the input is corrected", o.Path)
		}
		was := *c
		c.generation++
		c.input, c.key = o.Input, m.operationKey(n.path, OpAction, c.generation)
		if p := n.step.Call.Probe; p != nil { // it asks about this generation
			if c.probeInput, err = c.evalWithSelf(p.With, n.in.scope.env, nil); err != nil {
				*c = was
				return RefusedNotPossible, fmt.Errorf("the probe's input cannot be made from the corrected input: %w", err)
			}
		}
	}
	m.unpark(n)
	c.spent, c.since = c.attempts, m.now
	m.attempt(n)
	return "", nil
}

// skipParked goes on without a step: it has no output, and the trace keeps
// saying that it failed.
func (m *Machine) skipParked(n *node) {
	m.closeLeaf(n)
	if n.leaf() {
		m.trace.add(n.path, markFailed)
	}
	m.record(Record{Transition: TransitionSkipped, Path: n.path})
	n.state, n.done, n.closedAt = StateSkipped, true, m.now
	n.in.scope.setOutput(n.step.ID, nil)
	n.in.last, n.in.lastStep = nil, nil
	m.advance(n.in)
}

func (m *Machine) applyToEntry(e *entry, o *Operator) (code string, err error) {
	m.confirmed = m.confirmed || e.parked.failure.Code == CodeReset
	switch o.Command {
	case CommandSkip: // the effect stays; the trace keeps saying so
		m.record(Record{Transition: TransitionSkipped, Path: o.Path, Op: OpCompensation, Message: o.Reason})
		m.closeEntry(e, StateSkipped)
	case CommandRetry:
		if o.Input != nil {
			if e.ambiguous {
				return RefusedNotPossible, fmt.Errorf("the compensation of %s may have had its effect; resolve it as not applied before the input is corrected", o.Path)
			}
			e.generation++
			e.input, e.key = o.Input, m.operationKey(e.node.path, OpCompensation, e.generation)
		}
		m.unparkEntry(e)
		e.spent = e.attempts
		e.node.state, e.state = StateCompensating, StateArmed
	case CommandResolve:
		if !*o.Applied && !e.ambiguous {
			return RefusedNotPossible, fmt.Errorf("the compensation of %s is known to have had no effect; retry or skip it", o.Path)
		}
		e.ambiguous = false
		if *o.Applied {
			m.compensated(e)
		}
	}
	return "", nil
}
