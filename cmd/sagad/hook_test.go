package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// project is a git repository with a good definition and its test.
type project struct {
	t   *testing.T
	dir string
}

func newProject(t *testing.T) *project {
	t.Helper()
	p := &project{t: t, dir: t.TempDir()}
	for _, command := range [][]string{
		{"git", "init", "-q"}, {"git", "config", "user.name", "Ada"}, {"git", "config", "user.email", "ada@example.com"},
		{"sagad", "new", "transfer", "--dir", "definitions/mine"}, {"git", "add", "."}, {"git", "commit", "-qm", "a transfer"},
	} {
		if out, err := p.run(command...); err != nil {
			t.Fatalf("%v: %v\n%s", command, err, out)
		}
	}
	return p
}

func (p *project) run(command ...string) (string, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = p.dir
	// The git of this repository, should one run the tests from a hook.
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_DIR="+filepath.Join(p.dir, ".git"), "GIT_WORK_TREE="+p.dir)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// change replaces a text in a file.
func (p *project) change(file, from, to string) {
	p.t.Helper()
	name := filepath.Join(p.dir, "definitions", "mine", file)
	text, err := os.ReadFile(name)
	if err != nil {
		p.t.Fatal(err)
	}
	changed := strings.Replace(string(text), from, to, 1)
	if changed == string(text) {
		p.t.Fatalf("%s has no %q", file, from)
	}
	if err := os.WriteFile(name, []byte(changed), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// spoilt are changes that a hook refuses, with what it says.
var spoilt = []struct{ name, file, from, to, says string }{
	{"broken", "transfer.yaml", "deadline:", "dedline:", `UNKNOWN_KEY`},
	{"untidy", "transfer.yaml", "deadline: 2h", "deadline:    2h", "would be formatted otherwise"},
	{"wrong", "transfer_test.yaml", "trace: [hold, send, settle]", "trace: [hold, settle, send]", "1 failed"},
}

// The hook on the page about editors refuses a bad commit, and looks at what is
// committed, not at what else lies in the folder.
func TestGitHook(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(repository(t), "docs", "editors.md"))
	if err != nil {
		t.Fatal(err)
	}
	hook := regexp.MustCompile("(?s)```sh\n(.*?)```").FindSubmatch(page)
	if hook == nil {
		t.Fatal("the page has no hook")
	}
	install := func(t *testing.T) *project {
		p := newProject(t)
		if err := os.MkdirAll(filepath.Join(p.dir, ".git", "hooks"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(p.dir, ".git", "hooks", "pre-commit"), hook[1], 0o700); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, c := range spoilt {
		t.Run(c.name, func(t *testing.T) {
			p := install(t)
			p.change(c.file, c.from, c.to)
			if out, err := p.run("git", "commit", "-qam", "spoilt"); err == nil || !strings.Contains(out, c.says) {
				t.Errorf("the commit ends with %v, want %q:\n%s", err, c.says, out)
			}
		})
	}
	t.Run("good", func(t *testing.T) {
		p := install(t)
		p.change("transfer.yaml", "deadline: 2h", "deadline: 3h")
		if out, err := p.run("git", "add", "."); err != nil {
			t.Fatal(out)
		}
		p.change("transfer.yaml", "deadline:", "dedline:") // not to be committed yet
		if out, err := p.run("git", "commit", "-qm", "good"); err != nil {
			t.Errorf("the commit ends with %v:\n%s", err, out)
		}
	})
}

// The hooks for pre-commit run commands that there are, pass on what is good and
// refuse what is not. sagad-fmt mends: pre-commit refuses what a hook changes.
func TestPreCommitHooks(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository(t), ".pre-commit-hooks.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	hooks := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?m)^- id: (\S+)$(?s:.*?)^  entry: (.+)$\n^  args: \[(.+)\]$`).FindAllStringSubmatch(string(text), -1) {
		hooks[m[1]] = append(strings.Fields(m[2]), strings.Split(m[3], ", ")...)
	}
	for i, id := range []string{"sagad-lint", "sagad-fmt", "sagad-test"} {
		t.Run(id, func(t *testing.T) {
			command, c := hooks[id], spoilt[i]
			if command == nil {
				t.Fatalf("there is no hook %s in %v", id, hooks)
			}
			p := newProject(t)
			if out, err := p.run(command...); err != nil {
				t.Errorf("of what is good %v says %v:\n%s", command, err, out)
			}
			p.change(c.file, c.from, c.to)
			out, err := p.run(command...)
			if id == "sagad-fmt" {
				if left, diffErr := p.run("git", "diff", "--stat"); err != nil || diffErr != nil || left != "" || out == "" {
					t.Errorf("%v does not mend: %v, %v\n%s%s", command, err, diffErr, out, left)
				}
			} else if err == nil || !strings.Contains(out, c.says) {
				t.Errorf("of what is bad %v says %v:\n%s", command, err, out)
			}
		})
	}
	if len(hooks) != 3 {
		t.Errorf("there are hooks that are not tested: %v", hooks)
	}
}
