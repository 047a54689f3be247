package host

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// A socketDir is the private directory of a host's Unix sockets. Its lock tells
// a later host whether the one that made it still lives.
type socketDir struct {
	path string
	lock *os.File
}

const (
	socketDirPattern = "sagad-sock-*"
	socketDirLock    = "lock"
	// maxSocketDir leaves room, in the 104 bytes of a Unix socket's path, for
	// the names go-plugin adds.
	maxSocketDir = 54
)

// makeSocketDir makes a directory that only this user can enter, and removes
// those that hosts which were killed have left.
func makeSocketDir() (*socketDir, error) {
	sweepSocketDirs()
	path, err := os.MkdirTemp("", socketDirPattern)
	if err != nil {
		return nil, fmt.Errorf("directory for sockets: %w", err)
	}
	d := &socketDir{path: path}
	if len(path) > maxSocketDir {
		_ = d.remove()
		return nil, fmt.Errorf("the directory for temporary files, %s, has too long a name for Unix sockets: set TMPDIR to a shorter one", filepath.Dir(path))
	}
	// Locked under another name first: a directory whose lock has its name is
	// never unlocked while its host lives.
	d.lock, err = os.Create(filepath.Join(path, "new"))
	if err == nil {
		err = syscall.Flock(int(d.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err == nil {
		err = os.Rename(d.lock.Name(), filepath.Join(path, socketDirLock))
	}
	if err != nil {
		_ = d.remove()
		return nil, fmt.Errorf("locking the directory for sockets: %w", err)
	}
	return d, nil
}

func sweepSocketDirs() {
	// The pattern is well formed, so Glob does not fail.
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), socketDirPattern, socketDirLock))
	for _, path := range left {
		lock, err := os.Open(path)
		if err != nil {
			continue // another user's
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(filepath.Dir(path)) // if it cannot be removed it stays
		}
		_ = lock.Close()
	}
}

// remove removes the directory. The lock is held until it is gone.
func (d *socketDir) remove() error {
	err := os.RemoveAll(d.path)
	if d.lock != nil {
		_ = d.lock.Close() // nothing was written
	}
	return err
}
