package model

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/sagad/sagad/engine"
)

// key gives the idempotency key of an operation (S20).
func (s *saga) key(f *frame, op engine.Op, generation int) string {
	key := fmt.Sprintf("%s:%s:%s:%s:%s:%d", escape(s.start.Tenant, ":%"), escape(s.family.id, ":%"), escape(f.path, ":%"),
		op, s.family.startedAt.UTC().Format("20060102T150405Z"), generation)
	if len(key) > 255 {
		return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(key)))
	}
	return key
}

// escape percent-escapes control characters and those of reserved.
func escape(text, reserved string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c < ' ' || c == 0x7f || strings.IndexByte(reserved, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
