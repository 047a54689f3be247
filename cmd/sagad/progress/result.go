package progress

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/sagad/sagad/engine"
)

// ChildParked stands behind the state of a saga when nothing of its own is parked
// and something of a child's is.
const ChildParked = " (child parked)"

// Result writes how a saga stands, for people: the outcome, why, what came out
// and, if somebody has to decide, the commands that fit, with again behind
// them: the flags that lead to the same saga.
func Result(w io.Writer, style Style, r engine.Result, again string) {
	g, word := outcomeSign(r)
	head := g.paint(style, word)
	if style.Icons {
		head = g.paint(style, g.icon+" "+word)
	}
	verb := "after"
	if r.Status == engine.StatusOpen {
		verb = "for"
	}
	print := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) } // as for every terminal
	print("%s %s %s  %s", style.Bold(head), verb, short(time.Duration(r.Elapsed)), style.Dim(Clean(r.ID)))
	if r.Root != "" {
		print("  child   of %s%s", Clean(r.Root), fate(r))
	}
	if r.Outcome == engine.OutcomeOrphaned && r.Root == "" {
		print("          sagad recover %s", Quote(r.ID)+again)
	}
	if c := r.Cause; c != nil {
		print("  cause   %s", style.Red(joinWords(prefixed(c.Path), Reason(c.Code, c.Message))))
	}
	if len(r.Trace) > 0 {
		print("  trace   %s", Clean(strings.Join(shortTrace(r.Trace), " → ")))
	}
	if r.Outcome == engine.OutcomeCompleted || r.Output != nil {
		print("  output  %s", outputText(r))
	}
	if r.Interventions > 0 {
		print("  taken from operators: %d", r.Interventions)
	}
	for _, p := range r.Parked {
		print("  %s %s since %s: %s", style.Red("parked"), style.Bold(Clean(p.Path)+" ("+p.Op.String()+")"), p.Since.Local().Format(time.TimeOnly), Reason(p.Code, p.Message))
		for _, c := range p.Commands {
			print("          %s", operatorCommand(c, r.ID, p.Path)+again)
		}
	}
}

func prefixed(path string) string {
	if path == "" {
		return ""
	}
	return Clean(path) + ":"
}

func outputText(r engine.Result) string {
	if r.OutputError != "" {
		return "null, because it could not be computed: " + Clean(r.OutputError)
	}
	data, err := json.Marshal(r.Output)
	if err != nil { // JSON data always encodes
		return err.Error()
	}
	return Clean(string(data))
}

// operatorCommand writes a command as it is typed.
func operatorCommand(command, id, path string) string {
	text := "sagad " + command + " " + Quote(id) + " " + Quote(path)
	switch command {
	case engine.CommandSkip:
		text += " --reason WHY"
	case engine.CommandResolve:
		text += " --applied|--not-applied --evidence WHAT"
	}
	return text
}

// Quote writes an argument as a shell takes it.
func Quote(s string) string {
	if s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:%@+=,", r)
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(Clean(s), "'", `'\''`) + "'"
}

// fate says what becomes of the compensations that a closed child has handed up.
func fate(r engine.Result) string {
	handed := slices.ContainsFunc(r.Steps, func(s engine.StepResult) bool { return s.Compensation.Key != "" })
	switch {
	case r.Status == engine.StatusOpen || !handed:
		return ""
	case r.Outcome == engine.OutcomeOrphaned:
		return ", which takes over what it has left"
	case r.Direction == engine.Backward:
		return ""
	}
	return ", which has taken over its compensations"
}

func outcomeSign(r engine.Result) (sign, string) {
	word := r.Outcome
	if r.Outcome != engine.OutcomeParked && len(r.Parked) > 0 {
		return signParked, word + ChildParked
	}
	switch r.Outcome {
	case engine.OutcomeCompleted:
		return signOK, word
	case engine.OutcomeCompensated:
		return signCompensated, word
	case engine.OutcomeResolved:
		return signUnknown, word + " " + r.Direction
	case engine.OutcomeParked, engine.OutcomeOrphaned:
		return signParked, word
	case engine.OutcomeCompensating:
		return signBackward, word
	}
	return signStarted, word
}

// Steps writes a table of the steps that were reached.
func Steps(w io.Writer, style Style, r engine.Result) {
	if len(r.Steps) == 0 {
		return
	}
	width := len("STEP")
	for _, s := range r.Steps {
		width = min(max(width, len(s.Path)), maxPath)
	}
	_, _ = fmt.Fprintf(w, "  %s  %s  ATTEMPTS  %8s  %s\n", pad("STEP", width), pad("STATE", wordWidth), "AT", "TOOK")
	for _, s := range r.Steps {
		at, span := "", ""
		if !s.ScheduledAt.IsZero() {
			at = short(s.ScheduledAt.Sub(r.StartedAt))
			if d, ok := took(s); ok {
				span = short(d)
			}
		}
		attempts := fmt.Sprint(s.Attempts)
		if n := attemptsOf(s); n > 0 {
			attempts += fmt.Sprintf(" + %d", n)
		}
		_, _ = fmt.Fprintf(w, "  %s  %s  %s  %8s  %s\n", pad(Clean(s.Path), width), stateText(style, s.State), pad(attempts, len("ATTEMPTS")), at, span)
	}
}

func stateText(style Style, s engine.State) string {
	text := pad(string(s), wordWidth)
	switch s {
	case engine.StateSucceeded:
		return style.Green(text)
	case engine.StateFailed, engine.StateRejected, engine.StateParked:
		return style.Red(text)
	case engine.StateUnknown, engine.StateCompensating, engine.StateCompensated:
		return style.Yellow(text)
	}
	return style.Dim(text)
}
