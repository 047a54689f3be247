package plugins

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"
)

// A shape is what encoding/json makes of a Go type, with the constraints of
// its tags: the source of a JSON Schema and of a validator that agree.
type shape struct {
	kind     kind
	nullable bool
	// fill stands in for the null that Go writes for a nil slice or map. Only
	// outputs have it: nobody else's null means an empty list.
	fill any
	// keys is what a map's keys must look like, or nil.
	keys *regexp.Regexp

	description string
	sensitive   bool
	limits      limits

	elem   *shape  // of an array or a map
	object *object // of an object
}

type kind int

const (
	anything kind = iota
	boolean
	integer
	number
	text
	base64Text
	instant
	array
	mapping
	structure
)

// An object is a struct type. It is shared by every place that uses it, so that
// a type may contain itself.
type object struct {
	name      string
	fields    []field
	byName    map[string]*field
	recursive bool
}

type field struct {
	name     string
	required bool
	shape    *shape
}

// direction says what a schema is of: what an activity takes or gives.
type direction int

const (
	forInput direction = iota
	forOutput
)

// deriver turns types into shapes.
type deriver struct {
	direction direction
	objects   map[reflect.Type]*object
	open      map[reflect.Type]bool
}

func derive(t reflect.Type, d direction) (*shape, error) {
	dr := &deriver{direction: d, objects: map[reflect.Type]*object{}, open: map[reflect.Type]bool{}}
	return dr.shape(t)
}

var (
	timeType          = reflect.TypeFor[time.Time]()
	durationType      = reflect.TypeFor[time.Duration]()
	rawType           = reflect.TypeFor[json.RawMessage]()
	jsonNumberType    = reflect.TypeFor[json.Number]()
	jsonMarshaler     = reflect.TypeFor[json.Marshaler]()
	jsonUnmarshaler   = reflect.TypeFor[json.Unmarshaler]()
	textMarshaler     = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler   = reflect.TypeFor[encoding.TextUnmarshaler]()
	integerKeyPattern = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
)

func (d *deriver) shape(t reflect.Type) (*shape, error) {
	if s := d.special(t); s != nil {
		return s, nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		s, err := d.shape(t.Elem())
		if err != nil {
			return nil, err
		}
		s.nullable = true
		return s, nil
	case reflect.Bool:
		return &shape{kind: boolean}, nil
	case reflect.String:
		return &shape{kind: text}, nil
	case reflect.Float32, reflect.Float64:
		return &shape{kind: number}, nil
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return &shape{kind: anything}, nil
		}
	case reflect.Slice, reflect.Array:
		return d.sequence(t)
	case reflect.Map:
		return d.mapping(t)
	case reflect.Struct:
		o, err := d.object(t)
		return &shape{kind: structure, object: o}, err
	default:
		if s := integerShape(t.Kind()); s != nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("type %s has no JSON: use a struct, map, slice, string, number, boolean or any", t)
}

// special knows the types whose JSON is not that of their kind.
func (d *deriver) special(t reflect.Type) *shape {
	switch t {
	case timeType:
		return &shape{kind: instant}
	case rawType:
		return &shape{kind: anything}
	case jsonNumberType:
		return &shape{kind: number}
	case durationType:
		return &shape{kind: integer, description: "nanoseconds"}
	}
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		return nil
	}
	asJSON, asText := jsonMarshaler, textMarshaler
	if d.direction == forInput {
		asJSON, asText = jsonUnmarshaler, textUnmarshaler
	}
	switch p := reflect.PointerTo(t); {
	case p.Implements(asJSON):
		return &shape{kind: anything}
	case p.Implements(asText):
		return &shape{kind: text}
	}
	return nil
}

func integerShape(k reflect.Kind) *shape {
	s := &shape{kind: integer}
	switch k {
	case reflect.Int, reflect.Int64:
	case reflect.Int8:
		s.limits.between(-1<<7, 1<<7-1)
	case reflect.Int16:
		s.limits.between(-1<<15, 1<<15-1)
	case reflect.Int32:
		s.limits.between(-1<<31, 1<<31-1)
	case reflect.Uint, reflect.Uint64, reflect.Uintptr:
		s.limits.between(0, MaxInteger)
	case reflect.Uint8:
		s.limits.between(0, 1<<8-1)
	case reflect.Uint16:
		s.limits.between(0, 1<<16-1)
	case reflect.Uint32:
		s.limits.between(0, 1<<32-1)
	default:
		return nil
	}
	return s
}

func (d *deriver) fill(empty any) any {
	if d.direction == forInput {
		return nil
	}
	return empty
}

func (d *deriver) sequence(t reflect.Type) (*shape, error) {
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && d.special(t.Elem()) == nil {
		return &shape{kind: base64Text, fill: d.fill("")}, nil
	}
	elem, err := d.shape(t.Elem())
	if err != nil {
		return nil, err
	}
	s := &shape{kind: array, elem: elem, fill: d.fill([]any{})}
	if t.Kind() == reflect.Array {
		n := t.Len()
		s.limits.minItems, s.limits.maxItems = &n, &n
	}
	return s, nil
}

func (d *deriver) mapping(t reflect.Type) (*shape, error) {
	s := &shape{kind: mapping, fill: d.fill(map[string]any{})}
	switch key := t.Key(); {
	case key.Kind() == reflect.String, reflect.PointerTo(key).Implements(textMarshaler) && reflect.PointerTo(key).Implements(textUnmarshaler):
	case integerShape(key.Kind()) != nil:
		s.keys = integerKeyPattern
	default:
		return nil, fmt.Errorf("type %s: a map's keys must be strings or integers", t)
	}
	elem, err := d.shape(t.Elem())
	s.elem = elem
	return s, err
}

func (d *deriver) object(t reflect.Type) (*object, error) {
	if o, ok := d.objects[t]; ok {
		o.recursive = o.recursive || d.open[t]
		return o, nil
	}
	name := t.Name()
	if i := strings.IndexByte(name, '['); i >= 0 { // the arguments of a generic type
		name = name[:i]
	}
	o := &object{name: d.free(name), byName: map[string]*field{}}
	d.objects[t], d.open[t] = o, true
	defer delete(d.open, t)
	for _, sf := range visibleFields(t) {
		f, err := d.field(sf)
		if err != nil {
			return nil, fmt.Errorf("field %s.%s: %w", t, sf.field.Name, err)
		}
		o.fields = append(o.fields, f)
	}
	for i := range o.fields {
		o.byName[o.fields[i].name] = &o.fields[i]
	}
	return o, nil
}

// free returns the name, with a number when another type has taken it.
func (d *deriver) free(name string) string {
	if name == "" {
		name = "Object"
	}
	taken := func(n string) bool {
		for _, o := range d.objects {
			if o.name == n {
				return true
			}
		}
		return false
	}
	free := name
	for i := 2; taken(free); i++ {
		free = fmt.Sprintf("%s%d", name, i)
	}
	return free
}

func (d *deriver) field(sf jsonField) (field, error) {
	if sf.quoted {
		return field{}, errors.New("the json option \"string\" is not supported: make the field a string")
	}
	s, err := d.shape(sf.field.Type)
	if err != nil {
		return field{}, err
	}
	optional := sf.omit || sf.throughPointer || sf.field.Type.Kind() == reflect.Pointer
	if optional && d.direction == forInput {
		s.nullable = true
	}
	if err := s.applyTags(sf.field.Tag); err != nil {
		return field{}, err
	}
	return field{name: sf.name, required: !optional, shape: s}, nil
}
