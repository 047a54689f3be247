package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine/temporal"
)

// dialTimeout bounds the first answer of a Temporal server.
const dialTimeout = 10 * time.Second

// UnreachableError says that Temporal does not answer, or not as it should.
type UnreachableError struct {
	Address string
	Mend    string
	Err     error
}

// Error gives the address, the reason and what to do.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("Temporal at %s: %v: %s", e.Address, e.Err, e.Mend)
}

// Unwrap gives the reason.
func (e *UnreachableError) Unwrap() error { return e.Err }

// dial connects to Temporal. Compression costs more than it saves on one
// machine.
func dial(ctx context.Context, address string, cfg Config, near bool) (client.Client, error) {
	options := client.Options{
		HostPort: address, Namespace: cfg.Namespace, Logger: log.NewStructuredLogger(slog.New(sdkHandler{cfg.Logger.Handler()})),
		ConnectionOptions: client.ConnectionOptions{GetSystemInfoTimeout: dialTimeout},
	}
	if near {
		options.ConnectionOptions.GrpcCompression = &client.GrpcCompressionNone{}
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, &UnreachableError{Address: address, Err: plainly(err), Mend: "start it, or name another with --temporal"}
	}
	if near {
		return c, nil
	}
	_, err = c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: cfg.Namespace})
	if err == nil {
		return c, nil
	}
	c.Close()
	var missing *serviceerror.NamespaceNotFound
	if errors.As(err, &missing) {
		err = fmt.Errorf("there is no namespace %s", cfg.Namespace)
		return nil, &UnreachableError{Address: address, Err: err, Mend: "create it with `temporal operator namespace create`, or name another in the configuration"}
	}
	return nil, &UnreachableError{Address: address, Err: err, Mend: "check the address and what the server says"}
}

// plainly says in plain words why there is no connection, as far as that is
// known.
func plainly(err error) error {
	text := err.Error()
	for _, known := range []struct{ part, words string }{
		{"connection refused", "nobody listens there"},
		{"no such host", "the name leads to no address"},
		{"no children to pick from", "the name leads to no address"}, // how gRPC says it
		{"deadline exceeded", "there is no answer in time"},
	} {
		if strings.Contains(text, known.part) {
			return errors.New(known.words)
		}
	}
	return err
}

// sdkHandler takes the SDK's lines about attempts that failed for debugging
// ones: that an attempt fails is business, and the saga tells of it.
type sdkHandler struct{ slog.Handler }

// Handle passes a line on.
func (h sdkHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == "Activity error." {
		if r.Level = slog.LevelDebug; !h.Enabled(ctx, r.Level) {
			return nil
		}
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps the rule.
func (h sdkHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return sdkHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the rule.
func (h sdkHandler) WithGroup(name string) slog.Handler { return sdkHandler{h.Handler.WithGroup(name)} }

var indexTypes = map[dsl.SearchType]enumspb.IndexedValueType{
	dsl.SearchKeyword: enumspb.INDEXED_VALUE_TYPE_KEYWORD,
	dsl.SearchInt:     enumspb.INDEXED_VALUE_TYPE_INT,
	dsl.SearchBool:    enumspb.INDEXED_VALUE_TYPE_BOOL,
	dsl.SearchInstant: enumspb.INDEXED_VALUE_TYPE_DATETIME,
}

// indexed gives all search attributes of a namespace: the declared ones and
// those that every saga carries.
func indexed(declared map[string]dsl.SearchType) map[string]enumspb.IndexedValueType {
	all := map[string]enumspb.IndexedValueType{
		temporal.AttributeTenant: enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		temporal.AttributeSaga:   enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		temporal.AttributeState:  enumspb.INDEXED_VALUE_TYPE_KEYWORD,
	}
	for name, t := range dsl.SearchAttributes(declared) {
		all[name] = indexTypes[t]
	}
	return all
}

// registerSearch adds the search attributes that a server of somebody else does
// not have yet: a saga with an unknown one would not start.
func registerSearch(ctx context.Context, c client.Client, cfg Config) error {
	fail := func(err error) error {
		return &UnreachableError{Address: cfg.Temporal, Err: fmt.Errorf("register search attributes: %w", err),
			Mend: "let an administrator add them, or correct `search` in the configuration"}
	}
	known, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: cfg.Namespace})
	if err != nil {
		return fail(err)
	}
	missing := map[string]enumspb.IndexedValueType{}
	for name, t := range indexed(cfg.Search) {
		switch have, ok := known.GetCustomAttributes()[name]; {
		case !ok:
			missing[name] = t
		case have != t:
			return fail(fmt.Errorf("%s has the type %s there and %s here", name, have, t))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: cfg.Namespace, SearchAttributes: missing})
	if err != nil {
		return fail(err)
	}
	return nil
}
