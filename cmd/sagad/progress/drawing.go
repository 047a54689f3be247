package progress

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// maxItemsDrawn is how many items of a foreach are drawn. Of more, those that
// have not gone well are drawn, and the rest is counted.
const maxItemsDrawn = 10

// Draw writes the flow of a saga with the state of every step: branches beside
// each other's lanes, items and children below their step, the way back behind
// the steps that have one, and the point of no return. keys adds the idempotency
// keys.
func Draw(w io.Writer, style Style, plan *dsl.Plan, r engine.Result, keys bool) {
	d := &drawing{style: style, r: r, keys: keys, rows: make(map[string]engine.StepResult, len(r.Steps))}
	for _, s := range r.Steps {
		d.rows[s.Path] = s
	}
	prefix := ""
	if len(r.Steps) > 0 {
		if at := strings.LastIndexByte(r.Steps[0].Path, '/'); r.ID != "" && at >= 0 && plan.StepAt(r.Steps[0].Path) == nil {
			prefix = r.Steps[0].Path[:at+1] // the saga is a child itself
		}
	}
	d.list(plan, plan.Steps, prefix, "", "  ")
	width := 0
	for _, l := range d.lines {
		width = max(width, l.width())
	}
	for _, l := range d.lines {
		text := l.left
		if l.right != "" {
			text += strings.Repeat(" ", width-l.width()) + "  " + l.right
		}
		_, _ = fmt.Fprintln(w, strings.TrimRight(l.indent+l.paint(text), " "))
	}
}

// drawing is a picture in the making.
type drawing struct {
	style Style
	r     engine.Result
	keys  bool
	rows  map[string]engine.StepResult
	lines []line
}

// line is one line: what stands left is padded to one width.
type line struct {
	indent, left, right string
	color               func(Style, string) string
	style               Style
}

func (l line) width() int { return utf8.RuneCountInString(l.indent) + utf8.RuneCountInString(l.left) }

func (l line) paint(text string) string {
	if l.color == nil {
		return text
	}
	return l.color(l.style, text)
}

func (d *drawing) add(indent, left, right string, color func(Style, string) string) {
	d.lines = append(d.lines, line{indent, left, right, color, d.style})
}

// list draws steps that follow each other. keysOf are the keys of the items
// around them, as in paths.
func (d *drawing) list(plan *dsl.Plan, steps []*dsl.Step, prefix, keysOf, indent string) {
	for _, s := range steps {
		d.step(plan, s, prefix, keysOf, indent)
	}
}

func (d *drawing) step(plan *dsl.Plan, s *dsl.Step, prefix, keysOf, indent string) {
	path := prefix + s.ID + keysOf
	switch s.Kind {
	case dsl.KindParallel:
		d.add(indent, "┌ "+s.ID, "parallel", Style.Dim)
		for _, b := range s.Parallel.Branches {
			d.add(indent, "├ "+b.Name, "", Style.Dim)
			d.list(plan, b.Do, prefix, keysOf, indent+"│ ")
		}
		d.add(indent, "└", "", Style.Dim)
	case dsl.KindForeach:
		d.foreach(plan, s, prefix, keysOf, indent)
	case dsl.KindScope:
		d.add(indent, "┌ "+s.ID, "scope", Style.Dim)
		d.list(plan, s.Scope.Do, prefix, keysOf, indent+"│ ")
		d.add(indent, "└", "", Style.Dim)
	case dsl.KindSwitch:
		d.add(indent, "┌ "+s.ID, "switch", Style.Dim)
		for _, c := range s.Switch.Cases {
			when := "else"
			if c.When != nil {
				when = "when " + c.When.Source()
			}
			if d.reached(c.Do, prefix, keysOf) {
				d.add(indent, "├ "+Clean(when), "", Style.Dim)
				d.list(plan, c.Do, prefix, keysOf, indent+"│ ")
			}
		}
		d.add(indent, "└", "", Style.Dim)
	default:
		d.leaf(s, path, indent)
		if s.Child != nil && d.below(path) {
			d.list(s.Child.Plan, s.Child.Plan.Steps, path+"/", "", indent+"│ ")
		}
	}
	for _, c := range s.Catch {
		if d.reached(c.Do, prefix, keysOf) {
			d.add(indent, "├ catch "+strings.Join(c.On, ", "), "", Style.Dim)
			d.list(plan, c.Do, prefix, keysOf, indent+"│ ")
		}
	}
}

