package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	historypb "go.temporal.io/api/history/v1"

	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/temporal"
)

// source is where histories come from: a saga that Temporal has, or a file.
type source struct {
	name string // as it was named
	id   string // of a saga; empty: a file, or standard input if the name is -
}

// sourcesOf says what the arguments of `sagad replay` are.
func sourcesOf(args []string) ([]source, error) {
	var sources []source
	for _, arg := range args {
		info, err := os.Stat(arg)
		switch {
		case arg == "-" || err == nil && !info.IsDir():
			sources = append(sources, source{name: arg})
		case err == nil:
			files, err := historyFiles(arg)
			if err != nil {
				return nil, err
			}
			for _, file := range files {
				sources = append(sources, source{name: file})
			}
		case errors.Is(err, fs.ErrNotExist) && mayBeID(arg):
			sources = append(sources, source{name: arg, id: engine.CanonicalID(arg)})
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("there is no file or folder %s; the ID of a saga is TENANT/SAGA/KEY, and `sagad list` shows them", arg)
		default:
			return nil, unreadable("history", arg, err)
		}
	}
	return sources, nil
}

// mayBeID says whether what is no file can be the ID of a saga, and does not
// look like the path of a file that is missing.
func mayBeID(arg string) bool {
	parts := strings.SplitN(arg, "/", 3)
	return len(parts) == 3 && dsl.ValidTenantName(parts[0]) && parts[1] != "" && parts[2] != "" &&
		!isHistoryFile(arg) && !strings.HasSuffix(arg, ".gz")
}

func isHistoryFile(name string) bool {
	return strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".json.gz")
}

// historyFiles gives the histories in a folder and those beneath it.
func historyFiles(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && isHistoryFile(path) {
			files = append(files, path)
		}
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s has no .json or .json.gz files to replay", dir)
	}
	return files, err
}

// unusableError says that one source gives no history; others may.
type unusableError struct{ err error }

func (e *unusableError) Error() string { return e.err.Error() }
func (e *unusableError) Unwrap() error { return e.err }

// archive reads histories. It connects to Temporal when it is first asked for a
// saga.
type archive struct {
	console *console
	flags   *flags
	stdin   io.Reader
	stack   *stack.Stack
}

// histories gives what a source holds: one history of a file, those of all runs
// of a saga.
func (a *archive) histories(ctx context.Context, s source) ([]*historypb.History, error) {
	if s.id != "" {
		return a.ofSaga(ctx, s.id)
	}
	in := a.stdin
	if s.name != "-" {
		file, err := os.Open(s.name)
		if err != nil {
			return nil, &unusableError{unreadable("history", s.name, err)}
		}
		defer func() { _ = file.Close() }() // it only read
		in = file
	}
	history, err := temporal.ReadHistory(in)
	if err != nil {
		return nil, &unusableError{err}
	}
	return []*historypb.History{history}, nil
}

func (a *archive) ofSaga(ctx context.Context, id string) ([]*historypb.History, error) {
	if err := a.connect(ctx, id); err != nil {
		return nil, err
	}
	runs, err := a.stack.Client().Histories(ctx, id)
	if errors.Is(err, temporal.ErrNotFound) {
		return nil, &unusableError{errors.New("there is no such file, and no such saga, or none any more; `sagad list` shows what there is")}
	}
	return runs, err
}

// connect opens what has the sagas. name is the first that is looked for.
func (a *archive) connect(ctx context.Context, name string) error {
	if a.stack != nil {
		return nil
	}
	s, err := a.flags.resolve(a.console, "")
	if err != nil {
		return err
	}
	st, err := s.open(ctx)
	if err != nil {
		return err
	}
	if st.Empty() {
		return fmt.Errorf("there is no file %s, and no saga: nothing has run on the data directory %s; name another with --data", name, s.Data)
	}
	a.stack = st
	return st.Connect(ctx)
}

func (a *archive) close() {
	if a.stack != nil {
		_ = a.stack.Close() // it only read
	}
}

// maxName bounds the name of a file.
const maxName = 200

// exportName gives the name of the file of a saga's run, from 0. Different runs
// have different names.
func exportName(id string, run int) string {
	parts := strings.SplitN(id, "/", 3)
	for i, part := range parts {
		parts[i] = url.QueryEscape(part)
	}
	name := strings.Join(parts, "_") // which the names of tenants and sagas do not hold
	if len(name) > maxName {
		name = fmt.Sprintf("%s@%x", name[:maxName/2], sha256.Sum256([]byte(id)))
	}
	if run > 0 {
		name += fmt.Sprintf("@%d", run+1)
	}
	return name + ".json.gz"
}

// exportHistory writes a new file. It holds the data of the saga in the clear.
func exportHistory(file string, history *historypb.History) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("--export: %w", err)
	}
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("--export: %s exists; move it away, or choose another folder", file)
	}
	if err != nil {
		return fmt.Errorf("--export: %w", err)
	}
	if err := errors.Join(temporal.WriteHistory(out, history, true), out.Close()); err != nil {
		return fmt.Errorf("--export: write %s: %w", file, err)
	}
	return nil
}
