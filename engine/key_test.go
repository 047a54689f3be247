package engine

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestKeyRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		k := Key{
			Tenant: rapid.String().Draw(r, "tenant"), Saga: rapid.String().Draw(r, "saga"), Path: rapid.String().Draw(r, "path"),
			Op:         Op(rapid.IntRange(int(OpAction), int(OpProbe)).Draw(r, "op")),
			StartedAt:  time.Unix(rapid.Int64Range(0, 4e9).Draw(r, "at"), 0).UTC(),
			Generation: rapid.IntRange(0, 99).Draw(r, "generation"),
		}
		text := k.String()
		if len(text) > maxKey {
			r.Fatalf("%d bytes", len(text))
		}
		got, ok := ParseKey(text)
		if hashed := strings.HasPrefix(text, "sha256:") && strings.Count(text, ":") == 1; hashed == ok {
			r.Fatalf("%q: parsed %t", text, ok)
		}
		if ok && got != k {
			r.Fatalf("%q gave %+v, want %+v", text, got, k)
		}
	})
}

func TestKeys(t *testing.T) {
	at := time.Date(2026, 11, 23, 10, 0, 0, 999, time.FixedZone("CET", 3600))
	for _, c := range []struct{ got, want string }{
		{InstanceID("demo", "pay", "p-1"), "demo/pay/p-1"},
		{InstanceID("demo", "pay", "a/b%c\n"), "demo/pay/a%2Fb%25c%0A"},
		{InstanceID("demo", "pay", "ü%"), "demo/pay/%C3%BC%25"},
		{ChildID("demo/pay/%C3%BC", "go[Köln]", 1), "demo/pay/%C3%BC/go[K%C3%B6ln]@1"},
		{InstanceID("demo", "pay", strings.Repeat("x", 300))[:16], "demo/pay/sha256-"},
		{OperationKey("demo", "demo/pay/p-1", "hold", OpAction, at, 0), "demo:demo/pay/p-1:hold:action:20261123T090000Z:0"},
		{OperationKey("d:e", "demo/pay/p:1", "take[a%3Ab]", OpCompensation, at, 2), "d%3Ae:demo/pay/p%3A1:take[a%253Ab]:compensation:20261123T090000Z:2"},
		{OperationKey("demo", strings.Repeat("x", 300), "p", OpAction, at, 0)[:7], "sha256:"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add("demo:demo/pay/p-1:hold:action:20261123T090000Z:0")
	f.Add("a:b:%zz:probe:20261123T090000Z:-1")
	f.Fuzz(func(t *testing.T, key string) {
		if k, ok := ParseKey(key); ok && k.String() != key {
			t.Errorf("%q gives %q", key, k.String())
		}
	})
}
