// Package progress shows sagas to people: a line for every transition as it
// happens, on a terminal with one line below that says what is going on right
// now, and the result at the end.
//
// It shows what the engine records, in which sensitive values are replaced
// already, and never data of a saga's input, messages or variables.
package progress

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// Options say what the place of the output can do.
type Options struct {
	// Style is how lines look.
	Style Style
	// Live keeps a line at the bottom that is written again and again; only a
	// terminal can show it.
	Live bool
	// Width gives the columns of the terminal; nil means 80.
	Width func() int
}

// Printer shows one saga. It is safe for concurrent use and never waits for
// anything but its writer.
type Printer struct {
	w       io.Writer
	options Options
	style   Style

	mu      sync.Mutex
	plan    *dsl.Plan
	title   string
	width   int // of the column of paths
	started time.Time
	running []*item // in order of starting
	live    *ticker
	shown   bool // the live line is on the screen
	held    bool // the live line is hidden while somebody is asked
	asking  bool // a question stands on the line of the cursor
	frame   int
	armed   map[string]bool // steps that may have to be compensated
}

// item is an operation on its way, or a wait.
type item struct {
	path, what string
	op         engine.Op
	since      time.Time
	until      time.Time // zero: not known
	waiting    bool
}

// New gives a Printer that writes to w.
func New(w io.Writer, options Options) *Printer {
	if options.Width == nil {
		options.Width = func() int { return 80 }
	}
	return &Printer{w: w, options: options, style: options.Style, width: minPath}
}

// minPath and maxPath bound the column of paths.
const (
	minPath = 12
	maxPath = 32
)

// Plan tells the definition of the saga, so that lines name activities and
// signals. Without it they show what the records say.
func (p *Printer) Plan(plan *dsl.Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan = plan
	p.title = strings.TrimSpace(p.style.Bold(Clean(plan.Saga)) + " " + Clean(plan.Version))
	p.gather(plan.Steps, 0)
}

// Title says what stands in the first line of a saga whose definition is not
// known.
func (p *Printer) Title(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.title = p.style.Bold(Clean(text))
}

// keyRoom is the room for the key of an item in a path. The keys are not known
// before they come; paths that need more make the column wider.
const keyRoom = len("[12345678]")

// gather makes room for the paths of steps, those of children included. before is
// what stands around their names in paths.
func (p *Printer) gather(steps []*dsl.Step, before int) {
	for _, step := range steps {
		p.widen(before + len(step.ID))
		inside := before
		if step.Kind == dsl.KindForeach {
			inside += keyRoom
		}
		for _, inner := range step.Blocks() {
			p.gather(inner, inside)
		}
		if step.Child != nil {
			p.gather(step.Child.Plan.Steps, before+len(step.ID)+1)
		}
	}
}

// widen makes the column of paths wide enough for one.
func (p *Printer) widen(path int) { p.width = min(max(p.width, path), maxPath) }

// step gives the step that a path names, or nil.
func (p *Printer) step(path string) *dsl.Step {
	if p.plan == nil {
		return nil
	}
	return p.plan.StepAt(path)
}

// activity gives the activity of a step's action, or its compensation's.
func (p *Printer) activity(path string, op engine.Op) string {
	step := p.step(path)
	if step != nil && step.Child != nil && op == engine.OpAction {
		return step.Child.Plan.Saga
	}
	if step == nil || step.Call == nil {
		return ""
	}
	switch c := step.Call; {
	case op == engine.OpCompensation && c.Compensate != nil:
		return c.Compensate.Activity
	case op == engine.OpProbe && c.Probe != nil:
		return c.Probe.Activity
	case op == engine.OpCompensation || op == engine.OpProbe:
		return ""
	default:
		return c.Activity
	}
}

// Say writes a line of the caller's own, above the live line.
func (p *Printer) Say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line(fmt.Sprintf(format, args...))
}

// Ask writes a question in place of the live line, which comes back when
// answered is called. Lines that come before that stand below the question.
func (p *Printer) Ask(question string) (answered func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.held, p.asking = true, true
	_, _ = fmt.Fprint(p.w, question) // a terminal that is gone answers nothing
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.held, p.asking = false, false
		p.paint()
	}
}

// Close takes the live line away.
func (p *Printer) Close() {
	p.mu.Lock()
	p.running = nil
	p.clear()
	live := p.live
	p.live = nil
	p.mu.Unlock()
	live.stop()
}

// line writes one line above the live line.
func (p *Printer) line(text string) {
	p.clear()
	if p.asking {
		p.asking = false
		text = "\n" + text
	}
	_, _ = fmt.Fprintln(p.w, text) // a terminal that is gone stops no saga
	p.paint()
}

// begin notes an operation on its way.
func (p *Printer) begin(it *item) {
	p.end(it.path, it.op)
	p.running = append(p.running, it)
	if p.options.Live && p.live == nil {
		p.live = startTicker(p.tick)
	}
	p.paint()
}

// end takes an operation back and gives when it began; zero: it did not.
func (p *Printer) end(path string, op engine.Op) time.Time {
	for i, it := range p.running {
		if it.path == path && it.op == op {
			p.running = append(p.running[:i], p.running[i+1:]...)
			return it.since
		}
	}
	return time.Time{}
}
