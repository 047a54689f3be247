// Package travel is an example plugin: a travel agency's desk for flights,
// hotels and rental cars. A booking can be cancelled until the tickets of its
// trip are issued; after that neither airline nor hotel gives anything back,
// which makes issueTickets the pivot of a trip and ticketStatus its probe. The
// traveller gets the itinerary by mail, which is retriable.
//
// What the traveller pays is the business of another plugin; the agency only
// keeps the prices agreed on.
package travel

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// Name is the plugin's name.
const Name = "travel"

// Codes of the errors that activities answer with.
const (
	CodeOfferUnknown      = "OFFER_UNKNOWN"
	CodeNoSeat            = "NO_SEAT"
	CodeNoRoom            = "NO_ROOM"
	CodeNoCar             = "NO_CAR"
	CodeTripTicketed      = "TRIP_TICKETED"
	CodeBookingNotFound   = "BOOKING_NOT_FOUND"
	CodeNothingBooked     = "NOTHING_BOOKED"
	CodePriceMismatch     = "PRICE_MISMATCH"
	CodeItineraryNotFound = "ITINERARY_NOT_FOUND"
)

//go:embed schema.sql
var schema string

type travel struct{ service.Service }

// New makes the plugin. Options replace what test cards do to the process.
func New(opts ...testcards.Option) *plugins.Plugin { return new(travel).plugin(opts) }

func (s *travel) plugin(opts []testcards.Option) *plugins.Plugin {
	definitions := []plugins.Definition{
		plugins.Activity("issueTickets", s.issueTickets,
			plugins.Describe("Issues the tickets of everything that is booked for a trip; it cannot be taken back. What was paid must be the sum of the prices."),
			service.Errors(testcards.TravelIssueTickets, CodeTripTicketed, CodeNothingBooked)),
		plugins.Activity("ticketStatus", s.ticketStatus,
			plugins.Describe("Probe of issueTickets: tells whether the tickets were issued, and if not makes sure that a late request will not do it."),
			service.ProbeErrors(testcards.TravelTicketStatus)),
		plugins.Activity("sendItinerary", s.sendItinerary,
			plugins.Describe("Mails the itinerary to the traveller, once."),
			service.Errors(testcards.TravelSendItinerary)),
	}
	for _, k := range kinds {
		definitions = append(definitions,
			plugins.Activity("book"+k.title, s.book(k),
				plugins.Describe("Books "+k.what+" for a trip."),
				service.Errors(k.at, CodeOfferUnknown, CodeTripTicketed)),
			plugins.Activity("cancel"+k.title, s.cancel(k),
				plugins.Describe("Compensates book"+k.title+". The booking is named by the key of its action."),
				service.Errors(k.cancel, CodeBookingNotFound)))
	}
	return s.Plugin(Name, opts, []store.Migration{store.SQL(schema), seed}, definitions...)
}

// kind is one of the trades of the agency.
type kind struct {
	name, title, what string
	full              string // the code when there is none left
	at, cancel        testcards.Point
}

var kinds = []kind{
	{"flight", "Flight", "seats on a flight", CodeNoSeat, testcards.TravelBookFlight, testcards.TravelCancelFlight},
	{"hotel", "Hotel", "rooms in a hotel", CodeNoRoom, testcards.TravelBookHotel, testcards.TravelCancelHotel},
	{"car", "Car", "rental cars", CodeNoCar, testcards.TravelBookCar, testcards.TravelCancelCar},
}

// The offers of the demo agency.
var seedOffers = []struct {
	id, kind, name string
	capacity       int
}{
	{"LG-8365", "flight", "Luxembourg to Lisbon on 2 May 2027", 120},
	{"LG-8371", "flight", "Luxembourg to Porto on 2 May 2027, fully booked", 0},
	{"tejo-palace", "hotel", "Tejo Palace, Lisbon", 80},
	{"alfama-inn", "hotel", "Alfama Inn, Lisbon, fully booked", 0},
	{"compact", "car", "Compact car from Lisbon airport", 40},
	{"convertible", "car", "Convertible from Lisbon airport, none left", 0},
}

func seed(ctx context.Context, tx *sql.Tx) error {
	for _, o := range seedOffers {
		if _, err := tx.ExecContext(ctx, `INSERT INTO offers (id, kind, name, capacity, free) VALUES (?, ?, ?, ?, ?)`,
			o.id, o.kind, o.name, o.capacity, o.capacity); err != nil {
			return fmt.Errorf("seed %s: %w", o.id, err)
		}
	}
	return nil
}
