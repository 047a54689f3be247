package travel

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/money"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// BookInput asks for seats, rooms or cars.
type BookInput struct {
	Trip  string       `json:"trip" description:"the trip that the booking is for" minLength:"1" maxLength:"64"`
	Offer string       `json:"offer" description:"which flight, hotel or class of car" minLength:"1"`
	Count int          `json:"count" description:"how many seats, rooms or cars" minimum:"1" maximum:"9"`
	Price money.Amount `json:"price" description:"the price of all of them together, as agreed with the traveller"`
}

// BookOutput names the booking.
type BookOutput struct {
	BookingID string `json:"bookingId" description:"names the booking"`
	Name      string `json:"name" description:"what is booked, for people"`
}

func (s *travel) book(k kind) func(context.Context, plugins.Call, BookInput) (BookOutput, error) {
	return func(ctx context.Context, call plugins.Call, in BookInput) (BookOutput, error) {
		hand := testcards.FromMinor(in.Price.Minor)
		return testcards.Do(ctx, s.Deck, call, k.at, hand, func(ctx context.Context, tx *sql.Tx) (BookOutput, error) {
			out := BookOutput{BookingID: service.Identity(k.name, call)}
			if err := notTicketed(ctx, tx, in.Trip); err != nil {
				return out, err
			}
			var free int
			err := tx.QueryRowContext(ctx, `SELECT name, free FROM offers WHERE id = ? AND kind = ?`, in.Offer, k.name).Scan(&out.Name, &free)
			switch {
			case errors.Is(err, sql.ErrNoRows):
				return out, plugins.Reject(CodeOfferUnknown, "the agency does not offer the %s %q", k.name, in.Offer)
			case err != nil:
				return out, fmt.Errorf("look up %q: %w", in.Offer, err)
			case free < in.Count:
				return out, plugins.Reject(k.full, "%s: %d left, not %d", out.Name, free, in.Count)
			}
			err = store.Change(ctx, tx, `UPDATE offers SET free = free - ? WHERE id = ?`, in.Count, in.Offer)
			if err == nil {
				_, err = tx.ExecContext(ctx, `
					INSERT INTO bookings (id, action_key, trip, offer, count, minor, currency, state) VALUES (?, ?, ?, ?, ?, ?, ?, 'booked')`,
					out.BookingID, call.ActionKey, in.Trip, in.Offer, in.Count, in.Price.Minor, in.Price.Currency)
			}
			if err != nil {
				return out, fmt.Errorf("book %q: %w", in.Offer, err)
			}
			call.Logger.Info("booked", "trip", in.Trip, "offer", in.Offer, "booking", out.BookingID, "price", in.Price.String())
			return out, nil
		})
	}
}

// notTicketed refuses a trip whose tickets are out.
func notTicketed(ctx context.Context, tx *sql.Tx, trip string) error {
	var issued bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM itineraries WHERE trip = ?)`, trip).Scan(&issued); err != nil {
		return fmt.Errorf("look up trip %s: %w", trip, err)
	}
	if issued {
		return plugins.Reject(CodeTripTicketed, "the tickets of trip %s are issued", trip)
	}
	return nil
}

// CancelInput names a booking by the key of its action, because whether it was
// made may be unknown.
type CancelInput struct {
	Request string `json:"request" description:"key of the action that booked"`
}

// CancelOutput tells what was cancelled.
type CancelOutput struct {
	Cancelled bool `json:"cancelled" description:"false when there was nothing to cancel"`
}

func (s *travel) cancel(k kind) func(context.Context, plugins.Call, CancelInput) (CancelOutput, error) {
	return func(ctx context.Context, call plugins.Call, in CancelInput) (CancelOutput, error) {
		return testcards.Do(ctx, s.Deck, call, k.cancel, nil, func(ctx context.Context, tx *sql.Tx) (CancelOutput, error) {
			var id, offer, state string
			var count int
			err := tx.QueryRowContext(ctx, `
				SELECT b.id, b.offer, b.count, b.state FROM bookings b JOIN offers o ON o.id = b.offer WHERE b.action_key = ? AND o.kind = ?`,
				in.Request, k.name).Scan(&id, &offer, &count, &state)
			switch {
			case errors.Is(err, sql.ErrNoRows):
				return CancelOutput{}, plugins.Reject(CodeBookingNotFound, "no %s was booked with the key %s", k.name, in.Request)
			case err != nil:
				return CancelOutput{}, fmt.Errorf("look up the booking of %s: %w", in.Request, err)
			case state == "ticketed":
				return CancelOutput{}, plugins.Reject(CodeTripTicketed, "the ticket of %s is issued", id)
			case state == "cancelled":
				return CancelOutput{Cancelled: false}, nil
			}
			err = store.Change(ctx, tx, `UPDATE bookings SET state = 'cancelled' WHERE id = ?`, id)
			if err == nil {
				err = store.Change(ctx, tx, `UPDATE offers SET free = free + ? WHERE id = ?`, count, offer)
			}
			if err != nil {
				return CancelOutput{}, fmt.Errorf("cancel %s: %w", id, err)
			}
			call.Logger.Info("cancelled", "booking", id)
			return CancelOutput{Cancelled: true}, nil
		})
	}
}
