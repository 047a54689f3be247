package sagatest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// comparison collects what is not as expected.
type comparison struct {
	*played
	failures []Failure
}

func (c *comparison) fail(what string, want, got any, format string, args ...any) {
	message := engine.Redact(fmt.Sprintf(format, args...), c.sensitive)
	c.failures = append(c.failures, Failure{What: what, Want: want, Got: got, Message: message})
}

func compare(e *dsl.Expect, p *played) []Failure {
	c := &comparison{played: p}
	r := p.result
	for _, text := range p.world.missing {
		c.fail("mocks", nil, nil, "%s", text)
	}
	for _, text := range p.world.refused {
		c.fail("inputs", nil, nil, "%s", text)
	}
	c.replies(e) // a message that was refused is why the rest is not as expected
	if e.Outcome != "" && e.Outcome != r.Outcome {
		c.fail("outcome", e.Outcome, r.Outcome, "the outcome is %s, not %s%s", r.Outcome, e.Outcome, why(r))
	}
	c.cause(e)
	c.trace(e)
	if e.HasOutput {
		if at, ok := differs(c.shown(e.Output), r.Output, "output"); ok {
			c.fail("output", e.Output, r.Output, "%s is not as expected%s", at, outputError(r))
		}
	}
	if e.Elapsed != nil && *e.Elapsed != time.Duration(r.Elapsed) {
		got := inWords(time.Duration(r.Elapsed))
		c.fail("elapsed", dsl.FormatDuration(*e.Elapsed), got, "it took %s, not %s", got, dsl.FormatDuration(*e.Elapsed))
	}
	c.called(e)
	c.steps(e)
	return c.failures
}

// inWords writes a duration without the units of which there are none: 24h, 1h5m.
func inWords(d time.Duration) string {
	text := d.String()
	if before, ok := strings.CutSuffix(text, "m0s"); ok {
		text = before + "m"
	}
	if before, ok := strings.CutSuffix(text, "h0m"); ok {
		text = before + "h"
	}
	return text
}

// shown gives what is expected as a result has it: without sensitive values.
func (c *comparison) shown(want any) any { return engine.RedactValue(want, c.sensitive) }

// why says in a few words why a saga ended as it did.
func why(r engine.Result) string {
	switch {
	case r.Cause != nil && r.Cause.Step != nil:
		return fmt.Sprintf(": %s failed with %s: %s", r.Cause.Path, r.Cause.Code, r.Cause.Message)
	case r.Cause != nil:
		return fmt.Sprintf(": %s: %s", r.Cause.Code, r.Cause.Message)
	}
	for _, s := range r.Steps {
		if s.Signal != "" && s.State == engine.StateRunning {
			return fmt.Sprintf(": %s waits for %s, which nobody sends", s.Path, s.Signal)
		}
	}
	return ""
}

func outputError(r engine.Result) string {
	if r.OutputError == "" {
		return ""
	}
	return ": it could not be evaluated: " + r.OutputError
}

func (c *comparison) cause(e *dsl.Expect) {
	if e.Cause == nil {
		return
	}
	got := map[string]any{}
	if f := c.result.Cause; f != nil {
		got = map[string]any{"kind": string(f.Kind), "step": nil, "path": nil, "code": f.Code, "message": f.Message}
		if f.Step != nil { // otherwise no step is to blame
			got["step"], got["path"] = *f.Step, f.Path
		}
	}
	if at, ok := differs(c.shown(e.Cause), any(got), "cause"); ok {
		text := "there is none"
		if c.result.Cause != nil {
			text = strings.TrimPrefix(why(c.result), ": ")
		}
		c.fail("cause", e.Cause, c.result.Cause, "%s is not as expected: %s", at, text)
	}
}

func (c *comparison) trace(e *dsl.Expect) {
	if e.Trace == nil {
		return
	}
	want, got := e.Trace, c.result.Trace
	if e.AnyOrder {
		want, got = slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))
	}
	if slices.Equal(want, got) {
		return
	}
	at := 0
	for at < len(want) && at < len(got) && want[at] == got[at] {
		at++
	}
	switch {
	case at == len(want):
		c.fail("trace", want, got, "the trace goes on with %s%s", got[at], c.reason(got[at]))
	case at == len(got):
		c.fail("trace", want, got, "the trace ends before %s", want[at])
	default:
		c.fail("trace", want, got, "the trace has %s%s in place of %s", got[at], c.reason(got[at]), want[at])
	}
}

