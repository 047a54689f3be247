package temporal

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sagad/sagad/engine"
)

// closing is an engine.Result as a closed workflow keeps it: what the saga's ID
// says is left out, and so are keys that are derived from it. Every saga has
// one of these, and histories are kept for years.
type closing struct {
	Saga          string           `json:"saga,omitempty"` // of a child; otherwise the ID has it
	Parent        *engine.Parent   `json:"parent,omitempty"`
	Open          bool             `json:"open,omitempty"` // asked for before the end
	Version       string           `json:"version"`
	Digest        string           `json:"digest"`
	Key           string           `json:"key"`
	Region        string           `json:"region"`
	Outcome       string           `json:"outcome"`
	Backward      bool             `json:"backward,omitempty"`
	Interventions int              `json:"interventions,omitempty"`
	StartedAt     time.Time        `json:"startedAt"`
	Elapsed       engine.Elapsed   `json:"elapsed"`
	Cause         *engine.Failure  `json:"cause,omitempty"`
	Trace         string           `json:"trace"` // separated by spaces, which names do not hold
	Output        any              `json:"output,omitempty"`
	OutputError   string           `json:"outputError,omitempty"`
	Steps         []closingStep    `json:"steps,omitempty"`
	Acted         map[string]int64 `json:"acted,omitempty"`     // by path, of steps that were compensated: when the action had closed, in milliseconds since the start
	Committed     bool             `json:"committed,omitempty"` // of a child: what was armed in it never runs
	Report        *wireReport      `json:"report,omitempty"`    // of a child
}

// closingStep is a step as an array: path, state, attempts, scheduled and
// closed in milliseconds since the start (never: -1), attempts at the compensation (-1:
// none was armed, -2: the step is a child saga), then the code of its failure if there is one or keys follow,
// and the keys where they are not the ones derived from the path. A step that
// has no key has an empty one there, a child its instance ID.
type closingStep struct {
	path              string
	state             engine.State
	attempts          int
	scheduled, closed int64
	undone            int
	code              string
	keys              []string
}

// MarshalJSON gives the array.
func (s closingStep) MarshalJSON() ([]byte, error) {
	row := []any{s.path, s.state, s.attempts, s.scheduled, s.closed, s.undone}
	if s.code != "" || len(s.keys) > 0 {
		row = append(row, s.code)
	}
	for _, key := range s.keys {
		row = append(row, key)
	}
	return json.Marshal(row)
}

// UnmarshalJSON reads the array.
func (s *closingStep) UnmarshalJSON(data []byte) error {
	var row []json.RawMessage
	if err := json.Unmarshal(data, &row); err != nil {
		return err
	}
	fields := []any{&s.path, &s.state, &s.attempts, &s.scheduled, &s.closed, &s.undone}
	if len(row) < len(fields) {
		return fmt.Errorf("a step has %d fields, want at least %d", len(row), len(fields))
	}
	for i, field := range fields {
		if err := json.Unmarshal(row[i], field); err != nil {
			return err
		}
	}
	rest := row[len(fields):]
	if len(rest) == 0 {
		return nil
	}
	if err := json.Unmarshal(rest[0], &s.code); err != nil {
		return err
	}
	s.keys = make([]string, len(rest)-1)
	for i := range s.keys {
		if err := json.Unmarshal(rest[i+1], &s.keys[i]); err != nil {
			return err
		}
	}
	return nil
}

// compensation gives the state of a compensation that was armed once, in a saga
// that has closed with the step in the state it is in.
func (c *closing) compensation(path string, step engine.State) engine.State {
	switch {
	case step == engine.StateCompensated || step == engine.StateSkipped:
		return step
	case c.Report == nil || c.Committed:
		return engine.StateDisarmed
	}
	for _, e := range c.Report.Entries {
		if e.Path == path {
			return engine.StateArmed // and its parent's
		}
	}
	return engine.StateDisarmed
}

// sinceStart gives an instant in milliseconds since the saga started; -1 for
// what has not come.
func sinceStart(r *engine.Result, at time.Time) int64 {
	if at.IsZero() {
		return -1
	}
	return at.Sub(r.StartedAt).Milliseconds()
}

// instant gives back what sinceStart was given. In older histories what has not
// come lies centuries before the start.
func (c *closing) instant(since int64) time.Time {
	if since < 0 {
		return time.Time{}
	}
	return c.StartedAt.Add(time.Duration(since) * time.Millisecond)
}

// childStep stands in place of the attempts at a compensation.
const childStep = -2

