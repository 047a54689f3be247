package temporal

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/sagad/sagad/engine"
)

// closing is an engine.Result as a closed workflow keeps it: what the saga's ID
// says is left out, and so are keys that are derived from it. Every saga has
// one of these, and histories are kept for years.
type closing struct {
	Version       string          `json:"version"`
	Digest        string          `json:"digest"`
	Key           string          `json:"key"`
	Region        string          `json:"region"`
	Outcome       string          `json:"outcome"`
	Backward      bool            `json:"backward,omitempty"`
	Interventions int             `json:"interventions,omitempty"`
	StartedAt     time.Time       `json:"startedAt"`
	Elapsed       engine.Elapsed  `json:"elapsed"`
	Cause         *engine.Failure `json:"cause,omitempty"`
	Trace         string          `json:"trace"` // separated by spaces, which names do not hold
	Output        any             `json:"output,omitempty"`
	OutputError   string          `json:"outputError,omitempty"`
	Steps         []closingStep   `json:"steps,omitempty"`
}

// closingStep is a step as an array: path, state, attempts, scheduled and
// closed in milliseconds since the start, attempts at the compensation (-1:
// none was armed), then the code of its failure if there is one or keys follow,
// and the keys where they are not the ones derived from the path. A step that
// has no key has an empty one there.
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

// pack gives a result as it is kept.
func pack(r *engine.Result) *closing {
	c := &closing{
		Version: r.Version, Digest: r.Digest, Key: r.Key, Region: r.Region,
		Outcome: r.Outcome, Backward: r.Direction == engine.Backward, Interventions: r.Interventions,
		StartedAt: r.StartedAt, Elapsed: r.Elapsed, Cause: r.Cause, Trace: strings.Join(r.Trace, "\n"),
		Output: r.Output, OutputError: r.OutputError,
	}
	for _, s := range r.Steps {
		p := closingStep{
			path: s.Path, state: s.State, attempts: s.Attempts, undone: -1, code: s.Code,
			scheduled: s.ScheduledAt.Sub(r.StartedAt).Milliseconds(), closed: s.ClosedAt.Sub(r.StartedAt).Milliseconds(),
		}
		keys := []string{s.Key}
		if s.Compensation.Key != "" {
			p.undone = s.Compensation.Attempts
			keys = append(keys, s.Compensation.Key)
		}
		for i, derived := range derivedKeys(r, s.Path)[:len(keys)] {
			if keys[i] != derived {
				p.keys = keys
			}
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
		Saga: names[1], Version: c.Version, Digest: c.Digest, ID: id, Key: c.Key, Tenant: names[0], Region: c.Region,
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
	for _, p := range c.Steps {
		keys := p.keys
		if len(keys) == 0 {
			keys = derivedKeys(&r, p.path)
		}
		s := engine.StepResult{
			Path: p.path, State: p.state, Attempts: p.attempts, Key: keys[0], Code: p.code,
			ScheduledAt: c.StartedAt.Add(time.Duration(p.scheduled) * time.Millisecond),
			ClosedAt:    c.StartedAt.Add(time.Duration(p.closed) * time.Millisecond),
		}
		if p.undone >= 0 && len(keys) > 1 {
			s.Compensation = engine.Compensation{Attempts: p.undone, Key: keys[1]}
		}
		r.Steps = append(r.Steps, s)
	}
	return r
}

// derivedKeys gives the keys of a step's action and compensation as they are
// when no input was corrected.
func derivedKeys(r *engine.Result, path string) []string {
	return []string{
		engine.OperationKey(r.Tenant, r.ID, path, engine.OpAction, r.StartedAt, 0),
		engine.OperationKey(r.Tenant, r.ID, path, engine.OpCompensation, r.StartedAt, 0),
	}
}
