package plugins_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/plugins"
)

var update = flag.Bool("update", false, "rewrite the golden files")

type Money struct {
	Minor    int64  `json:"minor" minimum:"1" description:"in minor units"`
	Currency string `json:"currency" enum:"EUR, SEK"`
}

type party struct {
	IBAN    string `json:"iban" sensitive:"true" pattern:"^[A-Z]{2}[0-9A-Z]+$" maxLength:"34"`
	Country string `json:"country,omitempty" minLength:"2" maxLength:"2"`
}

type audited struct {
	At  time.Time `json:"at"`
	Who *string   `json:"who"`
}

type tree struct {
	Name     string `json:"name"`
	Children []tree `json:"children,omitempty"`
	Parent   *tree  `json:"parent,omitempty"`
}

type everything struct {
	audited
	*Money
	Debtor   party               `json:"debtor"`
	Others   []party             `json:"others" minItems:"1" maxItems:"3"`
	ByName   map[string]party    `json:"byName,omitempty"`
	ByNumber map[int]bool        `json:"byNumber,omitempty"`
	Codes    []string            `json:"codes,omitempty" enum:"A,B"`
	Grid     [2][2]int8          `json:"grid"`
	Blob     []byte              `json:"blob,omitempty"`
	Rate     float64             `json:"rate" minimum:"0" maximum:"1.5"`
	Level    uint8               `json:"level" enum:"1,2,3"`
	Free     any                 `json:"free"`
	Raw      json.RawMessage     `json:"raw,omitempty"`
	Wait     time.Duration       `json:"wait,omitzero"`
	Nested   struct{ X, Y int }  `json:"nested"`
	Tree     *tree               `json:"tree"`
	Numbers  map[string][]uint16 `json:"numbers,omitempty" maximum:"9"`
	Hidden   string              `json:"-"`
	private  int
}

func nothing[In, Out any](context.Context, plugins.Call, In) (out Out, err error) { return out, nil }

func manifest[In, Out any](t *testing.T) plugins.ActivityManifest {
	t.Helper()
	p := plugins.New("p", "1", plugins.Activity("a", nothing[In, Out]))
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	return p.Manifest().Activities[0]
}

func TestSchemaGolden(t *testing.T) {
	_ = everything{}.private
	p := plugins.New("bank", "1.2.0",
		plugins.Activity("everything", nothing[everything, everything], plugins.Describe("All of it."), plugins.Errors("NO", "NEVER"), plugins.Regions("eu-west-1", "us-east-1")),
		plugins.Activity("nothing", nothing[struct{}, struct{}]),
		plugins.Activity("probe", nothing[*Money, plugins.Probe[Money]]),
		plugins.Activity("any", nothing[any, []party]),
	)
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(p.Manifest(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := filepath.Join("testdata", "manifest.json")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("manifest (-want +got), rewrite with -update:\n%s", cmp.Diff(string(want), string(got)))
	}
}

// TestFieldsFollowEncodingJSON compares the properties of a schema with what
// encoding/json writes, on the odd rules of embedding.
func TestFieldsFollowEncodingJSON(t *testing.T) {
	type A struct {
		X string
		T string `json:"t"`
	}
	type B struct {
		X string
		T string
	}
	type deep struct {
		A
		Y int
	}
	type named struct {
		A `json:"a"`
		*B
	}
	type tagged struct {
		A        // T is called t, X collides with B's
		B        // X is hidden on both sides
		Y string `json:"y,omitempty"`
	}
	type outer struct {
		X string // hides A's
		deep
		B
	}
	type Text string
	type scalar struct{ Text }
	for name, c := range map[string]struct {
		value  any
		schema json.RawMessage
	}{
		"deep":   {deep{}, manifest[deep, deep](t).Output},
		"named":  {named{B: &B{}}, manifest[named, named](t).Output},
		"tagged": {tagged{Y: "y"}, manifest[tagged, tagged](t).Output},
		"outer":  {outer{}, manifest[outer, outer](t).Output},
		"scalar": {scalar{}, manifest[scalar, scalar](t).Output},
	} {
		encoded, err := json.Marshal(c.value)
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]any
		var got struct{ Properties map[string]any }
		if err := json.Unmarshal(encoded, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(c.schema, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(keys(want), keys(got.Properties)); diff != "" {
			t.Errorf("%s (-encoding/json +schema):\n%s", name, diff)
		}
	}
}

func keys(m map[string]any) map[string]bool {
	out := map[string]bool{}
	for k := range m {
		out[k] = true
	}
	return out
}

func TestMistakes(t *testing.T) {
	type bad1 struct {
		C chan int `json:"c"`
	}
	type bad2 struct {
		N int `json:"n" pattern:"x"`
	}
	type bad3 struct {
		S string `json:"s" pattern:"("`
	}
	type bad4 struct {
		N int8 `json:"n" maximum:"300"`
	}
	type bad5 struct {
		N int `json:"n,string"`
	}
	type bad6 struct {
		S string `json:"s" sensitive:"yes please"`
	}
	type bad7 struct {
		M map[float64]int `json:"m"`
	}
	type bad8 struct {
		F func() `json:"f"`
	}
	type bad9 struct {
		E int `json:"e" enum:"a"`
	}
	for want, p := range map[string]*plugins.Plugin{
		"activity p.a: input: field plugins_test.bad1.C: type chan int has no JSON": plugins.New("p", "1", plugins.Activity("a", nothing[bad1, struct{}])),
		`output: field plugins_test.bad2.N: tag pattern:"x" does not fit`:           plugins.New("p", "1", plugins.Activity("a", nothing[struct{}, bad2])),
		`tag pattern:"(": error parsing regexp`:                                     plugins.New("p", "1", plugins.Activity("a", nothing[bad3, struct{}])),
		`tag maximum:"300": outside`:                                                plugins.New("p", "1", plugins.Activity("a", nothing[bad4, struct{}])),
		`option "string" is not supported`:                                          plugins.New("p", "1", plugins.Activity("a", nothing[bad5, struct{}])),
		`tag sensitive:"yes please": want true or false`:                            plugins.New("p", "1", plugins.Activity("a", nothing[bad6, struct{}])),
		"a map's keys must be strings or integers":                                  plugins.New("p", "1", plugins.Activity("a", nothing[bad7, struct{}])),
		"type func() has no JSON":                                                   plugins.New("p", "1", plugins.Activity("a", nothing[bad8, struct{}])),
		`"a" is not an integer`:                                                     plugins.New("p", "1", plugins.Activity("a", nothing[bad9, struct{}])),
		`plugin name "Ledger"`:                                                      plugins.New("Ledger", "1", plugins.Activity("a", nothing[any, any])),
		`activity name "p.a"`:                                                       plugins.New("p", "1", plugins.Activity("p.a", nothing[any, any])),
		"p.a is defined twice":                                                      plugins.New("p", "1", plugins.Activity("a", nothing[any, any]), plugins.Activity("a", nothing[any, any])),
		`region "Frankfurt"`:                                                        plugins.New("p", "1", plugins.Activity("a", nothing[any, any], plugins.Regions("Frankfurt"))),
		`error code "no money"`:                                                     plugins.New("p", "1", plugins.Activity("a", nothing[any, any], plugins.Errors("no money"))),
		"has no activities":                                                         plugins.New("p", "1"),
		"activity name \"\": want a lower-case letter and then letters, digits, '_' or '-'": plugins.New("p", "1", plugins.Activity("", nothing[any, any])),
	} {
		if err := p.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Err = %v, want %q", err, want)
		}
	}
}
