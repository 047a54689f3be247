package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/sagad/sagad/dsl"
)

func fmtCommand(c *console) *cobra.Command {
	f := formatter{console: c}
	cmd := &cobra.Command{
		Use:   "fmt FILE|DIR...|-",
		Short: "Format definitions, their tests, tenants and sagad.yaml in place",
		Long: `Format definitions, their tests, tenants and sagad.yaml in place, and name the
files that changed. Comments are kept, and what a file means never changes: a
file that cannot be read is left as it is, and so is one whose meaning would
differ afterwards.

Of a folder those .yaml files are formatted that say by their name, their folder
or their key saga that they are sagad's; folders named testdata are left out. A
file that is named is always formatted. - formats standard input to standard
output.`,
		Example: `  sagad fmt definitions
  sagad fmt --check --diff definitions     # in CI: exit 1 if a file would change
  sagad fmt - < payment.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("FILE is missing; see `%s --help`", cmd.CommandPath())
			}
			if len(args) > 1 && slices.Contains(args, "-") {
				return errors.New("- stands alone: it is standard input")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return f.run(args) },
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "write nothing; name the files that would change and exit 1 if there are any")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "write nothing; show what would change")
	f.format = formatFlag(cmd)
	return cmd
}

// formatter is one `sagad fmt`.
type formatter struct {
	console     *console
	check, diff bool
	format      *format

	files []formattedFile
}

// formattedFile is what became of one file.
type formattedFile struct {
	File    string `json:"file"`
	Changed bool   `json:"changed"`        // it is, or would be, written otherwise
	Diff    string `json:"diff,omitempty"` // with --diff
}

func (f *formatter) run(args []string) error {
	if args[0] == "-" {
		return f.pipe()
	}
	files, err := formattable(args)
	if err != nil {
		return err
	}
	refused := 0
	for _, file := range files {
		if err := f.file(file); err != nil {
			refused++
			f.console.fail(err)
		}
	}
	if f.format.json() {
		if err := printJSON(f.console.out, append([]formattedFile{}, f.files...)); err != nil {
			return err
		}
	}
	if refused > 0 {
		return fmt.Errorf("%s cannot be formatted and %s left as %s", plural(refused, "file"), verb(refused, "was", "were"), verb(refused, "it is", "they are"))
	}
	return f.verdict()
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// verdict is the error of a check that did not pass.
func (f *formatter) verdict() error {
	changed := 0
	for _, file := range f.files {
		if file.Changed {
			changed++
		}
	}
	if !f.check || changed == 0 {
		return nil
	}
	return outcomeError{fmt.Sprintf("%s of %d would be formatted otherwise; run sagad fmt", plural(changed, "file"), len(f.files))}
}

// pipe formats standard input.
func (f *formatter) pipe() error {
	const name = "standard input"
	text, err := io.ReadAll(io.LimitReader(f.console.in, dsl.MaxSourceBytes+1))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	out, err := dsl.Format(dsl.Source{Name: name, Data: text})
	switch {
	case err != nil:
		return err
	case f.check || f.diff || f.format.json():
		f.compare(name, text, out)
		if f.format.json() {
			if err := printJSON(f.console.out, f.files); err != nil {
				return err
			}
		}
		return f.verdict()
	}
	_, err = f.console.out.Write(out)
	return err
}

// file formats one file.
func (f *formatter) file(file string) error {
	text, err := f.read(file)
	if err != nil {
		return err
	}
	out, err := dsl.Format(dsl.Source{Name: file, Data: text})
	if err != nil {
		return err
	}
	if !f.check && !f.diff && !bytes.Equal(text, out) {
		if err := replaceFile(file, text, out); err != nil {
			return err
		}
	}
	f.compare(file, text, out)
	return nil
}

// read gives a file that can be written again.
func (f *formatter) read(file string) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, unreadable("file", file, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not an ordinary file", file)
	}
	text, err := readWhole(file)
	if err != nil {
		return nil, unreadable("file", file, err)
	}
	return text, nil
}

// compare tells of a file.
func (f *formatter) compare(name string, text, out []byte) {
	result := formattedFile{File: name, Changed: !bytes.Equal(text, out)}
	if f.diff && result.Changed {
		result.Diff = string(diff.Diff(name, text, name, out))
	}
	f.files = append(f.files, result)
	switch {
	case f.format.json() || !result.Changed:
	case f.diff:
		f.console.say("%s", f.coloured(result.Diff))
	default:
		f.console.say("%s", name)
	}
}

// coloured gives a unified diff as a terminal shows it.
func (f *formatter) coloured(text string) string {
	style := f.console.style()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "diff ") || strings.HasPrefix(line, "+++") || strings.HasPrefix(line, "---"):
			lines[i] = style.Bold(line)
		case strings.HasPrefix(line, "+"):
			lines[i] = style.Green(line)
		case strings.HasPrefix(line, "-"):
			lines[i] = style.Red(line)
		case strings.HasPrefix(line, "@@"):
			lines[i] = style.Dim(line)
		}
	}
	return strings.Join(lines, "\n")
}

// formattable gives the files that are named, and of the folders that are those
// that are sagad's.
func formattable(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		switch {
		case err != nil:
			return nil, unreadable("file", arg, err)
		case !info.IsDir() && filepath.Ext(arg) == ".json":
			return nil, fmt.Errorf("%s is JSON; fmt formats YAML", arg)
		case !info.IsDir():
			files = append(files, arg)
			continue
		}
		found, err := formattableIn(arg)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s has no definitions, tests or tenants to format", arg)
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

func formattableIn(folder string) ([]string, error) {
	return filesBelow(folder, func(path string) (bool, error) {
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			return false, nil // nothing that could be written again
		}
		switch {
		case filepath.Ext(path) != ".yaml":
			return false, nil
		case filepath.Base(path) == defaultConfig || filepath.Base(filepath.Dir(path)) == tenantsFolder:
			return true, nil
		}
		saga, err := sagaOf(path)
		return saga != "", err
	})
}
