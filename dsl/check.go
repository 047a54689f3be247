package dsl

// check runs the checks of the whole definition.
func (c *compiler) check() {
	for _, key := range c.secrets {
		c.errorNode(key, CodeSecret, "a secret outside the input of an activity", "secrets exist only in with of call, compensate and probe")
	}
}

type typeKind uint8

const (
	typeAny typeKind = iota
	typeNull
	typeBool
	typeInt
	typeNumber
	typeText
	typeList
	typeMap
)
