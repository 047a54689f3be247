package dsl

import (
	"fmt"
	"time"
)

// Message is one entry of a list of signals: what is sent to a saga, and when.
type Message struct {
	At   time.Duration // after the start of the saga
	To   string        // path of the step whose child saga gets it; empty: the saga itself
	Name string
	ID   string // the sender's; a second message with the same ID is dropped
	Data any    // JSON data
}

// MaxMessages is the largest number of entries in a list of signals.
const MaxMessages = 1000

// ParseMessages reads a list of signals, as tests have it under `signals`: a
// list of {at, to, name, id, data}. Without at a message is sent at the start,
// without to it goes to the saga itself; data may be left out. The list is nil if one of the diagnostics is an error.
func ParseMessages(src Source) ([]Message, Diagnostics) {
	c := newReader(src.Name, "the list of signals", "write entries such as - {at: 2s, name: SIGNAL, id: m-1, data: {...}}; a list without any is []")
	var list []Message
	if root := c.readYAML(src.Data); root != nil && c.expect(root, nodeList, "the list of signals") {
		list = c.messages(root)
	}
	diags := c.diags.sort()
	if diags.HasErrors() {
		return nil, diags
	}
	return list, diags
}

func (c *compiler) messages(list *node) []Message {
	if len(list.items) > MaxMessages {
		c.errorNode(list, CodeTooLarge, fmt.Sprintf("%d signals", len(list.items)), fmt.Sprintf("at most %d are allowed", MaxMessages))
		return nil
	}
	all := []Message{}
	lines := map[string]int{}
	for _, item := range list.items {
		f, ok := c.fields(item, "a signal", "at", "to", "name", "id", "data")
		if !ok {
			continue
		}
		for _, key := range []string{"name", "id"} {
			if f[key] == nil {
				c.errorNode(item.first(), CodeMissingKey, "the signal has no "+key, "write {at: 2s, name: SIGNAL, id: m-1, data: {...}}")
			}
		}
		var m Message
		m.At = c.optionalDuration(f["at"], "at")
		if n := f["to"]; n != nil && c.expect(n, nodeString, "to") {
			m.To = n.string()
		}
		if n := f["name"]; n != nil {
			m.Name = c.name(n, "the signal", signalForm, signalHint)
		}
		if n := f["id"]; n != nil && c.expect(n, nodeString, "id") {
			m.ID = n.string()
			if line, twice := lines[m.ID]; twice {
				c.warnNode(n, CodeDuplicateID, fmt.Sprintf("the id %s stands twice", m.ID), fmt.Sprintf("it is on line %d already; a saga drops the second message with an ID", line))
			}
			if m.ID == "" {
				c.errorNode(n, CodeValue, "the id is empty", "give every message its own ID")
			}
			lines[m.ID] = n.line
		}
		if n := f["data"]; n != nil {
			m.Data = n.data()
		}
		all = append(all, m)
	}
	return all
}
