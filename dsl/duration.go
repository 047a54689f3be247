package dsl

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// MaxDuration is the longest duration a definition may name. Nothing of a
// saga waits longer than ten years.
const MaxDuration = 3660 * 24 * time.Hour

// durationUnits are the units of durations, the longest first.
var durationUnits = []struct {
	name string
	size time.Duration
}{
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
}

// ParseDuration reads a duration as definitions write it: a positive whole
// number and one of the units ms, s, m, h and d (24 hours), such as 250ms, 30s
// or 7d.
func ParseDuration(s string) (time.Duration, error) {
	digits := strings.TrimRight(s, "dhms")
	unit := s[len(digits):]
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || strings.HasPrefix(digits, "+") {
		return 0, durationError(s)
	}
	for _, u := range durationUnits {
		if u.name != unit {
			continue
		}
		switch {
		case n == 0:
			return 0, fmt.Errorf("the duration %q is not positive", s)
		case n > uint64(MaxDuration/u.size):
			return 0, fmt.Errorf("the duration %q is over the limit of %s", s, FormatDuration(MaxDuration))
		}
		return time.Duration(n) * u.size, nil
	}
	return 0, durationError(s)
}

func durationError(s string) error {
	return fmt.Errorf("%q is not a duration; write a whole number and a unit, such as 250ms, 30s, 5m, 24h or 7d", s)
}

// FormatDuration writes a duration as ParseDuration reads it, in the longest
// unit that divides it. It cuts what is below a millisecond.
func FormatDuration(d time.Duration) string {
	for _, u := range durationUnits {
		if d >= u.size && d%u.size == 0 || u.name == "ms" {
			return strconv.FormatInt(int64(d/u.size), 10) + u.name
		}
	}
	return ""
}
