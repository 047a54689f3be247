package dsl

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// MaxPlanBytes is the largest canonical plan. It travels in the saga's input,
// compressed, where Temporal takes at most two megabytes.
const MaxPlanBytes = 2 << 20

// seal fills in the canonical form of a plan and its digest.
//
// The canonical form is the definition itself as canonical JSON, with
// language, all defaults and all references resolved, and with branches as a
// list, since their order matters. Two definitions have the same digest
// exactly if they are the same up to comments, formatting and the order of
// keys. The plans of child sagas stand in it once each, by name; a child's own
// form and digest are those it has when it is compiled alone.
func (p *Plan) seal() error {
	p.index()
	o := p.encode()
	if len(p.sagas) > 0 {
		sagas := map[string]any{}
		for _, s := range p.sagas {
			sagas[s.Saga] = s.encode()
		}
		o["sagas"] = sagas
	}
	text, err := MarshalCanonical(o)
	if err != nil {
		return fmt.Errorf("the plan has no canonical form: %w", err)
	}
	if len(text) > MaxPlanBytes {
		return fmt.Errorf("the plan has %d bytes; the limit is %d", len(text), MaxPlanBytes)
	}
	p.Canonical = text
	sum := sha256.Sum256(text)
	p.Digest = "sha256:" + hex.EncodeToString(sum[:])
	return nil
}

// object is a JSON object under construction; put leaves out what is empty.
type object map[string]any

func (o object) text(key, v string) {
	if v != "" {
		o[key] = v
	}
}

func (p *Plan) encode() map[string]any {
	o := object{
		"language":    p.Language,
		"saga":        p.Saga,
		"key":         "${{ " + p.Key.source + " }}",
		"cancelGrace": FormatDuration(p.CancelGrace),
		"steps":       encodeSteps(p.Steps),
	}
	o.text("version", p.Version)
	o.text("description", p.Description)
	if p.Deadline != nil {
		o["deadline"] = p.Deadline.encode()
	}
	if p.Input != nil {
		o["input"] = p.Input.doc
	}
	if len(p.Sensitive) > 0 {
		o["sensitive"] = encodeTexts(p.Sensitive)
	}
	if len(p.Search) > 0 {
		search := map[string]any{}
		for _, s := range p.Search {
			search[s.Name] = s.Value.source()
		}
		o["search"] = search
	}
	if p.Output != nil {
		o["output"] = p.Output.source()
	}
	return o
}

