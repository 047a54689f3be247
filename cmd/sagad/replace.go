package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// replaceFile gives a file another content: all of it or, whatever happens,
// nothing. It keeps the file's mode, and of a symbolic link changes what that
// leads to. A file that no longer has the content before is left alone.
func replaceFile(name string, before, after []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s is not changed: %w", name, err)
		}
	}()
	target, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(target)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o222 == 0 {
		return fmt.Errorf("it may not be written: its mode is %s", info.Mode().Perm())
	}
	temp, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = temp.Close() // it may be closed already
			_ = os.Remove(temp.Name())
		}
	}()
	if _, err := temp.Write(after); err != nil {
		return err
	}
	if err := temp.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	if err := temp.Sync(); err != nil {
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	if now, err := os.ReadFile(target); err != nil || !bytes.Equal(now, before) {
		return fmt.Errorf("somebody else changes it at this moment; run the command again")
	}
	return os.Rename(temp.Name(), target)
}
