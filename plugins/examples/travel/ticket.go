package travel

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/money"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// IssueTicketsInput names the trip.
type IssueTicketsInput struct {
	Trip string       `json:"trip" description:"the trip whose bookings become tickets" minLength:"1" maxLength:"64"`
	Paid money.Amount `json:"paid" description:"what the traveller has paid: the sum of the prices"`
}

// IssueTicketsOutput is the agency's receipt.
type IssueTicketsOutput struct {
	ItineraryID string `json:"itineraryId" description:"names the itinerary"`
	Tickets     int    `json:"tickets" description:"how many bookings it holds"`
}

func (s *travel) issueTickets(ctx context.Context, call plugins.Call, in IssueTicketsInput) (IssueTicketsOutput, error) {
	hand := testcards.FromMinor(in.Paid.Minor)
	return testcards.Do(ctx, s.Deck, call, testcards.TravelIssueTickets, hand, func(ctx context.Context, tx *sql.Tx) (IssueTicketsOutput, error) {
		out := IssueTicketsOutput{ItineraryID: service.Identity("itinerary", call)}
		if err := notTicketed(ctx, tx, in.Trip); err != nil {
			return out, err
		}
		if err := paid(ctx, tx, in, &out.Tickets); err != nil {
			return out, err
		}
		_, err := tx.ExecContext(ctx, `UPDATE bookings SET state = 'ticketed' WHERE trip = ? AND state = 'booked'`, in.Trip)
		if err == nil {
			_, err = tx.ExecContext(ctx, `
				INSERT INTO itineraries (id, action_key, trip, tickets, minor, currency, issued_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
				out.ItineraryID, call.ActionKey, in.Trip, out.Tickets, in.Paid.Minor, in.Paid.Currency, s.Instant())
		}
		if err != nil {
			return out, fmt.Errorf("issue the tickets of %s: %w", in.Trip, err)
		}
		call.Logger.Info("tickets issued", "trip", in.Trip, "itinerary", out.ItineraryID, "tickets", out.Tickets)
		return out, nil
	})
}

// paid counts the open bookings of a trip, and refuses a sum that is not
// theirs.
func paid(ctx context.Context, tx *sql.Tx, in IssueTicketsInput, bookings *int) error {
	var minor, others int64
	err := tx.QueryRowContext(ctx, `
		SELECT count(*), coalesce(sum(minor), 0), coalesce(sum(currency <> ?), 0) FROM bookings WHERE trip = ? AND state = 'booked'`,
		in.Paid.Currency, in.Trip).Scan(bookings, &minor, &others)
	switch {
	case err != nil:
		return fmt.Errorf("look up the bookings of %s: %w", in.Trip, err)
	case *bookings == 0:
		return plugins.Reject(CodeNothingBooked, "nothing is booked for trip %s", in.Trip)
	case others > 0 || minor != in.Paid.Minor:
		return plugins.Reject(CodePriceMismatch, "the bookings of trip %s come to %d minor units, %s are paid", in.Trip, minor, in.Paid)
	}
	return nil
}

// TicketStatusInput names the issue of tickets by the key of its action.
type TicketStatusInput struct {
	Issue string `json:"issue" description:"key of the action that issued the tickets"`
}

func (s *travel) ticketStatus(ctx context.Context, call plugins.Call, in TicketStatusInput) (plugins.Probe[IssueTicketsOutput], error) {
	return service.Probe[IssueTicketsOutput](ctx, &s.Service, call, testcards.TravelTicketStatus, in.Issue)
}

// SendItineraryInput says what goes to whom.
type SendItineraryInput struct {
	Itinerary string `json:"itinerary" description:"the itineraryId"`
	Email     string `json:"email" description:"the traveller's address" sensitive:"true" minLength:"3"`
}

// SendItineraryOutput names the mail.
type SendItineraryOutput struct {
	MailID string `json:"mailId" description:"names the mail in the outbox"`
}

func (s *travel) sendItinerary(ctx context.Context, call plugins.Call, in SendItineraryInput) (SendItineraryOutput, error) {
	hand, err := testcards.FromRow(s.DB.QueryRowContext(ctx, `SELECT minor FROM itineraries WHERE id = ?`, in.Itinerary))
	if err != nil {
		return SendItineraryOutput{}, fmt.Errorf("look up %s: %w", in.Itinerary, err)
	}
	return testcards.Do(ctx, s.Deck, call, testcards.TravelSendItinerary, hand, func(ctx context.Context, tx *sql.Tx) (SendItineraryOutput, error) {
		out := SendItineraryOutput{MailID: service.Identity("mail", call)}
		var trip string
		err := tx.QueryRowContext(ctx, `SELECT trip FROM itineraries WHERE id = ?`, in.Itinerary).Scan(&trip)
		if errors.Is(err, sql.ErrNoRows) {
			return out, plugins.Reject(CodeItineraryNotFound, "there is no itinerary %s", in.Itinerary)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO mails (id, action_key, itinerary, email, sent_at) VALUES (?, ?, ?, ?, ?)`,
				out.MailID, call.ActionKey, in.Itinerary, in.Email, s.Instant())
		}
		if err != nil {
			return out, fmt.Errorf("mail %s: %w", in.Itinerary, err)
		}
		call.Logger.Info("itinerary mailed", "trip", trip, "itinerary", in.Itinerary)
		return out, nil
	})
}
