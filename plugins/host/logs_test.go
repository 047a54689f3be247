package host

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// forwarded is a forwarder at a fixed time, and what it wrote.
func forwarded(t *testing.T) (*forwarder, *redactor, func() []string) {
	t.Helper()
	var buf bytes.Buffer
	handler := slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && a.Value.Time().Year() != 2001 {
			return slog.Attr{}
		}
		return a
	}})
	r := newRedactor()
	f := newForwarder(slog.New(handler), r)
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	f.now = func() time.Time { return now }
	return f, r, func() []string {
		out := strings.Split(strings.TrimSpace(buf.String()), "\n")
		buf.Reset()
		return out
	}
}

func TestLineFormats(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`plain text`, `level=INFO msg="plain text"`},
		{`{"time":"2001-02-03T04:05:06Z","level":"WARN","msg":"slog","n":1,"f":1.5,"s":"x"}`, `time=2001-02-03T04:05:06.000Z level=WARN msg=slog n=1 f=1.5 s=x`},
		{`{"@level":"trace","@message":"hclog","@timestamp":"2001-02-03T04:05:06Z"}`, `time=2001-02-03T04:05:06.000Z level=DEBUG msg=hclog`},
		{`{"severity":"fatal","message":"others"}`, `level=ERROR msg=others`},
		{`{"level":"nonsense","msg":"x"}`, `level=INFO msg=x`},
		{`{"level":30,"msg":"pino"}`, `level=INFO msg=pino level=30`},
		{`{"msg":"tags","plugin":"spoofed","tenant":"spoofed","region":"spoofed","x":"y"}`, `level=INFO msg=tags x=y`},
		{`{"msg":"cut`, `level=INFO msg="{\"msg\":\"cut"`},
		{`{"msg":"ok"} trailing`, `level=INFO msg=ok`},
		{`[1]`, `level=INFO msg=[1]`},
	} {
		f, _, lines := forwarded(t)
		f.copy(strings.NewReader(c.in + "\n"))
		if diff := cmp.Diff([]string{c.want}, lines()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.in, diff)
		}
	}
}

