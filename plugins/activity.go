package plugins

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"runtime/debug"
	"slices"

	"github.com/sagad/sagad/plugins/pluginpb"
)

// codePattern is the shape of an error code: what a catch clause can name.
var codePattern = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)

// Definition is one activity of a plugin. Make one with [Activity].
type Definition struct {
	name        string
	description string
	codes       []string
	regions     []string
	input       *shape
	output      *shape
	run         func(ctx context.Context, call Call, input []byte) ([]byte, error)
	err         error
}

// Option adds to an activity.
type Option func(*Definition)

// Describe says what the activity does, for the people who write definitions.
func Describe(text string) Option {
	return func(d *Definition) { d.description = text }
}

// Errors declares the codes that the activity may fail with. Lint tells from
// them which catch clauses can never fire, so declare all of them; one that is
// returned without being declared is logged as a warning.
func Errors(codes ...string) Option {
	return func(d *Definition) { d.codes = append(d.codes, codes...) }
}

// regionPattern is the shape of a region's name, as tenants name theirs.
var regionPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

// Regions declares where the activity handles the data that it is given, if
// that is elsewhere than where the plugin runs: because it sends them to a
// service there, for instance. The names are those that tenants have, such as
// "eu-west-1". Lint refuses definitions that hand sensitive data to it when a
// tenant does not have one of the regions.
func Regions(names ...string) Option {
	return func(d *Definition) { d.regions = append(d.regions, names...) }
}

// Activity makes an activity of a function. The name is without the plugin's
// prefix. In and Out are encoded as JSON and need types that JSON has: structs,
// maps with string keys, slices, strings, numbers, booleans, time.Time, types
// with MarshalText, pointers for what may be absent, any or json.RawMessage for
// what is not typed. Use struct{} for an activity that takes or gives nothing.
//
// The function is called from many goroutines at once. Its context ends when
// the attempt is cut off or cancelled: then nobody reads its result.
func Activity[In, Out any](name string, fn func(ctx context.Context, call Call, in In) (Out, error), opts ...Option) Definition {
	d := Definition{name: name}
	for _, opt := range opts {
		opt(&d)
	}
	for _, region := range d.regions {
		if !regionPattern.MatchString(region) {
			d.err = fmt.Errorf("region %q: want small letters, digits and hyphens, such as eu-west-1", region)
			return d
		}
	}
	for _, code := range d.codes {
		if !codePattern.MatchString(code) {
			d.err = fmt.Errorf("error code %q: want capital letters, digits and '_'", code)
			return d
		}
	}
	var err error
	if d.input, err = derive(reflect.TypeFor[In](), forInput); err != nil {
		d.err = fmt.Errorf("input: %w", err)
		return d
	}
	if d.output, err = derive(reflect.TypeFor[Out](), forOutput); err != nil {
		d.err = fmt.Errorf("output: %w", err)
		return d
	}
	input, output := d.input, d.output
	d.run = func(ctx context.Context, call Call, raw []byte) ([]byte, error) {
		raw, err := input.accept(raw)
		if err != nil {
			return nil, Reject(CodeInvalidInput, "%w", err)
		}
		var in In
		if err := json.Unmarshal(raw, &in); err != nil {
			return nil, Reject(CodeInvalidInput, "%w", err)
		}
		out, err := guard(ctx, call, in, fn)
		if err != nil {
			return nil, err
		}
		return encodeOutput(output, out)
	}
	return d
}

// guard calls fn and turns a panic into an error.
func guard[In, Out any](ctx context.Context, call Call, in In, fn func(context.Context, Call, In) (Out, error)) (out Out, err error) {
	defer func() {
		if p := recover(); p != nil {
			call.Logger.Error("activity panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = Retry(CodePanic, "the activity panicked: %v; the plugin's log has the stack", p)
		}
	}()
	return fn(ctx, call, in)
}

// outputError is the failure of an activity that was applied.
type outputError struct{ code, message string }

func (e *outputError) Error() string { return e.code + ": " + e.message }

func encodeOutput(s *shape, out any) (encoded []byte, err error) {
	defer func() { // a MarshalJSON of the author may panic
		if p := recover(); p != nil {
			err = &outputError{CodeInvalidOutput, fmt.Sprintf("encoding the output panicked: %v", p)}
		}
	}()
	encoded, err = json.Marshal(out)
	if err != nil {
		return nil, &outputError{CodeInvalidOutput, err.Error()}
	}
	if encoded, err = s.accept(encoded); err != nil {
		return nil, &outputError{CodeInvalidOutput, err.Error()}
	}
	if len(encoded) > pluginpb.MaxPayload {
		return nil, &outputError{CodeTooLarge, fmt.Sprintf("the output is %d bytes of JSON, the limit is %d: return a reference to the data instead", len(encoded), pluginpb.MaxPayload)}
	}
	return encoded, nil
}

// declares reports whether lint has been told of the code.
func (d Definition) declares(code string) bool {
	switch code {
	case CodeInvalidInput, CodeInvalidOutput, CodeTooLarge, CodeError, CodePanic, CodeTimeout, CodeCancelled, CodeFenced, CodeSuperseded:
		return true
	}
	return slices.Contains(d.codes, code)
}
