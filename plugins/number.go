package plugins

import (
	"strconv"
	"strings"
)

// MaxInteger is the largest size of an integer in an input or an output:
// 2^53-1, beyond which readers that use doubles lose digits.
const MaxInteger = 1<<53 - 1

// wholeNumber reads a JSON number that is an integer of at most MaxInteger in
// size, however it is written (12, 12.0, 1.2e1). It is exact, and takes time
// in proportion to the text whatever the exponent says.
func wholeNumber(text string) (int64, bool) {
	mantissa, negative := strings.CutPrefix(text, "-")
	exponent := 0
	if i := strings.IndexAny(mantissa, "eE"); i >= 0 {
		var err error
		if exponent, err = strconv.Atoi(mantissa[i+1:]); err != nil {
			exponent = 1 << 30 // beyond any digits; zero stays zero
		}
		mantissa = mantissa[:i]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	exponent -= len(fraction)
	for exponent < 0 && strings.HasSuffix(digits, "0") {
		digits, exponent = digits[:len(digits)-1], exponent+1
	}
	if digits == "" {
		return 0, true
	}
	if exponent < 0 || len(digits)+exponent > 16 {
		return 0, false
	}
	n, err := strconv.ParseInt(digits+strings.Repeat("0", exponent), 10, 64)
	if err != nil || n > MaxInteger {
		return 0, false
	}
	if negative {
		n = -n
	}
	return n, true
}
