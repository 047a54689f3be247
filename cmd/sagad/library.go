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

	"github.com/sagad/sagad/dsl"
)

// maxDefinitions is how many definitions are looked through for one child saga:
// more is a folder that holds something else.
const maxDefinitions = 10_000

// library finds the definitions of child sagas by the names that they give
// themselves: beside the definition that runs them, or else anywhere in the
// folder of definitions. It looks into a folder once.
type library struct {
	root    string // folder of definitions; need not be there
	folders map[string]shelf
	all     shelf // nil: not looked through yet
}

var _ dsl.Sagas = (*library)(nil)

// shelf is the files of a folder by the saga that they define.
type shelf map[string][]string

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
		slices.Sort(names)
		return dsl.Definition{}, &dsl.UnknownSagaError{
			Names: slices.Compact(names), Where: fmt.Sprintf("definitions are looked for in %s and in %s", shown(beside), shown(l.root)),
		}
	case 1:
		text, err := readBounded(files[0])
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
		if saga != "" {
			found[saga] = append(found[saga], shown(path))
		}
		return err
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
	f, err := os.Open(file)
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

// readBounded reads a definition; of one that is too large no more than shows
// that.
func readBounded(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	return io.ReadAll(io.LimitReader(f, dsl.MaxSourceBytes+1))
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
