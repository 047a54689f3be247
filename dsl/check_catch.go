package dsl

import (
	"fmt"
	"slices"
)

// callCodes are the codes that any call may fail with: those of the engine,
// of the plugin host and of the SDK.
var callCodes = []string{
	"TIMEOUT", "UNAVAILABLE", "INVALID_INPUT", "INVALID_OUTPUT", "EXPRESSION", "TOO_LARGE", "RESIDENCY", "SECRET", "NOT_FOUND",
	"ERROR", "PANIC", "FENCED", "SUPERSEDED",
}

// checkCatches reports clauses that can never fire.
func (c *compiler) checkCatches() {
	everyStep(c.plan.Steps, func(s *Step) {
		if len(s.Catch) == 0 {
			return
		}
		codes, complete := c.codesOf(s)
		var before []string
		for _, clause := range s.Catch {
			c.checkClause(clause, before, codes, complete)
			before = append(before, clause.On...)
		}
	})
}

func (c *compiler) checkClause(clause Catch, before, codes []string, complete bool) {
	n := c.at[firstCode(clause.On)]
	place := func(code string) *node {
		for _, item := range n.items {
			if item.string() == code {
				return item
			}
		}
		return n
	}
	for _, code := range clause.On {
		switch {
		case contains(before, "*"):
			c.errorNode(place(code), CodeCatch, fmt.Sprintf("a clause before this one catches everything, so %s never comes here", code), `move the clause with "*" to the end`)
		case contains(before, code):
			c.errorNode(place(code), CodeCatch, fmt.Sprintf("a clause before this one catches %s already", code), "the first clause that matches wins")
		case reservedCodes[code]:
			c.errorNode(place(code), CodeCatch, fmt.Sprintf("%s is never caught", code), "a cancel and the deadline always end the saga")
		case complete && !contains(codes, code) && (code != "*" || len(codes) == 0):
			// Without manifests nobody asked what the plugins do, and a code
			// more does no harm.
			severity := SeverityError
			if !c.informed {
				severity = SeverityWarning
			}
			c.report(c.text.spanOf(place(code)), severity, CodeCatch, neverFails(code), didYouMean(code, codes, mayFail(codes)))
		}
	}
}

func neverFails(code string) string {
	if code == "*" {
		return "nothing here fails"
	}
	return "nothing here fails with " + code
}

func mayFail(codes []string) string {
	if len(codes) == 0 {
		return "it never fails"
	}
	return "it may fail with " + orList(codes)
}

// codesOf returns the codes that may leave a step. It is complete if all
// activities inside are known.
func (c *compiler) codesOf(s *Step) (codes []string, complete bool) {
	add := func(more ...string) {
		for _, code := range more {
			if !slices.Contains(codes, code) {
				codes = append(codes, code)
			}
		}
	}
	complete = true
	if s.If != nil {
		add("EXPRESSION")
	}
	switch s.Kind {
	case KindCall:
		add(callCodes...)
		if a := c.catalog[s.Call.Activity]; a != nil && len(a.manifest.Errors) > 0 {
			add(a.manifest.Errors...)
		} else {
			complete = false
		}
	case KindAwait:
		add("EXPRESSION")
		if s.Await.Timeout != nil {
			add("TIMEOUT")
		}
	case KindFail:
		add(s.Fail.Code, "EXPRESSION")
	case KindForeach:
		add("EXPRESSION", "DUPLICATE_KEY", "TOO_LARGE")
	case KindSaga:
		add(childCodes...)
		if child := c.childFace(s); child != nil {
			add(child.codes...)
			complete = child.complete
		} else {
			complete = false
		}
	case KindScope, KindParallel: // fail only with what is inside
	case KindComplete: // ends the saga even if its output cannot be evaluated (S25)
	default:
		add("EXPRESSION")
	}
	inner := s.bodies()
	for _, list := range inner {
		for _, child := range list {
			more, all := c.leaving(child)
			add(more...)
			complete = complete && all
		}
	}
	return codes, complete
}

// leaving returns the codes that leave a step past its own handlers, or from
// inside them.
func (c *compiler) leaving(s *Step) (codes []string, complete bool) {
	own, complete := c.codesOf(s)
	var caught []string
	for _, clause := range s.Catch {
		caught = append(caught, clause.On...)
		for _, child := range clause.Do {
			more, all := c.leaving(child)
			codes = append(codes, more...)
			complete = complete && all
		}
	}
	if contains(caught, "*") {
		return codes, complete
	}
	for _, code := range own {
		if !contains(caught, code) {
			codes = append(codes, code)
		}
	}
	return codes, complete
}