// reason says why an item of a trace failed.
func (c *comparison) reason(item string) string {
	path := strings.TrimRight(item, "!?")
	if path == item {
		return ""
	}
	path = strings.TrimPrefix(path, "~")
	if f := c.result.Cause; f != nil && f.Path == path && item[0] != '~' {
		return fmt.Sprintf(" (%s: %s)", f.Code, f.Message)
	}
	for _, p := range c.result.Parked {
		if p.Path == path {
			return fmt.Sprintf(" (parked with %s: %s)", p.Code, p.Message)
		}
	}
	for _, s := range c.result.Steps {
		if s.Path == path && s.Code != "" {
			return fmt.Sprintf(" (%s)", s.Code)
		}
	}
	return ""
}

func (c *comparison) called(e *dsl.Expect) {
	for _, activity := range slices.Sorted(maps.Keys(e.Calls)) {
		if want, got := e.Calls[activity], c.world.calls[activity]; want != got {
			c.fail("calls", want, got, "%s is called %s, not %s", activity, times(got), times(want))
		}
	}
	for _, activity := range slices.Sorted(maps.Keys(e.Inputs)) {
		want := e.Inputs[activity]
		if c.world.calls[activity] == 0 {
			c.fail("inputs", want, nil, "%s is not called", activity)
		} else if at, ok := differs(want, c.world.last[activity], "the input of "+activity); ok {
			c.fail("inputs", want, engine.RedactValue(c.world.last[activity], c.sensitive), "%s is not as expected", at)
		}
	}
}

func times(n int) string {
	switch n {
	case 0:
		return "never"
	case 1:
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func (c *comparison) steps(e *dsl.Expect) {
	states := map[string]string{}
	for _, s := range c.result.Steps {
		states[s.Path] = string(s.State)
	}
	for _, path := range slices.Sorted(maps.Keys(e.States)) {
		if want, got := e.States[path], states[path]; want != got {
			if got == "" {
				got = "not reached"
			}
			c.fail("states", want, got, "%s is %s, not %s", path, got, want)
		}
	}
	if e.Parked == nil {
		return
	}
	parked := []string{}
	for _, p := range c.result.Parked {
		parked = append(parked, p.Path)
	}
	slices.Sort(parked)
	if want := slices.Sorted(slices.Values(e.Parked)); !slices.Equal(want, parked) {
		c.fail("parked", want, parked, "parked are [%s], not [%s]", strings.Join(parked, ", "), strings.Join(want, ", "))
	}
}

// accepted stands in a test for a reply that refuses nothing.
const accepted = "accepted"

func (c *comparison) replies(e *dsl.Expect) {
	var got []string
	for _, r := range c.inOrder() {
		code := r.reply.Code
		switch {
		case !r.sent:
			code = engine.RefusedClosed
		case r.reply.Accepted:
			code = accepted
		}
		got = append(got, code)
		// A cancel that comes when the saga has decided or ended is rightly refused
		// (S13): whoever cares says so under replies.
		if e.Replies == nil && code != accepted && !r.cancel {
			message := r.reply.Message
			if !r.sent {
				message = "nobody takes it any more"
			}
			c.fail("replies", accepted, code, "%s was refused: %s: %s", r.what, code, message)
		}
	}
	if e.Replies != nil && !slices.Equal(e.Replies, got) {
		c.fail("replies", e.Replies, got, "the replies are [%s], not [%s]", strings.Join(got, ", "), strings.Join(e.Replies, ", "))
	}
}

// differs says where a value is not what is wanted of it. Of an object only what is
// given is compared.
func differs(want, got any, at string) (where string, ok bool) {
	switch want := want.(type) {
	case map[string]any:
		object, isObject := got.(map[string]any)
		if !isObject {
			return at, true
		}
		for _, key := range slices.Sorted(maps.Keys(want)) {
			value, there := object[key]
			if !there {
				return at + "." + key, true
			}
			if where, ok := differs(want[key], value, at+"."+key); ok {
				return where, true
			}
		}
		return "", false
	case []any:
		list, isList := got.([]any)
		if !isList || len(list) != len(want) {
			return at, true
		}
		for i := range want {
			if where, ok := differs(want[i], list[i], fmt.Sprintf("%s[%d]", at, i)); ok {
				return where, true
			}
		}
		return "", false
	}
	return at, !equal(want, got)
}

// equal compares JSON data that is neither an object nor a list. 1 and 1.0 are one
// number.
func equal(a, b any) bool {
	if x, ok := a.(int); ok {
		a = float64(x)
	}
	if y, ok := b.(int); ok {
		b = float64(y)
	}
	switch b.(type) {
	case map[string]any, []any:
		return false
	}
	return a == b
}
