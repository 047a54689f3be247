package progress

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sagad/sagad/engine"
)

// Record shows one transition.
func (p *Printer) Record(r engine.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Transition == engine.TransitionStarted || p.started.IsZero() {
		p.started = r.At
	}
	if r.Path == "" {
		p.saga(r)
		return
	}
	switch r.Transition {
	case engine.TransitionScheduled, engine.TransitionCompensating:
		p.arm(r)
		p.begin(&item{path: r.Path, op: opOf(r), what: p.activityOf(r), since: r.At})
	case engine.TransitionSucceeded:
		p.arm(r)
		p.closed(r, signOK, p.attempts(r))
	case engine.TransitionFailed:
		delete(p.armed, r.Path)
		p.closed(r, signFailed, reason(r))
	case engine.TransitionUnknown:
		p.arm(r)
		p.closed(r, signUnknown, reason(r))
	case engine.TransitionCompensated:
		delete(p.armed, r.Path)
		p.closed(r, signCompensated, p.attempts(r))
	case engine.TransitionRetrying:
		p.retrying(r)
	case engine.TransitionProbing:
		p.probing(r)
	case engine.TransitionWaiting:
		p.waiting(r)
	case engine.TransitionSkipped:
		p.end(r.Path, opOf(r))
		p.about(r, signSkipped, "", p.style.Dim(Clean(r.Message)))
	case engine.TransitionParked:
		p.closed(r, signParked, reason(r))
	case engine.TransitionRefused:
		p.about(r, signRefused, r.Signal, reason(r))
	case engine.TransitionOperator:
		p.about(r, signOperator, r.Command, Clean(joinWords("by", r.Actor, r.Reason)))
	}
}

// saga shows a transition of the saga as a whole.
func (p *Printer) saga(r engine.Record) {
	switch r.Transition {
	case engine.TransitionStarted:
		p.line(strings.TrimSpace(p.style.sign(signStarted) + " " + p.title))
	case engine.TransitionCompensating:
		p.turn(r)
	case engine.TransitionOperator:
		p.line(p.prefix(r.At, signOperator) + " " + Clean(joinWords(r.Command, "by", r.Actor, r.Reason)))
	case engine.TransitionRefused:
		p.line(p.prefix(r.At, signRefused) + " " + Clean(joinWords(r.Signal, r.Code, r.Message)))
	case engine.TransitionClosed:
		p.running = nil
		p.paint()
	}
}

// turn shows that the saga compensates. Without the definition it is not known
// whether there is anything to compensate.
func (p *Printer) turn(r engine.Record) {
	what := "what was done is compensated, the last first"
	if p.plan != nil && len(p.armed) == 0 {
		what = "nothing was done that has to be compensated"
	}
	p.line(p.prefix(r.At, signBackward) + " " + p.style.Yellow(why(r)+": "+what))
}

// arm notes that a step may have to be compensated.
func (p *Printer) arm(r engine.Record) {
	if step := p.step(r.Path); step != nil && step.Call != nil && step.Call.Compensate != nil {
		if p.armed == nil {
			p.armed = make(map[string]bool)
		}
		p.armed[r.Path] = true
	}
}

func why(r engine.Record) string {
	switch r.Code {
	case engine.CodeCancelled:
		return "cancelled"
	case engine.CodeDeadline:
		return "the deadline passed"
	}
	return Clean(r.Code)
}

func (p *Printer) retrying(r engine.Record) {
	p.end(r.Path, opOf(r))
	wait := r.Until.Sub(r.At)
	p.about(r, signRetry, p.activityOf(r), fmt.Sprintf("attempt %d: %s; again in %s", r.Attempt, reason(r), short(wait)))
	p.begin(&item{path: r.Path, op: opOf(r), what: "waits for attempt " + fmt.Sprint(r.Attempt+1), until: r.Until})
}

