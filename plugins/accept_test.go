package plugins

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

type leaf struct {
	Name   string            `json:"name" minLength:"2" maxLength:"4" pattern:"^[a-zé]+$"`
	Kind   string            `json:"kind,omitempty" enum:"x,y"`
	Count  int               `json:"count,omitempty" minimum:"-3" maximum:"9"`
	Big    int64             `json:"big,omitempty"`
	Small  uint8             `json:"small,omitempty"`
	Ratio  float64           `json:"ratio,omitempty" maximum:"1.5"`
	When   time.Time         `json:"when,omitzero"`
	Blob   []byte            `json:"blob,omitempty"`
	Flag   *bool             `json:"flag"`
	List   []leaf            `json:"list,omitempty" maxItems:"2"`
	ByID   map[int]string    `json:"byID,omitempty" minLength:"1"`
	ByName map[string]*leaf  `json:"byName,omitempty"`
	Free   any               `json:"free,omitempty"`
	Pair   [2]int            `json:"pair,omitzero"`
	Labels map[string]string `json:"labels,omitempty"`
}

func shapeOf[T any](t testing.TB, d direction) *shape {
	t.Helper()
	s, err := derive(reflect.TypeFor[T](), d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAccept(t *testing.T) {
	s := shapeOf[leaf](t, forInput)
	for _, c := range []struct{ in, want string }{ // want: the text accepted, or what is wrong
		{`{"name":"ab"}`, `{"name":"ab"}`},
		{`{"name":"éé"}`, `{"name":"éé"}`},
		{` {"name":"ab","count":null,"list":null,"flag":null,"when":null} `, ` {"name":"ab","count":null,"list":null,"flag":null,"when":null} `},
		{`{"name":"ab","count":3.0,"big":1.5e1}`, `{"big":15,"count":3,"name":"ab"}`},
		{`{"name":"ab","big":9007199254740991}`, `{"name":"ab","big":9007199254740991}`},
		{`{"name":"ab","free":{"a":[1,2.5,1e300,"x",null,true]}}`, `{"name":"ab","free":{"a":[1,2.5,1e300,"x",null,true]}}`},
		{`{"name":"ab","byName":{"k":{"name":"cd"},"n":null}}`, `{"name":"ab","byName":{"k":{"name":"cd"},"n":null}}`},

		{``, "name is required"},
		{`null`, "name is required"},
		{`{}`, "name is required"},
		{`{"name":"ab"} x`, "not JSON: text after the first value"},
		{`{"name":`, "not JSON: unexpected EOF"},
		{`[]`, "the value must be an object, but is a list"},
		{`{"name":null}`, "name must not be null"},
		{`{"name":7}`, "name must be a string, but is a number"},
		{`{"name":"a"}`, "name must have at least 2 characters"},
		{`{"name":"abcde"}`, "name must have at most 4 characters"},
		{`{"name":"AB"}`, "name must match ^[a-zé]+$"},
		{`{"name":"ab","kind":"z"}`, "kind must be one of [x y]"},
		{`{"name":"ab","count":-4}`, "count must be at least -3"},
		{`{"name":"ab","count":10}`, "count must be at most 9"},
		{`{"name":"ab","count":1.5}`, "count must be an integer"},
		{`{"name":"ab","count":"1"}`, "count must be an integer, but is a string"},
		{`{"name":"ab","big":9007199254740992}`, "big must be an integer of at most 2^53-1 in size"},
		{`{"name":"ab","big":-9007199254740992}`, "big must be an integer of at most 2^53-1 in size"},
		{`{"name":"ab","big":1e999999999999}`, "big is out of the range of a number"},
		{`{"name":"ab","small":256}`, "small must be at most 255"},
		{`{"name":"ab","ratio":1.6}`, "ratio must be at most 1.5"},
		{`{"name":"ab","ratio":1e400}`, "ratio is out of the range of a number"},
		{`{"name":"ab","when":"2026-11-23"}`, "when must be an instant like 2026-11-23T10:00:00Z"},
		{`{"name":"ab","blob":"*"}`, "blob must be base64"},
		{`{"name":"ab","flag":1}`, "flag must be a boolean, but is a number"},
		{`{"name":"ab","list":[{"name":"ab"},{"name":"b"}]}`, "list[1].name must have at least 2 characters"},
		{`{"name":"ab","list":[{"name":"ab"},{"name":"ab"},{"name":"ab"}]}`, "list must have at most 2 items"},
		{`{"name":"ab","byID":{"1":"x","one":"y"}}`, "byID must have integers as keys"},
		{`{"name":"ab","byID":{"1":""}}`, "byID.1 must have at least 1 characters"},
		{`{"name":"ab","byName":{"k":{}}}`, "byName.k.name is required"},
		{`{"name":"ab","free":[{"n":9007199254740993}]}`, "free[0].n must be at most 2^53-1 in size"},
		{`{"name":"ab","pair":[1]}`, "pair must have at least 2 items"},
		{`{"name":"ab","nmae":1,"Name":2}`, "Name is unknown; known are name, kind"},
		{`{"name":1,"kind":2}`, "name must be a string, but is a number; kind must be a string, but is a number"},
	} {
		got, err := s.accept([]byte(c.in))
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", c.in, err, c.want)
			}
		} else if string(got) != c.want {
			t.Errorf("%s: accepted as %s, want %q", c.in, got, c.want)
		}
	}
}

// TestViolationsHaveNoValues: what a plugin says of an input goes into logs and
// results.
func TestViolationsHaveNoValues(t *testing.T) {
	s := shapeOf[leaf](t, forInput)
	_, err := s.accept([]byte(`{"name":"SECRET","kind":"SECRET","free":99999999999999999999,"when":"SECRET","count":777}`))
	if err == nil || strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "777") || strings.Contains(err.Error(), "9999") {
		t.Errorf("err = %v", err)
	}
}

func TestOutputsHaveNoNilLists(t *testing.T) {
	type out struct {
		List []string       `json:"list"`
		Map  map[string]int `json:"map"`
		Blob []byte         `json:"blob"`
		Ptr  *[]string      `json:"ptr"`
		Any  []any          `json:"any"`
		Deep [][]int        `json:"deep"`
	}
	got, err := encodeOutput(shapeOf[out](t, forOutput), out{Deep: [][]int{nil, {1}}})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"any":[],"blob":"","deep":[[],[1]],"list":[],"map":{},"ptr":null}`; string(got) != want {
		t.Errorf("output %s, want %s", got, want)
	}
}

func TestWholeNumber(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "-0": 0, "0.000": 0, "0e99999999999": 0, "12": 12, "-12.00": -12, "1.2e1": 12, "120e-1": 12,
		"1200000E-5": 12, "9007199254740991": MaxInteger, "-9007199254740991e0": -MaxInteger, "0.12e2": 12,
	} {
		if got, ok := wholeNumber(text); !ok || got != want {
			t.Errorf("%s = %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"1.5", "9007199254740992", "1e16", "1e99999999999", "1e-1", "12e-99999999999999999999", "0.1", "90071992547409920000000"} {
		if got, ok := wholeNumber(text); ok {
			t.Errorf("%s = %d", text, got)
		}
	}
}
