package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// heard is what a command has written, and tells of every write.
type heard struct {
	mu    sync.Mutex
	text  strings.Builder
	wrote chan struct{}
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text.Write(p)
	select {
	case h.wrote <- struct{}{}:
	default:
	}
	return len(p), nil
}

// next waits until something was written, and forgets what stands before it.
func (h *heard) next(t *testing.T, want string) {
	t.Helper()
	late := time.After(time.Minute) // or a mistake would take as long as all tests may
	for {
		h.mu.Lock()
		before, after, found := strings.Cut(h.text.String(), want)
		if found {
			h.text.Reset()
			h.text.WriteString(after)
		}
		h.mu.Unlock()
		if found {
			return
		}
		select {
		case <-h.wrote:
		case <-late:
			t.Fatalf("%q was not written: %s", want, before)
		}
	}
}

// Tests run again when a definition, a test, an input or a new file changes, also
// after a file that is broken for a while.
func TestWatch(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	definition := "saga: w\nkey: ${{ input.id }}\nsteps:\n  - {id: a, call: t.a, effect: none}\noutput: ${{ input.n }}\n"
	tests := func(n string) string {
		return "saga: w\nmocks: {t.a: {output: {}}}\ncases:\n  - {name: one, input: {$ref: in.json}, expect: {output: " + n + "}}\n"
	}
	write("w.yaml", definition)
	write("in.json", `{"id": "k", "n": 1}`)
	write("w_test.yaml", tests("1"))
	out := &heard{wrote: make(chan struct{}, 1)}
	c := &console{in: strings.NewReader(""), out: out, err: out, width: func() int { return 80 }}
	cmd := &cobra.Command{}
	w := &tester{console: c, flags: configFlag(cmd), format: formatFlag(cmd)}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.keepWatch(ctx, []string{folder}) }()

	out.next(t, "1 case passed, 0 failed")
	out.next(t, "watching")
	write("w_test.yaml", tests("2"))
	out.next(t, "0 cases passed, 1 failed")
	out.next(t, "watching")
	write("in.json", `{"id": "k", "n": 2}`)
	out.next(t, "1 case passed, 0 failed")
	out.next(t, "watching")
	write("w.yaml", "saga: w\n  key: [\n")
	out.next(t, "error[SYNTAX]")
	out.next(t, "watching")
	write("w.yaml", definition)
	out.next(t, "1 case passed, 0 failed")
	out.next(t, "watching")
	write("x_test.yaml", strings.Replace(tests("2"), "one", "two", 1))
	out.next(t, "2 cases passed, 0 failed")
	out.next(t, "watching")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
