package dsl

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"strings"
	"time"
)

// Mocks say what activities answer, by activity (`ledger.hold`) or by activity and
// step (`ledger.hold@pay[3]`, which goes first; without the keys of the items it is
// for all of them). There is one Mock for each attempt; the last one repeats.
type Mocks map[string][]Mock

// Mock is what an activity answers to one attempt.
type Mock struct {
	Kind    MockKind
	Output  any    // MockOutput
	Code    string // MockReject, MockFail
	Message string
	// Applied says that the attempt has had its effect although it gave no usable
	// answer. MockFail, MockUnknown.
	Applied bool
	Final   bool          // MockFail: another attempt cannot do better
	NotSent bool          // MockFail: nothing has left the host, so there is no effect
	Invalid bool          // MockOutput: it counts as breaking the activity's schema (S25)
	Delay   time.Duration // before the answer

	at *node
}

// MockKind says how a Mock answers.
type MockKind uint8

// The kinds of mocks.
const (
	MockOutput  MockKind = iota + 1 // it succeeds
	MockReject                      // it refuses: certainly no effect
	MockFail                        // it fails in a way that can be retried
	MockUnknown                     // no answer: the attempt runs into its timeout
)

// The keys of mocks.
var (
	mockKeys    = []string{"output", "reject", "fail", "unknown", "delay", "invalid"}
	rejectKeys  = []string{"code", "message"}
	failKeys    = []string{"code", "message", "applied", "final", "sent"}
	unknownKeys = []string{"applied"}
)

// MaxMocks is the largest number of answers of one activity.
const MaxMocks = 1000

// ParseMocks reads a file of mocks: what a test file has under `mocks`. The mocks
// are nil exactly if one of the diagnostics is an error.
func ParseMocks(src Source) (Mocks, Diagnostics) {
	c := newReader(src.Name, "the file of mocks", "write activities with what they answer, such as ledger.hold: {output: {holdId: h-1}}")
	var m Mocks
	if root := c.readYAML(src.Data); root != nil {
		m = c.mocks(root)
	}
	diags := c.diags.sort()
	if diags.HasErrors() {
		return nil, diags
	}
	return m, diags
}

// with gives mocks in which those of other replace those of the same key.
func (m Mocks) with(other Mocks) Mocks {
	all := maps.Clone(m)
	maps.Copy(all, other)
	return all
}

// For gives the mocks for an activity in a step and the key they stand under, "" if
// there are none. path is that of the step, with the keys of its items.
func (m Mocks) For(activity, path string) (key string, list []Mock) {
	for _, key := range []string{activity + "@" + path, activity + "@" + withoutKeys(path), activity} {
		if list := m[key]; list != nil {
			return key, list
		}
	}
	return "", nil
}

