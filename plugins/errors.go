package plugins

import (
	"context"
	"errors"
	"fmt"
)

// Kind says what is known of an attempt that failed.
type Kind string

const (
	// KindReject: certainly no effect, never retried.
	KindReject Kind = "reject"
	// KindRetry: unknown whether there was an effect; may be retried.
	KindRetry Kind = "retry"
	// KindPermanent: unknown whether there was an effect; not retried.
	KindPermanent Kind = "permanent"
)

// Codes that the SDK itself gives. An activity may use them too.
const (
	CodeInvalidInput  = "INVALID_INPUT"  // the input breaks its schema (Reject)
	CodeInvalidOutput = "INVALID_OUTPUT" // the output does not encode or breaks its schema
	CodeTooLarge      = "TOO_LARGE"      // the output is over the limit of a payload
	CodeError         = "ERROR"          // an error that is not an *Error (Retry)
	CodePanic         = "PANIC"          // the activity panicked (Retry)
	CodeTimeout       = "TIMEOUT"        // the activity ended because the attempt was cut off (Retry)
	CodeCancelled     = "CANCELLED"      // the activity ended because the call was cancelled (Retry)

	// Package barrier gives these two.
	CodeFenced     = "FENCED"     // the request came too late (Reject)
	CodeSuperseded = "SUPERSEDED" // an earlier generation was applied (Permanent)
)

// Error is how an activity failed. Make one with [Reject], [Retry] or
// [Permanent]; find one with errors.As.
type Error struct {
	Kind Kind
	// Code names the failure for catch clauses and people: INSUFFICIENT_FUNDS.
	Code string
	// Message says what was wrong and how to mend it. Values of the call that
	// are sensitive are redacted by the host.
	Message string

	cause error
}

// Error returns "CODE: message".
func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code
	}
	return e.Code + ": " + e.Message
}

// Unwrap returns the error given for a %w verb, or nil.
func (e *Error) Unwrap() error { return e.cause }

// Reject says that the operation was refused and certainly had no effect, now
// or later. It is never retried, and nothing needs to be compensated. The
// format takes %w as fmt.Errorf does.
func Reject(code, format string, args ...any) error {
	return newError(KindReject, code, format, args)
}

// Retry says that the operation failed, that nobody knows whether it had an
// effect, and that it may be tried again.
func Retry(code, format string, args ...any) error {
	return newError(KindRetry, code, format, args)
}

// Permanent says that the operation failed, that nobody knows whether it had an
// effect, and that trying again is of no use.
func Permanent(code, format string, args ...any) error {
	return newError(KindPermanent, code, format, args)
}

func newError(kind Kind, code, format string, args []any) *Error {
	if code == "" {
		code = CodeError
	}
	formatted := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Code: code, Message: formatted.Error(), cause: errors.Unwrap(formatted)}
}

// asError makes an *Error of whatever an activity returned. An error that wraps
// an *Error keeps its kind and code, and its own text. The end of the attempt's
// context has a code of its own: the activity may notice it before the host
// does.
func asError(ctx context.Context, err error) *Error {
	var typed *Error
	if !errors.As(err, &typed) {
		code := CodeError
		switch end := ctx.Err(); {
		case end == nil || !errors.Is(err, end):
		case errors.Is(end, context.DeadlineExceeded):
			code = CodeTimeout
		default:
			code = CodeCancelled
		}
		return &Error{Kind: KindRetry, Code: code, Message: err.Error(), cause: err}
	}
	if typed == err { //nolint:errorlint // identity, not equivalence
		return typed
	}
	return &Error{Kind: typed.Kind, Code: typed.Code, Message: err.Error(), cause: err}
}
