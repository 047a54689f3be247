//go:build !noembed

package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// dirLock is the exclusive claim of one process on a data directory. The kernel
// holds it for the open file, so it ends with the process however that dies.
type dirLock struct {
	file *os.File
	// crashed is true if the last holder never released the lock in order.
	crashed bool
}

// lockDir creates the data directory if need be and claims it. The lock file
// names the holder: its pid while it runs, nothing after it stopped in order.
func lockDir(cfg Config) (*dirLock, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, dirError(cfg.Dir, err)
	}
	path := cfg.path(lockFile)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, dirError(cfg.Dir, err)
	}
	if err := flock(file); err != nil {
		holder := readHolder(file)
		_ = file.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, dirError(cfg.Dir, err)
		}
		return nil, lockedError(cfg.Dir, holder)
	}
	lock := &dirLock{file: file, crashed: readHolder(file) != 0}
	if err := lock.write(strconv.Itoa(os.Getpid()) + "\n"); err != nil {
		_ = file.Close()
		return nil, dirError(cfg.Dir, err)
	}
	return lock, nil
}

// release gives the directory back and notes that its holder stopped in order.
// The file stays: removing it would let two processes hold two files of one name.
func (l *dirLock) release() error {
	return errors.Join(l.write(""), l.file.Close())
}

// abandon gives the directory back after a failed start, leaving the note of an
// earlier crash in place so that the next start still checks the database.
func (l *dirLock) abandon() {
	if !l.crashed {
		_ = l.write("")
	}
	_ = l.file.Close()
}

func (l *dirLock) write(text string) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(text), 0)
	return err
}

// flock claims the file without waiting, again if a signal interrupts the call.
func flock(file *os.File) error {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// readHolder gives the pid in the lock file, 0 if there is none.
func readHolder(file *os.File) int {
	text, err := io.ReadAll(io.NewSectionReader(file, 0, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}

func lockedError(dir string, pid int) error {
	holder := "another process"
	mend := "stop that process"
	if pid != 0 {
		holder = fmt.Sprintf("the process with pid %d", pid)
		mend = fmt.Sprintf("stop it (kill %d)", pid)
	}
	return &SetupError{
		Kind: ErrLocked, Subject: dir,
		Problem: fmt.Sprintf("the data directory %s is in use by %s", dir, holder),
		Mend:    mend + " or choose another directory with " + DirFlag,
	}
}