// reached says whether one of the steps, at any depth, has a row.
func (d *drawing) reached(steps []*dsl.Step, prefix, keysOf string) bool {
	return slices.ContainsFunc(steps, func(s *dsl.Step) bool {
		if _, ok := d.rows[prefix+s.ID+keysOf]; ok {
			return true
		}
		if s.Kind == dsl.KindForeach {
			return len(d.items(s, prefix, keysOf)) > 0
		}
		return slices.ContainsFunc(s.Blocks(), func(inner []*dsl.Step) bool { return d.reached(inner, prefix, keysOf) })
	})
}

// below says whether there are rows of the child at a path.
func (d *drawing) below(path string) bool {
	return slices.ContainsFunc(d.r.Steps, func(s engine.StepResult) bool { return strings.HasPrefix(s.Path, path+"/") })
}

// items gives the keys of a foreach whose steps were reached, in that order.
func (d *drawing) items(s *dsl.Step, prefix, keysOf string) []string {
	inside := map[string]bool{}
	var walk func(steps []*dsl.Step)
	walk = func(steps []*dsl.Step) {
		for _, s := range steps {
			inside[s.ID] = true
			for _, inner := range s.Blocks() {
				walk(inner)
			}
		}
	}
	walk(s.Foreach.Do)
	var keys []string
	seen := map[string]bool{}
	for _, row := range d.r.Steps {
		rest, ok := strings.CutPrefix(row.Path, prefix)
		if !ok {
			continue
		}
		segment, _, _ := strings.Cut(rest, "/")
		id, own, _ := strings.Cut(segment, "[")
		more, ok := strings.CutPrefix("["+own, keysOf+"[")
		if own == "" || !ok || !inside[id] {
			continue
		}
		key, _, _ := strings.Cut(more, "]")
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	return keys
}

func (d *drawing) foreach(plan *dsl.Plan, s *dsl.Step, prefix, keysOf, indent string) {
	items := d.items(s, prefix, keysOf)
	if len(items) == 0 && (d.r.Status == engine.StatusClosed || d.r.Direction == engine.Backward) {
		return // never reached
	}
	word := "items"
	if len(items) == 1 {
		word = "item"
	}
	d.add(indent, "┌ "+s.ID, fmt.Sprintf("foreach, %d %s reached", len(items), word), Style.Dim)
	drawn, left := 0, 0
	for _, key := range items {
		keys := keysOf + "[" + key + "]"
		if len(items) > maxItemsDrawn && (drawn >= maxItemsDrawn || d.well(s.Foreach.Do, prefix, keys)) {
			left++
			continue
		}
		drawn++
		d.add(indent, "├ "+Clean(key), "", Style.Dim)
		d.list(plan, s.Foreach.Do, prefix, keys, indent+"│ ")
	}
	if left > 0 {
		d.add(indent, "├ "+fmt.Sprintf("%d more", left), d.count(s.Foreach.Do, prefix, keysOf), Style.Dim)
	}
	d.add(indent, "└", "", Style.Dim)
}

// well says whether all that was reached of an item has succeeded.
func (d *drawing) well(steps []*dsl.Step, prefix, keysOf string) bool {
	for _, s := range steps {
		if row, ok := d.rows[prefix+s.ID+keysOf]; ok && row.State != engine.StateSucceeded && row.State != engine.StateSkipped {
			return false
		}
		for _, inner := range s.Blocks() {
			if !d.well(inner, prefix, keysOf) {
				return false
			}
		}
	}
	return true
}

// count says how many steps of all items are in which state.
func (d *drawing) count(steps []*dsl.Step, prefix, keysOf string) string {
	states := map[engine.State]int{}
	for _, row := range d.r.Steps {
		rest, ok := strings.CutPrefix(row.Path, prefix)
		id, own, _ := strings.Cut(rest, "[")
		if ok && strings.HasPrefix("["+own, keysOf+"[") && slices.ContainsFunc(steps, func(s *dsl.Step) bool { return s.ID == id }) {
			states[row.State]++
		}
	}
	var words []string
	for _, s := range []engine.State{engine.StateRunning, engine.StateSucceeded, engine.StateFailed, engine.StateRejected, engine.StateUnknown, engine.StateParked, engine.StateCompensating, engine.StateCompensated, engine.StateSkipped} {
		if states[s] > 0 {
			words = append(words, fmt.Sprintf("%d %s", states[s], s))
		}
	}
	return "of all: " + strings.Join(words, ", ")
}

// leaf draws one step.
func (d *drawing) leaf(s *dsl.Step, path, indent string) {
	row, reached := d.rows[path]
	if !reached {
		row = engine.StepResult{Path: path, State: engine.StatePending}
		if d.r.Status == engine.StatusClosed || d.r.Direction == engine.Backward {
			return // never reached
		}
	}
	if s.Call != nil && s.Call.Effect == dsl.EffectPivot {
		passed := "ahead"
		switch {
		case row.State == engine.StateSucceeded:
			passed = "passed"
		case d.r.Status == engine.StatusClosed || d.r.Direction == engine.Backward:
			passed = "not passed"
		}
		d.add(indent, "══ point of no return", passed, Style.Bold)
	}
	sign, color := stateSign(row.State)
	left := sign + " "
	if !d.style.Icons {
		left = "- "
	}
	d.add(indent, left+Clean(lastSegment(path)), strings.TrimRight(strings.Join([]string{
		pad(string(row.State), wordWidth), pad(Clean(whatOf(s)), 24), d.wayBack(row), d.details(row),
	}, "  "), " "), color)
	if d.keys && row.Key != "" {
		d.add(indent, "    key", Clean(row.Key), Style.Dim)
		if row.Compensation.Key != "" {
			d.add(indent, "    back key", Clean(row.Compensation.Key), Style.Dim)
		}
	}
}

func lastSegment(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// whatOf says in a word what a step does.
func whatOf(s *dsl.Step) string {
	switch s.Kind {
	case dsl.KindCall:
		return s.Call.Activity
	case dsl.KindSaga:
		return "saga " + s.Child.Plan.Saga
	case dsl.KindAwait:
		return "await " + s.Await.Signal
	case dsl.KindSleep:
		return "sleep"
	case dsl.KindSet:
		return "set"
	case dsl.KindFail:
		return "fail " + s.Fail.Code
	}
	return "complete"
}

// wayBack says how the compensation of a step stands.
func (d *drawing) wayBack(row engine.StepResult) string {
	c := row.Compensation
	if c.State == "" || c.State == engine.StateDisarmed || row.State == engine.StateCompensated {
		return pad("", 14)
	}
	text := "↩ " + string(c.State)
	if !d.style.Icons {
		text = "back: " + string(c.State)
	}
	return pad(text, 14)
}

// details gives attempts, times and what a step waits for.
func (d *drawing) details(row engine.StepResult) string {
	var words []string
	if row.Attempts > 1 || row.Compensation.Attempts > 1 {
		text := fmt.Sprintf("%d attempts", row.Attempts)
		if row.Attempts == 1 {
			text = "1 attempt"
		}
		if n := row.Compensation.Attempts; n > 0 {
			text += fmt.Sprintf(" + %d back", n)
		}
		words = append(words, text)
	}
	if !row.ScheduledAt.IsZero() {
		text := "at " + short(row.ScheduledAt.Sub(d.r.StartedAt))
		if took, ok := took(row); ok {
			text += ", " + short(took)
		}
		if row.State == engine.StateCompensated {
			text += ", back at " + short(row.ClosedAt.Sub(d.r.StartedAt))
		}
		words = append(words, text)
	}
	if row.Code != "" && row.State != engine.StateCompensated { // nothing of it is left
		words = append(words, Clean(row.Code))
	}
	if !row.Until.IsZero() {
		words = append(words, "until "+row.Until.Local().Format(time.DateTime))
	}
	if row.Child != "" {
		words = append(words, Clean(row.Child))
	}
	return strings.Join(words, "  ")
}

func stateSign(s engine.State) (string, func(Style, string) string) {
	switch s {
	case engine.StatePending:
		return "○", Style.Dim
	case engine.StateRunning:
		return "◷", Style.Blue
	case engine.StateSucceeded:
		return "✓", Style.Green
	case engine.StateFailed, engine.StateRejected:
		return "✗", Style.Red
	case engine.StateParked:
		return "‖", Style.Red
	case engine.StateUnknown:
		return "?", Style.Yellow
	case engine.StateCompensating, engine.StateCompensated:
		return "↩", Style.Yellow
	}
	return "·", Style.Dim
}
