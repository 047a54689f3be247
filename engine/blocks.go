package engine

import (
	"strconv"

	"github.com/sagad/sagad/dsl"
)

// maxItems bounds the collection of a foreach. Every item has a node, and a
// collection this large is a batch that belongs into several sagas.
const maxItems = 10_000

// maxNodes bounds the steps of one saga, counting each item of a foreach, for
// the same reason when they are nested.
const maxNodes = 50_000

// maxOpen bounds how much of a saga runs at the same time, over all foreach
// blocks: Temporal refuses more than 2,000 pending activities of a workflow.
// Items beyond it wait for others to close.
const maxOpen = 1000

// maxItemKey bounds the key of an item, in bytes: it is part of paths.
const maxItemKey = 200

// join gathers the outputs of blocks that run side by side.
type join struct {
	outputs []any
	open    int // blocks that have not ended
	items   []any
	keys    []string
	started int // items whose block exists

	starting bool // startItems is on the stack
}

// run starts a block of n.
func (m *Machine) run(n *node, role blockRole, index int, steps []*dsl.Step, s *scope) {
	b := &block{owner: n, role: role, index: index, steps: steps, scope: s}
	n.blocks = append(n.blocks, b)
	m.advance(b)
}

// runBody runs the one list of steps of n.
func (m *Machine) runBody(n *node, steps []*dsl.Step) {
	m.run(n, roleBody, 0, steps, n.in.scope)
}

// blockDone follows up on a block whose steps have all closed well.
func (m *Machine) blockDone(b *block) {
	n := b.owner
	switch {
	case b.role == roleBranch:
		m.branchDone(b)
	case n.step == nil:
		m.finishForward()
	default: // the body of a scope or switch, or a handler: the output is the block's
		m.succeed(n, b.last)
	}
}

func (m *Machine) branchDone(b *block) {
	n := b.owner
	n.join.outputs[b.index] = b.last
	n.join.open--
	if n.step.Kind == dsl.KindForeach {
		m.startItems(n)
	}
	m.joined(n)
}

// joined closes a parallel or foreach once all its blocks have ended.
func (m *Machine) joined(n *node) {
	j := n.join
	if n.done || j.open > 0 || j.started < len(j.items) {
		return
	}
	if n.step.Kind == dsl.KindForeach {
		m.succeed(n, j.outputs)
		return
	}
	output := make(map[string]any, len(j.outputs))
	for i, branch := range n.step.Parallel.Branches {
		output[branch.Name] = j.outputs[i]
	}
	m.succeed(n, output)
}

// beginParallel starts all branches (S7).
func (m *Machine) beginParallel(n *node) {
	branches := n.step.Parallel.Branches
	n.join = &join{outputs: make([]any, len(branches)), open: len(branches)}
	for i, branch := range branches {
		if n.stopped() || n.unwind != nil || n.done || m.closed {
			return // a branch failed before it had to wait
		}
		m.run(n, roleBranch, i, branch.Do, n.in.scope)
	}
}

// beginForeach evaluates the collection once and starts the first items (S8).
func (m *Machine) beginForeach(n *node) {
	each, env := n.step.Foreach, n.in.scope.env
	value, err := each.In.Eval(env)
	if err != nil {
		m.failExpression(n, err)
		return
	}
	items, ok := value.([]any)
	if !ok {
		m.failBlock(n, CodeExpression, "the collection of "+n.step.ID+" is not a list; `in` must give one")
		return
	}
	if len(items) > maxItems {
		m.failBlock(n, CodeTooLarge, "the collection of "+n.step.ID+" has "+strconv.Itoa(len(items))+" items, at most "+strconv.Itoa(maxItems)+" are allowed")
		return
	}
	if len(m.nodes)+len(items) > maxNodes {
		m.failBlock(n, CodeTooLarge, "the saga would have more than "+strconv.Itoa(maxNodes)+" steps; make several sagas of it")
		return
	}
	keys, code, message := itemKeys(each, items, env)
	if code != "" {
		m.failBlock(n, code, message)
		return
	}
	n.join = &join{outputs: make([]any, len(items)), items: items, keys: keys}
	m.startItems(n)
	m.joined(n)
}

