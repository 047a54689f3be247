// Package money is the amount of money that the example plugins take and give:
// an integer number of minor units and a currency, never a float.
package money

import "fmt"

// MaxMinor is the largest number of minor units that every JSON reader holds
// exactly, also those that read numbers as doubles: 2^53-1.
const MaxMinor = 1<<53 - 1

// Amount is a positive sum of money. An input that breaks its schema, the
// limits below and MaxMinor, does not reach an activity.
type Amount struct {
	Minor    int64  `json:"minor" description:"amount in minor units of the currency, for EUR in cents" minimum:"1"`
	Currency string `json:"currency" description:"ISO 4217 code of the currency" pattern:"^[A-Z]{3}$"`
}

// String is the amount as logs and messages show it: "12345 EUR (minor
// units)". It places no decimal point, since that depends on the currency.
func (a Amount) String() string { return fmt.Sprintf("%d %s (minor units)", a.Minor, a.Currency) }
