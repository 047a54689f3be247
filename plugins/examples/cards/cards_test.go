package cards_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/plugins/examples/cards"
	"github.com/sagad/sagad/plugins/examples/exampletest"
	"github.com/sagad/sagad/plugins/examples/money"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

func euro(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "EUR"} }

func about(transaction, card string, minor int64) cards.OpenDisputeInput {
	return cards.OpenDisputeInput{Card: card, Transaction: transaction, Amount: euro(minor), Reason: "not-received"}
}

func request(step exampletest.Step, _ []byte) any { return cards.WithdrawInput{Request: step.Key()} }

// opened opens a dispute on another path of the step's saga.
func opened(t testing.TB, p *exampletest.Process, saga, card string, minor int64) cards.DisputeInput {
	t.Helper()
	out := exampletest.Must[cards.OpenDisputeOutput](t, p, "cards.openDispute", exampletest.Step{Saga: saga, Path: "before"}, about("tx-"+saga, card, minor))
	return cards.DisputeInput{Dispute: out.DisputeID}
}

// credited opens a dispute and credits the holder.
func credited(t testing.TB, p *exampletest.Process, saga string, minor int64) cards.DisputeInput {
	t.Helper()
	in := opened(t, p, saga, "card-ada", minor)
	exampletest.Must[cards.CreditOutput](t, p, "cards.credit", exampletest.Step{Saga: saga, Path: "credited"}, in)
	return in
}

func TestOpenDispute(t *testing.T) {
	exampletest.Effect{
		Plugin: cards.New, Name: cards.Name, Action: testcards.CardsOpenDispute,
		Prepare: func(_ testing.TB, _ *exampletest.Process, _ exampletest.Step, minor int64) any {
			return about("tx-1", "card-ada", minor)
		},
		Count:        `SELECT count(*) FROM disputes WHERE state = 'open'`,
		Compensation: testcards.CardsWithdrawDispute, Compensate: request,
	}.Run(t)
}

func TestCredit(t *testing.T) {
	exampletest.Effect{
		Plugin: cards.New, Name: cards.Name, Action: testcards.CardsCredit,
		Prepare: func(t testing.TB, p *exampletest.Process, step exampletest.Step, minor int64) any {
			return opened(t, p, step.Saga, "card-ada", minor)
		},
		Count:        `SELECT count(*) FROM credits WHERE state = 'provisional'`,
		Compensation: testcards.CardsTakeBack, Compensate: request,
	}.Run(t)
}

func TestChargeback(t *testing.T) {
	exampletest.Effect{
		Plugin: cards.New, Name: cards.Name, Action: testcards.CardsChargeback,
		Prepare: func(t testing.TB, p *exampletest.Process, step exampletest.Step, minor int64) any {
			return opened(t, p, step.Saga, "card-ada", minor)
		},
		Count:        `SELECT count(*) FROM chargebacks WHERE state = 'filed'`,
		Compensation: testcards.CardsWithdrawChargeback, Compensate: request,
	}.Run(t)
}

func TestFinalise(t *testing.T) {
	exampletest.Effect{
		Plugin: cards.New, Name: cards.Name, Action: testcards.CardsFinalise,
		Prepare: func(t testing.TB, p *exampletest.Process, step exampletest.Step, minor int64) any {
			return credited(t, p, step.Saga, minor)
		},
		Count: `SELECT count(*) FROM disputes WHERE state = 'won'`,
	}.Run(t)
}

func TestRefund(t *testing.T) {
	exampletest.Effect{
		Plugin: cards.New, Name: cards.Name, Action: testcards.CardsRefund,
		Prepare: func(_ testing.TB, _ *exampletest.Process, _ exampletest.Step, minor int64) any {
			return cards.RefundInput{Card: "card-ada", Amount: euro(minor)}
		},
		Count: `SELECT count(*) FROM refunds`,
		Probe: testcards.CardsRefundStatus,
		Ask:   func(step exampletest.Step) any { return cards.RefundStatusInput{Refund: step.Key()} },
	}.Run(t)
}

