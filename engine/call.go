package engine

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sagad/sagad/dsl"
)

// call is the action of a step on its way.
type call struct {
	key        string
	generation int
	input      any // frozen (S5)
	probeInput any
	entry      *entry // nil: nothing to compensate

	attempts  int       // so far
	spent     int       // attempts before the operator's last retry
	since     time.Time // first scheduling, or the operator's last retry
	ambiguous bool      // an attempt may have had the effect
	over      bool      // no attempt may follow the one in doubt
	applied   bool      // the effect is certain, its output is not usable (S25)
	last      Failure   // how the last attempt failed

	probing    bool
	probeSince time.Time
}

// beginCall freezes the input, arms the compensation and schedules the first
// attempt, in this one step of the machine (S1, S5). If any expression fails
// nothing is scheduled.
func (m *Machine) beginCall(n *node) {
	spec, env := n.step.Call, n.in.scope.env
	c := &call{since: m.now, generation: m.firstGeneration()}
	var err error
	if c.input, err = evalInput(spec.With, env); err != nil {
		m.failExpression(n, err)
		return
	}
	c.key = m.operationKey(n.path, OpAction, c.generation)
	if spec.Compensate != nil || spec.Probe != nil {
		if err = m.prepareCall(n, c, env); err != nil {
			m.failInput(n, err, StateRejected)
			return
		}
	}
	switch spec.Effect {
	case dsl.EffectRetriable:
		m.commit()
	case dsl.EffectPivot:
		m.pivot = n
	}
	n.call = c
	m.openLeaf(n)
	m.attempt(n)
}

// prepareCall evaluates what the compensation and the probe will be called
// with, as far as it is known before the action.
func (m *Machine) prepareCall(n *node, c *call, env dsl.Env) (err error) {
	spec := n.step.Call
	if spec.Compensate != nil {
		e := &entry{node: n, key: m.operationKey(n.path, OpCompensation, c.generation), generation: c.generation}
		if e.input, err = c.evalWithSelf(spec.Compensate.With, env, nil); err != nil {
			return err
		}
		c.entry = e
	}
	if spec.Probe != nil {
		c.probeInput, err = c.evalWithSelf(spec.Probe.With, env, nil)
	}
	return err
}

// failInput fails a step whose compensation or probe could not be called: its
// input cannot be evaluated or is too large (S25).
func (m *Machine) failInput(n *node, err error, state State) {
	f := m.expressionFailure(n, err)
	if errors.Is(err, errTooLarge) {
		f.Code = CodeTooLarge
	}
	m.fail(n, f, state)
}

var errTooLarge = errors.New("pass a reference instead")

func (m *Machine) operationKey(path string, op Op, generation int) string {
	return finishKey(m.keyPrefix, path, op, m.keySuffix, generation)
}

// firstGeneration is that of the keys of a saga: 0, or what the parent of a
// child gives it when it is tried again.
func (m *Machine) firstGeneration() int {
	if m.start.Parent == nil {
		return 0
	}
	return m.start.Parent.Generation
}

// emptyObject is the input where none is written. Nobody changes an input.
var emptyObject any = map[string]any{}

// evalInput gives the input of an activity: an empty object where none is written.
func evalInput(with *dsl.Value, env dsl.Env) (any, error) {
	if with == nil {
		return emptyObject, nil
	}
	return with.Eval(env)
}

// evalWithSelf gives the input of a compensation or a probe. The error is
// errTooLarge if it could not be sent.
func (c *call) evalWithSelf(with *dsl.Value, env dsl.Env, output any) (any, error) {
	if with == nil {
		return emptyObject, nil
	}
	env["self"] = map[string]any{"key": c.key, "input": c.input, "output": output}
	value, err := with.Eval(env)
	delete(env, "self")
	if size := encodedSize(value); err == nil && size > MaxPayload {
		return nil, fmt.Errorf("%s; %w", tooLarge("input", size), errTooLarge)
	}
	return value, err
}

// attempt sends the action out once.
func (m *Machine) attempt(n *node) {
	c, spec := n.call, n.step.Call
	c.attempts++
	n.state = StateRunning
	m.record(Record{Transition: TransitionScheduled, Path: n.path, Op: OpAction, Activity: spec.Activity, Attempt: c.attempts})
	m.invoke(flight{op: OpAction, node: n})
}

