package engine

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sagad/sagad/dsl"
)

// Target is where and for whom a saga is started.
type Target struct {
	Tenant   string
	Region   string
	Settings map[string]any // public settings of the tenant
}

// RefusedError says why a saga cannot be started. Nothing has happened (S25).
type RefusedError struct {
	What string // input, key or search, and which
	Err  error
}

// Error gives what was refused and why.
func (e *RefusedError) Error() string { return e.What + ": " + e.Err.Error() }

// Unwrap gives the reason.
func (e *RefusedError) Unwrap() error { return e.Err }

// maxSearch bounds the text of a search attribute, in bytes: SQL visibility
// stores keywords in columns of this width.
const maxSearch = 255

// Prepare checks what a saga is to be started with and derives its identity.
// search holds the values of its search attributes by name: strings, ints and
// bools. The error is a *RefusedError.
func Prepare(plan *dsl.Plan, target Target, input any) (start *Start, search map[string]any, err error) {
	return prepare(plan, target, input, func(key string) string { return InstanceID(target.Tenant, plan.Saga, key) })
}

// prepareChild is Prepare for a child saga. Its ID says where in its family it
// stands; its business key keeps nobody from starting it again (S9).
func prepareChild(plan *dsl.Plan, parent *Start, origin Parent, input any) (*Start, map[string]any, error) {
	target := Target{Tenant: parent.Tenant, Region: parent.Region, Settings: parent.Settings}
	start, search, err := prepare(plan, target, input, func(string) string {
		return ChildID(origin.Root, strings.TrimSuffix(origin.Prefix, "/"), origin.Generation)
	})
	if err != nil {
		return nil, nil, err
	}
	start.Parent = &origin
	return start, search, nil
}

// refusedInput is what a RefusedError names when the input breaks its schema.
const refusedInput = "input"

func prepare(plan *dsl.Plan, target Target, input any, identify func(key string) string) (start *Start, search map[string]any, err error) {
	if plan.Input != nil {
		if err := plan.Input.Validate(input); err != nil {
			return nil, nil, &RefusedError{refusedInput, err}
		}
	}
	settings := target.Settings
	if settings == nil {
		settings = map[string]any{}
	}
	env := dsl.Env{"input": input, "tenant": settings}
	key, err := businessKey(plan, env)
	if err != nil {
		return nil, nil, &RefusedError{"key", err}
	}
	start = &Start{
		ID: identify(key), Key: key,
		Tenant: target.Tenant, Region: target.Region, Settings: target.Settings, Input: input,
	}
	env["saga"] = map[string]any{"id": start.ID, "key": key, "tenant": target.Tenant, "region": target.Region}
	search = make(map[string]any, len(plan.Search))
	for _, s := range plan.Search {
		value, err := s.Value.Eval(env)
		if err == nil {
			err = checkSearch(value)
		}
		if err != nil {
			return nil, nil, &RefusedError{"search " + s.Name, err}
		}
		if value != nil {
			search[s.Name] = value
		}
	}
	return start, search, nil
}

func businessKey(plan *dsl.Plan, env dsl.Env) (string, error) {
	value, err := plan.Key.Eval(env)
	if err != nil {
		return "", err
	}
	switch v := value.(type) {
	case int:
		return strconv.Itoa(v), nil
	case string:
		if v != "" {
			return v, nil
		}
	}
	return "", fmt.Errorf("`%s` gave %s; a business key is a text that is not empty, or an integer", plan.Key.Source(), kindOf(value))
}

// kindOf names a value that is no business key, without what is in it: that may
// be sensitive.
func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "an empty text"
	case bool:
		return "a boolean"
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	}
	return "a number with a fraction"
}

func checkSearch(value any) error {
	switch v := value.(type) {
	case nil, int, bool:
		return nil
	case string:
		if len(v) > maxSearch {
			return fmt.Errorf("the value has %d bytes, at most %d are allowed", len(v), maxSearch)
		}
		return nil
	}
	return fmt.Errorf("the value is neither a string, an integer nor a boolean")
}