// itemKeys names the items. Keys are found and compared before any item starts.
func itemKeys(each *dsl.Foreach, items []any, env dsl.Env) (keys []string, code, message string) {
	keys = make([]string, len(items))
	seen := make(map[string]bool, len(items))
	for i, item := range items {
		key := strconv.Itoa(i)
		if each.Key != nil {
			value, err := each.Key.Eval(extend(env, each.As, item))
			if err != nil {
				return nil, CodeExpression, "the key of item " + strconv.Itoa(i) + ": " + err.Error()
			}
			switch v := value.(type) {
			case string:
				key = escape(v, "[]/:%")
			case int:
				key = strconv.Itoa(v)
			default:
				return nil, CodeExpression, "the key of item " + strconv.Itoa(i) + " is neither a string nor an integer"
			}
		}
		if len(key) > maxItemKey {
			return nil, CodeTooLarge, "the key of item " + strconv.Itoa(i) + " has " + strconv.Itoa(len(key)) + " bytes, at most " + strconv.Itoa(maxItemKey) + " are allowed"
		}
		if seen[key] {
			return nil, CodeDuplicateKey, "two items have the key " + key
		}
		seen[key] = true
		keys[i] = key
	}
	return keys, "", ""
}

// startItems starts items up to the concurrency.
func (m *Machine) startItems(n *node) {
	each, j := n.step.Foreach, n.join
	if n.done || n.handling || j.starting {
		return // the first two: it ended while its items were held back
	}
	j.starting = true
	for j.open < each.Concurrency && j.started < len(j.items) && !n.stopped() && n.unwind == nil && !m.closed {
		if len(m.leaves) >= maxOpen {
			m.stalled = append(m.stalled, n)
			break
		}
		i := j.started
		j.started++
		j.open++
		m.run(n, roleBranch, i, each.Do, n.in.scope.item(each.As, j.items[i], j.keys[i]))
	}
	j.starting = false
}

// startStalled starts the items that maxOpen has held back, as far as there is
// room now.
func (m *Machine) startStalled() {
	if len(m.stalled) == 0 || len(m.leaves) >= maxOpen {
		return
	}
	stalled := m.stalled
	m.stalled = nil
	for _, n := range stalled {
		m.startItems(n)
	}
}

// beginSwitch runs the first case that holds, or closes with null.
func (m *Machine) beginSwitch(n *node) {
	for i, c := range n.step.Switch.Cases {
		if c.When != nil {
			holds, err := c.When.Bool(n.in.scope.env)
			if err != nil {
				m.failExpression(n, err)
				return
			}
			if !holds {
				continue
			}
		}
		m.run(n, roleBody, i, c.Do, n.in.scope)
		return
	}
	m.succeed(n, nil)
}

// beginSet evaluates all values of the step before the first variable changes:
// none of them sees another.
func (m *Machine) beginSet(n *node) {
	s := n.in.scope
	values := make([]any, len(n.step.Set))
	for i, a := range n.step.Set {
		var err error
		if values[i], err = a.Value.Eval(s.env); err != nil {
			m.failExpression(n, err)
			return
		}
	}
	for i, a := range n.step.Set {
		s.vars[a.Name] = values[i]
	}
	m.succeedLeaf(n, nil)
}

// beginFail raises a business error.
func (m *Machine) beginFail(n *node) {
	message, err := n.step.Fail.Message.Eval(n.in.scope.env)
	if err != nil {
		m.failExpression(n, err)
		return
	}
	text, _ := message.(string) // absent: none
	m.fail(n, m.failure(n, n.step.Fail.Code, text), StateFailed)
}

// beginComplete ends the saga here, keeping what was done.
func (m *Machine) beginComplete(n *node) {
	n.state, n.done, n.closedAt = StateSucceeded, true, m.now
	m.trace.add(n.path, markOK)
	m.record(Record{Transition: TransitionSucceeded, Path: n.path})
	m.complete(n.step.Complete.Output, n.in.scope.env)
}
