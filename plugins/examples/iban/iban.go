// Package iban checks, builds and masks international bank account numbers
// (ISO 13616). The example plugins mask every number before they log it or
// write it into a message.
package iban

import (
	"errors"
	"fmt"
	"strings"
)

// lengths holds the whole length of a number by country, from the ISO 13616
// registry; it names the countries of the single euro payments area.
var lengths = map[string]int{
	"AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18,
	"EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22,
	"IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18,
	"NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "VA": 22,
}

// The shortest and longest numbers that ISO 13616 allows, for countries whose
// length this package does not know.
const (
	minLength = 15
	maxLength = 34
)

// Problems of a number. The errors of Check wrap one of them and hold the
// number only masked.
var (
	ErrShape  = errors.New("not an IBAN")
	ErrLength = errors.New("wrong length for its country")
	ErrDigits = errors.New("check digits do not match")
)

// Normal removes the spaces that people write between groups of four and
// turns letters into capitals.
func Normal(s string) string {
	return strings.ToUpper(strings.ReplaceAll(s, " ", ""))
}

// Country is the ISO 3166-1 alpha-2 code that the number begins with, or ""
// when it has none.
func Country(s string) string {
	s = Normal(s)
	if len(s) < 2 || !isLetter(s[0]) || !isLetter(s[1]) {
		return ""
	}
	return s[:2]
}

// SEPA tells whether a country belongs to the single euro payments area.
func SEPA(country string) bool { return lengths[country] != 0 }

// Check says what is wrong with a number, or nil.
func Check(s string) error {
	s = Normal(s)
	if len(s) < minLength || len(s) > maxLength || Country(s) == "" {
		return fmt.Errorf("%s: %w", Mask(s), ErrShape)
	}
	for i := range len(s) {
		if !isLetter(s[i]) && !isDigit(s[i]) {
			return fmt.Errorf("%s: %w", Mask(s), ErrShape)
		}
	}
	if !isDigit(s[2]) || !isDigit(s[3]) {
		return fmt.Errorf("%s: %w", Mask(s), ErrShape)
	}
	if want := lengths[s[:2]]; want != 0 && len(s) != want {
		return fmt.Errorf("%s: %w: %d characters instead of %d", Mask(s), ErrLength, len(s), want)
	}
	if remainder(s[4:]+s[:4]) != 1 {
		return fmt.Errorf("%s: %w", Mask(s), ErrDigits)
	}
	return nil
}

// Make puts the check digits between a country's code and a basic bank
// account number (ISO 7064, MOD 97-10).
func Make(country, bban string) (string, error) {
	bban = Normal(bban)
	s := fmt.Sprintf("%s%02d%s", country, 98-remainder(bban+country+"00"), bban)
	if err := Check(s); err != nil {
		return "", err
	}
	return s, nil
}

// Mask keeps the country and the last four characters, "DE..3000", which is
// what logs and messages may show. Anything shorter than a number shows
// nothing.
func Mask(s string) string {
	s = Normal(s)
	if len(s) < minLength || Country(s) == "" {
		return "(masked)"
	}
	return s[:2] + ".." + s[len(s)-4:]
}

// remainder reads s as a decimal number in which A stands for 10 and Z for
// 35, modulo 97.
func remainder(s string) int {
	n := 0
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
			n = (n*10 + int(c-'0')) % 97
		case isLetter(c):
			n = (n*100 + int(c-'A') + 10) % 97
		}
	}
	return n
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'A' && c <= 'Z' }
