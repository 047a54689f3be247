package rails_test

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sagad/sagad/plugins/examples/exampletest"
	"github.com/sagad/sagad/plugins/examples/money"
	"github.com/sagad/sagad/plugins/examples/rails"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

func payment(minor int64) rails.SubmitInput {
	return rails.SubmitInput{Quote: "quote-1", Amount: money.Amount{Minor: minor, Currency: "EUR"}}
}

func TestSubmit(t *testing.T) {
	exampletest.Effect{
		Plugin: rails.New, Name: rails.Name, Action: testcards.RailsSubmit,
		Prepare: func(_ testing.TB, _ *exampletest.Process, _ exampletest.Step, minor int64) any { return payment(minor) },
		Count:   `SELECT count(*) FROM submissions`,
		Probe:   testcards.RailsStatus,
		Ask:     func(step exampletest.Step) any { return rails.StatusInput{Submission: step.Key()} },
	}.Run(t)
}

// The receipt of a submission and the output that its probe finds are the same.
func TestProbeFindsTheReceipt(t *testing.T) {
	p := exampletest.Start(t, rails.New, t.TempDir())
	step := exampletest.Step{Saga: "s", Path: "submit"}
	receipt := exampletest.Must[rails.SubmitOutput](t, p, "rails.submit", step, payment(500))
	found, err := exampletest.Invoke[struct {
		Applied bool               `json:"applied"`
		Output  rails.SubmitOutput `json:"output"`
	}](p, "rails.status", step.Probe(1), rails.StatusInput{Submission: step.Key()})
	if err != nil || !found.Applied {
		t.Fatalf("probe: %+v, %v", found, err)
	}
	if diff := cmp.Diff(receipt, found.Output); diff != "" {
		t.Errorf("receipt (-submit +status):\n%s", diff)
	}

	db, err := rails.OpenReadOnly(t.Context(), p.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	all, err := rails.Submissions(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || all[0].UETR != receipt.UETR || all[0].ActionKey != step.Key() || all[0].Amount != payment(500).Amount {
		t.Errorf("submissions: %+v", all)
	}
}

func TestLimit(t *testing.T) {
	p := exampletest.Start(t, rails.New, t.TempDir())
	for minor, want := range map[int64]string{rails.MaxMinor: "ok", rails.MaxMinor + 1: "reject LIMIT_EXCEEDED"} {
		_, err := p.Invoke("rails.submit", exampletest.Step{Saga: want, Path: "submit"}.Action(1), payment(minor))
		if got := exampletest.Answer(err); got != want {
			t.Errorf("%d: answer %q, want %q", minor, got, want)
		}
	}
}

var uuid4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestUETR(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		if got := rails.UETR(a); !uuid4.MatchString(got) || got != rails.UETR(a) {
			t.Fatalf("UETR(%q) = %q", a, got)
		}
		if (a == b) != (rails.UETR(a) == rails.UETR(b)) {
			t.Fatalf("%q and %q", a, b)
		}
	})
}
