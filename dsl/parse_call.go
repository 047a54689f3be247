package dsl

import (
	"fmt"
	"strings"
	"time"
)

// What applies to operations where neither the step nor defaults say more.
const (
	DefaultTimeout     = 30 * time.Second // of one attempt
	DefaultAttempts    = 3                // of an action
	DefaultInitial     = time.Second      // first wait between attempts
	DefaultMax         = 30 * time.Second // longest wait between attempts of an action
	RetriableMax       = 5 * time.Minute  // the same for a retriable step
	RetriableWithin    = 72 * time.Hour
	CompensationMax    = 10 * time.Minute
	CompensationWithin = 24 * time.Hour
	ProbeEvery         = 30 * time.Second
	ProbeWithin        = time.Hour
	// MaxAttempts is the largest number of attempts a definition may ask for.
	MaxAttempts = 10_000
)

// retryPolicy is a retry as written: what is not said is zero.
type retryPolicy struct {
	limited      bool // attempts or within is said; then both are taken from here
	attempts     int
	within       time.Duration
	initial, max time.Duration
	never        []string
	hasNever     bool
	ambiguous    bool
}

// defaults is the section of that name.
type defaults struct {
	timeout      time.Duration
	retry        *retryPolicy
	compensation *retryPolicy
}

func (c *compiler) readDefaults(n *node) {
	if n == nil {
		return
	}
	f, ok := c.fields(n, "defaults", "timeout", "retry", "compensation")
	if !ok {
		return
	}
	if t := f["timeout"]; t != nil {
		c.defaults.timeout = c.duration(t, "timeout")
	}
	if r := f["retry"]; r != nil {
		c.defaults.retry = c.retry(r, forDefault)
	}
	if comp := f["compensation"]; comp != nil {
		if cf, ok := c.fields(comp, "defaults.compensation", "retry"); ok && cf["retry"] != nil {
			c.defaults.compensation = c.retry(cf["retry"], forCompensation)
		}
	}
}

// retryUse says which operation a retry belongs to.
type retryUse uint8

const (
	forAction retryUse = iota
	forPivot
	forCompensation
	forDefault
)

func (c *compiler) retry(n *node, use retryUse) *retryPolicy {
	f, ok := c.fields(n, "retry", "attempts", "backoff", "within", "never", "ambiguous")
	if !ok {
		return nil
	}
	r := &retryPolicy{}
	if a := f["attempts"]; a != nil {
		r.limited = true
		r.attempts = c.whole(a, "attempts", 1, MaxAttempts)
		if use == forCompensation {
			c.errorNode(n.key("attempts"), CodeRetry, "a compensation is not bounded by attempts",
				"bound it by time: within: 24h; giving up early leaves an effect behind")
		}
	}
	if w := f["within"]; w != nil {
		r.limited = true
		r.within = c.duration(w, "within")
	}
	if b := f["backoff"]; b != nil {
		r.initial, r.max = c.backoff(b)
	}
	if nv := f["never"]; nv != nil {
		r.never, r.hasNever = c.codes(nv, "never", false), true
	}
	if am := f["ambiguous"]; am != nil {
		r.ambiguous = c.optionalBool(am, "ambiguous")
		if use != forPivot {
			c.errorNode(n.key("ambiguous"), CodeRetry, "ambiguous stands only in the retry of a pivot",
				"other steps are retried after an ambiguous attempt anyway")
		}
	}
	return r
}

func (c *compiler) backoff(n *node) (initial, longest time.Duration) {
	const hint = "write the first and the longest wait, such as 1s..30s"
	if n.kind != nodeString {
		c.errorNode(n, CodeBackoff, "backoff is "+n.kind.String(), hint)
		return 0, 0
	}
	from, to, ok := strings.Cut(n.string(), "..")
	if !ok {
		c.errorNode(n, CodeBackoff, fmt.Sprintf("the back-off %q is not a range", n.string()), hint)
		return 0, 0
	}
	initial, err := ParseDuration(strings.TrimSpace(from))
	if err == nil {
		longest, err = ParseDuration(strings.TrimSpace(to))
	}
	switch {
	case err != nil:
		c.errorNode(n, CodeBackoff, err.Error(), hint)
		return 0, 0
	case initial > longest:
		c.errorNode(n, CodeBackoff, fmt.Sprintf("the back-off %q falls", n.string()), "the first wait is at most the longest")
		return 0, 0
	}
	return initial, longest
}

// merge takes each part of a policy from the first layer that says it; the
// last layer says everything. attempts and within are one part: whoever says
// one of them says how long to try.
func merge(layers ...*retryPolicy) Retry {
	var out Retry
	var limited, waits, never bool
	for _, l := range layers {
		if l == nil {
			continue
		}
		if l.limited && !limited {
			out.Attempts, out.Within, limited = l.attempts, l.within, true
		}
		if l.initial > 0 && !waits {
			out.Initial, out.Max, waits = l.initial, l.max, true
		}
		if l.hasNever && !never {
			out.Never, never = l.never, true
		}
		out.Ambiguous = out.Ambiguous || l.ambiguous
	}
	return out
}

var (
	actionRetry       = &retryPolicy{limited: true, attempts: DefaultAttempts, initial: DefaultInitial, max: DefaultMax}
	retriableRetry    = &retryPolicy{limited: true, within: RetriableWithin, initial: DefaultInitial, max: RetriableMax}
	compensationRetry = &retryPolicy{limited: true, within: CompensationWithin, initial: DefaultInitial, max: CompensationMax}
)

