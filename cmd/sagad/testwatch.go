package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long files must be quiet before tests run again: editors write in
// several steps.
const settle = 80 * time.Millisecond

// keepWatch runs the tests now and whenever a file changes, until it is stopped.
func (t *tester) keepWatch(ctx context.Context, args []string) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("--watch: %w", err)
	}
	defer watcher.Close()
	for {
		if err := watchFolders(watcher, args); err != nil {
			return fmt.Errorf("--watch: %w", err)
		}
		if t.console.outTTY {
			_, _ = fmt.Fprint(t.console.out, "\x1b[H\x1b[2J") // who reads it may have gone
		}
		if err := t.run(args); err != nil && !errors.As(err, new(outcomeError)) {
			t.console.note("%s %s", t.console.errStyle().Red("sagad:"), err)
		}
		t.console.note("%s", t.console.errStyle().Dim("watching; Ctrl-C ends it"))
		if !changed(ctx, watcher) {
			return nil
		}
	}
}

// watchFolders watches the folders of what is named, those below, and those above
// up to the working directory: there are the manifests.
func watchFolders(watcher *fsnotify.Watcher, args []string) error {
	for _, arg := range args {
		folder := arg
		if info, err := os.Stat(arg); err == nil && !info.IsDir() {
			folder = filepath.Dir(arg)
		}
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil || !entry.IsDir():
				return err
			case path != folder && strings.HasPrefix(entry.Name(), "."):
				return filepath.SkipDir
			}
			return watcher.Add(path)
		})
		if err != nil {
			return err
		}
		for dir := filepath.Clean(folder); dir != "." && dir != string(filepath.Separator); {
			dir = filepath.Dir(dir)
			if err := watcher.Add(dir); err != nil {
				return err
			}
			if filepath.IsAbs(dir) {
				break // as far as the folder of the definitions, usually
			}
		}
	}
	return nil
}

// changed waits until a definition, a test, an input or a manifest has changed. It
// is false when the context ends.
func changed(ctx context.Context, watcher *fsnotify.Watcher) bool {
	var quiet <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return false
		case ev, ok := <-watcher.Events:
			if !ok {
				return false
			}
			switch filepath.Ext(ev.Name) {
			case ".yaml", ".json", "":
				quiet = time.After(settle)
			}
		case _, ok := <-watcher.Errors: // too many events: something has changed
			if !ok {
				return false
			}
			quiet = time.After(settle)
		case <-quiet:
			return true
		}
	}
}