func TestCrashIsLoggedAsError(t *testing.T) {
	f, _, lines := forwarded(t)
	f.copy(strings.NewReader("hello\n\npanic: boom\n\ngoroutine 1 [running]:\n"))
	if diff := cmp.Diff([]string{`level=INFO msg=hello`, `level=ERROR msg="panic: boom"`, `level=ERROR msg="goroutine 1 [running]:"`}, lines()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestLongLines(t *testing.T) {
	f, r, lines := forwarded(t)
	// The value lies across the cut of what is kept.
	secret := strings.Repeat("s", 100)
	defer r.hold([]string{secret}).release()
	f.copy(strings.NewReader(strings.Repeat("x", maxText-50) + secret + strings.Repeat("y", 2*maxLine) + "\nnext\n"))
	got := lines()
	if len(got) != 2 || got[1] != "level=INFO msg=next" {
		t.Fatalf("%d lines, the last is %.80s", len(got), got[len(got)-1])
	}
	if len(got[0]) > maxText+100 || strings.Contains(got[0], "sss") {
		t.Errorf("the long line is %d bytes: ...%s", len(got[0]), got[0][maxText-100:])
	}
	many := map[string]any{"msg": "many"}
	for _, c := range strings.Split("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "") {
		many[c] = 1
	}
	encoded, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	f.line(encoded, false)
	if n := strings.Count(lines()[0], "=1"); n != maxAttributes {
		t.Errorf("%d attributes were kept", n)
	}
}

func TestLineWriter(t *testing.T) {
	f, _, lines := forwarded(t)
	w := f.writer()
	for _, part := range []string{"on", "e\ntw", "o\n", "\nthree", strings.Repeat("x", 2*maxLine), "\nfour\n"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	got := lines()
	if len(got) != 5 || got[0] != "level=INFO msg=one" || got[1] != "level=INFO msg=two" || got[4] != "level=INFO msg=four" {
		t.Errorf("%d lines: %.200q", len(got), got)
	}
}

func TestRate(t *testing.T) {
	f, _, lines := forwarded(t)
	now := f.now()
	f.now = func() time.Time { return now }
	for range lineBurst + 7 {
		f.line([]byte("x"), false)
	}
	if got := lines(); len(got) != lineBurst {
		t.Errorf("%d lines of a burst", len(got))
	}
	now = now.Add(time.Second / linesPerSec)
	f.line([]byte("y"), false)
	if diff := cmp.Diff([]string{`level=WARN msg="plugin logged too much: lines were dropped" lines=7 limit=200`, `level=INFO msg=y`}, lines()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	f.line([]byte("z"), false)
	now = now.Add(time.Hour)
	for range 2 * lineBurst {
		f.line([]byte("x"), false)
	}
	if got := lines(); len(got) != lineBurst+1 {
		t.Errorf("%d lines after an hour", len(got))
	}
}

func TestRedact(t *testing.T) {
	r := newRedactor()
	one := r.hold([]string{"DE8937", "DE8937040044", "7", "  ", "two\nlines here"})
	two := r.hold([]string{"DE8937"})
	for in, want := range map[string]string{
		"from DE8937040044 to DE8937x": "from [redacted] to [redacted]x",
		"7, 77 a7 (7) 7":               "[redacted], 77 a7 ([redacted]) [redacted]",
		"77":                           "77",
		"it has lines here":            "it has [redacted]",
		"é7é":                          "é7é",
		"":                             "",
	} {
		if got := r.text(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	tree := map[string]any{"DE8937": []any{json.Number("7"), "x7", true, nil}}
	if diff := cmp.Diff(map[string]any{"[redacted]": []any{"[redacted]", "x7", true, nil}}, r.tree(tree)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	r.count(one.values, -1)
	if got := r.text("DE8937040044 7"); got != "[redacted]040044 7" {
		t.Errorf("the other call's value: %q", got)
	}
	r.count(two.values, -1)
	if len(r.values) != 0 || len(r.counts) != 0 {
		t.Errorf("values are left: %v", r.values)
	}
}

func TestValuesAt(t *testing.T) {
	input := json.RawMessage(`{"debtor":{"iban":"A1","n":12},"items":[{"card":"C1"},{"card":"C2"},{}],"byName":{"x":{"p":"P1"}},"all":["Z1",{"q":"Z2"}],"flag":true}`)
	for path, want := range map[string][]string{
		"debtor.iban":  {"A1"},
		"debtor.n":     {"12"},
		"items[].card": {"C1", "C2"},
		"byName.*.p":   {"P1"},
		"all":          {"Z1", "Z2"},
		"flag":         nil,
		"nothing.here": nil,
	} {
		if diff := cmp.Diff(want, valuesAt(input, []string{path})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	if got := valuesAt(json.RawMessage(`["a",["b"]]`), []string{"[]"}); len(got) != 2 {
		t.Errorf("root list: %v", got)
	}
	if got := valuesAt(json.RawMessage(`{`), []string{"a"}); got != nil {
		t.Errorf("broken input: %v", got)
	}
}

func TestHasLargeInteger(t *testing.T) {
	for text, want := range map[string]bool{
		`9007199254740991`:                 false,
		`-9007199254740991`:                false,
		`9007199254740992`:                 true,
		`{"a":[1,-9007199254740992]}`:      true,
		`{"99999999999999999999":"1"}`:     false,
		`"\\\"99999999999999999999"`:       false,
		`["\\",99999999999999999999]`:      true,
		`99999999999999999999.5`:           false,
		`[1e99,99999999999999999999E1, 1]`: false,
		`[1.99999999999999999999,2]`:       false,
		`[1e-5,99999999999999999]`:         true,
		`{}`:                               false,
	} {
		if got := hasLargeInteger([]byte(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
