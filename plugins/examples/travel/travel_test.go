package travel_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/plugins/examples/exampletest"
	"github.com/sagad/sagad/plugins/examples/money"
	"github.com/sagad/sagad/plugins/examples/testcards"
	"github.com/sagad/sagad/plugins/examples/travel"
)

func booking(trip, offer string, minor int64) travel.BookInput {
	return travel.BookInput{Trip: trip, Offer: offer, Count: 1, Price: euro(minor)}
}

func euro(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "EUR"} }

func request(step exampletest.Step, _ []byte) any { return travel.CancelInput{Request: step.Key()} }

func TestBook(t *testing.T) {
	for _, tt := range []struct {
		offer            string
		action, reversal testcards.Point
	}{
		{"LG-8365", testcards.TravelBookFlight, testcards.TravelCancelFlight},
		{"tejo-palace", testcards.TravelBookHotel, testcards.TravelCancelHotel},
		{"compact", testcards.TravelBookCar, testcards.TravelCancelCar},
	} {
		t.Run(tt.offer, func(t *testing.T) {
			exampletest.Effect{
				Plugin: travel.New, Name: travel.Name, Action: tt.action,
				Prepare: func(_ testing.TB, _ *exampletest.Process, _ exampletest.Step, minor int64) any {
					return booking("t-1", tt.offer, minor)
				},
				Count:        `SELECT sum(capacity - free) FROM offers`,
				Compensation: tt.reversal, Compensate: request,
			}.Run(t)
		})
	}
}

// booked books a seat for trip t-1 on another path of the step's saga.
func booked(t testing.TB, p *exampletest.Process, step exampletest.Step, minor int64) {
	t.Helper()
	before := exampletest.Step{Saga: step.Saga, Path: "before"}
	exampletest.Must[travel.BookOutput](t, p, "travel.bookFlight", before, booking("t-1", "LG-8365", minor))
}

func TestIssueTickets(t *testing.T) {
	exampletest.Effect{
		Plugin: travel.New, Name: travel.Name, Action: testcards.TravelIssueTickets,
		Prepare: func(t testing.TB, p *exampletest.Process, step exampletest.Step, minor int64) any {
			booked(t, p, step, minor)
			return travel.IssueTicketsInput{Trip: "t-1", Paid: euro(minor)}
		},
		Count: `SELECT count(*) FROM itineraries`,
		Probe: testcards.TravelTicketStatus,
		Ask:   func(step exampletest.Step) any { return travel.TicketStatusInput{Issue: step.Key()} },
	}.Run(t)
}

func TestSendItinerary(t *testing.T) {
	exampletest.Effect{
		Plugin: travel.New, Name: travel.Name, Action: testcards.TravelSendItinerary,
		Prepare: func(t testing.TB, p *exampletest.Process, step exampletest.Step, minor int64) any {
			booked(t, p, step, minor)
			issue := exampletest.Step{Saga: step.Saga, Path: "issue"}
			out := exampletest.Must[travel.IssueTicketsOutput](t, p, "travel.issueTickets", issue, travel.IssueTicketsInput{Trip: "t-1", Paid: euro(minor)})
			return travel.SendItineraryInput{Itinerary: out.ItineraryID, Email: "ada@example.org"}
		},
		Count: `SELECT count(*) FROM mails`,
	}.Run(t)
}

