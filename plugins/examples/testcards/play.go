package testcards

import (
	"context"
	"database/sql"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/barrier"
)

// Do carries out one effect: fn runs inside the barrier's transaction (S22),
// and the card that the hand holds for this point, or that was dealt to the
// same action before, is played around it.
func Do[Out any](ctx context.Context, d *Deck, call plugins.Call, at Point, hand []Card,
	fn func(ctx context.Context, tx *sql.Tx) (Out, error),
) (Out, error) {
	return Play(ctx, d, call, at, hand, func(ctx context.Context) (Out, error) {
		return barrier.Do(ctx, d.db, call, fn)
	})
}

// Play is Do for what has no effect of its own: a read or a probe. A probe
// answers the zero Out when it cannot tell, which is a Probe with Applied
// nil.
func Play[Out any](ctx context.Context, d *Deck, call plugins.Call, at Point, hand []Card,
	act func(ctx context.Context) (Out, error),
) (Out, error) {
	var none Out
	behaviour, times, err := d.draw(ctx, call.ActionKey, at, hand)
	if err != nil {
		return none, err
	}
	if times == 0 {
		return act(ctx)
	}
	card := Card{Point: at, Behaviour: behaviour}
	call.Logger.Info("test card", "card", card.String(), "activity", at.String(), "behaviour", behaviour.String(), "times", times)
	if hold, answer := before(card, times); hold {
		return none, answer
	}
	switch {
	case behaviour == Slow:
		if err := d.wait(ctx, Delay); err != nil {
			return none, plugins.Retry(CodeTemporary, "test card %s: cut off while late", card)
		}
	case behaviour == CrashBefore && times == 1:
		d.crash()
	case behaviour == Straggler && times == 1:
		return none, straggle(ctx, d, call, card, act)
	}
	out, err := act(ctx)
	if err == nil && times == 1 {
		err = d.after(ctx, card)
	}
	if err != nil {
		return none, err
	}
	return out, nil
}

// before tells whether the card keeps the effect from happening, and the
// answer that is given instead.
func before(c Card, times int) (hold bool, answer error) {
	at := places[c.Point]
	switch c.Behaviour {
	case Permanent:
		return true, plugins.Permanent(CodePermanent, "test card %s: %s fails for good", c, c.Point)
	case Down:
		return true, plugins.Retry(CodeTemporary, "test card %s: %s is down", c, c.Point)
	case Flaky:
		if times > 2 {
			return false, nil
		}
		if at.kind == probe {
			return true, nil
		}
		return true, plugins.Retry(CodeTemporary, "test card %s: %s fails, time %d of 2", c, c.Point, times)
	case Reject:
		if at.kind == probe {
			return true, nil
		}
		if at.kind == compensation && times > 1 {
			return false, nil
		}
		return true, plugins.Reject(at.code, "test card %s: %s rejects", c, c.Point)
	}
	return false, nil
}

// after spoils the answer of an effect that is already committed.
func (d *Deck) after(ctx context.Context, c Card) error {
	switch c.Behaviour {
	case Lost:
		return plugins.Retry(CodeAnswerLost, "test card %s: the answer of %s was lost", c, c.Point)
	case Silent:
		return d.silence(ctx, c)
	case CrashAfter:
		d.crash()
	}
	return nil
}

// silence keeps still until the call is cut off.
func (d *Deck) silence(ctx context.Context, c Card) error {
	ctx, cancel := context.WithTimeout(ctx, maxSilence)
	defer cancel()
	d.silent(ctx)
	select {
	case <-ctx.Done():
	case <-d.closed.Done():
	}
	return plugins.Retry(CodeAnswerLost, "test card %s: %s did not answer", c, c.Point)
}

// straggle keeps still until the call is cut off; the effect comes Delay
// afterwards, as from a request that was held up on the wire.
func straggle[Out any](ctx context.Context, d *Deck, call plugins.Call, c Card, act func(context.Context) (Out, error)) error {
	answer := d.silence(ctx, c)
	late := context.WithoutCancel(ctx)
	d.late.Go(func() {
		if err := d.wait(d.closed, Delay); err != nil {
			return
		}
		answer := "accepted" // done now, or found done by another attempt
		if _, err := act(late); err != nil {
			answer = err.Error()
		}
		call.Logger.Info("test card: the late request has arrived", "card", c.String(), "answer", answer)
	})
	return answer
}