// withoutKeys leaves the keys of items out of a path.
func withoutKeys(path string) string {
	var b strings.Builder
	depth := 0
	for _, r := range path {
		switch {
		case r == '[':
			depth++
		case r == ']':
			depth--
		case depth == 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (c *compiler) mocks(n *node) Mocks {
	m := Mocks{}
	if n.kind != nodeMap {
		c.errorNode(n, CodeWrongType, "mocks are "+n.kind.String()+", not a map", "write activities with what they answer, such as ledger.hold: {output: {holdId: h-1}}")
		return m
	}
	if cases := n.get("cases"); cases != nil && n.get("saga") != nil {
		c.errorNode(n.first(), CodeWrongType, "this is a test file, not one of mocks", "name a file that holds what stands under its mocks; `sagad test` runs the tests")
		return m
	}
	for i, k := range n.keys {
		activity, path, atStep := strings.Cut(k.string(), "@")
		if !activityForm.MatchString(activity) || atStep && path == "" {
			c.errorNode(k, CodeInvalidID, fmt.Sprintf("%q is not an activity", k.string()), activityHint+", or ledger.hold@STEP for one step alone")
		}
		m[k.string()] = c.mockList(n.items[i])
	}
	return m
}

func (c *compiler) mockList(n *node) []Mock {
	if n.kind != nodeList {
		return []Mock{c.mock(n)}
	}
	if len(n.items) == 0 {
		c.errorNode(n, CodeEmpty, "the activity has no answers", "write one for each attempt; the last one repeats")
	}
	if len(n.items) > MaxMocks {
		c.errorNode(n, CodeTooLarge, fmt.Sprintf("%d answers", len(n.items)), fmt.Sprintf("at most %d are allowed; the last one repeats", MaxMocks))
		return nil
	}
	list := make([]Mock, len(n.items))
	for i, item := range n.items {
		list[i] = c.mock(item)
	}
	return list
}

const mockHint = "write {output: {...}}, {reject: {code: CODE}}, {fail: {code: CODE}} or {unknown: {applied: true}}"

func (c *compiler) mock(n *node) Mock {
	m := Mock{at: n}
	f, ok := c.fields(n, "a mock", mockKeys...)
	if !ok {
		return m
	}
	kinds := map[string]MockKind{"output": MockOutput, "reject": MockReject, "fail": MockFail, "unknown": MockUnknown}
	var given []string
	for _, key := range mockKeys {
		if kinds[key] != 0 && f[key] != nil {
			given = append(given, key)
		}
	}
	switch {
	case len(given) == 0:
		if len(f) == 0 || f["delay"] != nil || f["invalid"] != nil { // otherwise a mistyped key has been reported
			c.errorNode(n.first(), CodeMissingKey, "the mock answers nothing", mockHint)
		}
		return m
	case len(given) > 1:
		c.errorNode(n.key(given[1]), CodeStepKind, "the mock answers both "+given[0]+" and "+given[1], "keep one; a list has an answer for each attempt")
	}
	m.Kind = kinds[given[0]]
	m.Delay = c.optionalDuration(f["delay"], "delay")
	if m.Kind == MockUnknown && f["delay"] != nil {
		c.warnNode(n.key("delay"), CodeUnusedSetting, "an attempt that nobody answers takes as long as its timeout", "remove delay")
	}
	if m.Invalid = c.optionalBool(f["invalid"], "invalid"); m.Invalid && m.Kind != MockOutput {
		c.errorNode(n.key("invalid"), CodeUnusedSetting, "invalid says something of an output", "remove it")
	}
	c.mockAnswer(&m, given[0], f[given[0]])
	return m
}

func (c *compiler) mockAnswer(m *Mock, key string, n *node) {
	switch m.Kind {
	case MockOutput:
		m.Output = n.data()
	case MockReject:
		if f, ok := c.fields(n, key, rejectKeys...); ok {
			c.mockCode(m, n, f)
		}
	case MockFail:
		if f, ok := c.fields(n, key, failKeys...); ok {
			c.mockCode(m, n, f)
			m.Applied, m.Final = c.optionalBool(f["applied"], "applied"), c.optionalBool(f["final"], "final")
			if sent := f["sent"]; sent != nil {
				m.NotSent = !c.optionalBool(sent, "sent")
			}
			if m.NotSent && m.Applied {
				c.errorNode(n.key("applied"), CodeValue, "what was not sent has no effect", "remove applied or sent")
			}
		}
	case MockUnknown:
		f, ok := c.fields(n, key, unknownKeys...)
		if ok && f["applied"] == nil {
			c.errorNode(n.first(), CodeMissingKey, "unknown does not say whether there is an effect", "write {applied: true} or {applied: false}: what a probe would find")
		}
		m.Applied = ok && c.optionalBool(f["applied"], "applied")
	}
}

func (c *compiler) mockCode(m *Mock, n *node, f map[string]*node) {
	if f["code"] == nil {
		c.errorNode(n.first(), CodeMissingKey, "the mock has no code", "write {code: CODE}, one of the activity's errors")
		return
	}
	m.Code = c.name(f["code"], "the code", codeForm, codeHint)
	m.Message = c.optionalText(f["message"], "message")
}

// readLimited reads a file of at most limit bytes; of a longer one it reads no more
// than shows that.
func readLimited(files fs.FS, name string, limit int) ([]byte, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(text) > limit {
		err = fmt.Errorf("it has more than %d bytes", limit)
	}
	return text, err
}
