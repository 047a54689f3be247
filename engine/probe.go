package engine

// probe asks the participant what became of the attempt in doubt (S3).
func (m *Machine) probe(n *node) {
	c, spec := n.call, n.step.Call.Probe
	m.record(Record{Transition: TransitionProbing, Path: n.path, Op: OpProbe, Activity: spec.Activity, Attempt: c.attempts, Code: c.last.Code, Message: c.last.Message})
	m.invoke(flight{op: OpProbe, node: n})
}

// probeClosed takes the participant's answer. Whatever is not a clear answer
// counts as "cannot tell yet".
func (m *Machine) probeClosed(n *node, out Outcome) {
	c, spec := n.call, n.step.Call.Probe
	if out.Code == CodeReset {
		c.probing = false
		m.park(n, m.failure(n, out.Code, out.Message), StateUnknown)
		return
	}
	if out.Probed {
		c.probing = false
		c.last, n.code = m.failure(n, out.Code, out.Message), out.Code
		m.outputUnusable(n)
		return
	}
	if answer, ok := out.Output.(map[string]any); ok && out.Class == Applied && out.Code == "" {
		switch answer["applied"] {
		case true:
			c.probing = false
			m.actionApplied(n, answer["output"])
			return
		case false:
			c.probing, c.ambiguous = false, false
			m.retry(n, c.over)
			return
		}
	}
	next := m.now.Add(spec.Every)
	if (n.stopped() && !n.decisive()) || next.After(c.probeSince.Add(spec.Within)) {
		c.probing = false
		m.failCall(n)
		return
	}
	m.startTimer(timer{use: timerProbe, node: n}, next)
}
