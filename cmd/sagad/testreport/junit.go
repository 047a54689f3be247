package testreport

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// The elements of JUnit's format that build servers read
// (https://github.com/testmoapp/junitxml).
type (
	testsuites struct {
		XMLName  xml.Name    `xml:"testsuites"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Suites   []testsuite `xml:"testsuite"`
	}
	testsuite struct {
		Name     string     `xml:"name,attr"`
		File     string     `xml:"file,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Time     string     `xml:"time,attr"`
		Cases    []testcase `xml:"testcase"`
	}
	testcase struct {
		Name      string    `xml:"name,attr"`
		Classname string    `xml:"classname,attr"`
		File      string    `xml:"file,attr"`
		Line      int       `xml:"line,attr,omitempty"`
		Time      string    `xml:"time,attr"`
		Failures  []failure `xml:"failure"`
	}
	failure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a report as JUnit XML: a suite for each file, and each violation of
// a matrix as a case of its own that failed.
func JUnit(w io.Writer, r Report) error {
	all := testsuites{Name: "sagad test"}
	suites := map[string]int{}
	suite := func(file string) *testsuite {
		if _, ok := suites[file]; !ok {
			suites[file] = len(all.Suites)
			all.Suites = append(all.Suites, testsuite{Name: file, File: file})
		}
		return &all.Suites[suites[file]]
	}
	took := map[string]time.Duration{}
	add := func(file string, c testcase) {
		s := suite(file)
		c.File, c.Classname = file, strings.TrimSuffix(file, ".yaml")
		s.Cases = append(s.Cases, c)
		s.Tests++
		all.Tests++
		if len(c.Failures) > 0 {
			s.Failures++
			all.Failures++
		}
	}
	for _, c := range r.Cases {
		t := testcase{Name: c.Name, Line: c.Line, Time: seconds(c.Took)}
		for _, f := range c.Failures {
			text := f.Message
			if f.Want != nil || f.Got != nil {
				text += "\nexpected: " + compact(f.Want) + "\ngot:      " + compact(f.Got)
			}
			t.Failures = append(t.Failures, failure{Message: f.Message, Type: f.What, Text: text})
		}
		took[c.File] += c.Took
		add(c.File, t)
	}
	for _, v := range r.Matrix.Violations {
		add(v.File, testcase{Name: v.Case + " / " + v.Fault, Time: seconds(0), Failures: []failure{{
			Message: v.Rule, Type: "matrix", Text: v.Rule + "\ntrace: " + strings.Join(v.Trace, " "),
		}}})
	}
	for i := range all.Suites {
		all.Suites[i].Time = seconds(took[all.Suites[i].File])
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
