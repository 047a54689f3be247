package fx

import (
	"fmt"
	"math/big"

	"github.com/sagad/sagad/plugins/examples/money"
)

// rateScale is what an integer rate is multiplied with: rates have eight
// decimals, so that a krone per forint keeps six digits that count.
const (
	rateDecimals = 8
	rateScale    = 100_000_000
)

// currency is one row of the rate table.
type currency struct {
	code     string
	exponent int   // decimals of the minor unit (ISO 4217)
	perEuro  int64 // how much of it a euro buys, times rateScale
}

// The rate table that the first start seeds. The rates are made up, near those
// of a quiet day, and never change: the same amount has the same quote.
var seedCurrencies = []currency{
	{"EUR", 2, 1 * rateScale},
	{"BGN", 2, 195_583_000},
	{"CHF", 2, 94_000_000},
	{"CZK", 2, 24_80_000_000},
	{"DKK", 2, 7_46_000_000},
	{"GBP", 2, 86_000_000},
	{"HUF", 2, 398_00_000_000},
	{"ISK", 0, 148_50_000_000},
	{"NOK", 2, 11_70_000_000},
	{"PLN", 2, 4_26_000_000},
	{"RON", 2, 4_98_000_000},
	{"SEK", 2, 11_25_000_000},
	{"USD", 2, 1_08_000_000},
}

// convert gives the rate between two currencies, times rateScale and rounded
// half to even, and the converted amount in minor units of the target, rounded
// half to even from the unrounded rate. ok is false when the result is nothing
// or larger than money.MaxMinor.
func convert(minor int64, from, to currency) (rate, converted int64, ok bool) {
	scale := big.NewInt(rateScale)
	r := quotient(new(big.Int).Mul(big.NewInt(to.perEuro), scale), big.NewInt(from.perEuro))
	up := new(big.Int).Mul(big.NewInt(minor), big.NewInt(to.perEuro))
	up.Mul(up, power(to.exponent))
	down := new(big.Int).Mul(big.NewInt(from.perEuro), power(from.exponent))
	c := quotient(up, down)
	if !r.IsInt64() || !c.IsInt64() || c.Int64() < 1 || c.Int64() > money.MaxMinor {
		return 0, 0, false
	}
	return r.Int64(), c.Int64(), true
}

// quotient is a/b for positive numbers, rounded half to even.
func quotient(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if c := r.Lsh(r, 1).Cmp(b); c > 0 || c == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

func power(exponent int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil)
}

// decimal writes an integer rate as people read it: 11.25000000.
func decimal(rate int64) string {
	return fmt.Sprintf("%d.%0*d", rate/rateScale, rateDecimals, rate%rateScale)
}
