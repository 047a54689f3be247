package dsl

import (
	"fmt"
	"slices"
	"strings"
)

// checkResidency reports sensitive values that leave the regions of a tenant:
// they are handed to an activity that handles data elsewhere. Without tenants,
// or where a manifest names no regions, the activity runs and stays where its
// plugin runs.
func (c *compiler) checkResidency() {
	if len(c.opts.Tenants) == 0 {
		return
	}
	everyStep(c.plan.Steps, func(s *Step) {
		if s.Kind != KindCall {
			return
		}
		c.staysInRegion(s, s.Call.Activity, s.Call.With)
		if s.Call.Compensate != nil {
			c.staysInRegion(s, s.Call.Compensate.Activity, s.Call.Compensate.With)
		}
		if s.Call.Probe != nil {
			c.staysInRegion(s, s.Call.Probe.Activity, s.Call.Probe.With)
		}
	})
}

// checkShownKeys warns of items whose keys are sensitive: a key is part of the
// path of every step of the item, which is shown, logged and stored.
func (c *compiler) checkShownKeys() {
	everyStep(c.plan.Steps, func(s *Step) {
		if s.Kind != KindForeach || s.Foreach.Key == nil || len(s.Foreach.Do) == 0 {
			return
		}
		found := c.sensitiveIn(s.Foreach.Key, s.Foreach.Do[0]) // which sees the item, as the key does
		if len(found) > 0 {
			c.report(c.exprSpan(c.uses[s.Foreach.Key], 0, len([]rune(s.Foreach.Key.source))), SeverityWarning, CodeSensitive,
				fmt.Sprintf("the keys of %s show %s, which is sensitive", s.ID, found[0]), "keys stand in paths, which are stored and shown in the clear; use another one")
		}
	})
}

// staysInRegion reports the sensitive values in an activity's input if the
// activity takes them to a region that a tenant does not have.
func (c *compiler) staysInRegion(s *Step, name string, with *Value) {
	a := c.catalog[name]
	if a == nil || len(a.manifest.Regions) == 0 {
		return
	}
	tenant, region := c.foreignRegion(a.manifest.Regions)
	if tenant == nil {
		return
	}
	with.exprs(func(e *Expr) {
		found := c.sensitiveIn(e, s)
		if len(found) == 0 {
			return
		}
		c.errorExpr(e, CodeResidency,
			fmt.Sprintf("%s is sensitive, and %s handles data in %s, which is no region of the tenant %s", found[0], name, region, tenant.Name),
			fmt.Sprintf("do not hand it over, or call an activity that stays in %s", orList(tenant.Regions)))
	})
}

// foreignRegion gives the first tenant, and the first region, that do not
// belong together.
func (c *compiler) foreignRegion(regions []string) (*Tenant, string) {
	for i := range c.opts.Tenants {
		t := &c.opts.Tenants[i]
		for _, r := range regions {
			if !slices.Contains(t.Regions, r) {
				return t, r
			}
		}
	}
	return nil, ""
}

// manifestPath reads a path as manifests write it: "debtor.iban",
// "items[].card", "byName.*".
func manifestPath(text string) dataPath {
	return strings.Split(strings.ReplaceAll(text, "[]", ".*"), ".")
}