// timeout returns the timeout of one attempt.
func (c *compiler) timeout(n *node) time.Duration {
	switch {
	case n != nil:
		return c.duration(n, "timeout")
	case c.defaults.timeout > 0:
		return c.defaults.timeout
	default:
		return DefaultTimeout
	}
}

// call reads a call step.
func (c *compiler) call(n *node, f map[string]*node) *Call {
	call := &Call{}
	c.at[call] = n
	call.Activity = c.name(f["call"], "the activity", activityForm, activityHint)
	before := len(c.diags)
	call.Effect = c.effect(n, f)
	sound := len(c.diags) == before // otherwise nobody knows whether a probe fits
	if w := f["with"]; w != nil {
		call.With = c.with(w)
	}
	call.Timeout = c.timeout(f["timeout"])
	use := forAction
	if call.Effect == EffectPivot {
		use = forPivot
	}
	var own *retryPolicy
	if r := f["retry"]; r != nil {
		own = c.retry(r, use)
	}
	builtin := actionRetry
	if call.Effect == EffectRetriable {
		builtin = retriableRetry
	}
	call.Retry = merge(own, c.defaults.retry, builtin)
	if cn := f["compensate"]; cn != nil {
		call.Compensate = c.compensate(cn)
	}
	if pn := f["probe"]; pn != nil {
		call.Probe = c.probe(pn)
		if sound {
			c.checkProbe(n, call)
		}
	} else if call.Effect == EffectPivot && !call.Retry.Ambiguous {
		c.warnNode(n.first(), CodePivotInDoubt, "the pivot has no probe: the saga parks at its first ambiguous attempt",
			"give it a probe, or retry: {ambiguous: true} if its participant is idempotent on the key")
	}
	return call
}

func (c *compiler) checkProbe(n *node, call *Call) {
	switch {
	case call.Effect == EffectNone:
		c.errorNode(n.key("probe"), CodeProbe, "a probe on a step without effect", "such a step is never in doubt: leave the probe out, or say its effect")
	case call.Retry.Ambiguous:
		c.warnNode(n.get("retry").key("ambiguous"), CodeUnusedSetting, "ambiguous has no effect beside a probe", "leave one of them out")
	}
}

func (c *compiler) effect(n *node, f map[string]*node) Effect {
	written, compensate := f["effect"], f["compensate"]
	if written == nil {
		if compensate == nil && n.mistypes("effect", "compensate") {
			return EffectNone // that has been said of the key
		}
		if compensate == nil {
			c.errorNode(n.first(), CodeEffect, "the call says neither effect nor compensate",
				"write compensate: with the activity that takes the effect back, or effect: none, pivot or retriable")
			return EffectNone
		}
		return EffectCompensatable
	}
	if written.string() == "compensatable" {
		c.errorNode(written, CodeEffect, "effect cannot be compensatable", "leave effect out; compensate says it")
		return EffectCompensatable
	}
	effect := []Effect{EffectNone, EffectPivot, EffectRetriable}[c.choice(written, "effect", "none", "pivot", "retriable")]
	if compensate != nil {
		c.errorNode(n.key("compensate"), CodeEffect, fmt.Sprintf("a step with effect %s has a compensation", written.string()),
			"leave one of them out: only a compensatable step is compensated")
	}
	return effect
}

// with reads the input of an activity, the one place for secrets.
func (c *compiler) with(n *node) *Value {
	secrets := len(c.secrets)
	v := c.inputMap(n)
	c.secrets = c.secrets[:secrets]
	return v
}

// inputMap reads the input of an activity or a saga.
func (c *compiler) inputMap(n *node) *Value {
	v := c.value(n)
	if n.kind != nodeMap && v.kind != valueExpr {
		c.errorNode(n, CodeWrongType, fmt.Sprintf("with is %s, not a map", n.kind), "name the inputs, such as with: {amount: ${{ input.amount }}}")
	}
	return v
}

func (c *compiler) compensate(n *node) *Compensate {
	f, ok := c.fields(n, "compensate", "call", "with", "timeout", "retry")
	if !ok {
		return &Compensate{}
	}
	comp := &Compensate{Timeout: c.timeout(f["timeout"])}
	c.at[comp] = n
	comp.Activity = c.activity(n, f, "compensate")
	if w := f["with"]; w != nil {
		comp.With = c.with(w)
	}
	var own *retryPolicy
	if r := f["retry"]; r != nil {
		own = c.retry(r, forCompensation)
	}
	comp.Retry = merge(own, c.defaults.compensation, compensationRetry)
	return comp
}

func (c *compiler) activity(n *node, f map[string]*node, what string) string {
	if f["call"] == nil {
		c.errorNode(n.first(), CodeMissingKey, what+" has no call", activityHint)
		return ""
	}
	return c.name(f["call"], "the activity", activityForm, activityHint)
}

func (c *compiler) probe(n *node) *Probe {
	p := &Probe{Every: ProbeEvery, Within: ProbeWithin}
	f, ok := c.fields(n, "probe", "call", "with", "every", "within", "timeout")
	if !ok {
		return p
	}
	c.at[p] = n
	p.Activity = c.activity(n, f, "probe")
	p.Timeout = c.timeout(f["timeout"])
	if w := f["with"]; w != nil {
		p.With = c.with(w)
	}
	if e := f["every"]; e != nil {
		p.Every = c.duration(e, "every")
	}
	if w := f["within"]; w != nil {
		p.Within = c.duration(w, "within")
	}
	return p
}
