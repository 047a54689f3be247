package docs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// commandTime bounds one command of a page.
const commandTime = 2 * time.Minute

// binary gives the built sagad. Without one the test is left out, loudly; where
// nobody looks it fails.
func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("SAGAD_BIN")
	if path == "" {
		const message = "SAGAD_BIN is not set: the commands on the pages are not checked. Run `make build`, then SAGAD_BIN=bin/sagad, or `make test`, which does both."
		if os.Getenv("CI") == "true" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	if !filepath.IsAbs(path) { // from the root of the repository
		path = filepath.Join(repository, path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("SAGAD_BIN: %v; run `make build`", err)
	}
	return path
}

// The commands on the pages do what the pages show.
func TestConsole(t *testing.T) {
	sagad := binary(t)
	for _, page := range pages(t) {
		found, _ := blocks(t, page, read(t, page))
		runs := false
		for _, b := range found {
			runs = runs || b.is("console", "run")
		}
		if !runs {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(page), ".md"), func(t *testing.T) {
			f := newFolder(t, page, sagad)
			for _, b := range found {
				f.play(b)
			}
		})
	}
}

// folder is where the commands of one page run.
type folder struct {
	t     *testing.T
	page  string
	dir   string
	env   []string
	files map[string]string // Go files, by their place
}

