package dsl

import "time"

// LanguageVersion is the version of the definition language that this package
// compiles. It is part of the canonical form and so of every digest (S23).
const LanguageVersion = 1

// Plan is a checked and compiled definition. It is immutable and safe for
// concurrent use: any number of sagas run from one Plan.
//
// All defaults are resolved in it: a step's timeout and retry policy are the
// ones that apply, wherever they were written.
type Plan struct {
	Saga        string // name of the definition
	Version     string // label for people; identity is Digest
	Description string
	Language    int // LanguageVersion that compiled it

	Digest    string // "sha256:" and 64 hex digits, over Canonical
	Canonical []byte // canonical JSON; Load gives an equal plan from it

	Key         *Expr         // business key: a string or an int
	Deadline    *Delay        // nil: none (S14)
	CancelGrace time.Duration // how long running actions may go on after a cancel (S13)
	Input       *Schema       // nil: any input
	Sensitive   []string      // paths such as "input.debtor.iban", as written
	Search      []SearchValue // by name
	Steps       []*Step
	Output      *Value // nil: the saga's output is null

	count       int              // number of steps at any depth
	byID        map[string]*Step // every step
	sagas       []*Plan          // the child sagas at any depth, each once, by name
	height      int              // how many definitions stand inside each other, this one included
	decisive    bool             // see Decisive
	compensates bool             // it has a compensation, at any depth and in any child saga
}

// StepCount is the number of steps at any depth. Step.Index runs from 0 to
// StepCount-1.
func (p *Plan) StepCount() int { return p.count }

// SearchValue sets one search attribute when a saga starts.
type SearchValue struct {
	Name  string
	Value *Value
}

// Kind says what a step does. Exactly one pointer of Step is set, the one that
// the kind names.
type Kind uint8

// The kinds of steps.
const (
	KindCall Kind = iota + 1
	KindParallel
	KindForeach
	KindSwitch
	KindScope
	KindAwait
	KindSleep
	KindSet
	KindFail
	KindComplete
	KindSaga
)

// String gives the key that a step of the kind has.
func (k Kind) String() string {
	return [...]string{"", "call", "parallel", "foreach", "switch", "scope", "await", "sleep", "set", "fail", "complete", "saga"}[k]
}

// Step is one step of a definition. Exactly one of the pointers that follow
// Kind is set.
type Step struct {
	ID          string // unique in the definition
	Name        string // for people; may be empty
	Description string
	Index       int   // position in document order over all depths, from 0
	If          *Expr // nil: always
	Catch       []Catch

	Kind     Kind
	Call     *Call
	Parallel *Parallel
	Foreach  *Foreach
	Switch   *Switch
	Scope    *Scope
	Await    *Await
	Sleep    *Sleep
	Set      []Assignment // by name
	Fail     *Fail
	Complete *Complete
	Child    *Child
}

// Catch handles errors that leave its step (S10).
type Catch struct {
	On []string // codes, or "*" for any
	Do []*Step
}

// Effect says what an action does to the world and who undoes it.
type Effect uint8

// The effects of an action.
const (
	EffectNone          Effect = iota // nothing to compensate, safe to repeat
	EffectCompensatable               // Compensate is set
	EffectPivot                       // its success is the point of no return (S11)
	EffectRetriable                   // after the point of no return; retried until it succeeds
)

// Call runs an activity of a plugin.
type Call struct {
	Activity   string // plugin.activity
	Effect     Effect
	With       *Value // nil: an empty object
	Timeout    time.Duration
	Retry      Retry
	Compensate *Compensate // set exactly if Effect is EffectCompensatable
	Probe      *Probe      // nil: none
}

// Compensate is the compensation of a Call.
type Compensate struct {
	Activity string
	With     *Value // sees self; nil: an empty object
	Timeout  time.Duration
	Retry    Retry // never the action's (S16)
}

