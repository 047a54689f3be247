package compliance_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/plugins/examples/compliance"
	"github.com/sagad/sagad/plugins/examples/exampletest"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

func person(name, country, document string) compliance.IdentifyInput {
	return compliance.IdentifyInput{Name: name, BirthDate: "1990-12-10", Country: country, Document: document}
}

func TestIdentify(t *testing.T) {
	p := exampletest.Start(t, compliance.New, t.TempDir())
	broken := person("Ada", "LU", "L0012345")
	broken.BirthDate = "10.12.1990"
	for name, tt := range map[string]struct {
		input compliance.IdentifyInput
		want  string
	}{
		"ordinary":                  {person("Ada", "LU", "L0012345"), "low"},
		"far away":                  {person("Ada", "JP", "L0012345"), "high"},
		"with a public office":      {person(compliance.ExposedPersons[0], "LU", "L0012345"), "medium"},
		"in another spelling":       {person("  portia   EXLEY", "LU", "L0012345"), "medium"},
		"on the sanctions list":     {person(compliance.SanctionedPersons[0], "LU", "L0012345"), "reject SANCTIONS_HIT"},
		"not a date":                {broken, "reject INVALID_INPUT"},
		"a card that rejects":       {person("Ada", "LU", "L"+testcards.Card{Point: testcards.ComplianceIdentify, Behaviour: testcards.Reject}.String()), "reject SANCTIONS_HIT"},
		"a card that is down":       {person("Ada", "LU", "L"+testcards.Card{Point: testcards.ComplianceIdentify, Behaviour: testcards.Down}.String()), "retry TEMPORARY_FAILURE"},
		"a card of another service": {person("Ada", "LU", "L66311"), "low"},
	} {
		out, err := exampletest.Invoke[compliance.IdentifyOutput](p, "compliance.identify", exampletest.Step{Saga: name, Path: "s"}.Action(1), tt.input)
		got := out.Risk
		if err != nil {
			got = exampletest.Answer(err)
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		for _, secret := range []string{tt.input.Name, tt.input.Document} {
			if tt.want != "reject INVALID_INPUT" && strings.Contains(p.Logs(), secret) {
				t.Errorf("%s: the log shows who it is", name)
			}
		}
	}
	for _, a := range compliance.New().Manifest().Activities {
		if a.Name != "compliance.identify" {
			continue
		}
		if diff := cmp.Diff([]string{"name", "birthDate", "document"}, a.Sensitive); diff != "" {
			t.Errorf("sensitive (-want +got):\n%s", diff)
		}
	}
}
