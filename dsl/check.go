package dsl

// check runs the checks of the whole definition. Those of types and flow need
// a definition whose structure is sound; without it they would only repeat
// what is reported already.
func (c *compiler) check() {
	for _, key := range c.secrets {
		c.errorNode(key, CodeSecret, "a secret outside the input of an activity", "secrets exist only in with of call, compensate and probe")
	}
	c.checkPlaces()
	c.checkPivots()
	if c.diags.broken() {
		return
	}
	c.checkFlow()
	c.checkVariables()
	c.checkCatches()
	c.checkWaits()
	c.checkResidency()
	c.checkShownKeys()
	if !c.diags.HasErrors() { // what does not read anything for now may be meant to
		c.checkUnused()
	}
}

// broken reports whether the structure of the definition has an error. A
// missing plugin or an unknown search attribute is none.
func (ds Diagnostics) broken() bool {
	for _, d := range ds {
		if d.Severity != SeverityError {
			continue
		}
		switch d.Code {
		case CodeSearch, CodeSensitive, CodeSecret, CodeManifest, CodeUnknownActivity, CodeEffect, CodeProbe, CodeRetry,
			CodePivotOrder, CodePivotInBlock, CodeFailAfterPivot, CodeCompleteInside, CodeDuration, CodeBackoff,
			CodeUnreachable, CodeVersion, CodeUnknownKey, CodeExpression, CodeNumber, CodeExprForm, CodeDuplicateKey, CodeUnknownSaga, CodeChildSaga, CodeRecursion,
			CodeDuplicateID, CodeCatch, CodeEmpty, CodeSchema, CodeValue, CodeYAML:
		default:
			return true
		}
	}
	return false
}

// turn is a block that a step stands in, and which of its lists: of a
// parallel, the branches run at the same time.
type turn struct {
	block *Step
	list  int
}

// checkPlaces finds out what stands in what, and reports steps where they
// cannot stand.
func (c *compiler) checkPlaces() { c.places(c.plan.Steps, nil, nil) }

func (c *compiler) places(steps []*Step, around []turn, foreach *Step) {
	for _, s := range steps {
		c.foreachOf[s] = foreach
		c.branches[s] = around
		for _, a := range s.Set {
			c.assigned[a.Name] = true
		}
		if s.Kind == KindComplete {
			c.checkComplete(s, around)
		}
		inner := foreach
		if s.Kind == KindForeach {
			inner = s
		}
		for i, list := range s.bodies() {
			c.places(list, append(around[:len(around):len(around)], turn{s, i}), inner)
		}
		for i, clause := range s.Catch {
			c.places(clause.Do, append(around[:len(around):len(around)], turn{s, -1 - i}), foreach)
		}
	}
}

func (c *compiler) checkComplete(s *Step, around []turn) {
	for _, t := range around {
		if t.list >= 0 && (t.block.Kind == KindParallel || t.block.Kind == KindForeach) {
			word := "parallel"
			if t.block.Kind == KindForeach {
				word = "foreach"
			}
			c.errorNode(c.at[s].first(), CodeCompleteInside, "complete stands inside "+word, "what runs beside it cannot be completed; end the saga after the block")
			return
		}
	}
}

// The types of what expressions see.
var (
	errorType = &typ{kind: typeMap, closed: true,
		fields:   map[string]*typ{"code": textType, "message": textType, "step": textType, "path": textType},
		required: map[string]bool{"code": true, "message": true, "step": true, "path": true}}
	tenantType = &typ{kind: typeMap, fields: map[string]*typ{"country": textType, "timezone": textType}, required: map[string]bool{}}
	identity   = map[string]*typ{"id": textType, "key": textType, "tenant": textType, "region": textType}
	sagaType   = &typ{kind: typeMap, closed: true, fields: with(identity, "startedAt", textType),
		required: map[string]bool{"id": true, "key": true, "tenant": true, "region": true, "startedAt": true}}
	// startType is saga before the saga has started.
	startType = &typ{kind: typeMap, closed: true, fields: identity,
		required: map[string]bool{"id": true, "key": true, "tenant": true, "region": true}}
)

// checkFlow checks all expressions in the order of control flow.
func (c *compiler) checkFlow() {
	p := c.plan
	input := p.Input.typ()
	c.checkKey(&names{vars: map[string]*typ{"input": input, "tenant": tenantType}})
	c.checkSensitivePaths(input)
	c.checkSearch(&names{vars: map[string]*typ{"input": input, "tenant": tenantType, "saga": startType}})
	all := map[string]*typ{"input": input, "tenant": tenantType, "saga": sagaType}
	c.delayType(p.Deadline, &names{vars: all})
	w := &flowCheck{c: c, names: all}
	end := w.list(p.Steps, newFlow())
	if p.Output != nil {
		if !end.falls {
			c.errorNode(c.at[p].key("output"), CodeUnreachable, "output is never evaluated", "every way through the saga fails or completes; give complete an output")
		}
	}
	output := c.inferValue(p.Output, &names{flow: end.flow, vars: all})
	if end.falls {
		c.ends(output)
	}
}

// ends takes note of the output of a way to end the saga.
func (c *compiler) ends(output *typ) {
	if c.result == nil {
		c.result = output
	} else {
		c.result = either(c.result, output)
	}
}

func (c *compiler) checkKey(n *names) {
	key := c.plan.Key
	if len(c.keyParts) > 0 {
		for _, e := range c.keyParts {
			c.textPart(e, n)
		}
	} else {
		t := c.infer(key, n)
		if t.kind != typeAny && t.kind != typeText && t.kind != typeInt {
			c.errorExpr(key, CodeType, "the business key is "+t.String()+", not text or an integer", "")
		}
	}
	for _, e := range append(c.keyParts, key) {
		c.checkExposure(e, "the business key")
	}
}