// Probe asks the participant what became of an attempt whose outcome is not
// known (S3).
type Probe struct {
	Activity string
	With     *Value // sees self; nil: an empty object
	Timeout  time.Duration
	Every    time.Duration // between two questions
	Within   time.Duration // from the first question; afterwards the outcome is unknown
}

// Retry bounds the attempts of one operation. The waits between attempts grow
// by a factor of two from Initial to Max.
type Retry struct {
	Attempts  int           // counting the first; 0: no limit
	Initial   time.Duration // wait before the second attempt
	Max       time.Duration // longest wait
	Within    time.Duration // from the first scheduling; 0: no limit
	Never     []string      // codes that end the retries
	Ambiguous bool          // a pivot without a probe may be retried after an ambiguous attempt
}

// Drain says what happens to the siblings of a branch that failed (S7).
type Drain uint8

// The ways to end the siblings of a failed branch.
const (
	DrainWait   Drain = iota // onFailure: drain. Running attempts may answer.
	DrainCancel              // onFailure: cancel. The cancellation is passed on to the plugin.
)

// Parallel runs its branches at the same time (S7).
type Parallel struct {
	Branches             []Branch // in the order written
	OnFailure            Drain
	ParallelCompensation bool // compensation: parallel
}

// Branch is one named branch of a Parallel.
type Branch struct {
	Name string
	Do   []*Step
}

// Foreach runs its steps once for each item of a collection (S8).
type Foreach struct {
	In                   *Expr
	As                   string
	Key                  *Expr // nil: the item's index, from 0
	Concurrency          int   // at least 1
	OnFailure            Drain
	ParallelCompensation bool
	Do                   []*Step
}

// Switch runs the first case whose condition holds, or none.
type Switch struct{ Cases []Case }

// Case is one case of a Switch. When is nil for else, which stands last.
type Case struct {
	When *Expr
	Do   []*Step
}

// Scope is a list of steps that is a savepoint.
type Scope struct{ Do []*Step }

// Await waits for a signal (S27).
type Await struct {
	Signal  string
	Schema  *Schema // nil: any message
	Where   *Expr   // sees event; nil: every message matches
	Timeout *Delay  // nil: no limit
}

// Sleep waits for a time. Exactly one of its fields is set.
type Sleep struct {
	For   *Delay
	Until *Expr // gives an instant as an RFC 3339 string
}

// Assignment sets one variable. The values of one set step are all evaluated
// before the first variable changes.
type Assignment struct {
	Name  string
	Value *Value
}

// Fail raises a business error.
type Fail struct {
	Code    string
	Message *Value // nil: empty
}

// Complete ends the whole saga successfully.
type Complete struct{ Output *Value }

// Child runs another saga as a child (S9).
type Child struct {
	Plan *Plan
	With *Value // its input; nil: an empty object
}

// Delay is a duration that is fixed or computed.
type Delay struct {
	Fixed time.Duration
	Expr  *Value // nil: Fixed applies; otherwise it gives a duration such as "5m"
}

// Blocks gives the lists of steps inside s, in document order: branches, cases
// or the one body, then the handlers of its catches.
func (s *Step) Blocks() [][]*Step {
	blocks := s.bodies()
	for _, c := range s.Catch {
		blocks = append(blocks, c.Do)
	}
	return blocks
}

// bodies returns the lists of steps directly inside a step, without those of
// its handlers.
func (s *Step) bodies() [][]*Step {
	var lists [][]*Step
	switch {
	case s.Parallel != nil:
		for _, b := range s.Parallel.Branches {
			lists = append(lists, b.Do)
		}
	case s.Foreach != nil:
		lists = append(lists, s.Foreach.Do)
	case s.Switch != nil:
		for _, c := range s.Switch.Cases {
			lists = append(lists, c.Do)
		}
	case s.Scope != nil:
		lists = append(lists, s.Scope.Do)
	}
	return lists
}