func encodeTexts(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

func (d *Delay) encode() any {
	if d.Expr != nil {
		return d.Expr.source()
	}
	return FormatDuration(d.Fixed)
}

func encodeSteps(steps []*Step) []any {
	out := make([]any, len(steps))
	for i, s := range steps {
		out[i] = map[string]any(s.encode())
	}
	return out
}

func (s *Step) encode() object {
	o := object{"id": s.ID}
	o.text("name", s.Name)
	o.text("description", s.Description)
	if s.If != nil {
		o["if"] = s.If.source
	}
	if len(s.Catch) > 0 {
		catches := make([]any, len(s.Catch))
		for i, c := range s.Catch {
			catches[i] = map[string]any{"on": encodeTexts(c.On), "do": encodeSteps(c.Do)}
		}
		o["catch"] = catches
	}
	switch s.Kind {
	case KindCall:
		s.Call.encode(o)
	case KindParallel:
		o["parallel"] = s.Parallel.encode()
	case KindForeach:
		o["foreach"] = s.Foreach.encode()
	case KindSwitch:
		o["switch"] = s.Switch.encode()
	case KindScope:
		o["scope"] = map[string]any{"do": encodeSteps(s.Scope.Do)}
	case KindAwait:
		o["await"] = s.Await.encode()
	case KindSleep:
		o["sleep"] = s.Sleep.encode()
	case KindSet:
		set := map[string]any{}
		for _, a := range s.Set {
			set[a.Name] = a.Value.source()
		}
		o["set"] = set
	case KindFail:
		f := map[string]any{"code": s.Fail.Code}
		if s.Fail.Message != nil {
			f["message"] = s.Fail.Message.source()
		}
		o["fail"] = f
	case KindComplete:
		done := map[string]any{}
		if s.Complete.Output != nil {
			done["output"] = s.Complete.Output.source()
		}
		o["complete"] = done
	case KindSaga:
		o["saga"] = s.Child.Plan.Saga
		if s.Child.With != nil {
			o["with"] = s.Child.With.source()
		}
	}
	return o
}

var effectNames = map[Effect]string{EffectNone: "none", EffectPivot: "pivot", EffectRetriable: "retriable", EffectCompensatable: "compensatable"}

// String returns the word for the effect in definitions.
func (e Effect) String() string { return effectNames[e] }

func (c *Call) encode(o object) {
	o["call"] = c.Activity
	if c.Effect != EffectCompensatable {
		o["effect"] = c.Effect.String()
	}
	if c.With != nil {
		o["with"] = c.With.source()
	}
	o["timeout"] = FormatDuration(c.Timeout)
	o["retry"] = c.Retry.encode()
	if comp := c.Compensate; comp != nil {
		co := map[string]any{"call": comp.Activity, "timeout": FormatDuration(comp.Timeout), "retry": comp.Retry.encode()}
		if comp.With != nil {
			co["with"] = comp.With.source()
		}
		o["compensate"] = co
	}
	if p := c.Probe; p != nil {
		po := map[string]any{"call": p.Activity, "timeout": FormatDuration(p.Timeout), "every": FormatDuration(p.Every), "within": FormatDuration(p.Within)}
		if p.With != nil {
			po["with"] = p.With.source()
		}
		o["probe"] = po
	}
}

func (r Retry) encode() map[string]any {
	o := map[string]any{"backoff": FormatDuration(r.Initial) + ".." + FormatDuration(r.Max)}
	if r.Attempts > 0 {
		o["attempts"] = r.Attempts
	}
	if r.Within > 0 {
		o["within"] = FormatDuration(r.Within)
	}
	if len(r.Never) > 0 {
		o["never"] = encodeTexts(r.Never)
	}
	if r.Ambiguous {
		o["ambiguous"] = true
	}
	return o
}

func encodeBlock(o map[string]any, drain Drain, parallel bool) map[string]any {
	if drain == DrainCancel {
		o["onFailure"] = "cancel"
	}
	if parallel {
		o["compensation"] = "parallel"
	}
	return o
}

func (p *Parallel) encode() map[string]any {
	branches := make([]any, len(p.Branches))
	for i, b := range p.Branches {
		branches[i] = map[string]any{"name": b.Name, "do": encodeSteps(b.Do)}
	}
	return encodeBlock(map[string]any{"branches": branches}, p.OnFailure, p.ParallelCompensation)
}

func (f *Foreach) encode() map[string]any {
	o := map[string]any{"in": f.In.source, "as": f.As, "concurrency": f.Concurrency, "do": encodeSteps(f.Do)}
	if f.Key != nil {
		o["key"] = f.Key.source
	}
	return encodeBlock(o, f.OnFailure, f.ParallelCompensation)
}

func (s *Switch) encode() []any {
	cases := make([]any, len(s.Cases))
	for i, c := range s.Cases {
		if c.When == nil {
			cases[i] = map[string]any{"else": encodeSteps(c.Do)}
		} else {
			cases[i] = map[string]any{"when": c.When.source, "do": encodeSteps(c.Do)}
		}
	}
	return cases
}

func (a *Await) encode() map[string]any {
	o := map[string]any{"signal": a.Signal}
	if a.Schema != nil {
		o["schema"] = a.Schema.doc
	}
	if a.Where != nil {
		o["where"] = a.Where.source
	}
	if a.Timeout != nil {
		o["timeout"] = a.Timeout.encode()
	}
	return o
}

func (s *Sleep) encode() any {
	if s.Until != nil {
		return map[string]any{"until": s.Until.source}
	}
	return s.For.encode()
}
