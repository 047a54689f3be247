package dsl

import "fmt"

// MaxConcurrency is the largest concurrency of a foreach (S8).
const MaxConcurrency = 500

// MaxBranches is the largest number of branches of a parallel.
const MaxBranches = 100

func (c *compiler) onFailure(n *node) Drain {
	if n == nil {
		return DrainWait
	}
	return []Drain{DrainWait, DrainCancel}[c.choice(n, "onFailure", "drain", "cancel")]
}

// parallelCompensation reads the key compensation of a block.
func (c *compiler) parallelCompensation(n *node) bool {
	return n != nil && c.choice(n, "compensation", "reverse", "parallel") == 1
}

func (c *compiler) parallel(n *node) *Parallel {
	p := &Parallel{}
	f, ok := c.fields(n, "parallel", "branches", "onFailure", "compensation")
	if !ok {
		return p
	}
	c.at[p] = n
	p.OnFailure = c.onFailure(f["onFailure"])
	p.ParallelCompensation = c.parallelCompensation(f["compensation"])
	b := f["branches"]
	switch {
	case b == nil:
		c.errorNode(n.first(), CodeMissingKey, "parallel has no branches", "write branches: with a name and a list of steps for each")
		return p
	case b.kind == nodeList && c.canon:
		c.canonicalBranches(p, b)
		return p
	case !c.expect(b, nodeMap, "branches"):
		return p
	case len(b.keys) == 0:
		c.errorNode(b, CodeEmpty, "parallel has no branches", "write at least one")
	case len(b.keys) > MaxBranches:
		c.errorNode(b, CodeTooLarge, fmt.Sprintf("parallel has over %d branches", MaxBranches), "use foreach with concurrency")
	}
	for i, k := range b.keys {
		name := c.name(k, "the branch", nameForm, nameHint)
		p.Branches = append(p.Branches, Branch{Name: name, Do: c.stepList(b.items[i], "the branch "+k.string())})
	}
	return p
}

// canonicalBranches reads branches from a canonical plan, where they are a
// list: their order is the order of events of one instant, and the keys of a
// map would be sorted.
func (c *compiler) canonicalBranches(p *Parallel, n *node) {
	for _, item := range n.items {
		f, ok := c.fields(item, "a branch", "name", "do")
		if !ok || f["name"] == nil || f["do"] == nil {
			c.errorNode(item, CodeMissingKey, "a branch needs name and do", "")
			continue
		}
		name := c.name(f["name"], "the branch", nameForm, nameHint)
		for _, other := range p.Branches {
			if other.Name == name {
				c.errorNode(item, CodeDuplicateKey, fmt.Sprintf("two branches have the name %s", name), "")
			}
		}
		p.Branches = append(p.Branches, Branch{Name: name, Do: c.stepList(f["do"], "the branch "+name)})
	}
	if len(p.Branches) == 0 {
		c.errorNode(n, CodeEmpty, "parallel has no branches", "write at least one")
	}
}

func (c *compiler) foreach(n *node) *Foreach {
	fe := &Foreach{As: "item", Concurrency: 1, In: &Expr{isLiteral: true}}
	f, ok := c.fields(n, "foreach", "in", "as", "key", "concurrency", "onFailure", "do", "compensation")
	if !ok {
		return fe
	}
	c.at[fe] = n
	if in := f["in"]; in != nil {
		fe.In = c.bareExpr(in, "in")
	} else {
		c.errorNode(n.first(), CodeMissingKey, "foreach has no in", "write the list, such as in: input.items")
	}
	if as := f["as"]; as != nil {
		fe.As = c.name(as, "the variable", nameForm, nameHint)
		if reservedNames[fe.As] {
			c.errorNode(as, CodeInvalidID, fmt.Sprintf("the variable cannot be named %s", fe.As), "expressions use this name for something else")
		}
	}
	if key := f["key"]; key != nil {
		fe.Key = c.bareExpr(key, "key")
	}
	if con := f["concurrency"]; con != nil {
		fe.Concurrency = c.whole(con, "concurrency", 1, MaxConcurrency)
	}
	fe.OnFailure = c.onFailure(f["onFailure"])
	fe.ParallelCompensation = c.parallelCompensation(f["compensation"])
	if do := f["do"]; do != nil {
		fe.Do = c.stepList(do, "do")
	} else {
		c.errorNode(n.first(), CodeMissingKey, "foreach has no do", "write the steps for each item under do:")
	}
	return fe
}

// reservedNames cannot be names of variables: they are names of the
// environment or words of expressions.
var reservedNames = map[string]bool{
	"input": true, "steps": true, "vars": true, "saga": true, "tenant": true, "self": true, "error": true, "event": true,
	"true": true, "false": true, "nil": true, "null": true, "in": true, "or": true, "and": true, "not": true, "matches": true,
	"contains": true, "startsWith": true, "endsWith": true, "let": true, "if": true, "else": true,
}

func (c *compiler) switchBlock(n *node) *Switch {
	s := &Switch{}
	if !c.expect(n, nodeList, "switch") {
		return s
	}
	c.at[s] = n
	if len(n.items) == 0 {
		c.errorNode(n, CodeEmpty, "switch has no case", "write - when: and do:")
	}
	for i, item := range n.items {
		f, ok := c.fields(item, "a case", "when", "do", "else")
		if !ok {
			continue
		}
		other := f["else"]
		switch {
		case other != nil && (f["when"] != nil || f["do"] != nil):
			c.errorNode(item.first(), CodeStepKind, "a case has else beside when and do", "else stands alone, as the last case")
		case other != nil:
			if i != len(n.items)-1 {
				c.errorNode(item.first(), CodeUnreachable, "cases stand after else", "else is the last case")
			}
			s.Cases = append(s.Cases, Case{Do: c.stepList(other, "else")})
		case f["when"] == nil || f["do"] == nil:
			c.errorNode(item.first(), CodeMissingKey, "a case needs when and do", "write - when: CONDITION and do:, or - else: as the last case")
		default:
			when := c.bareExpr(f["when"], "when")
			s.Cases = append(s.Cases, Case{When: when, Do: c.stepList(f["do"], "do")})
		}
	}
	return s
}

func (c *compiler) scope(n *node) *Scope {
	s := &Scope{}
	f, ok := c.fields(n, "scope", "do")
	if !ok {
		return s
	}
	c.at[s] = n
	if f["do"] == nil {
		c.errorNode(n.first(), CodeMissingKey, "scope has no do", "write its steps under do:")
		return s
	}
	s.Do = c.stepList(f["do"], "do")
	return s
}
