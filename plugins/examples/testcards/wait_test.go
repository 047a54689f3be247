package testcards

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestWait(t *testing.T) {
	if err := wait(t.Context(), time.Microsecond); err != nil {
		t.Errorf("a wait that nobody ends: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := wait(ended, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("a wait that is cut off: %v", err)
	}
}
