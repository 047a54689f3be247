// Package docs_test keeps the pages of this repository true: links lead
// somewhere, examples compile, commands do what the pages show, and lists are
// complete.
//
// What a fenced block is for stands behind its language:
//
//	```yaml saga              a definition; it compiles without errors
//	```yaml steps             a list of steps; it compiles inside a definition
//	```yaml steps shows=CODE  the same; the diagnostic CODE is reported
//	```yaml saga clean        a definition; nothing at all is reported (docs/diagnostics)
//	```text printed           what lint prints about the example before it (docs/diagnostics)
//	```yaml tenant            a tenant of what follows it (docs/diagnostics)
//	```json manifests         the plugins of what follows it (docs/diagnostics)
//	```json file=a/b.json     written to the page's folder; so are other languages
//	```go file=x/main.go      compiled; with build=DIR/NAME an executable is made;
//	                          with a name that ends in _test.go the tests are run
//	```console run            its commands are run, one after the other
//
// A page has a folder of its own for as long as its test runs, with the shipped
// definitions in it and the built binary as bin/sagad. A command is a line that
// starts with "$ "; the lines below it are what it prints, where "..." stands for
// anything. It has to end with status 0, or with the one that `$ echo $?` shows
// below it. `bin/sagad dev` stays up until the page ends.
package docs_test

import (
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const repository = ".."

// pages gives every Markdown file of the repository, relative to its root.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(repository, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != repository && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "bin" || entry.Name() == "testdata"):
			return filepath.SkipDir
		case filepath.Ext(path) == ".md":
			name, err := filepath.Rel(repository, path)
			all = append(all, filepath.ToSlash(name))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 8 {
		t.Fatalf("only %d pages were found: %v", len(all), all)
	}
	return all
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block is a fenced block of a page.
type block struct {
	line     int
	language string
	words    map[string]string // behind the language; the value of a bare word is empty
	text     string
}

func (b block) is(language, word string) bool {
	_, ok := b.words[word]
	return b.language == language && ok
}

// blocks gives the fenced blocks of a page, and the page without them.
func blocks(t *testing.T, page, text string) (found []block, rest string) {
	t.Helper()
	var prose, body strings.Builder
	var open *block
	for i, line := range strings.Split(text, "\n") {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && open == nil:
			fields := strings.Fields(fence)
			open = &block{line: i + 1, words: map[string]string{}}
			if len(fields) > 0 {
				open.language = fields[0]
			}
			for _, word := range fields[min(1, len(fields)):] {
				name, value, _ := strings.Cut(word, "=")
				open.words[name] = value
			}
		case isFence:
			open.text = body.String()
			found = append(found, *open)
			open = nil
			body.Reset()
		case open != nil:
			body.WriteString(line + "\n")
		default:
			prose.WriteString(line + "\n")
		}
	}
	if open != nil {
		t.Errorf("%s:%d: the block is not closed", page, open.line)
	}
	return found, prose.String()
}

var (
	linkForm    = regexp.MustCompile(`\]\(([^)\s]+)(?:\s+"[^"]*")?\)`)
	imageForm   = regexp.MustCompile(`(?:src|srcset)="([^"]+)"`)
	headingForm = regexp.MustCompile(`(?m)^#{1,6} +(.*)$`)
	codeForm    = regexp.MustCompile("`[^`]*`")
)

// Every link to a place in the repository leads to one, and so does its anchor.
func TestLinks(t *testing.T) {
	for _, page := range pages(t) {
		_, prose := blocks(t, page, read(t, page))
		prose = codeForm.ReplaceAllString(prose, "")
		for _, m := range append(linkForm.FindAllStringSubmatch(prose, -1), imageForm.FindAllStringSubmatch(prose, -1)...) {
			checkLink(t, page, m[1])
		}
	}
}

func checkLink(t *testing.T, page, link string) {
	u, err := url.Parse(link)
	if err != nil {
		t.Errorf("%s: the link %s: %v", page, link, err)
		return
	}
	if u.Scheme != "" || u.Host != "" {
		return
	}
	target := page
	if u.Path != "" {
		target = filepath.ToSlash(filepath.Join(filepath.Dir(page), u.Path))
		if strings.HasPrefix(target, "..") {
			t.Errorf("%s: the link %s leaves the repository", page, link)
			return
		}
		if _, err := os.Stat(filepath.Join(repository, target)); err != nil {
			t.Errorf("%s: the link %s leads nowhere: %v", page, link, err)
			return
		}
	}
	if u.Fragment == "" || filepath.Ext(target) != ".md" {
		return
	}
	_, prose := blocks(t, target, read(t, target))
	for _, heading := range headingForm.FindAllStringSubmatch(prose, -1) {
		if anchor(heading[1]) == u.Fragment {
			return
		}
	}
	t.Errorf("%s: the link %s: %s has no heading of that name", page, link, target)
}

var notInAnchors = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)

// anchor names a heading as code hosts do.
func anchor(heading string) string {
	return strings.ReplaceAll(notInAnchors.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), ""), " ", "-")
}

// Pictures are well formed, stand alone, and load nothing from elsewhere.
func TestPictures(t *testing.T) {
	files, err := filepath.Glob("img/*.svg")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no pictures", err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		decoder := xml.NewDecoder(f)
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Errorf("%s: %v", file, err)
				break
			}
			if e, ok := token.(xml.StartElement); ok && (e.Name.Local == "script" || e.Name.Local == "image") {
				t.Errorf("%s holds a <%s>", file, e.Name.Local)
			}
		}
		_ = f.Close() // only read
	}
}
