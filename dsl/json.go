package dsl

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// The limits of JSON data. They hold for every value that enters a saga: its
// input, signals, outputs of activities.
const (
	// MaxJSONBytes is the largest JSON text: payloads over two megabytes fail
	// on Temporal, and a text may shrink when it is made canonical.
	MaxJSONBytes = 4 << 20
	// MaxJSONDepth bounds the nesting of lists and objects, so that walking a
	// value can be recursive.
	MaxJSONDepth = 200
	// MaxInt is the largest integer that a double holds exactly: plugins in
	// other languages read numbers as doubles.
	MaxInt = 1<<53 - 1
)

// ParseJSON reads one JSON text into the data model of sagas: nil, bool, int,
// float64, string, []any and map[string]any. An integral number, however it is
// written (1, 1.0, 1e3), is an int of at most MaxInt in size; a larger one is
// an error, and so are a key that stands twice in an object, text that is not
// UTF-8, half of a surrogate pair, and anything after the value.
func ParseJSON(data []byte) (any, error) {
	if len(data) > MaxJSONBytes {
		return nil, fmt.Errorf("JSON of %d bytes is over the limit of %d", len(data), MaxJSONBytes)
	}
	p := jsonParser{data: data}
	v, err := p.document()
	if err != nil {
		line, col := lineColumn(data, p.pos)
		return nil, fmt.Errorf("invalid JSON at line %d, column %d: %w", line, col, err)
	}
	return v, nil
}

type jsonParser struct {
	data  []byte
	pos   int
	depth int
}

var errJSONEnd = errors.New("the text ends too early")

func (p *jsonParser) document() (any, error) {
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	p.space()
	if p.pos < len(p.data) {
		return nil, errors.New("something follows the value; a text holds exactly one")
	}
	return v, nil
}

func (p *jsonParser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// peek skips space and returns the next byte, or 0 at the end.
func (p *jsonParser) peek() byte {
	p.space()
	if p.pos < len(p.data) {
		return p.data[p.pos]
	}
	return 0
}

func (p *jsonParser) value() (any, error) {
	switch c := p.peek(); {
	case p.pos >= len(p.data):
		return nil, errJSONEnd
	case c == '{':
		return nested(p, p.object)
	case c == '[':
		return nested(p, p.list)
	case c == '"':
		return p.string()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case c == 't':
		return true, p.word("true")
	case c == 'f':
		return false, p.word("false")
	case c == 'n':
		return nil, p.word("null")
	default:
		return nil, fmt.Errorf("a value cannot start with %q", rune(c))
	}
}

func nested[T any](p *jsonParser, parse func() (T, error)) (T, error) {
	if p.depth++; p.depth > MaxJSONDepth {
		var zero T
		return zero, fmt.Errorf("nested over %d levels deep", MaxJSONDepth)
	}
	defer func() { p.depth-- }()
	return parse()
}

func (p *jsonParser) word(w string) error {
	if len(p.data)-p.pos < len(w) || string(p.data[p.pos:p.pos+len(w)]) != w {
		return fmt.Errorf("expected %s", w)
	}
	p.pos += len(w)
	return nil
}

func (p *jsonParser) object() (map[string]any, error) {
	p.pos++
	m := map[string]any{}
	if p.peek() == '}' {
		p.pos++
		return m, nil
	}
	for {
		if p.peek() != '"' {
			return nil, errors.New(`expected a key in double quotes`)
		}
		start := p.pos
		key, err := p.string()
		if err != nil {
			return nil, err
		}
		if _, twice := m[key]; twice {
			p.pos = start
			return nil, fmt.Errorf("the key %q stands twice in one object", key)
		}
		if p.peek() != ':' {
			return nil, errors.New(`expected ":" after a key`)
		}
		p.pos++
		if m[key], err = p.value(); err != nil {
			return nil, err
		}
		switch p.peek() {
		case ',':
			p.pos++
		case '}':
			p.pos++
			return m, nil
		default:
			return nil, errors.New(`expected "," or "}" in an object`)
		}
	}
}

func (p *jsonParser) list() ([]any, error) {
	p.pos++
	l := []any{}
	if p.peek() == ']' {
		p.pos++
		return l, nil
	}
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		l = append(l, v)
		switch p.peek() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			return l, nil
		default:
			return nil, errors.New(`expected "," or "]" in a list`)
		}
	}
}

func (p *jsonParser) string() (string, error) {
	p.pos++
	start := p.pos
	for p.pos < len(p.data) {
		switch c := p.data[p.pos]; {
		case c == '"':
			s := p.data[start:p.pos]
			if !utf8.Valid(s) {
				return "", errors.New("a string is not valid UTF-8")
			}
			p.pos++
			return string(s), nil
		case c == '\\':
			return p.escapedString(start)
		case c < ' ':
			return "", fmt.Errorf("control character %#U must be escaped in a string", rune(c))
		default:
			p.pos++
		}
	}
	return "", errJSONEnd
}

