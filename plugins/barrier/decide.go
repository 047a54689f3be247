package barrier

import (
	"github.com/sagad/sagad/plugins"
)

// state is what a row says of its operation.
type state string

const (
	// stateApplied: the operation was carried out; output is what it returned.
	stateApplied state = "applied"
	// stateFenced, of an action: requests of attempts up to fence are refused.
	stateFenced state = "fenced"
	// stateTombstone, of a compensation: there was nothing to compensate.
	stateTombstone state = "tombstone"
)

// A row is what is known of one operation of one generation.
type row struct {
	operation  plugins.Operation
	generation int
	state      state
	fence      int
	output     []byte
}

// rows are all operations of one step of one saga, of every generation.
type rows []row

func (rs rows) of(op plugins.Operation, generation int) *row {
	for i := range rs {
		if rs[i].operation == op && rs[i].generation == generation {
			return &rs[i]
		}
	}
	return nil
}

// any returns the first row of the operation that has the state.
func (rs rows) any(op plugins.Operation, s state) *row {
	for i := range rs {
		if rs[i].operation == op && rs[i].state == s {
			return &rs[i]
		}
	}
	return nil
}

// A verdict is what a request may do.
type verdict struct {
	do     deed
	output []byte
	err    error
}

type deed int

const (
	proceed deed = iota
	answer
	leaveTombstone
	refuse
)

// decideAction: once a compensation of any generation has come, the effect is
// not there and never will be: not even a duplicate is answered with it. Before
// that a duplicate is answered; otherwise a fence that reaches this attempt, or
// a newer generation, means that the request is late.
func decideAction(rs rows, call plugins.Call) verdict {
	late := func(why string) verdict {
		return verdict{do: refuse, err: plugins.Reject(CodeFenced, "%s; this request came too late and has no effect", why)}
	}
	for _, r := range rs {
		if r.operation == plugins.OperationCompensation {
			return late("the step has been compensated")
		}
	}
	own := rs.of(plugins.OperationAction, call.Generation)
	if own != nil && own.state == stateApplied {
		return verdict{do: answer, output: own.output}
	}
	for _, r := range rs {
		if r.operation == plugins.OperationAction && r.generation > call.Generation {
			return late("a corrected request has taken this one's place")
		}
	}
	if own != nil && call.Attempt <= own.fence {
		return late("a probe was told that this attempt had no effect")
	}
	if applied := rs.any(plugins.OperationAction, stateApplied); applied != nil {
		return verdict{do: refuse, err: plugins.Permanent(CodeSuperseded,
			"generation %d of this action has been applied, so generation %d was not: compensate the step, or resolve it as applied", applied.generation, call.Generation)}
	}
	return verdict{do: proceed}
}

// decideCompensation: whatever its generation, a compensation is carried out
// once, and only if the action was applied, in any generation.
func decideCompensation(rs rows, call plugins.Call) verdict {
	if done := rs.any(plugins.OperationCompensation, stateApplied); done != nil {
		return verdict{do: answer, output: done.output}
	}
	if rs.any(plugins.OperationAction, stateApplied) == nil {
		return verdict{do: leaveTombstone}
	}
	return verdict{do: proceed}
}
