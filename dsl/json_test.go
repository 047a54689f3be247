package dsl

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseJSON(t *testing.T) {
	for text, want := range map[string]any{
		"null":                      nil,
		" true ":                    true,
		"1":                         1,
		"-0":                        0,
		"1.0":                       1,
		"-0.0":                      0,
		"1e3":                       1000,
		"12.5e1":                    125,
		"0.1":                       0.1,
		"9007199254740991":          9007199254740991,
		"-9007199254740991":         -9007199254740991,
		"1e-400":                    0,
		`"a\u00e9\ud83d\ude00\n"`:   "aé😀\n",
		`"\"\\\/\b\f\r\t"`:          "\"\\/\b\f\r\t",
		`[1, [], {}]`:               []any{1, []any{}, map[string]any{}},
		`{"a": {"b": [null, 1.5]}}`: map[string]any{"a": map[string]any{"b": []any{nil, 1.5}}},
	} {
		got, err := ParseJSON([]byte(text))
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("ParseJSON(%s) = %#v, %v; want %#v", text, got, err, want)
		}
	}
}

func TestParseJSONRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "line 1, column 1: the text ends too early",
		"1 2":                           "line 1, column 3: something follows the value",
		"9007199254740992":              "column 1: an integer is larger than 2^53-1",
		"-9007199254740993.0":           "larger than 2^53-1",
		"1e300":                         "larger than 2^53-1",
		"1e400":                         "a number is out of range",
		"01":                            "a number cannot start with a zero",
		"-":                             "expected a digit",
		"1.":                            "expected a digit after the point",
		"1e":                            "expected a digit in the exponent",
		".5":                            "a value cannot start with",
		"+1":                            "a value cannot start with",
		"NaN":                           "a value cannot start with",
		"nul":                           "expected null",
		"[1,]":                          "a value cannot start with ']'",
		"[1 2]":                         `expected "," or "]"`,
		`{"a":1,}`:                      "expected a key",
		`{"a" 1}`:                       `expected ":"`,
		"{\"a\":1,\n \"b\":2, \"a\":3}": `line 2, column 9: the key "a" stands twice`,
		`"\ud800"`:                      "half of a surrogate pair",
		`"\ud800\u0041"`:                "half of a surrogate pair",
		`"\x41"`:                        `unknown escape \x`,
		`"\u00zz"`:                      "four hexadecimal digits",
		"\"a\nb\"":                      "must be escaped",
		"\"\xff\"":                      "not valid UTF-8",
		`"open`:                         "ends too early",
		strings.Repeat("[", 201):        "nested over 200 levels",
	} {
		_, err := ParseJSON([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseJSON(%.40q) fails with %v; want %q", text, err, want)
		}
	}
	if _, err := ParseJSON(make([]byte, MaxJSONBytes+1)); err == nil {
		t.Error("a text over the limit is read")
	}
	deep := strings.Repeat("[", MaxJSONDepth) + strings.Repeat("]", MaxJSONDepth)
	if _, err := ParseJSON([]byte(deep)); err != nil {
		t.Errorf("a text at the limit of depth is refused: %v", err)
	}
}

// TestMarshalCanonical has the examples of RFC 8785 that the data model can
// hold.
func TestMarshalCanonical(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{nil, "null"},
		{map[string]any{"b": 1, "a": []any{true, false, nil}}, `{"a":[true,false,null],"b":1}`},
		{"\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/<&>", `"€$\u000f\nA'B\"\\\\\"/<&>"`},
		{map[string]any{"\u20ac": 1, "\r": 2, "1": 3, "\U0001f600": 4, "\u0080": 5, "\u00f6": 6, "\ufb33": 7}, `{"\r":2,"1":3,"` + "\u0080" + `":5,"ö":6,"€":1,"😀":4,"` + "\ufb33" + `":7}`},
		{333333333.33333329, "333333333.3333333"},
		{4.5, "4.5"},
		{2e-3, "0.002"},
		{1.5e-27, "1.5e-27"},
		{1e-7, "1e-7"},
		{1.0e30, "1e+30"},
		{5e-324, "5e-324"},
		{math.Copysign(0, -1), "0"},
		{0.000001, "0.000001"},
		{123456789012345680000.0, "123456789012345680000"},
	} {
		got, err := MarshalCanonical(c.value)
		if err != nil || string(got) != c.want {
			t.Errorf("MarshalCanonical(%#v) = %s, %v; want %s", c.value, got, err, c.want)
		}
	}
	for _, v := range []any{math.NaN(), math.Inf(1), "\xff", int64(1), struct{}{}, []string{"a"}} {
		if text, err := MarshalCanonical(v); err == nil {
			t.Errorf("MarshalCanonical(%#v) = %s; want an error", v, text)
		}
	}
}

// jsonData generates values of the data model.
func jsonData(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		kinds := 5
		if depth > 0 {
			kinds = 7
		}
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0:
			return nil
		case 1:
			return rapid.Bool().Draw(t, "bool")
		case 2:
			return rapid.IntRange(-MaxInt, MaxInt).Draw(t, "int")
		case 3:
			f := rapid.Float64().Draw(t, "float")
			if f == math.Trunc(f) || math.IsInf(f, 0) {
				return 0.5
			}
			return f
		case 4:
			return rapid.String().Draw(t, "text")
		case 5:
			return rapid.SliceOfN(jsonData(depth-1), 0, 4).Draw(t, "list")
		default:
			return rapid.MapOfN(rapid.String(), jsonData(depth-1), 0, 4).Draw(t, "map")
		}
	})
}

// TestCanonicalRoundTrip: canonical text is JSON that means the same to Go's
// parser, and gives the same value back.
func TestCanonicalRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := jsonData(4).Draw(t, "value")
		text, err := MarshalCanonical(v)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseJSON(text)
		if err != nil || !cmp.Equal(back, v) {
			t.Fatalf("%s comes back as %#v, %v", text, back, err)
		}
		var plain any
		if err := json.Unmarshal(text, &plain); err != nil {
			t.Fatal(err)
		}
		again, err := MarshalCanonical(back)
		if err != nil || !bytes.Equal(again, text) {
			t.Fatalf("%s is %s the second time", text, again)
		}
	})
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,"x\u00e9",null,true]}`, `1e3`, `"\ud83d\ude00"`, `[[[]]]`, `{"a":1,"a":2}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := ParseJSON(data)
		if err != nil {
			return
		}
		var plain any
		if err := json.Unmarshal(data, &plain); err != nil {
			t.Fatalf("%q is read, and is not JSON: %v", data, err)
		}
		text, err := MarshalCanonical(v)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ParseJSON(text); err != nil || !cmp.Equal(back, v) {
			t.Fatalf("%q: %s comes back as %#v, %v", data, text, back, err)
		}
	})
}

func BenchmarkParseJSON(b *testing.B) {
	data := []byte(`{"paymentId":"p-1","amount":{"minor":12500,"currency":"EUR"},"debtor":{"iban":"DE89370400440532013000","country":"DE"},"creditor":{"iban":"SE3550000000054910000003","country":"SE"}}`)
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ParseJSON(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if err := json.Unmarshal(data, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
