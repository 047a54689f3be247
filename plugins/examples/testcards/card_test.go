package testcards

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestFromMinor(t *testing.T) {
	tests := []struct {
		name  string
		minor int64
		want  []Card
	}{
		{"rails.submit rejects", 66411, []Card{{RailsSubmit, Reject}}},
		{"ledger.hold crashes after its effect", 66117, []Card{{LedgerHold, CrashAfter}}},
		{"permanent is nought", 66410, []Card{{RailsSubmit, Permanent}}},
		{"two cards", 66411_66122, []Card{{RailsSubmit, Reject}, {LedgerRelease, Flaky}}},
		{"three cards", 66417_66422_66135, []Card{{RailsSubmit, CrashAfter}, {RailsStatus, Flaky}, {LedgerSettle, Silent}}},
		{"something before the card", 1_66411, nil},
		{"something before the card, of a card's length", 12345_66411, nil},
		{"something after the card", 66411_5, nil},
		{"no such point", 66901, nil},
		{"a probe does not lose its effect", 66424, nil},
		{"other marker", 65411, nil},
		{"small", 1, nil},
		{"nothing", 0, nil},
		{"negative", -66411, nil},
		{"the largest", 1<<53 - 1, nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, FromMinor(tt.minor)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestFromAccount(t *testing.T) {
	for number, want := range map[string][]Card{
		"AT051904300000066311":          {{ComplianceScreen, Reject}},
		"AT05 1904 3000 0006 6311":      {{ComplianceScreen, Reject}},
		"AT0519043066422663 12":         {{RailsStatus, Flaky}, {ComplianceScreen, Flaky}},
		"AT611904300234573201":          nil,
		"":                              nil,
		"MT84MALT011000012345MTLCAST0S": nil,
	} {
		if diff := cmp.Diff(want, FromAccount(number)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", number, diff)
		}
	}
}

func cards() *rapid.Generator[Card] {
	return rapid.Custom(func(t *rapid.T) Card {
		var points []Point
		for p := Point(0); p < 100; p++ {
			if _, ok := places[p]; ok {
				points = append(points, p)
			}
		}
		p := rapid.SampledFrom(points).Draw(t, "point")
		return Card{p, rapid.SampledFrom(p.Behaviours()).Draw(t, "behaviour")}
	})
}

// Every hand of up to three cards is an amount that a double holds exactly,
// and reads back.
func TestMinorReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hand := rapid.SliceOfN(cards(), 1, 3).Draw(t, "hand")
		minor := Minor(hand...)
		if minor <= 0 || minor >= 1<<53 {
			t.Fatalf("%v is the amount %d", hand, minor)
		}
		if diff := cmp.Diff(hand, FromMinor(minor)); diff != "" {
			t.Fatalf("%d (-want +got):\n%s", minor, diff)
		}
	})
}

func TestTable(t *testing.T) {
	seen := map[string]Point{}
	for p, at := range places {
		if p < 10 || p > 99 {
			t.Errorf("point %d does not have two digits", p)
		}
		if other, twice := seen[at.activity]; twice {
			t.Errorf("%s is at the points %d and %d", at.activity, p, other)
		}
		seen[at.activity] = p
		if (at.kind == probe) != (at.code == "") {
			t.Errorf("%s: code %q", p, at.code)
		}
		if service, _, ok := strings.Cut(at.activity, "."); !ok || service == "" {
			t.Errorf("%d: activity %q", p, at.activity)
		}
	}
}
