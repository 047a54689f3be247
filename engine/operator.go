package engine

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sagad/sagad/dsl"
)

// The commands of an operator (S18).
const (
	CommandRetry   = "retry"
	CommandSkip    = "skip"
	CommandResolve = "resolve"
	// CommandRecover was given to a saga that had been ended from outside (S15). It
	// is about no path, and a runtime tells of it once the saga goes on: nobody can
	// ask an open saga for it.
	CommandRecover = "recover"
)

// Operator is a command about a parked operation. Who gave it, when and why is
// recorded.
type Operator struct {
	ID      string `json:"id"`      // the sender's; a second command with the same ID is dropped
	Command string `json:"command"` // CommandRetry, CommandSkip, CommandResolve or CommandRecover
	Path    string `json:"path"`
	Actor   string `json:"actor"`
	Reason  string `json:"reason,omitempty"` // skip: why; resolve: the evidence

	Applied *bool `json:"applied,omitempty"` // resolve: what the evidence shows
	Output  any   `json:"output,omitempty"`  // resolve as applied: the action's output
	Input   any   `json:"input,omitempty"`   // retry: a corrected input; null keeps the frozen one
}

// repeated answers a command whose ID was taken before.
func (m *Machine) repeated(o *Operator, taken, request string) {
	before, _, whole := strings.Cut(taken, identityEnd)
	same := taken == o.identity()
	if !whole { // in a state that was written before all of it was kept, or even this
		same = taken == "" || taken == o.Command+" "+o.Path
	}
	if !same {
		message := fmt.Sprintf("the ID %s was given to another command before, %s; this one needs an ID of its own", o.ID, before)
		m.reply(Reply{Request: request, Code: RefusedNotPossible, Message: message})
		return
	}
	m.reply(Reply{Request: request, Accepted: true, Message: "this command was taken before"})
}

// identityEnd stands behind what an operator calls a command by; what the command
// brings along follows.
const identityEnd = "\n"

// identity is what tells commands apart: what is done where, and with what.
func (o *Operator) identity() string {
	text := o.Command + " " + o.Path + identityEnd
	if o.Applied != nil {
		text += " applied=" + strconv.FormatBool(*o.Applied)
	}
	for _, data := range []any{o.Output, o.Input} {
		if data == nil {
			continue
		}
		if canonical, err := dsl.MarshalCanonical(data); err == nil {
			text += fmt.Sprintf(" %x", sha256.Sum256(canonical))
		}
	}
	return text
}

// operate takes an operator's command.
func (m *Machine) operate(o *Operator, request string) {
	if taken, ok := m.commanded[o.ID]; ok {
		m.repeated(o, taken, request)
		return
	}
	if o.Command == CommandRecover && request == "" {
		m.taken(o, len(m.out))
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
	m.taken(o, before)
	m.reply(Reply{Request: request, Accepted: true, Message: o.Command + " taken for " + o.Path})
}

// taken notes a command that was taken. It is told of at a place among the
// commands of the machine: before what follows from it.
func (m *Machine) taken(o *Operator, before int) {
	if m.commanded == nil {
		m.commanded = make(map[string]string)
	}
	m.commanded[o.ID] = o.identity()
	m.interventions++
	record := Record{At: m.now, Transition: TransitionOperator, Path: o.Path, Command: o.Command, Actor: o.Actor, Reason: m.redact(o.Reason)}
	m.out = slices.Insert(m.out, before, Command{Kind: CommandRecord, Record: record})
}

// CheckOperator says why what a command brings along cannot be used, or gives
// nil: an output breaks the schema of the activity it is said to be of, or a
// corrected input that of the activity it is for. Runtimes ask before they give
// the machine the command. The code is one of the Refused constants.
func (m *Machine) CheckOperator(o *Operator, payloads Payloads) (code string, err error) {
	if _, taken := m.commanded[o.ID]; payloads == nil || taken {
		return "", nil
	}
	for _, n := range m.leaves {
		if n.path != o.Path || n.parked == nil || n.call == nil {
			continue
		}
		activity := n.step.Call.Activity
		switch {
		case o.Command == CommandResolve && o.Applied != nil && *o.Applied:
			if err := payloads.CheckOutput(activity, o.Output); err != nil {
				return RefusedSchema, fmt.Errorf("%s has to be resolved with the output of %s, which later steps may read: %w", o.Path, activity, err)
			}
		case o.Command == CommandRetry && o.Input != nil:
			return checkCorrected(activity, o, payloads)
		}
	}
	for _, e := range m.armed {
		if e.node.path == o.Path && e.parked != nil && o.Command == CommandRetry && o.Input != nil {
			return checkCorrected(e.node.step.Call.Compensate.Activity, o, payloads)
		}
	}
	return "", nil
}

func checkCorrected(activity string, o *Operator, payloads Payloads) (code string, err error) {
	if err := payloads.CheckInput(activity, o.Input); err != nil {
		return RefusedSchema, fmt.Errorf("the corrected input breaks the schema of %s: %w", activity, err)
	}
	return "", nil
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
	case encodedSize(o.Input) > MaxPayload:
		return RefusedTooLarge, errors.New(tooLarge("input", encodedSize(o.Input)))
	case encodedSize(o.Output) > MaxPayload:
		return RefusedTooLarge, errors.New(tooLarge("output", encodedSize(o.Output)))
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
