package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/sagad/sagad/cmd/sagad/sarif"
	"github.com/sagad/sagad/dsl"
)

func lintCommand(c *console) *cobra.Command {
	l := linter{console: c}
	cmd := &cobra.Command{
		Use:   "lint FILE|DIR...",
		Short: "Check definitions, their tests and tenants, and name every problem",
		Long: `Check definitions, their tests and tenants, and name every problem at once. What activities
take and give is read from --manifests, or from the nearest ` + manifestFile + ` beside
or above the definition, which ` + "`sagad plugin list -o json`" + ` writes.

Of a folder all .yaml files are checked: those in a folder tenants are tenants,
those that end in _test.yaml are tests, which are checked against their
definition, and sagad.yaml is the configuration. Folders that are called testdata
or begin with a dot are left out.

Sensitive data must stay in the regions of the tenants in the folder tenants of
the definitions, or of the one that --tenant names.

On a terminal the lines that a problem is about stand below it; --source shows
them elsewhere, too. ` + "`sagad explain CODE`" + ` says more about a problem.`,
		Example: `  sagad lint payment.yaml
  sagad lint payment.yaml --source
  sagad lint definitions --format json
  sagad lint definitions --format sarif > lint.sarif
  sagad lint payment.yaml --manifests build/plugins.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("FILE is missing; see `%s --help`", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return l.run(args) },
	}
	l.flags, l.format = configFlag(cmd), lintFormat(formatText)
	cmd.Flags().VarP(&l.format, "format", "o", "what to print")
	cmd.Flags().StringArrayVar(&l.manifests, "manifests", nil, "`FILE` of plugin manifests; may be repeated")
	cmd.Flags().StringVar(&l.tenants.only, "tenant", "", "check only that the data of the tenant `NAME` stay in its regions (default all beside the definitions)")
	cmd.Flags().BoolVar(&l.source, "source", c.outTTY, "show the lines that a problem is about (default on a terminal)")
	return cmd
}

// linter is one `sagad lint`.
type linter struct {
	console   *console
	flags     *flags
	format    lintFormat
	manifests []string

	mu    sync.Mutex     // guards what follows, and tenants
	blind bool           // no manifests were found for a definition
	given []dsl.Manifest // from --manifests
	files manifestFiles

	tenants tenantFiles

	source bool              // the lines that a problem is about are shown
	texts  map[string][]byte // of the files with problems
}

func (l *linter) run(args []string) error {
	s, err := l.flags.checking()
	if err != nil {
		return err
	}
	if l.tenants.console = l.console; l.tenants.only != "" && !dsl.ValidTenantName(l.tenants.only) {
		return fmt.Errorf("--tenant %q cannot name a tenant; write small letters, digits and hyphens", l.tenants.only)
	}
	for _, file := range l.manifests {
		m, err := l.files.load(file)
		if err != nil {
			return err
		}
		l.given = append(l.given, m...)
	}
	files, err := l.filesOf(args)
	if err != nil {
		return err
	}
	all := dsl.Diagnostics{}
	l.texts = make(map[string][]byte)
	for _, file := range files {
		s.library(file) // is there before several ask for it
	}
	defer debug.SetGCPercent(debug.SetGCPercent(lintGC))
	checks := make([]fileCheck, len(files))
	inParallel(len(files), func(i int) { checks[i] = l.check(s, files[i]) })
	for i, check := range checks {
		if check.err != nil {
			return check.err
		}
		if len(check.found) > 0 {
			l.texts[files[i]] = check.text
		}
		all = append(all, check.found...)
	}
	return l.report(all, len(files))
}

// lintGC lets garbage grow to four times of what is in use while files are
// checked: that is some tens of MB, and a quarter of the time goes into collecting it
// otherwise.
const lintGC = 400

// inParallel calls f for 0 to n-1, with as many at a time as there are
// processors.
func inParallel(n int, f func(int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	workers.Wait()
}

func (l *linter) report(all dsl.Diagnostics, files int) error {
	if err := l.print(all); err != nil {
		return err
	}
	count := 0
	for _, d := range all {
		if d.Severity == dsl.SeverityError {
			count++
		}
	}
	if l.blind && count == 0 { // first things first
		l.console.note("no manifests of plugins were found, so activities are not checked; write them beside the definitions: sagad plugin list -o json > %s", manifestFile)
	}
	if count > 0 {
		return fmt.Errorf("%s in %s", plural(count, "error"), plural(files, "file"))
	}
	return nil
}

// lintFormat is the flag -o of lint.
type lintFormat string

const formatSARIF = "sarif"

// String gives the value.
func (f *lintFormat) String() string { return string(*f) }

// Type names the values.
func (f *lintFormat) Type() string { return "text|json|sarif" }

// Set takes a value.
func (f *lintFormat) Set(s string) error {
	switch s {
	case string(formatText), string(formatJSON), formatSARIF:
		*f = lintFormat(s)
		return nil
	}
	return errors.New("it is text, json or sarif")
}

func (l *linter) print(all dsl.Diagnostics) error {
	switch l.format {
	case lintFormat(formatJSON):
		return printJSON(l.console.out, all)
	case formatSARIF:
		folder, err := os.Getwd()
		if err != nil {
			return err
		}
		return sarif.Write(l.console.out, sarif.Run{Version: readVersions().Version, Folder: folder, Diagnostics: all})
	}
	for i, d := range all {
		if l.source && i > 0 {
			l.console.say("")
		}
		l.console.say("%s", diagnosticLine(l.console.style(), d))
		if l.source {
			l.console.excerpt(d, l.texts[d.File])
		}
	}
	return nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// fileCheck is what the check of one file gives.
type fileCheck struct {
	text  []byte
	found dsl.Diagnostics
	err   error // it could not be checked at all
}

// check checks one file. It may run for several at a time.
func (l *linter) check(s *settings, file string) fileCheck {
	text, err := readFile("definition", file)
	if err != nil {
		return fileCheck{found: dsl.Diagnostics{unreadFile(file, err)}}
	}
	found, err := l.checkText(s, file, text)
	return fileCheck{text, found, err}
}

// unreadFile is the diagnostic of a file that cannot be read.
func unreadFile(file string, err error) dsl.Diagnostic {
	what := err.Error()
	var unread *fileError
	switch {
	case errors.Is(err, fs.ErrNotExist): // it was there a moment ago, or its name leads on
		what = "it is not there, or a link that leads nowhere"
	case errors.As(err, &unread):
		what = strings.Replace(unread.why, file, "it", 1)
	}
	return dsl.Diagnostic{File: file, Severity: dsl.SeverityError, Code: dsl.CodeFile, Summary: what, Detail: "mend the file, or leave it out"}
}
