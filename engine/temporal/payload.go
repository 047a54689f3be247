package temporal

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// startArgs is the second argument of a saga's workflow; the first is the
// compressed plan, as bytes of their own so that they are not encoded twice.
type startArgs struct {
	Semantics int             `json:"semantics"`
	Digest    string          `json:"digest"`
	Key       string          `json:"key"`
	Tenant    string          `json:"tenant"`
	Region    string          `json:"region"`
	Settings  json.RawMessage `json:"settings,omitempty"`
	Input     json.RawMessage `json:"input"`
}

func encodeStart(plan *dsl.Plan, s *engine.Start) (*startArgs, error) {
	input, err := dsl.MarshalCanonical(s.Input)
	if err != nil {
		return nil, fmt.Errorf("encode input: %w", err)
	}
	args := &startArgs{Semantics: engine.SemanticsVersion, Digest: plan.Digest, Key: s.Key, Tenant: s.Tenant, Region: s.Region, Input: input}
	if len(s.Settings) > 0 {
		if args.Settings, err = dsl.MarshalCanonical(s.Settings); err != nil {
			return nil, fmt.Errorf("encode settings of tenant %s: %w", s.Tenant, err)
		}
	}
	return args, nil
}

func (a *startArgs) decode(id string) (*engine.Start, error) {
	s := &engine.Start{ID: id, Key: a.Key, Tenant: a.Tenant, Region: a.Region}
	var err error
	if s.Input, err = dsl.ParseJSON(a.Input); err != nil {
		return nil, fmt.Errorf("decode input: %w", err)
	}
	if len(a.Settings) > 0 {
		settings, err := dsl.ParseJSON(a.Settings)
		if err != nil {
			return nil, fmt.Errorf("decode settings: %w", err)
		}
		s.Settings, _ = settings.(map[string]any)
	}
	return s, nil
}

// callArgs is the argument of an activity. What the worker knows by itself is
// left out, and so is what has its usual value: histories are kept for years.
type callArgs struct {
	Key        string          `json:"key"`
	ActionKey  string          `json:"actionKey,omitempty"` // empty: Key
	Path       string          `json:"path"`
	Op         string          `json:"op,omitempty"`      // empty: action
	Attempt    int             `json:"attempt,omitempty"` // 0: the first
	Generation int             `json:"generation,omitempty"`
	StartedAt  int64           `json:"startedAt"` // of the saga, Unix nanoseconds
	Timeout    int64           `json:"timeout"`   // of the attempt, milliseconds
	Sensitive  []string        `json:"sensitive,omitempty"`
	Input      json.RawMessage `json:"input"`
}

func encodeCall(inv *engine.Invocation, startedAt time.Time) (*callArgs, error) {
	input, err := dsl.MarshalCanonical(inv.Input)
	if err != nil {
		return nil, err
	}
	a := &callArgs{
		Key: inv.Key, Path: inv.Path, Generation: inv.Generation, StartedAt: startedAt.UnixNano(),
		Timeout: inv.Timeout.Milliseconds(), Sensitive: inv.Sensitive, Input: input,
	}
	if inv.ActionKey != inv.Key {
		a.ActionKey = inv.ActionKey
	}
	if inv.Op != engine.OpAction {
		a.Op = inv.Op.String()
	}
	if inv.Attempt > 1 {
		a.Attempt = inv.Attempt
	}
	return a, nil
}

func (a *callArgs) decode(activity string) (*engine.Invocation, error) {
	inv := &engine.Invocation{
		Op: engine.OpAction, Path: a.Path, Activity: activity, Key: a.Key, ActionKey: a.ActionKey,
		Attempt: max(a.Attempt, 1), Generation: a.Generation,
		Timeout: time.Duration(a.Timeout) * time.Millisecond, Sensitive: a.Sensitive,
	}
	if inv.ActionKey == "" {
		inv.ActionKey = inv.Key
	}
	switch a.Op {
	case engine.OpCompensation.String():
		inv.Op = engine.OpCompensation
	case engine.OpProbe.String():
		inv.Op = engine.OpProbe
	}
	var err error
	inv.Input, err = dsl.ParseJSON(a.Input)
	return inv, err
}

// failureDetails travel with the error of an attempt that did not end well.
type failureDetails struct {
	Class engine.Class `json:"class"`
	Final bool         `json:"final,omitempty"`
}

var (
	compressor, _   = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1))
	decompressor, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(64<<20))
)

// planCache keeps compiled plans by digest. Definitions change rarely and
// plans are small, so nothing is ever dropped.
type planCache struct {
	mu    sync.Mutex
	plans map[string]*dsl.Plan
}

// get gives the plan of a saga. The digest names it; packed is its compressed
// canonical form, needed when this process has not seen it before.
func (c *planCache) get(digest string, packed []byte) (*dsl.Plan, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.plans[digest]; p != nil {
		return p, nil
	}
	canonical, err := decompressor.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("decompress plan %s: %w", digest, err)
	}
	p, err := dsl.Load(canonical)
	if err != nil {
		return nil, fmt.Errorf("load plan %s: %w", digest, err)
	}
	if p.Digest != digest {
		return nil, fmt.Errorf("load plan: the saga names %s and carries %s", digest, p.Digest)
	}
	if c.plans == nil {
		c.plans = make(map[string]*dsl.Plan)
	}
	c.plans[digest] = p
	return p, nil
}

// rawOutput is the output of an activity as it stands in history.
type rawOutput struct{ value any }

// UnmarshalJSON reads the output as the language's data: integers stay integers.
func (o *rawOutput) UnmarshalJSON(data []byte) (err error) {
	o.value, err = dsl.ParseJSON(data)
	return err
}

// wireSignal is an engine.Signal as it travels.
type wireSignal struct {
	ID   string          `json:"id"`
	Name string          `json:"name"`
	Data json.RawMessage `json:"data"`
}

func (w *wireSignal) decode() (*engine.Signal, error) {
	if w.ID == "" || w.Name == "" {
		return nil, fmt.Errorf("a message needs an id and a name")
	}
	data, err := parseOptional(w.Data)
	return &engine.Signal{ID: w.ID, Name: w.Name, Data: data, Size: len(w.Data)}, err
}

// wireOperator is an engine.Operator as it travels.
type wireOperator struct {
	engine.Operator
	Output json.RawMessage `json:"output,omitempty"`
	Input  json.RawMessage `json:"input,omitempty"`
}

func encodeOperator(o *engine.Operator) (*wireOperator, error) {
	w := &wireOperator{Operator: *o}
	w.Operator.Input, w.Operator.Output = nil, nil
	var err error
	if o.Input != nil {
		if w.Input, err = dsl.MarshalCanonical(o.Input); err != nil {
			return nil, fmt.Errorf("encode input: %w", err)
		}
	}
	if o.Output != nil {
		if w.Output, err = dsl.MarshalCanonical(o.Output); err != nil {
			return nil, fmt.Errorf("encode output: %w", err)
		}
	}
	return w, nil
}

func (w *wireOperator) decode() (*engine.Operator, error) {
	command := w.Operator
	var err error
	if command.Output, err = parseOptional(w.Output); err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	if command.Input, err = parseOptional(w.Input); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	return &command, nil
}

func parseOptional(data json.RawMessage) (any, error) {
	if len(data) == 0 {
		return nil, nil
	}
	return dsl.ParseJSON(data)
}

// rawJSON gives encoded JSON as a payload, as it is.
func rawJSON(data []byte) converter.RawValue {
	return converter.NewRawValue(&commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)},
		Data:     data,
	})
}
