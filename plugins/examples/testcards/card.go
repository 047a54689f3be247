// Package testcards makes the example plugins misbehave on purpose, in the
// way of the test cards of a payment provider: documented amounts and account
// numbers make a documented activity reject, fail for a while, answer late,
// lose its answer or crash its process.
//
// A card is five digits, 66PPB: PP is the point where it is played (41 is
// rails.submit), B what happens there (1 rejects). An amount is a hand of
// cards when its minor units are exactly one or more cards written after each
// other: 66411 makes rails.submit reject, and 6641166122 makes it reject and
// then makes the compensation ledger.release fail twice before it succeeds.
// Every other amount is ordinary. The account number of a creditor carries a
// hand in its last digits in the same way.
package testcards

import (
	"database/sql"
	"errors"
	"strconv"
	"strings"
)

// Behaviour is what happens at a point; its number is the card's last digit.
type Behaviour int

// The behaviours. "First" is the first time the point is reached under one
// action key, which is kept in the plugin's database and so outlives the
// process.
const (
	// Permanent ends the retries without an effect, in doubt.
	Permanent Behaviour = 0
	// Reject refuses without an effect: an action always, a compensation only
	// the first time, so that an operator's retry passes. A probe cannot tell,
	// ever.
	Reject Behaviour = 1
	// Flaky fails twice without an effect, then goes on. A probe cannot tell
	// twice, then tells the truth.
	Flaky Behaviour = 2
	// Slow waits for Delay and then goes on; it gives up when it is cut off.
	Slow Behaviour = 3
	// Lost has its effect and then, the first time, answers a retryable error.
	Lost Behaviour = 4
	// Silent has its effect and then, the first time, does not answer until it
	// is cut off.
	Silent Behaviour = 5
	// CrashBefore ends the process the first time, before the effect.
	CrashBefore Behaviour = 6
	// CrashAfter ends the process the first time, after the effect.
	CrashAfter Behaviour = 7
	// Down always fails, retryable, without an effect.
	Down Behaviour = 8
	// Straggler does not answer the first time, and tries its effect only
	// Delay after it was cut off: the late request that the barrier fences.
	Straggler Behaviour = 9
)

var behaviourNames = [...]string{
	"permanent", "reject", "flaky", "slow", "lost", "silent", "crash-before", "crash-after", "down", "straggler",
}

// String is the behaviour's name as the README uses it.
func (b Behaviour) String() string {
	if b < 0 || int(b) >= len(behaviourNames) {
		return "behaviour " + strconv.Itoa(int(b))
	}
	return behaviourNames[b]
}

// Codes of the errors that cards other than Reject answer with. Every
// activity that has a point names them in its manifest, see Codes.
const (
	CodeTemporary  = "TEMPORARY_FAILURE"
	CodePermanent  = "PERMANENT_FAILURE"
	CodeAnswerLost = "ANSWER_LOST"
)

// Card is one behaviour at one point.
type Card struct {
	Point     Point
	Behaviour Behaviour
}

const (
	cardDigits = 5
	marker     = "66"
)

// String is the card's five digits.
func (c Card) String() string {
	return marker + strconv.Itoa(int(c.Point)) + strconv.Itoa(int(c.Behaviour))
}

// FromMinor reads the hand that an amount in minor units holds, in the order
// written; it is empty for an ordinary amount.
func FromMinor(minor int64) []Card {
	digits := strconv.FormatInt(minor, 10)
	if minor <= 0 || len(digits)%cardDigits != 0 {
		return nil
	}
	hand, rest := lastCards(digits)
	if rest != "" {
		return nil
	}
	return hand
}

// FromRow reads the hand of the amount in minor units that a row of one column
// holds; it is empty when there is no such row.
func FromRow(row *sql.Row) ([]Card, error) {
	var minor int64
	if err := row.Scan(&minor); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	return FromMinor(minor), nil
}

// FromAccount reads the hand in the last digits of an account number; it is
// empty for an ordinary one.
func FromAccount(number string) []Card {
	hand, _ := lastCards(strings.ReplaceAll(number, " ", ""))
	return hand
}

// Minor is the amount in minor units that holds this hand.
func Minor(hand ...Card) int64 {
	var digits strings.Builder
	for _, c := range hand {
		digits.WriteString(c.String())
	}
	minor, err := strconv.ParseInt(digits.String(), 10, 64)
	if err != nil {
		return 0 // more than three cards: no amount holds them, and 0 is no amount
	}
	return minor
}

// lastCards takes cards off the end of s as long as there are any.
func lastCards(s string) (hand []Card, rest string) {
	for len(s) >= cardDigits {
		card, ok := parse(s[len(s)-cardDigits:])
		if !ok {
			break
		}
		hand = append([]Card{card}, hand...)
		s = s[:len(s)-cardDigits]
	}
	return hand, s
}

func parse(s string) (Card, bool) {
	if !strings.HasPrefix(s, marker) {
		return Card{}, false
	}
	n, err := strconv.Atoi(s[len(marker):])
	if err != nil || n < 0 {
		return Card{}, false
	}
	card := Card{Point: Point(n / 10), Behaviour: Behaviour(n % 10)}
	return card, card.Point.plays(card.Behaviour)
}