// actionClosed follows up on an attempt (S2).
func (m *Machine) actionClosed(n *node, out Outcome) {
	c := n.call
	if out.Class == Applied && out.Code == "" {
		m.actionApplied(n, out.Output)
		return
	}
	c.last, n.code = m.failure(n, out.Code, out.Message), out.Code
	if out.Code == CodeReset {
		m.parkReset(n)
		return
	}
	over := out.Final || slices.Contains(n.step.Call.Retry.Never, out.Code)
	switch out.Class {
	case Applied:
		m.outputUnusable(n)
	case Rejected:
		m.failCall(n)
	case NotSent:
		m.retry(n, over)
	default:
		m.inDoubt(n, over)
	}
}

// parkReset keeps a step from being called after a reset. What the saga did
// before it is not in its state: the step may have had its effect.
func (m *Machine) parkReset(n *node) {
	state := StateRejected
	if n.step.Call.Effect != dsl.EffectNone {
		n.call.ambiguous, state = true, StateUnknown
	}
	m.park(n, n.call.last, state)
}

// inDoubt follows up on an attempt of which nobody knows whether it had its
// effect (S3).
func (m *Machine) inDoubt(n *node, over bool) {
	c, spec := n.call, n.step.Call
	if spec.Effect == dsl.EffectNone {
		m.retry(n, over)
		return
	}
	c.ambiguous, c.over = true, over
	switch {
	case spec.Probe != nil && (n.decisive() || !n.stopped()):
		c.probing, c.probeSince = true, m.now
		m.probe(n)
	case spec.Effect == dsl.EffectPivot && !spec.Retry.Ambiguous:
		m.park(n, c.last, StateUnknown)
	default:
		m.retry(n, over)
	}
}

// retry schedules another attempt, or fails the step when none may follow.
func (m *Machine) retry(n *node, over bool) {
	c, r := n.call, &n.step.Call.Retry
	wait := backoff(r, c.attempts-c.spent)
	switch {
	case over, n.stopped(),
		r.Attempts > 0 && c.attempts-c.spent >= r.Attempts,
		r.Within > 0 && m.now.Add(wait).After(c.since.Add(r.Within)),
		m.pending != nil && n == m.pivot && !c.ambiguous:
		m.failCall(n)
		return
	}
	at := m.now.Add(wait)
	m.record(Record{Transition: TransitionRetrying, Path: n.path, Op: OpAction, Attempt: c.attempts, Code: c.last.Code, Message: c.last.Message, Until: at})
	m.startTimer(timer{use: timerBackoff, node: n}, at)
}

// backoff is the wait after the given number of attempts: Initial, doubled
// after each further attempt, at most Max.
func backoff(r *dsl.Retry, attempts int) time.Duration {
	wait := r.Initial
	for i := 1; i < attempts && wait < r.Max; i++ {
		wait *= 2
	}
	return min(wait, r.Max)
}

// failCall closes the action of a step badly, or parks it (S2, S3, S12).
func (m *Machine) failCall(n *node) {
	c := n.call
	switch {
	case n.effect() == dsl.EffectNone:
		m.fail(n, c.last, StateFailed)
	case !c.ambiguous:
		c.entry = nil // rejected: disarmed
		m.fail(n, c.last, StateRejected)
	case n.decisive():
		m.park(n, c.last, StateUnknown)
	default:
		m.arm(c.entry)
		m.fail(n, c.last, StateUnknown)
	}
}

// actionApplied closes the action of a step well.
func (m *Machine) actionApplied(n *node, output any) {
	c, spec := n.call, n.step.Call
	if e := c.entry; e != nil {
		m.arm(e)
		input, err := c.evalWithSelf(spec.Compensate.With, n.in.scope.env, output)
		if err != nil { // compensated with the input that was frozen first (S5)
			m.failInput(n, err, StateFailed)
			return
		}
		e.input = input
	}
	if n == m.pivot {
		m.pivot = nil
		m.commit()
	}
	m.succeedLeaf(n, output)
}

// outputUnusable follows up on an action that was applied and whose output
// breaks its schema or is too large (S25).
func (m *Machine) outputUnusable(n *node) {
	c := n.call
	if n.decisive() {
		c.applied = true
		m.park(n, c.last, StateUnknown)
		return
	}
	if c.entry != nil {
		m.arm(c.entry)
	}
	m.fail(n, c.last, StateFailed)
}

// commit passes the point of no return (S11). A cancel that waited is refused
// (S13).
func (m *Machine) commit() {
	m.committed = true
	m.disarm() // nothing is compensated any more (S12)
	if p := m.pending; p != nil {
		m.pending = nil
		m.record(Record{Transition: TransitionRefused, Code: RefusedCommitted, Message: "a " + string(p.cause.Kind) + " waited for the pivot, which succeeded"})
		for _, request := range p.requests {
			m.reply(refuseCommitted(request))
		}
	}
}
