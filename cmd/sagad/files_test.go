package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("good", "text")
	write("empty", "")
	write("large", "")
	if err := os.Truncate(path("large"), 100<<20); err != nil { // sparse: it takes no room
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path("nothing"), path("dangling")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"large": "has over 16 MB", "pipe": "is a pipe, not a file", "dangling": "there is no file", "nothing": "there is no file",
		"good/x": "a part of its path is a file", ".": "is a folder",
	} {
		if _, err := readFile("input", path(name)); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "input: ") {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	for name, want := range map[string]string{"/dev/zero": "is a device, not a file", "": "the name is empty"} {
		if _, err := readFile("input", name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
	for name, want := range map[string]string{path("good"): "text", path("empty"): "", "/proc/self/comm": "sagad.test\n"} {
		if got, err := readFile("input", name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// What a shell hands over as a file is read to its end, as often as somebody
// writes to it.
func TestReadHandedPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		_, _ = w.WriteString("first ")
		_, _ = w.WriteString("second")
		_ = w.Close()
	}()
	name := "/dev/fd/" + strconv.Itoa(int(r.Fd()))
	if got, err := readFile("input", name); err != nil || string(got) != "first second" {
		t.Errorf("%q, %v", got, err)
	}
}

// A file that grows, shrinks or is written to while it is read is read again.
func TestUnchanged(t *testing.T) {
	name := filepath.Join(t.TempDir(), "changing")
	at := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	state := func(text string, later time.Duration) fs.FileInfo {
		t.Helper()
		if err := errors.Join(os.WriteFile(name, []byte(text), 0o600), os.Chtimes(name, at, at.Add(later))); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	before := state("12345678", 0)
	for _, c := range []struct {
		name  string
		after fs.FileInfo
		read  int
		want  bool
	}{
		{"nothing happened", state("12345678", 0), 8, true},
		{"it grew", state("1234567890", 0), 8, false},
		{"it shrank", state("1234", 0), 4, false},
		{"it was written to", state("87654321", time.Nanosecond), 8, false},
		{"a part was read", state("12345678", 0), 7, false},
	} {
		if got := unchanged(before, c.after, c.read); got != c.want {
			t.Errorf("%s: unchanged = %v", c.name, got)
		}
	}
}
