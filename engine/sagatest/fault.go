package sagatest

import (
	"fmt"
	"time"

	"github.com/sagad/sagad/engine"
)

// FaultKind says what goes wrong.
type FaultKind string

// The kinds of faults.
const (
	FaultRejected       FaultKind = "rejected"        // the participant refuses
	FaultFailed         FaultKind = "failed"          // every attempt fails, none has an effect
	FaultUnsent         FaultKind = "unavailable"     // no attempt leaves the host
	FaultUnknownApplied FaultKind = "unknown-applied" // no attempt is answered, the first has its effect
	FaultUnknown        FaultKind = "unknown"         // no attempt is answered, none has an effect
	FaultLostAnswer     FaultKind = "lost-answer"     // a crash after the effect: the first attempt is not answered
	FaultCrash          FaultKind = "crash"           // a crash before the effect: the first attempt is not answered
	FaultCancelled      FaultKind = "cancelled"       // somebody cancels the saga while it runs
	FaultNoMessage      FaultKind = "no-message"      // what an await waits for never comes
	FaultFlaky          FaultKind = "flaky"           // two attempts fail, the third one succeeds
	FaultInvalidOutput  FaultKind = "invalid-output"  // it is applied, and its output breaks the schema
	FaultDeadline       FaultKind = "deadline"        // the saga's deadline comes while it runs
	FaultUnsure         FaultKind = "unsure"          // of a probe: it cannot tell twice, and then tells
	FaultClueless       FaultKind = "clueless"        // of a probe: it never can tell
)

// Fault is one thing that goes wrong, and perhaps a second one on the way back.
type Fault struct {
	Path string
	Op   engine.Op // 0: of a wait
	Kind FaultKind
	Code string // FaultRejected: the error code
	Then *Fault // nil: nothing else

	at time.Duration // of Then: when its operation began
}

// String names the fault as traces do, a compensation with a ~ before its path and a
// probe with a ? behind it.
func (f *Fault) String() string {
	name := f.Path + " " + string(f.Kind)
	switch f.Op {
	case engine.OpCompensation:
		name = "~" + name
	case engine.OpProbe:
		name = f.Path + "? " + string(f.Kind)
	}
	if f.Code != "" {
		name += " " + f.Code
	}
	if f.Then != nil {
		name += ", " + f.Then.String()
	}
	return name
}

// faultCode is the error that faults raise for which the definition has no code.
const faultCode = "FAULT"

// cutAfter is how long a step has run when it is cancelled.
const cutAfter = 10 * time.Millisecond

// hopelessAfter is the attempt that ends the retries of an operation that fails
// every time, as its policy would some day: a policy of days has thousands of
// attempts, each like the one before.
const hopelessAfter = 12

// answer is what an attempt is answered that the fault is about. n is its number,
// of a probe that of the question.
func (f *Fault) answer(inv *engine.Invocation, n int) (answer, bool) {
	if f == nil {
		return answer{}, false
	}
	if inv.Path != f.Path || inv.Op != f.Op {
		return f.Then.answer(inv, n)
	}
	first, final := n == 1, n >= hopelessAfter
	failed := func(class engine.Class, code string) (answer, bool) {
		return answer{out: engine.Outcome{Class: class, Code: code, Message: f.String(), Final: final}}, true
	}
	switch f.Kind {
	case FaultRejected:
		return failed(engine.Rejected, f.Code)
	case FaultFailed:
		return failed(engine.Ambiguous, faultCode)
	case FaultUnsent:
		return failed(engine.NotSent, engine.CodeUnavailable)
	case FaultUnknownApplied:
		return answer{silent: true, final: final, effect: first}, true
	case FaultUnknown:
		return answer{silent: true, final: final}, true
	case FaultLostAnswer:
		return answer{silent: true, effect: true}, first
	case FaultCrash:
		return answer{silent: true}, first
	case FaultFlaky:
		if n <= 2 {
			return failed(engine.Ambiguous, faultCode)
		}
	case FaultInvalidOutput:
		a, _ := failed(engine.Applied, engine.CodeInvalidOutput)
		a.effect = true
		return a, true
	case FaultUnsure, FaultClueless:
		return answer{out: engine.Outcome{Class: engine.Applied, Output: map[string]any{"applied": nil}}}, n <= 2 || f.Kind == FaultClueless
	}
	return answer{}, false
}

// slows says that an attempt takes a while, so that something can happen meanwhile.
func (f *Fault) slows(inv *engine.Invocation) bool {
	if f == nil {
		return false
	}
	meanwhile := f.Kind == FaultCancelled || f.Kind == FaultDeadline
	return meanwhile && inv.Path == f.Path && inv.Op == f.Op || f.Then.slows(inv)
}

// turns says that an activity's mock does not count: under faults probes tell the
// truth.
func (f *Fault) turns(inv *engine.Invocation) bool { return f != nil && inv.Op == engine.OpProbe }

func (f *Fault) silences(signal string, awaits map[string]string) bool {
	return f != nil && f.Kind == FaultNoMessage && awaits[f.Path] == signal
}

var _ fmt.Stringer = (*Fault)(nil)
