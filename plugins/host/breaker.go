package host

import (
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"
)

// The circuit breaker of a plugin opens when more than half of at least
// breakerCalls calls of the last breakerWindow have failed as infrastructure
// does, refuses calls for breakerRest, and then lets one through to see.
const (
	breakerCalls  = 5
	breakerWindow = 30 * time.Second
	breakerBucket = 3 * time.Second
	breakerRest   = 5 * time.Second
)

// Verdicts on an attempt, for the breaker.
var (
	errInfrastructure = errors.New("the attempt timed out or broke off")
	errNoVerdict      = errors.New("the attempt says nothing of the plugin")
)

func breakerSettings(plugin string, changed func(plugin string, from, to gobreaker.State)) gobreaker.Settings {
	return gobreaker.Settings{
		Name:         plugin,
		MaxRequests:  1,
		Interval:     breakerWindow,
		BucketPeriod: breakerBucket,
		Timeout:      breakerRest,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			answered := c.TotalSuccesses + c.TotalFailures
			return answered >= breakerCalls && c.TotalFailures*2 > answered
		},
		IsExcluded:    func(err error) bool { return errors.Is(err, errNoVerdict) },
		OnStateChange: changed,
	}
}

// verdict is nil when the plugin answered, whatever it answered: a rejection is
// a plugin at work. TIMEOUT and UNAVAILABLE are infrastructure, also when the
// plugin says so of what it depends on. What was not sent or was cancelled says
// nothing.
func verdict(o Outcome) error {
	switch {
	case o.Class == NotSent || o.Class == Ambiguous && o.Code == CodeCancelled:
		return errNoVerdict
	case o.Class == Ambiguous && (o.Code == CodeTimeout || o.Code == CodeUnavailable):
		return errInfrastructure
	}
	return nil
}
