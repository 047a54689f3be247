package dsl

import (
	"fmt"
	"regexp"
	"strings"
)

// fields returns the values of a map's keys. It reports a node that is not a
// map and keys that are not among the known ones; what names the owner.
func (c *compiler) fields(n *node, what string, known ...string) (map[string]*node, bool) {
	if n.kind != nodeMap {
		c.notMap(n, what, known)
		return nil, false
	}
	m := make(map[string]*node, len(n.keys))
	for i, k := range n.keys {
		name := k.string()
		m[name] = n.items[i]
		if !contains(known, name) && !c.full() {
			c.errorNode(k, CodeUnknownKey, fmt.Sprintf("%s has no key %q", what, name),
				didYouMean(name, known, "its keys are "+orList(known)))
		}
	}
	return m, true
}

// notMap reports a node that stands where a map belongs. What has an article is
// a kind of thing, and anything else the name of a key.
func (c *compiler) notMap(n *node, what string, known []string) {
	if strings.HasPrefix(what, "a ") {
		c.errorNode(n, CodeWrongType, fmt.Sprintf("this is %s, not %s", n.kind, what), what+" is a map with the keys "+orList(known))
		return
	}
	c.errorNode(n, CodeWrongType, fmt.Sprintf("%s is %s, not a map", what, n.kind), "it has the keys "+orList(known))
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// The forms of names.
var (
	idForm       = regexp.MustCompile(`^[a-z][A-Za-z0-9_]{0,63}$`)
	sagaForm     = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	activityForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}\.[A-Za-z][A-Za-z0-9_.-]{0,63}$`)
	signalForm   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,127}$`)
	codeForm     = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)
	nameForm     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)
	secretForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*$`)
)

// name returns the text of a node that must have a form.
func (c *compiler) name(n *node, what string, form *regexp.Regexp, hint string) string {
	if !c.expect(n, nodeString, what) {
		return ""
	}
	if s := n.string(); form.MatchString(s) {
		return s
	}
	c.errorNode(n, CodeInvalidID, fmt.Sprintf("%s %q is not a valid name", what, n.string()), hint)
	return ""
}

const (
	idHint       = "an id starts with a small letter and goes on with up to 63 letters, digits and underscores"
	sagaHint     = "write small letters and digits, in words joined by hyphens, at most 100 characters"
	activityHint = "write plugin.activity, such as ledger.hold"
	signalHint   = "write letters, digits, dots, hyphens and underscores"
	codeHint     = "write capital letters, digits and underscores, such as LIMIT_EXCEEDED"
	nameHint     = "write letters, digits and underscores, at most 64, not starting with a digit"
	secretHint   = "write the path of the secret, such as rails/api-key"
)

// optional returns the text of a node, or "" if there is none.
func (c *compiler) optionalText(n *node, what string) string {
	if n == nil || !c.expect(n, nodeString, what) {
		return ""
	}
	return n.string()
}

// bool returns the value of a node, or false if there is none.
func (c *compiler) optionalBool(n *node, what string) bool {
	if n == nil || !c.expect(n, nodeBool, what) {
		return false
	}
	return n.value.(bool)
}

// whole returns a whole number between low and high.
func (c *compiler) whole(n *node, what string, low, high int) int {
	if !c.expect(n, nodeInt, what) {
		return low
	}
	v := n.value.(int)
	if v < low || v > high {
		c.errorNode(n, CodeValue, fmt.Sprintf("%s is %d", what, v), fmt.Sprintf("it may be from %d to %d", low, high))
		return low
	}
	return v
}

// choice returns the index of a text among the words a key takes.
func (c *compiler) choice(n *node, what string, words ...string) int {
	if !c.expect(n, nodeString, what) {
		return 0
	}
	for i, w := range words {
		if n.string() == w {
			return i
		}
	}
	c.errorNode(n, CodeValue, fmt.Sprintf("%s cannot be %q", what, n.string()),
		didYouMean(n.string(), words, "it is "+orList(words)))
	return 0
}

// codes returns a list of error codes.
func (c *compiler) codes(n *node, what string, any bool) []string {
	if !c.expect(n, nodeList, what) {
		return nil
	}
	if len(n.items) == 0 {
		c.errorNode(n, CodeEmpty, what+" names no code", "name the codes, such as [LIMIT_EXCEEDED]")
	}
	var codes []string
	for _, item := range n.items {
		if any && item.string() == "*" {
			codes = append(codes, "*")
			continue
		}
		if code := c.name(item, "the code", codeForm, codeHint); code != "" {
			if contains(codes, code) {
				c.errorNode(item, CodeDuplicateKey, fmt.Sprintf("the code %s stands twice", code), "")
				continue
			}
			codes = append(codes, code)
		}
	}
	return codes
}
