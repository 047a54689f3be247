package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// maxKey is the longest key and instance ID that is used as it is, in bytes.
// Participants keep keys in indexed columns, and Temporal limits IDs.
const maxKey = 255

const keyTime = "20060102T150405Z"

// InstanceID gives the ID of the saga of a tenant, definition and business
// key: tenant/saga/key with the key percent-escaped, also what is not ASCII, which
// Temporal takes in no ID. An ID of more than 255 bytes is replaced by
// tenant/saga/sha256-HEX.
func InstanceID(tenant, saga, key string) string {
	prefix := tenant + "/" + saga + "/"
	id := prefix + CanonicalID(escape(key, "/%"))
	if len(id) <= maxKey {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return prefix + "sha256-" + hex.EncodeToString(sum[:])
}

// ChildID gives the instance ID of a child saga: the ID of the saga at the top
// of its family, a slash and the path of the step that it is (S9). When it is
// tried again, @ and the generation follow. What is not ASCII is escaped. An ID of more than 255 bytes is
// replaced by tenant/saga/sha256-HEX, both names those of the root.
func ChildID(root, path string, generation int) string {
	id := root + "/" + CanonicalID(path)
	if generation > 0 {
		id += "@" + strconv.Itoa(generation)
	}
	if len(id) <= maxKey {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	names := strings.SplitN(root, "/", 3)
	return names[0] + "/" + names[1] + "/sha256-" + hex.EncodeToString(sum[:])
}

// CanonicalID gives an instance ID, or a part of one, that people wrote as they
// read it: what is not ASCII is percent-escaped.
func CanonicalID(id string) string {
	return escapeIf(id, func(c byte) bool { return c >= 0x80 })
}

// OperationKey gives the idempotency key of an operation (S20):
// tenant:saga:path:op:YYYYMMDDThhmmssZ:G with every part escaped. saga is the
// instance's ID and startedAt the instant of its first event. A key of more
// than 255 bytes is replaced by sha256:HEX of itself.
func OperationKey(tenant, saga, path string, op Op, startedAt time.Time, generation int) string {
	return finishKey(keyPrefix(tenant, saga), path, op, keySuffix(startedAt), generation)
}

// Key is an idempotency key taken apart.
type Key struct {
	Tenant     string
	Saga       string // instance
	Path       string
	Op         Op
	StartedAt  time.Time // to the second
	Generation int
}

// String gives the key as OperationKey does.
func (k Key) String() string {
	return OperationKey(k.Tenant, k.Saga, k.Path, k.Op, k.StartedAt, k.Generation)
}

// ParseKey takes a key apart. ok is false for keys that were hashed, and for
// what is no key.
func ParseKey(key string) (k Key, ok bool) {
	parts := strings.Split(key, ":")
	if len(parts) != 6 {
		return k, false
	}
	var text [3]string
	for i := range text {
		if text[i], ok = unescape(parts[i]); !ok {
			return k, false
		}
	}
	k.Tenant, k.Saga, k.Path = text[0], text[1], text[2]
	if k.Op.UnmarshalText([]byte(parts[3])) != nil {
		return k, false
	}
	var err error
	if k.StartedAt, err = time.Parse(keyTime, parts[4]); err != nil {
		return k, false
	}
	if k.Generation, err = strconv.Atoi(parts[5]); err != nil || k.Generation < 0 {
		return k, false
	}
	return k, k.String() == key
}

// keyPrefix and keySuffix are the parts that all keys of a saga share.
func keyPrefix(tenant, saga string) string {
	return escape(tenant, ":%") + ":" + escape(saga, ":%") + ":"
}

func keySuffix(startedAt time.Time) string {
	return ":" + startedAt.UTC().Format(keyTime) + ":"
}

func finishKey(prefix, path string, op Op, suffix string, generation int) string {
	g := "0"
	if generation != 0 {
		g = strconv.Itoa(generation)
	}
	key := prefix + escape(path, ":%") + ":" + op.String() + suffix + g
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// escape percent-escapes control characters and the bytes of reserved in s.
func escape(s, reserved string) string {
	return escapeIf(s, func(c byte) bool { return c < 0x20 || c == 0x7f || strings.IndexByte(reserved, c) >= 0 })
}

// escapeIf percent-escapes the bytes of s that must be.
func escapeIf(s string, must func(byte) bool) string {
	clean := true
	for i := 0; i < len(s); i++ {
		if must(s[i]) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; must(c) {
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// unescape takes back escape.
func unescape(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 {
		return s, true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		c, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", false
		}
		b.WriteByte(byte(c))
		i += 2
	}
	return b.String(), true
}
