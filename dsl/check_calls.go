package dsl

import (
	"fmt"
	"strings"
)

// call checks the activities of a call step and returns the type of its
// output.
func (w *flowCheck) call(s *Step, f *flow) *typ {
	c, call := w.c, s.Call
	n := w.at(f, s)
	input := c.inferValue(call.With, n)
	if call.With == nil {
		input = &typ{kind: typeMap}
	}
	known := c.activityInput(c.at[call], call.Activity, call.With)
	output := anyType
	if known != nil {
		output = known.outputType()
	}
	if comp := call.Compensate; comp != nil {
		c.inferValue(comp.With, n.with("self", selfType(input, output)))
		c.activityInput(c.at[comp], comp.Activity, comp.With)
	}
	if p := call.Probe; p != nil {
		c.inferValue(p.With, n.with("self", selfType(input, output)))
		c.answersProbe(c.at[p], c.activityInput(c.at[p], p.Activity, p.With))
	}
	return output
}

// answersProbe reports an activity that cannot say what became of an action. n is
// the probe.
func (c *compiler) answersProbe(n *node, a *activity) {
	if a == nil {
		return
	}
	out := a.outputType()
	if out.kind == typeMap && out.closed && out.fields["applied"] == nil {
		c.errorNode(n.get("call"), CodeProbe, fmt.Sprintf("%s gives no applied, so it cannot say what became of the action", a.manifest.Name),
			"name an activity that gives {applied: true, output: {...}}, {applied: false}, or {applied: null} while it cannot tell")
	}
}

// selfType is the type of self. The output is there only if the action is
// known to have succeeded.
func selfType(input, output *typ) *typ {
	a := &absence{what: "self.output is missing when the outcome of the action is not known"}
	return &typ{kind: typeMap, closed: true,
		fields:   map[string]*typ{"key": textType, "input": input, "output": output.orNull().withAbsence(a)},
		required: map[string]bool{"key": true, "input": true, "output": true}}
}

// activityInput checks that an activity exists and that its input fits. n is
// the map that has the key call.
func (c *compiler) activityInput(n *node, name string, with *Value) *activity {
	if name == "" || n == nil {
		return nil
	}
	a := c.catalog[name]
	if a == nil {
		c.unknownActivity(n.get("call"), name)
		return nil
	}
	c.fitsInput(n.get("call"), name, with, a.inputType())
	return a
}

// fitsInput reports where the input of an activity or a saga, which is named at
// a node, cannot be what it takes.
func (c *compiler) fitsInput(at *node, name string, with *Value, want *typ) {
	if with != nil {
		c.fits(with, want)
		return
	}
	if want.kind == typeMap {
		for _, field := range canonicalKeys(want.required) {
			c.errorNode(at, CodeMissingInput, fmt.Sprintf("%s requires the field %s", name, field), "give it in with")
		}
	}
}

// unknownActivity reports an activity that no manifest names. Without any
// manifests nothing is known, and nothing is said unless it has to be there.
func (c *compiler) unknownActivity(n *node, name string) {
	severity := SeverityWarning
	if c.opts.RequireActivities {
		severity = SeverityError
	} else if !c.informed {
		return
	}
	plugin, _, _ := strings.Cut(name, ".")
	var offered []string
	for _, known := range canonicalKeys(c.catalog) {
		if strings.HasPrefix(known, plugin+".") {
			offered = append(offered, known)
		}
	}
	otherwise := fmt.Sprintf("no plugin %s is installed here", plugin)
	if len(offered) > 0 {
		otherwise = fmt.Sprintf("the plugin %s offers %s", plugin, orList(offered))
	}
	c.report(c.text.spanOf(n), severity, CodeUnknownActivity, fmt.Sprintf("no plugin offers the activity %s", name),
		didYouMean(name, canonicalKeys(c.catalog), otherwise))
}