func (p *jsonParser) escapedString(start int) (string, error) {
	buf := append([]byte(nil), p.data[start:p.pos]...)
	for p.pos < len(p.data) {
		switch c := p.data[p.pos]; {
		case c == '"':
			if !utf8.Valid(buf) {
				return "", errors.New("a string is not valid UTF-8")
			}
			p.pos++
			return string(buf), nil
		case c == '\\':
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			buf = utf8.AppendRune(buf, r)
		case c < ' ':
			return "", fmt.Errorf("control character %#U must be escaped in a string", rune(c))
		default:
			buf = append(buf, c)
			p.pos++
		}
	}
	return "", errJSONEnd
}

var jsonEscapes = map[byte]rune{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

func (p *jsonParser) escape() (rune, error) {
	p.pos++
	if p.pos >= len(p.data) {
		return 0, errJSONEnd
	}
	c := p.data[p.pos]
	if c != 'u' {
		r, ok := jsonEscapes[c]
		if !ok {
			return 0, fmt.Errorf(`unknown escape \%c`, c)
		}
		p.pos++
		return r, nil
	}
	r, err := p.hex4()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if p.pos+1 < len(p.data) && p.data[p.pos] == '\\' && p.data[p.pos+1] == 'u' {
		p.pos++
		low, err := p.hex4()
		if err != nil {
			return 0, err
		}
		if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
			return full, nil
		}
	}
	return 0, errors.New("half of a surrogate pair in a string")
}

// hex4 reads the four digits after \u; pos is at the u.
func (p *jsonParser) hex4() (rune, error) {
	if len(p.data)-p.pos < 5 {
		return 0, errJSONEnd
	}
	n, err := strconv.ParseUint(string(p.data[p.pos+1:p.pos+5]), 16, 32)
	if err != nil {
		return 0, errors.New(`\u needs four hexadecimal digits`)
	}
	p.pos += 5
	return rune(n), nil
}

func (p *jsonParser) number() (any, error) {
	start := p.pos
	if p.data[p.pos] == '-' {
		p.pos++
	}
	first := p.pos
	if p.digits() == 0 {
		return nil, errors.New("expected a digit")
	}
	if p.data[first] == '0' && p.pos-first > 1 {
		p.pos = start
		return nil, errors.New("a number cannot start with a zero")
	}
	integral := true
	if p.pos < len(p.data) && p.data[p.pos] == '.' {
		integral = false
		p.pos++
		if p.digits() == 0 {
			return nil, errors.New("expected a digit after the point")
		}
	}
	if p.pos < len(p.data) && (p.data[p.pos] == 'e' || p.data[p.pos] == 'E') {
		integral = false
		p.pos++
		if p.pos < len(p.data) && (p.data[p.pos] == '+' || p.data[p.pos] == '-') {
			p.pos++
		}
		if p.digits() == 0 {
			return nil, errors.New("expected a digit in the exponent")
		}
	}
	v, err := parseNumber(string(p.data[start:p.pos]), integral)
	if err != nil {
		p.pos = start
	}
	return v, err
}

func (p *jsonParser) digits() int {
	start := p.pos
	for p.pos < len(p.data) && p.data[p.pos] >= '0' && p.data[p.pos] <= '9' {
		p.pos++
	}
	return p.pos - start
}

// errIntRange is what happens to integers that a double cannot hold.
var errIntRange = fmt.Errorf("an integer is larger than 2^53-1 (%d)", int64(MaxInt))

// parseNumber turns the text of a JSON number into an int or a float64.
func parseNumber(text string, integral bool) (any, error) {
	if integral {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n > MaxInt || n < -MaxInt {
			return nil, errIntRange
		}
		return int(n), nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, errors.New("a number is out of range")
	}
	return normalFloat(f)
}

// normalFloat gives a float its place in the data model: an int if it is
// integral.
func normalFloat(f float64) (any, error) {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return nil, errors.New("a number is not finite")
	case f != math.Trunc(f):
		return f, nil
	case math.Abs(f) > MaxInt:
		return nil, errIntRange
	default:
		return int(f), nil
	}
}

// lineColumn says where a byte offset is; both count from 1, the column in
// characters.
func lineColumn(data []byte, offset int) (line, column int) {
	line, start := 1, 0
	for i, c := range data[:min(offset, len(data))] {
		if c == '\n' {
			line, start = line+1, i+1
		}
	}
	return line, utf8.RuneCount(data[start:min(offset, len(data))]) + 1
}
