package dsl

// face is what a definition that runs another one as a child has to know of
// it, besides its plan.
type face struct {
	output   *typ     // nil: it never completes
	codes    []string // that its failure may have
	complete bool     // there are no others
	pivots   childPivots
}

// face gives the face of a definition that was compiled without errors.
func (c *compiler) face() *face {
	f := &face{output: c.result, complete: true, pivots: c.pivots}
	for _, s := range c.plan.Steps {
		codes, complete := c.leaving(s)
		f.complete = f.complete && complete
		for _, code := range codes {
			if !contains(f.codes, code) {
				f.codes = append(f.codes, code)
			}
		}
	}
	return f
}

// childFace gives the face of the saga that a step runs, or nil if its
// definition cannot be used.
func (c *compiler) childFace(s *Step) *face {
	if s.Child.Plan == nil {
		return nil
	}
	return c.nest.done[s.Child.Plan.Saga].face
}

// childCodes are the codes that every child may fail with: its input breaks
// its schema or is too large, its key cannot be evaluated, or its run was ended
// from outside.
var childCodes = []string{"INVALID_INPUT", "TOO_LARGE", "EXPRESSION", "TERMINATED"}

// child checks the input of a child saga and gives what it comes to.
func (w *flowCheck) child(s *Step, f *flow) outcome {
	c, child := w.c, s.Child
	c.inferValue(child.With, w.at(f, s))
	known := c.childFace(s)
	if known == nil {
		return outcome{f, true, anyType}
	}
	c.fitsInput(c.at[child].get("saga"), "the saga "+child.Plan.Saga, child.With, child.Plan.Input.typ())
	c.checkHanded(s, child.With, dataPath{})
	if known.output == nil {
		return outcome{f, false, nullType}
	}
	return outcome{f, true, known.output}
}
