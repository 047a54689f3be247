package money

import "testing"

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		amount Amount
		good   bool
	}{
		{Amount{1, "EUR"}, true},
		{Amount{MaxMinor, "ISK"}, true},
		{Amount{0, "EUR"}, false},
		{Amount{-1, "EUR"}, false},
		{Amount{MaxMinor + 1, "EUR"}, false},
		{Amount{1, "eur"}, false},
		{Amount{1, "EURO"}, false},
		{Amount{1, ""}, false},
	} {
		if err := tt.amount.Check(); (err == nil) != tt.good {
			t.Errorf("Check(%+v) = %v", tt.amount, err)
		}
	}
}
