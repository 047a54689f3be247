package compliance_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/plugins/examples/compliance"
	"github.com/sagad/sagad/plugins/examples/exampletest"
	"github.com/sagad/sagad/plugins/examples/iban"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

const german = "DE89370400440532013000"

func party(number string) compliance.Party {
	return compliance.Party{IBAN: number, Country: iban.Country(number)}
}

func TestScreen(t *testing.T) {
	p := exampletest.Start(t, compliance.New, t.TempDir())
	domestic, err := iban.Make("DE", "100500000000012345")
	if err != nil {
		t.Fatal(err)
	}
	turkish, err := iban.Make("TR", "0006100519786457841326")
	if err != nil {
		t.Fatal(err)
	}
	moved := compliance.Party{IBAN: compliance.Trusted[0], Country: "FR"}
	tests := []struct {
		name             string
		debtor, creditor compliance.Party
		want             compliance.ScreenOutput
	}{
		{"a trusted beneficiary abroad", party(german), party(compliance.Trusted[0]), compliance.ScreenOutput{SCARequired: false, RiskScore: 15}},
		{"printed in groups", party(german), compliance.Party{IBAN: "AT61 1904 3002 3457 3201", Country: "AT"}, compliance.ScreenOutput{SCARequired: false, RiskScore: 15}},
		{"a stranger abroad", party(german), party("PT50000201231234567890154"), compliance.ScreenOutput{SCARequired: true, RiskScore: 15}},
		{"a stranger at home", party(german), party(domestic), compliance.ScreenOutput{SCARequired: true, RiskScore: 5}},
		{"outside the area", party(german), party(turkish), compliance.ScreenOutput{SCARequired: true, RiskScore: 55}},
		{"a trusted beneficiary whose account is elsewhere", party(german), moved, compliance.ScreenOutput{SCARequired: false, RiskScore: 40}},
		{"both accounts elsewhere", compliance.Party{IBAN: german, Country: "NL"}, moved, compliance.ScreenOutput{SCARequired: true, RiskScore: 65}},
		{"everything at once", compliance.Party{IBAN: german, Country: "TR"}, moved, compliance.ScreenOutput{SCARequired: true, RiskScore: 100}},
	}
	for _, tt := range tests {
		out := exampletest.Must[compliance.ScreenOutput](t, p, "compliance.screen", exampletest.Step{Saga: tt.name, Path: "screen"},
			compliance.ScreenInput{Debtor: tt.debtor, Creditor: tt.creditor})
		if diff := cmp.Diff(tt.want, out); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestRejections(t *testing.T) {
	p := exampletest.Start(t, compliance.New, t.TempDir())
	for name, tt := range map[string]struct {
		debtor, creditor compliance.Party
		want             string
	}{
		"sanctioned creditor":      {party(german), party(compliance.Sanctioned[0]), "reject SANCTIONS_HIT"},
		"sanctioned debtor":        {party(compliance.Sanctioned[1]), party(german), "reject SANCTIONS_HIT"},
		"a digit off":              {party(german), party("AT611904300234573202"), "reject INVALID_IBAN"},
		"the debtor's digit off":   {party("DE89370400440532013001"), party(german), "reject INVALID_IBAN"},
		"a country in small print": {party(german), compliance.Party{IBAN: german, Country: "de"}, "reject INVALID_INPUT"},
	} {
		_, err := p.Invoke("compliance.screen", exampletest.Step{Saga: name, Path: "screen"}.Action(1), compliance.ScreenInput{Debtor: tt.debtor, Creditor: tt.creditor})
		if got := exampletest.Answer(err); got != tt.want {
			t.Errorf("%s: answer %q, want %q", name, got, tt.want)
		}
		for _, number := range []string{tt.debtor.IBAN, tt.creditor.IBAN} {
			if tt.want != "reject INVALID_INPUT" && strings.Contains(err.Error()+p.Logs(), number) {
				t.Errorf("%s: a number stands in clear in the message or the log: %v", name, err)
			}
		}
	}
}

// cardAccount is an Austrian number that carries a test card.
func cardAccount(t testing.TB, b testcards.Behaviour) compliance.Party {
	number, err := iban.Make("AT", "19043000000"+testcards.Card{Point: testcards.ComplianceScreen, Behaviour: b}.String())
	if err != nil {
		t.Fatal(err)
	}
	return party(number)
}

func TestCards(t *testing.T) {
	retry := "retry " + testcards.CodeTemporary
	for behaviour, want := range map[testcards.Behaviour][]string{
		testcards.Permanent:   {"permanent " + testcards.CodePermanent},
		testcards.Reject:      {"reject SANCTIONS_HIT"},
		testcards.Flaky:       {retry, retry, "ok"},
		testcards.Slow:        {"ok"},
		testcards.CrashBefore: {"crash", "ok"},
		testcards.Down:        {retry, retry, retry, retry},
	} {
		t.Run(behaviour.String(), func(t *testing.T) {
			p := exampletest.Start(t, compliance.New, t.TempDir())
			var got []string
			for range want {
				_, err := p.Invoke("compliance.screen", exampletest.Step{Saga: "s", Path: "screen"}.Action(1),
					compliance.ScreenInput{Debtor: party(german), Creditor: cardAccount(t, behaviour)})
				got = append(got, exampletest.Answer(err))
				if exampletest.Answer(err) == "crash" {
					p.Restart()
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestManifest(t *testing.T) {
	want := []string{"debtor.iban", "creditor.iban"}
	if diff := cmp.Diff(want, compliance.New().Manifest().Activities[0].Sensitive); diff != "" {
		t.Errorf("sensitive (-want +got):\n%s", diff)
	}
}
