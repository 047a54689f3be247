package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// fileError says in plain words why a file cannot be read.
type fileError struct {
	text string
	err  error
}

func (e *fileError) Error() string { return e.text }
func (e *fileError) Unwrap() error { return e.err }

// readFile gives the content of a file that the user named. role is what the
// file is for, such as "the input".
func readFile(role, name string) ([]byte, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, unreadable(role, name, err)
	}
	return text, nil
}

// unreadable explains why what the user named cannot be read.
func unreadable(role, name string, err error) error {
	why := err.Error()
	switch {
	case errors.Is(err, fs.ErrNotExist) && name == "":
		why = "the name is empty"
	case errors.Is(err, fs.ErrNotExist):
		why = fmt.Sprintf("there is no file %s", name)
	case errors.Is(err, syscall.EISDIR):
		why = fmt.Sprintf("%s is a folder; name a file", name)
	case errors.Is(err, syscall.ENOTDIR):
		why = fmt.Sprintf("there is no file %s, because a part of its path is a file", name)
	case errors.Is(err, fs.ErrPermission):
		why = fmt.Sprintf("%s may not be read by this user", name)
	}
	return &fileError{role + ": " + why, err}
}

// filesBelow gives the files in a folder and those below it, also if the folder
// is a symbolic link, but not those in folders that hold no definitions. take
// says which are wanted.
func filesBelow(folder string, take func(path string) (bool, error)) ([]string, error) {
	var files []string
	root := entered(folder)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && noDefinitions(entry.Name()):
			return filepath.SkipDir
		case !entry.Type().IsRegular() && entry.Type()&fs.ModeSymlink == 0:
			return nil // a folder, or nothing that can be read to its end
		}
		wanted, err := take(path)
		if wanted {
			files = append(files, path)
		}
		return err
	})
	return files, err
}

// entered gives a folder as filepath.WalkDir wants it: of one that is a symbolic
// link it would see only the link.
func entered(folder string) string { return folder + string(filepath.Separator) }
