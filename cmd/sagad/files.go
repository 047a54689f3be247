package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	// maxFile is the largest file that is read: more than any definition, input or
	// manifest may have.
	maxFile = 16 << 20
	// readTries is how often a file is read that changes meanwhile.
	readTries = 3
)

// What is wrong with a file beside what the system says.
var (
	errPipe      = errors.New("it is a pipe, not a file")
	errDevice    = errors.New("it is a device, not a file")
	errLargeFile = fmt.Errorf("it has over %d MB, more than any file that sagad reads", maxFile>>20)
	errChanging  = errors.New("it changes while it is read; try again when it is written")
)

// fileError says in plain words why a file cannot be read.
type fileError struct {
	role, why string
	err       error
}

func (e *fileError) Error() string { return e.role + ": " + e.why }
func (e *fileError) Unwrap() error { return e.err }

// readFile gives the content of a file that the user named. role is what the
// file is for, such as "the input". It reads no more than maxFile and never
// waits for somebody to write.
func readFile(role, name string) ([]byte, error) {
	text, err := readWhole(name)
	if err != nil {
		return nil, unreadable(role, name, err)
	}
	return text, nil
}

// readWhole gives the content that a file had at one time: if it changes while
// it is read, it is read again.
func readWhole(name string) ([]byte, error) {
	for range readTries {
		text, whole, err := readOnce(name)
		if err != nil || whole {
			return text, err
		}
	}
	return nil, errChanging
}

// readOnce reads a file. It is whole if nobody changed it meanwhile.
func readOnce(name string) (text []byte, whole bool, err error) {
	f, before, err := openFile(name)
	if err != nil {
		return nil, false, err
	}
	defer f.Close() // it was only read
	if text, err = io.ReadAll(io.LimitReader(f, maxFile+1)); err != nil {
		return nil, false, err
	}
	if len(text) > maxFile {
		return nil, false, errLargeFile
	}
	after, err := f.Stat()
	return text, err == nil && unchanged(before, after, len(text)), err
}

// unchanged reports whether a file of which n bytes were read was the same
// before and after. A file that is replaced by another one stays what it is for
// whoever has it open.
func unchanged(before, after fs.FileInfo, n int) bool {
	if !after.Mode().IsRegular() || before.Size() == 0 && after.Size() == 0 { // the system's own files have no size
		return true
	}
	return before.Size() == after.Size() && after.Size() == int64(n) && before.ModTime().Equal(after.ModTime())
}

// openFile opens a file to read it, without waiting: a pipe that nobody writes
// to would wait for ever, and a device never end. What a shell hands over as a
// file is taken, whatever it is.
func openFile(name string) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = readable(name, info)
	}
	if err != nil {
		_ = f.Close() // it was not even read
		return nil, nil, err
	}
	return f, info, nil
}

// readable says why something is not read, or nil.
func readable(name string, info fs.FileInfo) error {
	handed := strings.HasPrefix(name, "/dev/fd/") || strings.HasPrefix(name, "/proc/self/fd/") || name == "/dev/stdin"
	switch mode := info.Mode(); {
	case mode.IsDir():
		return syscall.EISDIR
	case mode.IsRegular() && info.Size() > maxFile:
		return errLargeFile
	case mode.IsRegular() || handed:
		return nil
	case mode&fs.ModeNamedPipe != 0:
		return errPipe
	default:
		return errDevice
	}
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
	case errors.Is(err, syscall.ENXIO):
		why = fmt.Sprintf("%s is a socket, not a file", name)
	case errors.Is(err, fs.ErrPermission):
		why = fmt.Sprintf("%s may not be read by this user", name)
	default:
		if rest, ok := strings.CutPrefix(why, "it "); ok {
			why = name + " " + rest
		}
	}
	return &fileError{role, why, err}
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
		case entry.IsDir():
			return nil
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
