package iban

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCheck(t *testing.T) {
	tests := []struct {
		name, number string
		want         error
	}{
		{"german", "DE89370400440532013000", nil},
		{"printed in groups", "de89 3704 0044 0532 0130 00", nil},
		{"letters inside", "FR1420041010050500013M02606", nil},
		{"shortest", "NO9386011117947", nil},
		{"longest in the area", "MT84MALT011000012345MTLCAST001S", nil},
		{"one digit off", "DE89370400440532013001", ErrDigits},
		{"two digits swapped", "DE98370400440532013000", ErrDigits},
		{"too short for Germany", "DE8937040044053201300", ErrLength},
		{"no country", "1289370400440532013000", ErrShape},
		{"letters as check digits", "DEAB370400440532013000", ErrShape},
		{"punctuation", "DE89370400440532-13000", ErrShape},
		{"empty", "", ErrShape},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Check(tt.number)
			if !errors.Is(err, tt.want) || (tt.want == nil && err != nil) {
				t.Fatalf("Check = %v, want %v", err, tt.want)
			}
			if err != nil && tt.number != "" && strings.Contains(err.Error(), tt.number) {
				t.Errorf("the message shows the number in clear: %v", err)
			}
		})
	}
}

// Every made number passes, and a change of any one digit is found.
func TestMakeAndDetect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bban := rapid.StringMatching(`[0-9]{18}`).Draw(t, "bban")
		s, err := Make("DE", bban)
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.IntRange(2, len(s)-1).Draw(t, "at")
		digit := byte('0' + rapid.IntRange(0, 9).Draw(t, "digit"))
		changed := s[:at] + string(digit) + s[at+1:]
		if changed != s && Check(changed) == nil {
			t.Fatalf("%s passes after a change at %d of %s", changed, at, s)
		}
	})
}

func TestMask(t *testing.T) {
	for number, want := range map[string]string{
		"DE89370400440532013000":      "DE..3000",
		"de89 3704 0044 0532 0130 00": "DE..3000",
		"DE8937":                      "(masked)",
		"":                            "(masked)",
	} {
		if got := Mask(number); got != want {
			t.Errorf("Mask(%q) = %q, want %q", number, got, want)
		}
	}
}
