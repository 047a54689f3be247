package dryrun

import "github.com/sagad/sagad/engine"

// Report is what a dry run has found.
type Report struct {
	engine.Result
	// Values are what the saga's own expressions give: its key, search attributes,
	// deadline and output.
	Values []Value `json:"values"`
	// Way are the steps in the order in which they were reached, also those that
	// were skipped.
	Way []Step `json:"way"`
	// Unreached are the ids of the steps that this input does not reach, in the
	// order of the definition; of child sagas those that were started.
	Unreached []string `json:"unreached"`
}

// Value is what one expression gave, the last time it was evaluated. Sensitive
// values are replaced by engine.Redacted.
type Value struct {
	Key        string `json:"key"` // where it stands, such as with.amount
	Expression string `json:"expression"`
	Value      any    `json:"value"`
	Error      string `json:"error,omitempty"`
}

// Step is one step on the way.
type Step struct {
	Path    string   `json:"path"`
	Kind    string   `json:"kind"`              // call, saga, parallel, ...
	Calls   string   `json:"calls,omitempty"`   // the activity, or the child's definition
	State   string   `json:"state"`             // as in a result; of blocks "entered" or "skipped"
	Code    string   `json:"code,omitempty"`    // why it failed
	Values  []Value  `json:"values,omitempty"`  // in the order of evaluation
	Answers []Answer `json:"answers,omitempty"` // what stood in for its activities
	Awaits  string   `json:"awaits,omitempty"`  // the signal
	Message any      `json:"message,omitempty"` // that it took, if the dry run made it up
	MadeUp  bool     `json:"madeUp,omitempty"`  // the message
}

// Answer is what stood in for one attempt at an activity.
type Answer struct {
	Op       engine.Op `json:"op"`
	Activity string    `json:"activity"`
	From     string    `json:"from"` // one of the From constants
	Output   any       `json:"output"`
	Code     string    `json:"code,omitempty"` // how the attempt failed
}

// entered is the state of a block that was reached.
const entered = "entered"

// Where answers come from.
const (
	FromMock    = "mock"    // the file of mocks
	FromSchema  = "schema"  // made up after the schema of the activity's output
	FromNothing = "nothing" // nothing is known of the activity; an empty object
)
