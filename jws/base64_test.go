package jws

import (
	"encoding/base64"
	"testing"
)

// Of all the digits in the last place, decode takes just those that leave the unused bits zero.
func TestDecodeIsCanonical(t *testing.T) {
	for _, lead := range []string{"A", "AA", "_", "-_", "AAAAA", "AAAAAA", "AAA"} {
		for c := range 256 {
			s := lead + string([]byte{byte(c)})
			want, err := base64.RawURLEncoding.Strict().DecodeString(s)
			canonical := err == nil && c != '\r' && c != '\n'
			got, ok := decode(nil, s)
			if ok != canonical || (ok && string(got) != string(want)) {
				t.Errorf("decode(%q) = %x, %v; want %x, %v", s, got, ok, want, canonical)
			}
		}
	}
}