func TestRejections(t *testing.T) {
	p := exampletest.Start(t, travel.New, t.TempDir())
	bookedStep := exampletest.Step{Saga: "ticketed", Path: "before"}
	booked(t, p, bookedStep, 100)
	exampletest.Must[travel.IssueTicketsOutput](t, p, "travel.issueTickets", exampletest.Step{Saga: "ticketed", Path: "issue"},
		travel.IssueTicketsInput{Trip: "t-1", Paid: euro(100)})
	exampletest.Must[travel.BookOutput](t, p, "travel.bookCar", exampletest.Step{Saga: "open", Path: "car"}, booking("t-open", "compact", 500))
	many := booking("t-x", "tejo-palace", 100)
	many.Count = 10

	for _, tt := range []struct {
		name, activity string
		input          any
		want           string
	}{
		{"no such flight", "travel.bookFlight", booking("t-x", "XX-1", 100), "reject OFFER_UNKNOWN"},
		{"a hotel is no flight", "travel.bookFlight", booking("t-x", "tejo-palace", 100), "reject OFFER_UNKNOWN"},
		{"a full flight", "travel.bookFlight", booking("t-x", "LG-8371", 100), "reject NO_SEAT"},
		{"a full hotel", "travel.bookHotel", booking("t-x", "alfama-inn", 100), "reject NO_ROOM"},
		{"no car left", "travel.bookCar", booking("t-x", "convertible", 100), "reject NO_CAR"},
		{"too many rooms", "travel.bookHotel", many, "reject INVALID_INPUT"},
		{"after the tickets", "travel.bookCar", booking("t-1", "compact", 100), "reject TRIP_TICKETED"},
		{"tickets twice, in two operations", "travel.issueTickets", travel.IssueTicketsInput{Trip: "t-1", Paid: euro(100)}, "reject TRIP_TICKETED"},
		{"tickets of nothing", "travel.issueTickets", travel.IssueTicketsInput{Trip: "t-none", Paid: euro(100)}, "reject NOTHING_BOOKED"},
		{"a wrong sum", "travel.issueTickets", travel.IssueTicketsInput{Trip: "t-open", Paid: euro(501)}, "reject PRICE_MISMATCH"},
		{"another currency", "travel.issueTickets", travel.IssueTicketsInput{Trip: "t-open", Paid: money.Amount{Minor: 500, Currency: "SEK"}}, "reject PRICE_MISMATCH"},
		{"no itinerary", "travel.sendItinerary", travel.SendItineraryInput{Itinerary: "none", Email: "ada@example.org"}, "reject ITINERARY_NOT_FOUND"},
	} {
		_, err := p.Invoke(tt.activity, exampletest.Step{Saga: tt.name, Path: "step"}.Action(1), tt.input)
		if got := exampletest.Answer(err); got != tt.want {
			t.Errorf("%s: answer %q, want %q", tt.name, got, tt.want)
		}
	}
	_, err := p.Invoke("travel.cancelFlight", bookedStep.Compensation(1), request(bookedStep, nil))
	if got, want := exampletest.Answer(err), "reject TRIP_TICKETED"; got != want {
		t.Errorf("cancelled after the tickets: answer %q, want %q", got, want)
	}
}

// Verify tells of a booking without a ticket, and of nothing else.
func TestVerify(t *testing.T) {
	p := exampletest.Start(t, travel.New, t.TempDir())
	db, err := travel.OpenReadOnly(t.Context(), p.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it only read
	if err := travel.Verify(t.Context(), db); err != nil {
		t.Errorf("a fresh agency: %v", err)
	}
	step := exampletest.Step{Saga: "s", Path: "before"}
	booked(t, p, step, 100)
	if err := travel.Verify(t.Context(), db); !errors.Is(err, travel.ErrDangling) || errors.Is(err, travel.ErrUnbalanced) {
		t.Errorf("an open booking: %v", err)
	}
	if _, err := p.Invoke("travel.cancelFlight", step.Compensation(1), request(step, nil)); err != nil {
		t.Fatal(err)
	}
	if err := travel.Verify(t.Context(), db); err != nil {
		t.Errorf("a cancelled booking: %v", err)
	}
}

func TestManifest(t *testing.T) {
	for _, a := range travel.New().Manifest().Activities {
		var want []string
		if a.Name == "travel.sendItinerary" {
			want = []string{"email"}
		}
		if diff := cmp.Diff(want, a.Sensitive); diff != "" {
			t.Errorf("%s: sensitive (-want +got):\n%s", a.Name, diff)
		}
	}
}