// pack gives a result as it is kept. parent is that of a child, otherwise nil.
func pack(r *engine.Result, parent *engine.Parent) *closing {
	c := &closing{
		Parent:  parent,
		Version: r.Version, Digest: r.Digest, Key: r.Key, Region: r.Region,
		Outcome: r.Outcome, Backward: r.Direction == engine.Backward, Interventions: r.Interventions,
		StartedAt: r.StartedAt, Elapsed: r.Elapsed, Cause: r.Cause, Trace: strings.Join(r.Trace, "\n"),
		Output: r.Output, OutputError: r.OutputError,
	}
	for _, s := range r.Steps {
		p := closingStep{
			path: s.Path, state: s.State, attempts: s.Attempts, undone: -1, code: s.Code,
			scheduled: sinceStart(r, s.ScheduledAt), closed: sinceStart(r, s.ClosedAt),
		}
		if !s.ActedAt.IsZero() {
			if c.Acted == nil {
				c.Acted = make(map[string]int64)
			}
			c.Acted[s.Path] = sinceStart(r, s.ActedAt)
		}
		keys := []string{s.Key}
		derived := derivedKeys(r, parent, s.Path)
		switch {
		case s.Child != "":
			p.undone, keys, derived = childStep, []string{s.Child}, []string{derivedChild(r.ID, parent, s.Path)}
		case s.Compensation.Key != "":
			p.undone = s.Compensation.Attempts
			keys = append(keys, s.Compensation.Key)
		}
		if !slices.Equal(keys, derived[:len(keys)]) {
			p.keys = keys
		}
		c.Steps = append(c.Steps, p)
	}
	return c
}

// unpack gives the result that pack was given, with times to the millisecond.
func (c *closing) unpack(id string) engine.Result {
	names := strings.SplitN(id, "/", 3)
	names = append(names, "", "")
	r := engine.Result{
		Saga: cmp.Or(c.Saga, names[1]), Version: c.Version, Digest: c.Digest, ID: id, Key: c.Key, Tenant: names[0], Region: c.Region,
		Status: engine.StatusClosed, Outcome: c.Outcome, Direction: engine.Forward, Interventions: c.Interventions,
		StartedAt: c.StartedAt, Elapsed: c.Elapsed, Cause: c.Cause, Trace: strings.FieldsFunc(c.Trace, func(r rune) bool { return r == '\n' }),
		Output: c.Output, OutputError: c.OutputError, Steps: make([]engine.StepResult, 0, len(c.Steps)),
	}
	if c.Backward {
		r.Direction = engine.Backward
	}
	if r.Trace == nil {
		r.Trace = []string{}
	}
	if c.Parent != nil {
		r.Root = c.Parent.Root
	}
	for _, p := range c.Steps {
		keys := p.keys
		if len(keys) == 0 {
			keys = derivedKeys(&r, c.Parent, p.path)
			if p.undone == childStep {
				keys = []string{derivedChild(id, c.Parent, p.path)}
			}
		}
		s := engine.StepResult{
			Path: p.path, State: p.state, Attempts: p.attempts, Key: keys[0], Code: p.code,
			ScheduledAt: c.instant(p.scheduled), ClosedAt: c.instant(p.closed),
		}
		if acted, ok := c.Acted[p.path]; ok {
			s.ActedAt = c.instant(acted)
		}
		if p.undone == childStep {
			s.Key, s.Child = "", keys[0]
		}
		if p.undone >= 0 && len(keys) > 1 {
			s.Compensation = engine.Compensation{State: c.compensation(p.path, p.state), Attempts: p.undone, Key: keys[1]}
		}
		r.Steps = append(r.Steps, s)
	}
	return r
}

// derivedKeys gives the keys of a step's action and compensation as they are
// when no input was corrected.
func derivedKeys(r *engine.Result, parent *engine.Parent, path string) []string {
	id, startedAt := r.ID, r.StartedAt
	if parent != nil {
		id, startedAt = parent.Root, parent.StartedAt
	}
	return []string{
		engine.OperationKey(r.Tenant, id, path, engine.OpAction, startedAt, 0),
		engine.OperationKey(r.Tenant, id, path, engine.OpCompensation, startedAt, 0),
	}
}

// derivedChild gives the instance ID of the child that a step is, when it was
// tried once.
func derivedChild(id string, parent *engine.Parent, path string) string {
	if parent != nil {
		id = parent.Root
	}
	return engine.ChildID(id, path, 0)
}

// maxPlain is the largest closing that is kept as it is, in bytes. Larger ones
// are compressed: a saga of ten thousand steps has a result of a megabyte.
const maxPlain = 16 << 10

// closingFields is closing without its methods.
type closingFields closing

// MarshalJSON gives the closing, compressed if it is large.
func (c *closing) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal((*closingFields)(c))
	if err != nil || len(text) <= maxPlain {
		return text, err
	}
	return json.Marshal(map[string][]byte{"zstd": compressor.EncodeAll(text, nil)})
}

// UnmarshalJSON reads what MarshalJSON gives.
func (c *closing) UnmarshalJSON(text []byte) error {
	var large struct {
		Zstd []byte `json:"zstd"`
	}
	if err := json.Unmarshal(text, &large); err != nil {
		return err
	}
	if large.Zstd != nil {
		var err error
		if text, err = decompressor.DecodeAll(large.Zstd, nil); err != nil {
			return fmt.Errorf("decompress: %w", err)
		}
	}
	return json.Unmarshal(text, (*closingFields)(c))
}
