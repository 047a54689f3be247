// Package testreport shows what `sagad test` has found: for people, as JSON, and as
// JUnit XML for build servers.
package testreport

import (
	"time"

	"github.com/sagad/sagad/engine/sagatest"
)

// Report is the result of a run of `sagad test`, as -o json prints it.
type Report struct {
	Passed   int        `json:"passed"`
	Failed   int        `json:"failed"`
	Cases    []Case     `json:"cases"`
	Matrix   Matrix     `json:"matrix"`
	Coverage []Coverage `json:"coverage,omitempty"`
}

// Case is one case of a test file.
type Case struct {
	File     string             `json:"file"`
	Line     int                `json:"line"`
	Name     string             `json:"name"`
	Passed   bool               `json:"passed"`
	Failures []sagatest.Failure `json:"failures"`
	Outcome  string             `json:"outcome,omitempty"`
	Trace    []string           `json:"trace,omitempty"`
	Elapsed  string             `json:"elapsed"` // virtual
	Took     time.Duration      `json:"-"`
}

// Matrix is what the matrices of all files have found.
type Matrix struct {
	Runs       int         `json:"runs"`
	Left       int         `json:"left,omitempty"` // runs that were left out
	Violations []Violation `json:"violations"`
}

// Violation is a rule that a run of a matrix has broken.
type Violation struct {
	File string `json:"file"`
	sagatest.Violation
}

// Coverage is what the cases of all files reach of one definition.
type Coverage struct {
	Saga  string             `json:"saga"`
	File  string             `json:"file"` // of the definition
	Hit   int                `json:"hit"`
	Total int                `json:"total"`
	Items []sagatest.Covered `json:"items"`
}

// Percent is how much was reached, rounded down: 100 means everything.
func (c Coverage) Percent() int {
	if c.Total == 0 {
		return 100
	}
	return c.Hit * 100 / c.Total
}

// Cover gives what was reached of a definition. lines are those of its steps, by id.
func Cover(saga, file string, items []sagatest.Covered, lines map[string]int) Coverage {
	c := Coverage{Saga: saga, File: file, Total: len(items), Items: items}
	for i, item := range items {
		items[i].Line = lines[item.Step]
		if item.Hit {
			c.Hit++
		}
	}
	return c
}

// Add adds a case.
func (r *Report) Add(c Case) {
	if c.Passed {
		r.Passed++
	} else {
		r.Failed++
	}
	r.Cases = append(r.Cases, c)
}

// OK says whether everything was as expected.
func (r *Report) OK() bool { return r.Failed == 0 && len(r.Matrix.Violations) == 0 }
