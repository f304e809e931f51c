// Package uuid makes and reads the two kinds of UUID (RFC 9562) that Sallyport uses: version 7, whose first 48 bits
// are its time, for ids that Sallyport makes, and version 5 for ids that it derives from names.
//
//	id, err := uuid.NewV7(time.Now(), rand.Reader)
//	player := uuid.V5("https://idp.example", "subject")
package uuid

import (
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// namespace is Sallyport's own: UUIDv5 of the URL namespace (RFC 9562 section 6.6) and the module's URL.
var namespace = v5(
	[16]byte{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8},
	"https://github.com/sallyport-auth/sallyport",
)

// NewV7 returns a new UUID version 7 (RFC 9562 section 5.7) in lower-case text form. Its time has millisecond
// resolution. The error is that of random, which must be a cryptographic source.
func NewV7(now time.Time, random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[6:]); err != nil {
		return "", fmt.Errorf("uuid: no randomness: %w", err)
	}
	ms := uint64(now.UnixMilli())
	binary.BigEndian.PutUint16(b[0:], uint16(ms>>32))
	binary.BigEndian.PutUint32(b[2:], uint32(ms))
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return String(b), nil
}

// V5 derives a UUID version 5 (RFC 9562 section 5.5) from a realm and a name under Sallyport's own namespace. The
// same realm and name give the same UUID on every machine, for ever.
func V5(realm, name string) string { return String(v5(v5(namespace, realm), name)) }

func v5(space [16]byte, name string) [16]byte {
	var sum [sha1.Size]byte
	withoutFIPS(func() { sum = sha1.Sum(append(space[:], name...)) })
	b := [16]byte(sum[:16])
	b[6] = b[6]&0x0f | 0x50
	b[8] = b[8]&0x3f | 0x80
	return b
}

// Canonical returns the lower-case form of a UUID in its 36-character text form (RFC 9562 section 4) and whether s
// is one. Braces, a urn prefix and forms without hyphens are refused: one id has one spelling.
func Canonical(s string) (string, bool) {
	b, ok := Bytes(s)
	if !ok {
		return "", false
	}
	return String(b), true
}

// Bytes returns the 16 bytes of a UUID in its 36-character text form and whether s is one.
func Bytes(s string) (b [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return b, false
	}
	digits := s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:36]
	_, err := hex.Decode(b[:], []byte(digits))
	return b, err == nil
}

// String returns the lower-case text form of a UUID's 16 bytes.
func String(b [16]byte) string {
	h := hex.EncodeToString(b[:])
	return h[0:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
}

// TimeOfV7 returns the UTC time within a UUID version 7 and whether s is one.
func TimeOfV7(s string) (time.Time, bool) {
	b, ok := Bytes(s)
	if !ok || b[6]>>4 != 7 {
		return time.Time{}, false
	}
	ms := int64(binary.BigEndian.Uint16(b[0:]))<<32 | int64(binary.BigEndian.Uint32(b[2:]))
	return time.UnixMilli(ms).UTC(), true
}
