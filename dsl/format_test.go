package dsl

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestFormat formats the files of the archives under testdata/format. NAME.in is
// the text, NAME.out what it is formatted to, or why it is not.
func TestFormat(t *testing.T) {
	archives, err := filepath.Glob("testdata/format/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { formatArchive(t, path) })
	}
}

func formatArchive(t *testing.T, path string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range archive.Files {
		want[f.Name] = string(f.Data)
	}
	var out []txtar.File
	for _, f := range archive.Files {
		name, ok := strings.CutSuffix(f.Name, ".in")
		if !ok {
			continue
		}
		got, err := Format(Source{Data: f.Data})
		if err != nil {
			got = []byte(err.Error() + "\n")
		}
		out = append(out, f, txtar.File{Name: name + ".out", Data: got})
		if !*update {
			t.Run(name, func(t *testing.T) {
				if diff := cmp.Diff(want[name+".out"], string(got)); diff != "" {
					t.Errorf("it is formatted differently (-want +got):\n%s", diff)
				}
				if err == nil {
					checkFormatted(t, f.Data, got)
				}
			})
		}
	}
	if *update {
		archive.Files = out
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// checkFormatted holds a formatted text to what Format promises, apart from
// what it checks itself.
func checkFormatted(t *testing.T, text, out []byte) {
	t.Helper()
	again, err := Format(Source{Data: out})
	if err != nil {
		t.Fatalf("what was formatted is not formatted again: %v\n%s", err, out)
	}
	if diff := cmp.Diff(string(out), string(again)); diff != "" {
		t.Fatalf("formatting again changes (-once +twice) of\n%s\n%s", text, diff)
	}
	a, found := Compile(Source{Data: text}, Options{})
	b, now := Compile(Source{Data: out}, Options{})
	if (a == nil) != (b == nil) || a != nil && a.Digest != b.Digest {
		t.Fatalf("the plan of\n%s\nis another one than that of\n%s", text, out)
	}
	if was, is := codesOf(found), codesOf(now); !slices.Equal(was, is) {
		t.Fatalf("the compiler finds %v in\n%s\nand %v in\n%s", was, text, is, out)
	}
}

func codesOf(diags Diagnostics) []string {
	var codes []string
	for _, d := range diags {
		codes = append(codes, d.Code)
	}
	slices.Sort(codes)
	return codes
}

// repositoryYAML calls f for every YAML file of the repository and every one
// that stands in an archive of tests.
func repositoryYAML(t testing.TB, f func(name string, text []byte)) {
	t.Helper()
	count := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != ".." && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case filepath.Ext(path) == ".yaml":
			text, err := os.ReadFile(path)
			f(path, text)
			count++
			return err
		case filepath.Ext(path) == ".txtar":
			archive, err := txtar.ParseFile(path)
			if err != nil {
				return err
			}
			for _, file := range archive.Files {
				if filepath.Ext(file.Name) == ".yaml" || filepath.Ext(file.Name) == ".in" {
					f(path+"/"+file.Name, file.Data)
					count++
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 100 {
		t.Fatalf("only %d files were found", count)
	}
}

// Every definition, tenant and test of the repository, the broken ones too, is
// formatted or refused with diagnostics.
func TestFormatEverything(t *testing.T) {
	repositoryYAML(t, func(name string, text []byte) {
		t.Run(name, func(t *testing.T) {
			out, err := Format(Source{Name: name, Data: text})
			var diags Diagnostics
			switch {
			case errors.As(err, &diags):
			case err != nil:
				t.Fatal(err)
			default:
				checkFormatted(t, text, out)
			}
		})
	})
}

func FuzzFormat(f *testing.F) {
	repositoryYAML(f, func(_ string, text []byte) { f.Add(text) })
	f.Fuzz(func(t *testing.T, text []byte) {
		out, err := Format(Source{Data: text})
		var diags Diagnostics
		switch {
		case errors.As(err, &diags):
		case err != nil:
			t.Fatal(err)
		default:
			checkFormatted(t, text, out)
		}
	})
}

// A file in brackets may become much longer in blocks: too long to be read.
func TestFormatGrowsTooLarge(t *testing.T) {
	text := "a: " + strings.Repeat("[", 190) + strings.Repeat("1, ", 100_000) + "1" + strings.Repeat("]", 190) + "\n"
	out, err := Format(Source{Data: []byte(text)})
	var diags Diagnostics
	if !errors.As(err, &diags) || diags[0].Code != CodeTooLarge || out != nil {
		t.Fatalf("%v", err)
	}
}