func (p *Printer) probing(r engine.Record) {
	p.end(r.Path, engine.OpAction)
	p.end(r.Path, engine.OpProbe)
	p.about(r, signProbe, p.activityOf(r), fmt.Sprintf("asks what became of attempt %d (%s)", r.Attempt, reason(r)))
	p.begin(&item{path: r.Path, op: engine.OpProbe, what: p.activityOf(r), since: r.At})
}

func (p *Printer) waiting(r engine.Record) {
	what, text := "sleeps", "sleeps for "+short(r.Until.Sub(r.At))
	if signal := p.signal(r); signal != "" {
		what = "waits for " + signal
		text = what
		if !r.Until.IsZero() {
			text += ", at most " + short(r.Until.Sub(r.At))
		}
	}
	p.about(r, signWait, "", text)
	p.begin(&item{path: r.Path, op: engine.OpAction, what: what, since: r.At, until: r.Until, waiting: true})
}

// signal gives the name of what an await waits for.
func (p *Printer) signal(r engine.Record) string {
	if r.Signal != "" {
		return r.Signal
	}
	if step := p.step(r.Path); step != nil && step.Await != nil {
		return step.Await.Signal
	}
	return ""
}

// closed shows the end of an operation and how long it took.
func (p *Printer) closed(r engine.Record, g sign, text string) {
	since := p.end(r.Path, opOf(r))
	probed := p.end(r.Path, engine.OpProbe)
	if since.IsZero() {
		since = probed
	}
	what := p.activityOf(r)
	if took := r.At.Sub(since); !since.IsZero() && took >= 0 {
		text = joinWords(p.style.Dim(short(took)), text)
	}
	p.about(r, g, what, text)
}

// about writes one line about a step.
func (p *Printer) about(r engine.Record, g sign, what, text string) {
	path := p.path(r)
	p.widen(utf8.RuneCountInString(path))
	line := p.prefix(r.At, g) + " " + pad(path, p.width) + " "
	if what != "" {
		line += " " + p.style.Dim(pad(what, whatWidth))
	}
	if text != "" {
		line += " " + text
	}
	p.line(strings.TrimRight(line, " "))
}

// whatWidth is the column of activities.
const whatWidth = 20

func (p *Printer) path(r engine.Record) string {
	if r.Op == engine.OpCompensation && (r.Transition == engine.TransitionParked || r.Transition == engine.TransitionRetrying) {
		return "~" + Clean(r.Path)
	}
	return Clean(r.Path)
}

// prefix is the time since the start and the sign of a line.
func (p *Printer) prefix(at time.Time, g sign) string {
	elapsed := fmt.Sprintf("%8.3fs", at.Sub(p.started).Seconds())
	return p.style.Dim(elapsed) + "  " + p.style.sign(g)
}

func (p *Printer) attempts(r engine.Record) string {
	if r.Attempt > 1 {
		return p.style.Dim(fmt.Sprintf("attempt %d", r.Attempt))
	}
	return ""
}

func (p *Printer) activityOf(r engine.Record) string {
	if r.Activity != "" {
		return r.Activity
	}
	return p.activity(r.Path, opOf(r))
}

// opOf gives the operation a record is about; steps without one have an action.
func opOf(r engine.Record) engine.Op {
	switch {
	case r.Op != 0:
		return r.Op
	case r.Transition == engine.TransitionCompensating || r.Transition == engine.TransitionCompensated:
		return engine.OpCompensation
	}
	return engine.OpAction
}

func reason(r engine.Record) string { return Reason(r.Code, r.Message) }

// Reason writes the code and the message of a failure, safe for a terminal.
func Reason(code, message string) string {
	switch {
	case message == "":
		return Clean(code)
	case code == "":
		return Clean(message)
	}
	return Clean(code + ": " + message)
}

func joinWords(words ...string) string {
	var some []string
	for _, w := range words {
		if w != "" {
			some = append(some, w)
		}
	}
	return strings.Join(some, " ")
}

// pad fills a text with spaces up to the given number of characters.
func pad(s string, width int) string {
	if n := utf8.RuneCountInString(s); n < width {
		return s + strings.Repeat(" ", width-n)
	}
	return s
}
