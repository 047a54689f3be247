package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/sagad/sagad/dsl"
)

// maxDefinitions is how many definitions are looked through for one child saga:
// more is a folder that holds something else.
const maxDefinitions = 10_000

// library finds the definitions of child sagas by the names that they give
// themselves: beside the definition that runs them, or else anywhere in the
// folder of definitions. It looks into a folder once,
// and is safe for concurrent use.
type library struct {
	root string // folder of definitions; need not be there

	mu      sync.Mutex
	folders map[string]shelf
	all     shelf // nil: not looked through yet
}

var _ dsl.Sagas = (*library)(nil)

// shelf is the files of a folder by the saga that they define.
type shelf map[string][]string

// unread stands on a shelf for the files that cannot be read. No saga has the
// name.
const unread = "?"

// library gives the definitions that a definition may run.
func (s *settings) library(file string) *library {
	root := s.definitions
	if root == "" {
		root = definitionsOf(file)
	}
	if s.libraries == nil {
		s.libraries = map[string]*library{}
	}
	if s.libraries[root] == nil {
		s.libraries[root] = &library{root: root, folders: map[string]shelf{}}
	}
	return s.libraries[root]
}

// Find gives the definition of a saga.
func (l *library) Find(name, from string) (dsl.Definition, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	beside := filepath.Dir(from)
	near, err := l.beside(beside)
	if err != nil {
		return dsl.Definition{}, err
	}
	files := near[name]
	if len(files) == 0 {
		if l.all == nil {
			if l.all, err = gather(l.root, true); err != nil {
				return dsl.Definition{}, err
			}
		}
		files = l.all[name]
	}
	switch len(files) {
	case 0:
		names := slices.AppendSeq(slices.Collect(maps.Keys(near)), maps.Keys(l.all))
		names = slices.DeleteFunc(names, func(name string) bool { return name == unread })
		slices.Sort(names)
		where := fmt.Sprintf("definitions are looked for in %s and in %s", shown(beside), shown(l.root))
		if files := slices.Concat(near[unread], l.all[unread]); len(files) > 0 {
			where += ", where " + files[0] + " cannot be read"
		}
		return dsl.Definition{}, &dsl.UnknownSagaError{Names: slices.Compact(names), Where: where}
	case 1:
		text, err := readFile("definition", files[0])
		if err != nil {
			return dsl.Definition{}, err
		}
		return dsl.Definition{Source: dsl.Source{Name: files[0], Data: text}, Files: os.DirFS(filepath.Dir(files[0]))}, nil
	default:
		return dsl.Definition{}, fmt.Errorf("it has %d definitions, %s; rename all but one", len(files), strings.Join(files, " and "))
	}
}

// beside gives the definitions in the folder of a definition.
func (l *library) beside(folder string) (shelf, error) {
	if found, ok := l.folders[folder]; ok {
		return found, nil
	}
	found, err := gather(folder, false)
	if err == nil {
		l.folders[folder] = found
	}
	return found, err
}

// gather looks into the definitions of a folder, and of those in it if it is
// deep. A folder that is not there has none.
func gather(folder string, deep bool) (shelf, error) {
	found, count := shelf{}, 0
	root := entered(folder)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && path == root && errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case path == root:
			return nil
		case entry.IsDir() && (!deep || noDefinitions(entry.Name()) || entry.Name() == tenantsFolder):
			return filepath.SkipDir
		case entry.IsDir() || !isDefinition(entry.Name()):
			return nil
		}
		if count++; count > maxDefinitions {
			return fmt.Errorf("%s has over %d definitions; name the folder of the definitions with --definitions", shown(folder), maxDefinitions)
		}
		saga, err := sagaOf(path)
		if err != nil {
			saga = unread // another file may still hold the one that is looked for
		}
		if saga != "" {
			found[saga] = append(found[saga], shown(path))
		}
		return nil
	})
	return found, err
}

// isDefinition reports whether a file may hold a definition, by its name.
func isDefinition(name string) bool {
	return filepath.Ext(name) == ".yaml" && !strings.HasSuffix(name, "_test.yaml") && name != defaultConfig
}

// noDefinitions reports whether a folder holds none, by its name.
func noDefinitions(folder string) bool {
	return folder == "testdata" || strings.HasPrefix(folder, ".")
}

var sagaLine = regexp.MustCompile(`^\x{FEFF}?["']?saga["']?[ \t]*:[ \t]+["']?([a-z0-9-]+)["']?[ \t]*(#.*)?$`)

// sagaOf gives the name of the saga that a file defines, or "". It reads no
// further than the name, and leaves everything else to the compiler.
func sagaOf(file string) (string, error) {
	f, _, err := openFile(file)
	if err != nil {
		return "", err
	}
	defer f.Close() // it was only read
	lines := bufio.NewScanner(io.LimitReader(f, dsl.MaxSourceBytes))
	lines.Buffer(nil, dsl.MaxSourceBytes+1)
	for lines.Scan() {
		if m := sagaLine.FindSubmatch(lines.Bytes()); m != nil {
			return string(m[1]), nil
		}
	}
	return "", lines.Err()
}

// shown writes a path for people: from the working directory, if it is below
// it. One file has one such path, however it was found.
func shown(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	here, err := filepath.Abs(".")
	if err != nil {
		return abs
	}
	if rel, err := filepath.Rel(here, abs); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return abs
}
