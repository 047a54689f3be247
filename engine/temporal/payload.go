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
	Input     json.RawMessage `json:"input,omitempty"` // of the first run; afterwards it is carried with the state
	Parent    *engine.Parent  `json:"parent,omitempty"`
	ResetRun  string          `json:"resetRun,omitempty"` // the run before this one that was made by a reset
	State     []byte          `json:"state,omitempty"`    // of the run before this one, compressed, as it was carried once
}

// carried is the third argument of a saga's workflow that continued as new: what
// the runs before it have left, as compressed JSON.
type carried struct {
	Input json.RawMessage `json:"input"`
	State json.RawMessage `json:"state"`
}

// unpack takes in what the runs before this one have left, if there were any.
func (a *startArgs) unpack(packed []byte) (snapshot []byte, err error) {
	if len(a.State) > 0 {
		return decompressor.DecodeAll(a.State, nil)
	}
	if len(packed) == 0 {
		return nil, nil
	}
	text, err := decompressor.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("decompress state: %w", err)
	}
	var c carried
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("decode state: %w", err)
	}
	a.Input = c.Input
	return c.State, nil
}

func encodeStart(plan *dsl.Plan, s *engine.Start) (*startArgs, error) {
	input, err := dsl.MarshalCanonical(s.Input)
	if err != nil {
		return nil, fmt.Errorf("encode input: %w", err)
	}
	args := &startArgs{Semantics: engine.SemanticsVersion, Digest: plan.Digest, Key: s.Key, Tenant: s.Tenant, Region: s.Region, Input: input, Parent: s.Parent}
	if len(s.Settings) > 0 {
		if args.Settings, err = dsl.MarshalCanonical(s.Settings); err != nil {
			return nil, fmt.Errorf("encode settings of tenant %s: %w", s.Tenant, err)
		}
	}
	return args, nil
}

func (a *startArgs) decode(id string) (*engine.Start, error) {
	s := &engine.Start{ID: id, Key: a.Key, Tenant: a.Tenant, Region: a.Region, Parent: a.Parent}
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

// callArgs is the argument of an activity. What the key says already is left
// out, and so is what has its usual value: histories are kept for years.
type callArgs struct {
	Key       string          `json:"key"`
	Parts     *engine.Key     `json:"parts,omitempty"`     // of a key that was hashed
	ActionKey string          `json:"actionKey,omitempty"` // empty: the key with the action in the operation's place
	Asks      string          `json:"asks,omitempty"`      // of a probe: the activity it asks about
	Attempt   int             `json:"attempt,omitempty"`   // 0: the first
	Sensitive []string        `json:"sensitive,omitempty"`
	ResetRun  string          `json:"resetRun,omitempty"` // the run that was made by a reset
	Guarded   bool            `json:"guarded,omitempty"`  // after a reset: nobody has looked yet whether it contradicts what was done
	Input     json.RawMessage `json:"input"`
}

func encodeCall(inv *engine.Invocation, saga engine.Identity) (*callArgs, error) {
	input, err := dsl.MarshalCanonical(inv.Input)
	if err != nil {
		return nil, err
	}
	a := &callArgs{Key: inv.Key, Asks: inv.Asks, Sensitive: inv.Sensitive, Input: input}
	parts, plain := engine.ParseKey(inv.Key)
	if !plain {
		parts = engine.Key{Tenant: saga.Tenant, Saga: saga.ID, Path: inv.Path, Op: inv.Op, StartedAt: saga.StartedAt.Truncate(time.Second), Generation: inv.Generation}
		a.Parts = &parts
	}
	if inv.ActionKey != actionKey(parts) {
		a.ActionKey = inv.ActionKey
	}
	if inv.Attempt > 1 {
		a.Attempt = inv.Attempt
	}
	return a, nil
}

func actionKey(parts engine.Key) string {
	parts.Op = engine.OpAction
	return parts.String()
}

// decode gives the attempt and the saga it belongs to.
func (a *callArgs) decode() (*engine.Invocation, *engine.Identity, error) {
	parts, plain := engine.ParseKey(a.Key)
	if a.Parts != nil {
		parts, plain = *a.Parts, true
	}
	if !plain {
		return nil, nil, fmt.Errorf("%q is not an idempotency key", a.Key)
	}
	input, err := dsl.ParseJSON(a.Input)
	if err != nil {
		return nil, nil, err
	}
	inv := &engine.Invocation{
		Op: parts.Op, Path: parts.Path, Asks: a.Asks, Key: a.Key, ActionKey: a.ActionKey, Attempt: max(a.Attempt, 1),
		Generation: parts.Generation, Input: input, Sensitive: a.Sensitive,
	}
	if inv.ActionKey == "" {
		inv.ActionKey = actionKey(parts)
	}
	return inv, &engine.Identity{ID: parts.Saga, Tenant: parts.Tenant, StartedAt: parts.StartedAt}, nil
}

// failureDetails travel with the error of an attempt that did not end well.
type failureDetails struct {
	Class  engine.Class `json:"class"`
	Final  bool         `json:"final,omitempty"`
	Probed bool         `json:"probed,omitempty"`
}

var (
	compressor, _   = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1))
	decompressor, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(64<<20))
)

// packs keeps the compressed form of plans by digest: sagas of one plan start
// many times a second.
var packs sync.Map

// packed gives the compressed canonical form of a plan. It must not be changed.
func packed(plan *dsl.Plan) []byte {
	if p, ok := packs.Load(plan.Digest); ok {
		return p.([]byte)
	}
	p, _ := packs.LoadOrStore(plan.Digest, compressor.EncodeAll(plan.Canonical, nil))
	return p.([]byte)
}

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
type rawOutput struct {
	value any
	err   error // it is not the language's data: applied all the same (S25)
}

// UnmarshalJSON reads the output as the language's data: integers stay integers.
func (o *rawOutput) UnmarshalJSON(data []byte) error {
	o.value, o.err = dsl.ParseJSON(data)
	return nil
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
	if w.Input, err = encodeOptional(o.Input); err != nil {
		return nil, fmt.Errorf("encode input: %w", err)
	}
	if w.Output, err = encodeOptional(o.Output); err != nil {
		return nil, fmt.Errorf("encode output: %w", err)
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

func encodeOptional(value any) (json.RawMessage, error) {
	if value == nil {
		return nil, nil
	}
	return dsl.MarshalCanonical(value)
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
