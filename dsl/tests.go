package dsl

import (
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Tests is a test file: cases that say what becomes of a saga when its activities
// answer so and so.
type Tests struct {
	File        string
	Saga        string // name of the definition
	Description string
	Matrix      bool // every step of every completed case is run with every kind of fault
	Cases       []TestCase

	c    *compiler // for Check
	saga *node
}

// TestCase is one case of a test file.
type TestCase struct {
	Name     string
	Line     int            // of the case in its file
	Input    any            // JSON data
	Tenant   map[string]any // settings, read as `tenant`; never nil
	Start    time.Time      // when the saga starts, UTC
	Mocks    Mocks
	Signals  []Message
	Cancels  []TestCancel
	Commands []TestCommand
	Expect   Expect
}

// TestCancel is a cancel, at a time after the start.
type TestCancel struct {
	At time.Duration
	To string // path of the step whose child saga is cancelled; empty: the saga itself
}

// TestCommand is an operator's command, at a time after the start.
type TestCommand struct {
	At      time.Duration
	Command string // retry, skip or resolve
	Path    string
	ID      string // empty: one of its own
	Actor   string // empty: somebody
	Reason  string // empty: one is made up
	Applied *bool  // resolve
	Output  any    // resolve
	Input   any    // retry
}

// DefaultTestStart is when the sagas of a test start that says nothing else: a
// test gives the same on every day.
var DefaultTestStart = time.Date(2026, 1, 15, 10, 0, 0, 0, time.UTC)

// MaxTestCases is the largest number of cases of one file.
const MaxTestCases = 1000

// The keys of test files.
var (
	testsKeys   = []string{"saga", "description", "tenant", "start", "mocks", "cases", "matrix"}
	caseKeys    = []string{"name", "input", "tenant", "start", "mocks", "signals", "cancels", "commands", "expect"}
	cancelKeys  = []string{"at", "to"}
	commandKeys = []string{"at", "command", "path", "id", "actor", "reason", "applied", "output", "input"}
)

// ParseTests reads a test file. files is its folder, for inputs that are written
// {$ref: FILE}. The tests are nil exactly if one of the diagnostics is an error.
func ParseTests(src Source, files fs.FS) (*Tests, Diagnostics) {
	c := newReader(src.Name, "the test file", "start with saga: and the name of the definition that is tested")
	c.opts.Files = files
	var tests *Tests
	if root := c.readYAML(src.Data); root != nil {
		tests = c.tests(root)
	}
	diags := c.diags.sort()
	if diags.HasErrors() || tests == nil {
		return nil, diags
	}
	return tests, diags
}

func (c *compiler) tests(root *node) *Tests {
	f, ok := c.fields(root, "a test file", testsKeys...)
	if !ok {
		return nil
	}
	t := &Tests{File: c.file, c: c, Description: c.optionalText(f["description"], "description"), Matrix: c.optionalBool(f["matrix"], "matrix")}
	switch {
	case f["saga"] == nil:
		c.errorNode(root.first(), CodeMissingKey, "the test file has no saga", "write saga: and the name of the definition that is tested")
	default:
		t.saga = f["saga"]
		t.Saga = c.name(f["saga"], "the saga", sagaForm, sagaHint)
	}
	common := TestCase{Start: DefaultTestStart, Mocks: Mocks{}, Tenant: map[string]any{}}
	c.caseWorld(&common, f)
	switch cases := f["cases"]; {
	case cases == nil:
		c.errorNode(root.first(), CodeMissingKey, "the test file has no cases", "write cases: and a list of {name, input, mocks, expect}")
	case !c.expect(cases, nodeList, "cases"):
	case len(cases.items) == 0:
		c.errorNode(cases, CodeEmpty, "there are no cases", "write at least one")
	case len(cases.items) > MaxTestCases:
		c.errorNode(cases, CodeTooLarge, fmt.Sprintf("%d cases", len(cases.items)), fmt.Sprintf("at most %d are allowed; split the file", MaxTestCases))
	default:
		lines := map[string]int{}
		for _, n := range cases.items {
			t.Cases = append(t.Cases, c.testCase(n, common, lines))
		}
	}
	return t
}

// caseWorld reads what stands in a case, or for all of them at the top.
func (c *compiler) caseWorld(t *TestCase, f map[string]*node) {
	if n := f["tenant"]; n != nil && c.expect(n, nodeMap, "tenant") {
		t.Tenant = make(map[string]any, len(n.keys))
		for i, k := range n.keys {
			t.Tenant[c.name(k, "the setting", nameForm, nameHint)] = n.items[i].data()
		}
	}
	if n := f["start"]; n != nil && c.expect(n, nodeString, "start") {
		at, err := time.Parse(time.RFC3339Nano, n.string())
		if err != nil {
			c.errorNode(n, CodeValue, fmt.Sprintf("%q is no instant", n.string()), "write one as RFC 3339 has it, such as 2026-11-23T10:00:00Z")
		}
		t.Start = at.UTC()
	}
	if n := f["mocks"]; n != nil {
		t.Mocks = t.Mocks.with(c.mocks(n))
	}
}

func (c *compiler) testCase(n *node, common TestCase, lines map[string]int) TestCase {
	t := common
	t.Line = n.line
	f, ok := c.fields(n, "a case", caseKeys...)
	if !ok {
		return t
	}
	if name := f["name"]; name == nil {
		c.errorNode(n.first(), CodeMissingKey, "the case has no name", "write name: and what it shows")
	} else if t.Name = c.optionalText(name, "name"); t.Name != "" {
		if line, twice := lines[t.Name]; twice {
			c.errorNode(name, CodeDuplicateID, fmt.Sprintf("the name %q stands twice", t.Name), fmt.Sprintf("it is on line %d already", line))
		}
		lines[t.Name] = name.line
	}
	t.Input = map[string]any{}
	if in := f["input"]; in != nil {
		t.Input = c.testInput(in)
	}
	c.caseWorld(&t, f)
	if s := f["signals"]; s != nil && c.expect(s, nodeList, "signals") {
		t.Signals = c.messages(s)
	}
	t.Cancels = c.testCancels(f["cancels"])
	t.Commands = c.testCommands(f["commands"])
	if e := f["expect"]; e == nil {
		c.errorNode(n.first(), CodeMissingKey, "the case expects nothing", "write expect: {outcome: completed}, and what else matters")
	} else {
		t.Expect = c.expectation(e)
	}
	return t
}

// testInput gives the input of a case: data, or the content of the file that
// {$ref: FILE} names.
func (c *compiler) testInput(n *node) any {
	ref := n.get("$ref")
	if ref == nil || len(n.keys) != 1 {
		return n.data()
	}
	if !c.expect(ref, nodeString, "$ref") {
		return nil
	}
	name := ref.string()
	if !fs.ValidPath(name) {
		c.errorNode(ref, CodeValue, fmt.Sprintf("%q leads out of the folder of the test", name), "name a file beside the test or below it, such as testdata/input.json")
		return nil
	}
	if c.opts.Files == nil {
		c.errorNode(ref, CodeValue, "there are no files here", "write the input out")
		return nil
	}
	text, err := readLimited(c.opts.Files, name, MaxJSONBytes)
	if errors.Is(err, fs.ErrNotExist) {
		c.errorNode(ref, CodeValue, fmt.Sprintf("there is no file %s", name), "name a file of JSON in the folder of the test or below it")
		return nil
	}
	if err != nil {
		c.errorNode(ref, CodeValue, fmt.Sprintf("%s cannot be read: %v", name, err), "name a file of JSON beside the test")
		return nil
	}
	value, err := ParseJSON(text)
	if err != nil {
		c.errorNode(ref, CodeValue, fmt.Sprintf("%s is not JSON: %v", name, err), "")
	}
	return value
}

func (c *compiler) testCancels(list *node) (all []TestCancel) {
	if list == nil || !c.expect(list, nodeList, "cancels") {
		return nil
	}
	for _, n := range list.items {
		f, ok := c.fields(n, "a cancel", cancelKeys...)
		if !ok {
			continue
		}
		all = append(all, TestCancel{At: c.optionalDuration(f["at"], "at"), To: c.optionalText(f["to"], "to")})
	}
	return all
}

// optionalDuration gives a duration that may be nothing: there is none, or 0s.
func (c *compiler) optionalDuration(n *node, what string) time.Duration {
	if n == nil || n.string() == "0s" {
		return 0
	}
	return c.duration(n, what)
}

var commandWords = []string{"retry", "skip", "resolve"}

func (c *compiler) testCommands(list *node) (all []TestCommand) {
	if list == nil || !c.expect(list, nodeList, "commands") {
		return nil
	}
	for _, n := range list.items {
		f, ok := c.fields(n, "a command", commandKeys...)
		if !ok {
			continue
		}
		for _, key := range []string{"command", "path"} {
			if f[key] == nil {
				c.errorNode(n.first(), CodeMissingKey, "the command has no "+key, "write {at: 2s, command: retry, path: STEP}")
			}
		}
		t := TestCommand{
			At: c.optionalDuration(f["at"], "at"), Path: c.optionalText(f["path"], "path"), ID: c.optionalText(f["id"], "id"),
			Actor: c.optionalText(f["actor"], "actor"), Reason: c.optionalText(f["reason"], "reason"),
		}
		if w := f["command"]; w != nil {
			t.Command = commandWords[c.choice(w, "command", commandWords...)]
		}
		if a := f["applied"]; a != nil {
			applied := c.optionalBool(a, "applied")
			t.Applied = &applied
		}
		if o := f["output"]; o != nil {
			t.Output = o.data()
		}
		if in := f["input"]; in != nil {
			t.Input = in.data()
		}
		c.commandFits(t.Command, n, f)
		all = append(all, t)
	}
	return all
}

// commandFits reports what a command needs and what it cannot use.
func (c *compiler) commandFits(command string, n *node, f map[string]*node) {
	if command == "resolve" && f["applied"] == nil {
		c.errorNode(n.first(), CodeMissingKey, "resolve does not say what became of the operation", "write applied: true, perhaps with its output, or applied: false")
	}
	for key, of := range map[string]string{"applied": "resolve", "output": "resolve", "input": "retry"} {
		if command != "" && command != of && f[key] != nil {
			c.errorNode(n.key(key), CodeUnusedSetting, fmt.Sprintf("%s has no %s", command, key), "remove it; it belongs to "+of)
		}
	}
}
