package dsl

// nodeKind is the kind of a node.
type nodeKind uint8

const (
	nodeNull nodeKind = iota
	nodeBool
	nodeInt
	nodeFloat
	nodeString
	nodeList
	nodeMap
)

func (k nodeKind) String() string {
	return [...]string{"null", "a boolean", "a whole number", "a number", "text", "a list", "a map"}[k]
}

// scalarStyle says how a scalar is written in the source.
type scalarStyle uint8

const (
	stylePlain scalarStyle = iota
	styleSingle
	styleDouble
	styleLiteral
	styleFolded
)

// node is one value of a definition with its place: what YAML and canonical
// JSON have in common. Everything after reading works on nodes.
type node struct {
	kind   nodeKind
	value  any    // nil, bool, int, float64 or string of a scalar
	text   string // a scalar as written, for messages
	style  scalarStyle
	line   int     // from 1; 0: no place
	column int     // in characters, from 1
	keys   []*node // of a map, in the order written
	items  []*node // of a list, or the values of the keys
}

// get returns the value of a key of a map, or nil.
func (n *node) get(key string) *node {
	if n == nil || n.kind != nodeMap {
		return nil
	}
	for i, k := range n.keys {
		if k.value == key {
			return n.items[i]
		}
	}
	return nil
}

// key returns the node of a key of a map, or the map itself.
func (n *node) key(key string) *node {
	for _, k := range n.keys {
		if k.value == key {
			return k
		}
	}
	return n
}

// mistypes reports whether a key of a map is most likely one of these, mistyped.
func (n *node) mistypes(keys ...string) bool {
	for _, k := range n.keys {
		if !contains(keys, k.string()) && Suggest(k.string(), keys) != "" {
			return true
		}
	}
	return false
}

// isText reports whether n is a string.
func (n *node) isText() bool { return n != nil && n.kind == nodeString }

// string returns the text of a string node, "" for any other.
func (n *node) string() string {
	if n == nil {
		return ""
	}
	s, _ := n.value.(string)
	return s
}

// data returns what the node stands for as JSON data.
func (n *node) data() any {
	switch n.kind {
	case nodeList:
		l := make([]any, len(n.items))
		for i, item := range n.items {
			l[i] = item.data()
		}
		return l
	case nodeMap:
		m := make(map[string]any, len(n.items))
		for i, item := range n.items {
			m[n.keys[i].string()] = item.data()
		}
		return m
	default:
		return n.value
	}
}

// jsonNode makes a node without places of JSON data. The keys of maps are in
// canonical order.
func jsonNode(v any) *node {
	switch v := v.(type) {
	case bool:
		return &node{kind: nodeBool, value: v}
	case int:
		return &node{kind: nodeInt, value: v}
	case float64:
		return &node{kind: nodeFloat, value: v}
	case string:
		return &node{kind: nodeString, value: v, text: v, style: styleDouble}
	case []any:
		n := &node{kind: nodeList}
		for _, item := range v {
			n.items = append(n.items, jsonNode(item))
		}
		return n
	case map[string]any:
		n := &node{kind: nodeMap}
		for _, k := range canonicalKeys(v) {
			n.keys = append(n.keys, jsonNode(k))
			n.items = append(n.items, jsonNode(v[k]))
		}
		return n
	default:
		return &node{kind: nodeNull}
	}
}
