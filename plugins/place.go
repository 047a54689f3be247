package plugins

import (
	"slices"
	"strconv"
	"strings"
)

// A place in a JSON text, written out only when something is wrong there. Nil is
// the root.
type place struct {
	above *place
	name  string // of a property, or
	index int    // of an item, from 0
}

func (p *place) property(name string) *place { return &place{above: p, name: name, index: -1} }

func (p *place) item(index int) *place { return &place{above: p, index: index} }

// String is "the value", or a path like debtor.accounts[2].iban.
func (p *place) String() string {
	if p == nil {
		return "the value"
	}
	var parts []string
	for ; p != nil; p = p.above {
		switch {
		case p.index >= 0:
			parts = append(parts, "["+strconv.Itoa(p.index)+"]")
		case p.above != nil:
			parts = append(parts, "."+p.name)
		default:
			parts = append(parts, p.name)
		}
	}
	slices.Reverse(parts)
	return strings.Join(parts, "")
}
