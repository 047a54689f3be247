// Package money is the amount of money that the example plugins take and give:
// an integer number of minor units and a currency, never a float.
package money

import "fmt"

// MaxMinor is the largest number of minor units that every JSON reader holds
// exactly, also those that read numbers as doubles: 2^53-1.
const MaxMinor = 1<<53 - 1

// Amount is a positive sum of money.
type Amount struct {
	Minor    int64  `json:"minor" description:"amount in minor units of the currency, for EUR in cents" minimum:"1"`
	Currency string `json:"currency" description:"ISO 4217 code of the currency" pattern:"^[A-Z]{3}$"`
}

// String is the amount as logs and messages show it: "12345 EUR (minor
// units)". It places no decimal point, since that depends on the currency.
func (a Amount) String() string { return fmt.Sprintf("%d %s (minor units)", a.Minor, a.Currency) }

// Check says what is wrong with a sum that a caller sent, or nil.
func (a Amount) Check() error {
	if a.Minor < 1 || a.Minor > MaxMinor {
		return fmt.Errorf("the amount must be between 1 and %d minor units, not %d", int64(MaxMinor), a.Minor)
	}
	if !isCurrency(a.Currency) {
		return fmt.Errorf("the currency must be three capital letters such as EUR, not %q", a.Currency)
	}
	return nil
}

func isCurrency(s string) bool {
	if len(s) != 3 {
		return false
	}
	for _, c := range []byte(s) {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}
