package temporal

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	historypb "go.temporal.io/api/history/v1"
)

// The corpus of frozen histories: one or more for each construct, recorded on a
// real server by `make histories`. It is only ever added to.
var corpus = filepath.Join("testdata", "histories")

// sums lists the files of the corpus with their SHA-256, as `sha256sum -c`
// reads it.
const sums = "SHA256SUMS"

// frozenFiles gives the names of the corpus's files.
func frozenFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(corpus, "*.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 80 {
		t.Fatalf("only %d frozen histories", len(files))
	}
	return files
}

func readFrozen(t *testing.T, file string) *historypb.History {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	history, err := ReadHistory(in)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return history
}

// TestCorpusIsWhole proves that the files of the corpus are the ones that were
// frozen.
func TestCorpusIsWhole(t *testing.T) {
	manifest, err := os.ReadFile(filepath.Join(corpus, sums))
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(string(manifest)) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok {
			t.Fatalf("%s: odd line %q", sums, line)
		}
		file := filepath.Join(corpus, name)
		listed = append(listed, file)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("a frozen history is gone: %v", err)
			continue
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(data)); got != sum {
			t.Errorf("%s was changed: its sum is %s, it was frozen with %s; add a history under another name instead", file, got, sum)
		}
	}
	slices.Sort(listed)
	if files := frozenFiles(t); !slices.Equal(files, listed) {
		t.Errorf("%s lists\n%q, the folder has\n%q", sums, listed, files)
	}
}

// TestCorpusIsOnlyAddedTo proves over git that no frozen history was ever
// changed or removed, as far back as this clone goes.
func TestCorpusIsOnlyAddedTo(t *testing.T) {
	if _, err := git(t, "rev-parse", "--git-dir"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the check needs git and a checkout: %v", err)
		}
		return // an archive of the sources: nothing to compare with
	}
	for what, args := range map[string][]string{
		"in the history": {"log", "--format=%h %s", "--name-status", "--no-renames", "--diff-filter=DMT", "--", corpus + "/*.json.gz"},
		"since HEAD":     {"diff", "--name-status", "--no-renames", "--diff-filter=DMT", "HEAD", "--", corpus + "/*.json.gz"},
	} {
		out, err := git(t, args...)
		if err != nil {
			t.Fatal(err)
		}
		if out != "" {
			t.Errorf("frozen histories were changed or removed %s:\n%s", what, out)
		}
	}
}

func git(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", args...).Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", strings.Join(args, " "), err)
	}
	return string(out), nil
}