func newFolder(t *testing.T, page, sagad string) *folder {
	t.Helper()
	dir, err := os.MkdirTemp("", "page") // sockets want short paths
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // the system removes it otherwise
	f := &folder{t: t, page: page, dir: dir, files: map[string]string{}}
	for _, name := range []string{"HOME", "PATH", "TMPDIR", "USER", "GOCACHE", "GOPATH", "GOMODCACHE", "GOFLAGS", "GOPROXY", "GOTOOLCHAIN"} {
		if value, ok := os.LookupEnv(name); ok {
			f.env = append(f.env, name+"="+value)
		}
	}
	err = os.CopyFS(filepath.Join(dir, "definitions"), os.DirFS(filepath.Join(repository, "definitions")))
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, "bin"), 0o700)
	}
	if err == nil {
		err = os.Symlink(sagad, filepath.Join(dir, "bin", "sagad"))
	}
	if err == nil {
		err = os.Symlink(filepath.Join(filepath.Dir(sagad), "plugins"), filepath.Join(dir, "bin", "plugins"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// play does what a block is for.
func (f *folder) play(b block) {
	f.t.Helper()
	name, isFile := b.words["file"]
	switch {
	case isFile && b.language == "go":
		f.write(filepath.Join("go", name), b.text)
		f.files[name] = filepath.Join(f.dir, "go", name)
		f.compile(b, name)
	case isFile:
		f.write(name, b.text)
		if b.language == "json" && !json.Valid([]byte(b.text)) {
			f.t.Errorf("%s:%d: %s is no JSON", f.page, b.line, name)
		}
	case b.is("console", "run"):
		for _, c := range commands(b) {
			f.run(c)
		}
	}
}

func (f *folder) write(name, text string) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o600)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// compile compiles the Go files of a page as if they stood in this module, and
// runs those that are tests.
func (f *folder) compile(b block, name string) {
	f.t.Helper()
	replace := map[string]string{}
	root, err := filepath.Abs("snippets")
	if err != nil {
		f.t.Fatal(err)
	}
	for at, file := range f.files {
		replace[filepath.Join(root, at)] = file
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		f.t.Fatal(err)
	}
	f.write("overlay.json", string(overlay))
	out := filepath.Join(f.dir, "go", "out")
	args := []string{"build"}
	if strings.HasSuffix(name, "_test.go") {
		args = []string{"test", "-vet=off", "-c"} // vet wants a folder that exists
	} else if built := b.words["build"]; built != "" {
		out = filepath.Join(f.dir, built)
	}
	args = append(args, "-overlay", filepath.Join(f.dir, "overlay.json"), "-o", out, "./snippets/"+filepath.Dir(name))
	if text, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		f.t.Fatalf("%s:%d: %s: %v\n%s", f.page, b.line, name, err, text)
	}
	if args[0] != "test" {
		return
	}
	test := exec.Command(out)
	test.Dir = f.dir
	if text, err := test.CombinedOutput(); err != nil {
		f.t.Errorf("%s:%d: %s: %v\n%s", f.page, b.line, name, err, text)
	}
}

// command is one command of a block with what it prints.
type command struct {
	line   int
	text   string
	status int
	prints []string
}

// commands reads the commands of a block. `echo $?` is the status of the one
// before it. A command goes on in the next line after a backslash.
func commands(b block) (all []command) {
	lines := strings.Split(strings.TrimSuffix(b.text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		text, starts := strings.CutPrefix(lines[i], "$ ")
		if !starts {
			if len(all) > 0 {
				last := &all[len(all)-1]
				last.prints = append(last.prints, strings.TrimRight(lines[i], " "))
			}
			continue
		}
		if text == "echo $?" && len(all) > 0 && i+1 < len(lines) {
			all[len(all)-1].status, _ = strconv.Atoi(lines[i+1]) // a wrong number does not fit the status
			i++
			continue
		}
		c := command{line: b.line + i + 1, text: text}
		for strings.HasSuffix(c.text, `\`) && i+1 < len(lines) {
			i++
			c.text = strings.TrimSuffix(c.text, `\`) + strings.TrimSpace(lines[i])
		}
		all = append(all, c)
	}
	return all
}

func (f *folder) run(c command) {
	f.t.Helper()
	if strings.HasPrefix(c.text, "bin/sagad dev") {
		f.serve(c)
		return
	}
	ctx, cancel := context.WithTimeout(f.t.Context(), commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", c.text)
	cmd.Dir, cmd.Env = f.dir, f.env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		f.t.Fatalf("%s:%d: %s: %v", f.page, c.line, c.text, err)
	}
	if status := cmd.ProcessState.ExitCode(); status != c.status {
		f.t.Errorf("%s:%d: %s: status %d, want %d\n%s", f.page, c.line, c.text, status, c.status, out)
		return
	}
	f.compare(c, string(out))
}

// compare wants every line that the page shows in what was printed.
func (f *folder) compare(c command, out string) {
	f.t.Helper()
	for _, line := range c.prints {
		if strings.TrimSpace(line) == "" || strings.TrimSpace(line) == "..." {
			continue
		}
		parts := strings.Split(line, "...")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		if !regexp.MustCompile(`(?m)^` + strings.Join(parts, `.*`) + ` *$`).MatchString(out) {
			f.t.Errorf("%s:%d: %s: the page shows\n\t%s\nand it prints\n%s", f.page, c.line, c.text, line, out)
			return
		}
	}
}

// devReady is the last line that `sagad dev` prints before it waits.
const devReady = "Ctrl-C stops it."

// serve runs a `sagad dev` beside the page.
func (f *folder) serve(c command) {
	f.t.Helper()
	cmd := exec.Command("sh", "-c", "exec "+c.text+" --ui-port 0")
	out := &output{ready: make(chan struct{})}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = f.dir, f.env, out, out
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-out.ready:
	case err := <-done:
		f.t.Fatalf("%s:%d: %s: %v\n%s", f.page, c.line, c.text, err, out.text())
	case <-time.After(commandTime):
		_ = cmd.Process.Kill() // it hangs
		f.t.Fatalf("%s:%d: %s is not up\n%s", f.page, c.line, c.text, out.text())
	}
	f.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT) // it may have ended; then its status says so
		if err := <-done; err != nil {
			f.t.Errorf("%s:%d: %s: %v\n%s", f.page, c.line, c.text, err, out.text())
		}
	})
	f.compare(c, out.text())
}

// output keeps what a process prints and tells when it is up.
type output struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	ready chan struct{} // closed when the process is up
	up    bool
}

// Write takes what the process prints.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.buf.Write(p)
	if !o.up && strings.Contains(o.buf.String(), devReady) {
		o.up = true
		close(o.ready)
	}
	return n, err
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
