package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/sagad/sagad/cmd/sagad/testreport"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine/sagatest"
)

func testCommand(c *console) *cobra.Command {
	t := tester{console: c}
	cmd := &cobra.Command{
		Use:   "test FILE|DIR...",
		Short: "Run the tests beside definitions",
		Long: `Run the tests beside definitions, in virtual time and without plugins: what
activities answer stands in the tests. FILE is a test file, or a definition whose
tests stand beside it; of a folder all files that end in _test.yaml are run.

With ` + "`matrix: true`" + ` a test file also runs every step of its completed cases with
every kind of fault, and checks the rules that hold whatever happens.`,
		Example: `  sagad test definitions
  sagad test payment_test.yaml --run 'nobody confirms'
  sagad test payment.yaml --watch --cover
  sagad test definitions --junit results.xml -o json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("FILE is missing; see `%s --help`", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return t.command(cmd.Context(), args) },
	}
	t.flags, t.format = configFlag(cmd), formatFlag(cmd)
	cmd.Flags().StringArrayVar(&t.manifests, "manifests", nil, "`FILE` of plugin manifests; may be repeated")
	cmd.Flags().StringVar(&t.pattern, "run", "", "run only what matches `REGEXP`: the name of a case, or CASE / FAULT of a matrix")
	cmd.Flags().BoolVar(&t.cover, "cover", false, "show which steps, branches, catches and compensations the cases do not reach")
	cmd.Flags().IntVar(&t.coverMin, "cover-min", 0, "fail if the cases reach less than `PERCENT` of a definition")
	cmd.Flags().StringVar(&t.junit, "junit", "", "write the results to `FILE` as JUnit XML, too")
	cmd.Flags().BoolVar(&t.watch, "watch", false, "run again whenever a file changes")
	return cmd
}

// tester is one `sagad test`.
type tester struct {
	console   *console
	flags     *flags
	format    *format
	manifests []string

	pattern, junit string
	cover, watch   bool
	coverMin       int

	only  *regexp.Regexp // nil: everything
	files manifestFiles
	given []dsl.Manifest
}

func (t *tester) command(ctx context.Context, args []string) (err error) {
	if t.pattern != "" {
		if t.only, err = regexp.Compile(t.pattern); err != nil {
			return fmt.Errorf("--run %q is no regular expression: %w", t.pattern, err)
		}
	}
	if t.coverMin < 0 || t.coverMin > 100 {
		return fmt.Errorf("--cover-min %d is no percentage; write a number from 0 to 100", t.coverMin)
	}
	if t.watch && t.format.json() {
		return errors.New("--watch and -o json do not go together: watching has no end")
	}
	if t.watch {
		ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		defer stop()
		return t.keepWatch(ctx, args)
	}
	return t.run(args)
}

// run runs all tests once.
func (t *tester) run(args []string) error {
	s, err := t.flags.checking()
	if err != nil {
		return err
	}
	t.files, t.given = manifestFiles{}, nil
	for _, file := range t.manifests {
		m, err := t.files.load(file)
		if err != nil {
			return err
		}
		t.given = append(t.given, m...)
	}
	suites, held, err := t.load(s, args)
	if err != nil {
		return err
	}
	report := testreport.Report{Cases: []testreport.Case{}, Matrix: testreport.Matrix{Violations: []testreport.Violation{}}}
	printer := &testreport.Printer{W: t.console.out, Style: t.console.style()}
	for _, suite := range suites {
		cases, matrix, took := t.play(suite)
		if !t.format.json() && len(cases)+matrix.Runs > 0 {
			printer.File(suite.file, cases, matrix, took)
		}
		for _, c := range cases {
			report.Add(c)
		}
		report.Matrix.Runs, report.Matrix.Left = report.Matrix.Runs+matrix.Runs, report.Matrix.Left+matrix.Left
		for _, v := range matrix.Violations {
			report.Matrix.Violations = append(report.Matrix.Violations, testreport.Violation{File: suite.file, Violation: v})
		}
	}
	if len(report.Cases)+report.Matrix.Runs == 0 {
		return fmt.Errorf("no case matches --run %q", t.pattern)
	}
	err = t.report(printer, report, suites)
	if len(held) > 0 {
		return fmt.Errorf("not run for the errors above: %s", strings.Join(held, ", "))
	}
	return err
}

func (t *tester) report(printer *testreport.Printer, report testreport.Report, suites []*suite) error {
	low := ""
	for _, c := range covered(suites) {
		if t.cover || t.coverMin > 0 {
			report.Coverage = append(report.Coverage, c)
		}
		if c.Percent() < t.coverMin {
			low = fmt.Sprintf("the tests reach %d%% of %s, less than %d%%", c.Percent(), c.Saga, t.coverMin)
		}
	}
	if t.junit != "" {
		var text bytes.Buffer
		if err := testreport.JUnit(&text, report); err != nil {
			return err
		}
		if err := os.WriteFile(t.junit, text.Bytes(), 0o644); err != nil {
			return fmt.Errorf("--junit: %w", err)
		}
	}
	if t.format.json() {
		if err := printJSON(t.console.out, report); err != nil {
			return err
		}
	} else {
		for _, c := range report.Coverage {
			printer.Cover(c)
		}
		printer.Sum(report)
	}
	if low != "" || !report.OK() {
		return outcomeError{low}
	}
	return nil
}

// covered gives what was reached of each definition, by all of its files.
func covered(suites []*suite) (list []testreport.Coverage) {
	seen := map[*sagatest.Coverage]bool{}
	for _, s := range suites {
		if !seen[s.Cover] {
			seen[s.Cover] = true
			list = append(list, testreport.Cover(s.Plan.Saga, s.definition, s.Cover.List(), s.lines))
		}
	}
	return list
}

// play runs the cases of a file and, if it asks for it, their matrix.
func (t *tester) play(s *suite) (cases []testreport.Case, matrix sagatest.Matrix, took time.Duration) {
	begin := time.Now()
	for i := range s.Tests.Cases {
		c := &s.Tests.Cases[i]
		if t.only == nil || t.only.MatchString(c.Name) {
			from := time.Now()
			o := s.Run(c)
			failures := o.Failures
			if failures == nil {
				failures = []sagatest.Failure{}
			}
			cases = append(cases, testreport.Case{
				File: s.file, Line: o.Line, Name: o.Name, Passed: o.Passed(), Failures: failures,
				Outcome: o.Result.Outcome, Trace: o.Result.Trace, Elapsed: o.Elapsed.String(), Took: time.Since(from),
			})
		}
		if s.Tests.Matrix {
			m := s.Matrix(c, t.picks(c.Name), t.progress(s.file, matrix.Runs))
			matrix.Runs, matrix.Left = matrix.Runs+m.Runs, matrix.Left+m.Left
			matrix.Violations = append(matrix.Violations, m.Violations...)
		}
	}
	if matrix.Runs >= progressEvery && t.live() {
		_, _ = fmt.Fprint(t.console.out, "\r\x1b[K") // who reads it may have gone
	}
	return cases, matrix, time.Since(begin)
}

// progressEvery is after how many runs of a matrix a person is told.
const progressEvery = 500

func (t *tester) live() bool { return t.console.outTTY && !t.format.json() }

// progress shows on a terminal how many runs of a file's matrix there were.
func (t *tester) progress(file string, before int) func(int) {
	if !t.live() {
		return nil
	}
	return func(runs int) {
		if (before+runs)%progressEvery == 0 {
			_, _ = fmt.Fprintf(t.console.out, "\r\x1b[K      %s  matrix, %d runs so far", file, before+runs) // who reads it may have gone
		}
	}
}

// picks says which faults of a case's matrix run; nil: all.
func (t *tester) picks(name string) func(string) bool {
	if t.only == nil {
		return nil
	}
	return func(fault string) bool { return t.only.MatchString(name + " / " + fault) }
}

// suite is a test file that is ready to run.
type suite struct {
	sagatest.Suite
	file       string
	definition string         // its file
	lines      map[string]int // of its steps
}

// load reads the test files that are named and the definitions they are about. All
// problems are written before the error.
func (t *tester) load(s *settings, args []string) (suites []*suite, held []string, err error) {
	files, err := testFilesOf(args)
	if err != nil {
		return nil, nil, err
	}
	s.libraries = nil
	first := map[string]*suite{} // by the digest of the definition
	var all dsl.Diagnostics
	for _, file := range files {
		one, ds, err := t.loadOne(s, file)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, ds...)
		if one == nil || ds.HasErrors() {
			held = append(held, file)
			continue
		}
		if other := first[one.Plan.Digest]; other != nil { // what they reach is of one plan
			one.Plan, one.Cover = other.Plan, other.Cover
		} else {
			first[one.Plan.Digest], one.Cover = one, sagatest.NewCoverage(one.Plan)
		}
		suites = append(suites, one)
	}
	t.console.diagnostics(once(all))
	if len(suites) == 0 {
		return nil, nil, errors.New("the tests were not run")
	}
	return suites, held, nil
}

// once leaves warnings out that say again what another one of their file says:
// an activity that no plugin offers is named once, wherever it is called.
func once(ds dsl.Diagnostics) dsl.Diagnostics {
	seen := map[[3]string]bool{}
	return slices.DeleteFunc(ds, func(d dsl.Diagnostic) bool {
		what := [3]string{d.File, d.Code, d.Summary}
		again := d.Severity == dsl.SeverityWarning && seen[what]
		seen[what] = true
		return again
	})
}

// ofDefinition gives the problems of the definition that a broken test file is
// about, so that all are named at once.
func (t *tester) ofDefinition(s *settings, file string) dsl.Diagnostics {
	saga, err := sagaOf(file)
	if err != nil || saga == "" {
		return nil
	}
	found, err := s.library(file).Find(saga, file)
	if err != nil {
		return nil
	}
	manifests := t.given
	if len(t.manifests) == 0 {
		if manifests, _, err = t.files.near(found.Source.Name); err != nil {
			return nil
		}
	}
	_, ds := (&definition{file: found.Source.Name, text: found.Source.Data}).compile(s, manifests, false)
	return ds
}

func (t *tester) loadOne(s *settings, file string) (*suite, dsl.Diagnostics, error) {
	text, err := readFile("tests", file)
	if err != nil {
		return nil, nil, err
	}
	tests, diagnostics := dsl.ParseTests(dsl.Source{Name: file, Data: text}, os.DirFS(filepath.Dir(file)))
	if tests == nil {
		return nil, append(diagnostics, t.ofDefinition(s, file)...), nil
	}
	found, err := s.library(file).Find(tests.Saga, file)
	if err != nil {
		return nil, append(diagnostics, tests.NoDefinition(err)), nil
	}
	manifests := t.given
	if len(t.manifests) == 0 {
		if manifests, _, err = t.files.near(found.Source.Name); err != nil {
			return nil, nil, err
		}
	}
	plan, ds := (&definition{file: found.Source.Name, text: found.Source.Data}).compile(s, manifests, false)
	diagnostics = append(diagnostics, ds...)
	if plan == nil {
		return nil, diagnostics, nil
	}
	diagnostics = append(diagnostics, tests.Check(plan, manifests)...)
	return &suite{
		Suite: sagatest.Suite{Tests: tests, Plan: plan, Manifests: manifests, Tenant: defaultTenant, Region: defaultRegion},
		file:  file, definition: found.Source.Name, lines: dsl.StepLines(found.Source),
	}, diagnostics, nil
}
