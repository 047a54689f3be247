package embedded

import (
	"errors"
	"fmt"
	"strconv"
)

// The kinds of a SetupError, for errors.Is.
var (
	// ErrConfig: a value of the configuration cannot work.
	ErrConfig = errors.New("invalid configuration of the embedded Temporal server")
	// ErrPortInUse: another program listens on a port that was asked for.
	ErrPortInUse = errors.New("port in use")
	// ErrLocked: another process uses the data directory.
	ErrLocked = errors.New("data directory in use")
	// ErrDir: the data directory cannot be created or written.
	ErrDir = errors.New("data directory not usable")
	// ErrCorrupt: the database file is damaged or is not a database.
	ErrCorrupt = errors.New("database damaged")
	// ErrIncompatible: the database file was written by another program or by
	// another version of the Temporal server.
	ErrIncompatible = errors.New("database of another version")
	// ErrSearchAttribute: the search attributes do not fit into the namespace.
	ErrSearchAttribute = errors.New("search attribute not possible")
	// ErrNotBuilt: this binary was built without the embedded server.
	ErrNotBuilt = errors.New("this build has no embedded Temporal")
)

// SetupError is a reason, outside the program, why the server cannot start, with
// the way to mend it. Every error of Start that its user can do something about
// is one; any other error is a defect or a dying machine. Nothing was started and
// nothing was lost when it is returned.
type SetupError struct {
	Kind    error  // one of the errors above
	Subject string // the address, file, directory, flag or attribute in question
	Problem string // one sentence without a full stop
	Mend    string // one sentence without a full stop
	Err     error  // the cause, nil if there is none behind it
}

// Error gives problem, cause and mend in one line.
func (e *SetupError) Error() string {
	text := e.Problem
	if e.Err != nil {
		text += " (" + e.Err.Error() + ")"
	}
	return text + ": " + e.Mend
}

// Unwrap gives the kind and the cause.
func (e *SetupError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

func invalid(subject, problem, mend string) error {
	return &SetupError{Kind: ErrConfig, Subject: subject, Problem: problem, Mend: mend}
}

func dirError(path string, err error) error {
	return &SetupError{
		Kind: ErrDir, Subject: path, Err: err,
		Problem: fmt.Sprintf("cannot write the data directory %s", path),
		Mend:    "make it writable for this user or choose another with " + DirFlag,
	}
}

func portError(address, flag string, err error) error {
	return &SetupError{
		Kind: ErrPortInUse, Subject: address, Err: err,
		Problem: fmt.Sprintf("cannot listen on %s", address),
		Mend:    fmt.Sprintf("stop the program that uses this port or choose another with %s (0 takes a free one)", flag),
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
