package dsl

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// moneyWords are the last words of names that hold amounts of money.
var moneyWords = map[string]bool{
	"amount": true, "price": true, "cost": true, "fee": true, "balance": true, "total": true, "subtotal": true,
	"money": true, "payment": true, "refund": true, "salary": true, "cents": true,
}

var lastWord = regexp.MustCompile(`[A-Za-z][a-z]*$`)

// checkMoney warns of a property that is named as an amount of money and takes
// numbers with fractions.
func (c *compiler) checkMoney(name, schema *node) {
	of := schema.get("type")
	if of == nil || of.string() != "number" || !moneyWords[strings.ToLower(lastWordOf(name.string()))] {
		return
	}
	c.warnNode(of, CodeFloatMoney, fmt.Sprintf("%s is a number that may have a fraction", name.string()),
		"amounts of money are integers in minor units, such as cents; write type: integer")
}

// lastWordOf gives the last word of a name in camel case or with underscores.
func lastWordOf(name string) string {
	if strings.IndexFunc(name, unicode.IsLower) < 0 {
		return name[strings.LastIndexAny(name, "_-")+1:]
	}
	return lastWord.FindString(name)
}
