//go:build noembed

package embedded

import (
	"errors"
	"testing"
)

func TestNoEmbed(t *testing.T) {
	s, err := Start(t.Context(), Config{Dir: t.TempDir()})
	if s != nil || !errors.Is(err, ErrNotBuilt) {
		t.Fatalf("got %v, %v", s, err)
	}
	const want = "this build has no embedded Temporal: use --temporal HOST:PORT"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}
