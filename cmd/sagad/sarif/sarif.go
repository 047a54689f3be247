// Package sarif writes diagnostics in the Static Analysis Results Interchange
// Format, version 2.1.0, which code hosts and editors read.
package sarif

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sagad/sagad/docs/diagnostics"
	"github.com/sagad/sagad/dsl"
)

// Run is what one check found.
type Run struct {
	Version     string // of sagad
	Folder      string // absolute; files below it are named relative to it
	Diagnostics dsl.Diagnostics
}

const (
	schema = "https://json.schemastore.org/sarif-2.1.0.json"
	home   = "https://github.com/sagad/sagad"
	// root names the folder that file names are relative to. Whoever reads the
	// log knows where that is; the log itself is the same on every machine.
	root = "%SRCROOT%"
)

// Write writes a log with one run.
func Write(w io.Writer, r Run) error {
	codes := []string{}
	for _, d := range r.Diagnostics {
		if !slices.Contains(codes, d.Code) {
			codes = append(codes, d.Code)
		}
	}
	slices.Sort(codes)
	out := run{
		Tool: tool{Driver: driver{Name: "sagad", Version: r.Version, InformationURI: home, Rules: rulesOf(codes)}},
		// Columns of diagnostics count characters.
		ColumnKind:  "unicodeCodePoints",
		Bases:       map[string]base{root: {Description: text{"The folder that sagad lint was run in."}}},
		Invocations: []invocation{{ExecutionSuccessful: true}},
		Results:     []result{},
	}
	for _, d := range r.Diagnostics {
		out.Results = append(out.Results, resultOf(r.Folder, d, slices.Index(codes, d.Code)))
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(log{Schema: schema, Version: "2.1.0", Runs: []run{out}})
}

// rulesOf gives a rule for each code, with what its page says.
func rulesOf(codes []string) []rule {
	rules := []rule{}
	for _, code := range codes {
		r := rule{ID: code, Configuration: configuration{"error"}}
		if page, ok := diagnostics.Find(code); ok {
			if page.Severity == "Warning" {
				r.Configuration.Level = "warning"
			}
			r.Short = &text{page.Summary}
			r.HelpURI = home + "/blob/main/docs/diagnostics/" + code + ".md"
			r.Help = &help{Text: page.Summary, Markdown: page.Text}
		}
		rules = append(rules, r)
	}
	return rules
}

func resultOf(folder string, d dsl.Diagnostic, rule int) result {
	r := result{RuleID: d.Code, RuleIndex: rule, Level: d.Severity.String(), Message: text{d.Summary}, Locations: []location{}}
	if d.Detail != "" {
		r.Message.Text += "; " + d.Detail
	}
	if d.File == "" {
		return r
	}
	at := physical{Artifact: artifactOf(folder, d.File)}
	if d.Line > 0 {
		at.Region = &region{StartLine: d.Line, StartColumn: d.Column, EndLine: d.EndLine, EndColumn: d.EndColumn}
	}
	r.Locations = append(r.Locations, location{at})
	return r
}

// artifactOf names a file: relative to the folder if it lies below it.
func artifactOf(folder, file string) artifact {
	if !filepath.IsAbs(file) {
		file = filepath.Join(folder, file)
	}
	relative, err := filepath.Rel(folder, file)
	if err != nil || relative == ".." || strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
		return artifact{URI: (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String()}
	}
	return artifact{URI: (&url.URL{Path: filepath.ToSlash(relative)}).String(), Base: root}
}