func TestRejections(t *testing.T) {
	p := exampletest.Start(t, cards.New, t.TempDir())
	bare := opened(t, p, "bare", "card-ada", 100)
	closed := opened(t, p, "closed", "card-closed", 100)
	won := credited(t, p, "won", 100)
	exampletest.Must[cards.ChargebackOutput](t, p, "cards.chargeback", exampletest.Step{Saga: "won", Path: "claim"}, won)
	exampletest.Must[cards.FinaliseOutput](t, p, "cards.finalise", exampletest.Step{Saga: "won", Path: "finalise"}, won)
	why := about("tx-2", "card-ada", 100)
	why.Reason = "regret"

	for _, tt := range []struct {
		name, activity string
		input          any
		want           string
	}{
		{"no such card", "cards.openDispute", about("tx-1", "card-none", 100), "reject CARD_UNKNOWN"},
		{"a second dispute", "cards.openDispute", about("tx-bare", "card-ada", 100), "reject DISPUTE_EXISTS"},
		{"no such reason", "cards.openDispute", why, "reject INVALID_INPUT"},
		{"credit a closed card", "cards.credit", closed, "reject CARD_CLOSED"},
		{"credit for nothing", "cards.credit", cards.DisputeInput{Dispute: "none"}, "reject DISPUTE_NOT_FOUND"},
		{"claim for nothing", "cards.chargeback", cards.DisputeInput{Dispute: "none"}, "reject DISPUTE_NOT_FOUND"},
		{"credit after the decision", "cards.credit", won, "reject DISPUTE_CLOSED"},
		{"claim after the decision", "cards.chargeback", won, "reject DISPUTE_CLOSED"},
		{"decide what is not credited", "cards.finalise", bare, "reject CREDIT_NOT_FOUND"},
		{"decide twice, in two operations", "cards.finalise", won, "reject DISPUTE_CLOSED"},
		{"refund to no card", "cards.refund", cards.RefundInput{Card: "card-none", Amount: euro(100)}, "reject CARD_UNKNOWN"},
		{"refund to a closed card", "cards.refund", cards.RefundInput{Card: "card-closed", Amount: euro(100)}, "reject CARD_CLOSED"},
	} {
		_, err := p.Invoke(tt.activity, exampletest.Step{Saga: tt.name, Path: "step"}.Action(1), tt.input)
		if got := exampletest.Answer(err); got != tt.want {
			t.Errorf("%s: answer %q, want %q", tt.name, got, tt.want)
		}
	}
	for activity, path := range map[string]string{"withdrawDispute": "before", "takeBack": "credited", "withdrawChargeback": "claim"} {
		step := exampletest.Step{Saga: "won", Path: path}
		_, err := p.Invoke("cards."+activity, step.Compensation(1), request(step, nil))
		if got, want := exampletest.Answer(err), "reject DISPUTE_CLOSED"; got != want {
			t.Errorf("%s after the decision: answer %q, want %q", activity, got, want)
		}
	}
}

// Verify tells of what is open, and of nothing else.
func TestVerify(t *testing.T) {
	p := exampletest.Start(t, cards.New, t.TempDir())
	db, err := cards.OpenReadOnly(t.Context(), p.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it only read
	in := credited(t, p, "s", 100)
	if err := cards.Verify(t.Context(), db); !errors.Is(err, cards.ErrDangling) || errors.Is(err, cards.ErrUnbalanced) {
		t.Errorf("an open dispute: %v", err)
	}
	exampletest.Must[cards.FinaliseOutput](t, p, "cards.finalise", exampletest.Step{Saga: "s", Path: "finalise"}, in)
	if err := cards.Verify(t.Context(), db); err != nil {
		t.Errorf("a decided dispute: %v", err)
	}
}

func TestManifest(t *testing.T) {
	for _, a := range cards.New().Manifest().Activities {
		if diff := cmp.Diff([]string(nil), a.Sensitive); diff != "" {
			t.Errorf("%s: sensitive (-want +got):\n%s", a.Name, diff)
		}
	}
}
