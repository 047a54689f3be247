package dsl

// StepLines gives the lines on which the steps of a definition begin, by id, without
// those of child sagas. Of a text that is no definition it gives what can be found.
func StepLines(src Source) map[string]int {
	c := newCompiler(src.Name, Options{})
	lines := stepLines{}
	if root := c.readYAML(src.Data); root != nil {
		lines.list(root.get("steps"))
	}
	return lines
}

type stepLines map[string]int

// list takes the steps of a list.
func (l stepLines) list(steps *node) {
	if steps == nil || steps.kind != nodeList {
		return
	}
	for _, s := range steps.items {
		if id := s.get("id"); id.isText() {
			l[id.string()] = s.first().line
		}
		l.inside(s)
	}
}

// inside takes the steps inside a step.
func (l stepLines) inside(s *node) {
	for _, key := range []string{"scope", "foreach"} {
		l.list(s.get(key).get("do"))
	}
	for _, key := range []string{"switch", "catch"} {
		if list := s.get(key); list != nil {
			for _, clause := range list.items {
				l.list(clause.get("do"))
				l.list(clause.get("else"))
			}
		}
	}
	if branches := s.get("parallel").get("branches"); branches != nil {
		for _, steps := range branches.items {
			l.list(steps)
		}
	}
}
