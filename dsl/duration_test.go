package dsl

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"250ms": 250 * time.Millisecond, "30s": 30 * time.Second, "5m": 5 * time.Minute, "24h": 24 * time.Hour,
		"7d": 7 * 24 * time.Hour, "90s": 90 * time.Second, "3660d": MaxDuration,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "5", "s", "0s", "-1s", "+1s", "1.5s", "1h30m", "5 m", "1w", "1us", "1S", "3661d", "99999999999999999999s", "9223372036854775807d", "1sm", "٣s"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v; want an error", text, got)
		}
	}
}

func TestDurationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(1, int64(MaxDuration/time.Millisecond)).Draw(t, "ms")) * time.Millisecond
		if back, err := ParseDuration(FormatDuration(d)); err != nil || back != d {
			t.Fatalf("%v is written %q and read as %v, %v", d, FormatDuration(d), back, err)
		}
	})
}

func TestFormatDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{"1m": time.Minute, "90s": 90 * time.Second, "1d": 24 * time.Hour, "1500ms": 1500 * time.Millisecond} {
		if got := FormatDuration(d); got != want {
			t.Errorf("FormatDuration(%v) = %q; want %q", d, got, want)
		}
	}
}
