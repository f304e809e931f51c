package jws

import "encoding/base64"

// encoding writes base64url without padding (RFC 7515 section 2).
var encoding = base64.RawURLEncoding

// sextets maps a base64url digit to its value, everything else to 0xff.
var sextets = func() (table [256]byte) {
	for i := range table {
		table[i] = 0xff
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		table[c] = byte(i)
	}
	return table
}()

// decodedLen returns the number of bytes that n digits stand for.
func decodedLen(n int) int { return n * 6 / 8 }

// decode appends the bytes that s stands for to dst and reports whether s is their one canonical spelling: digits of
// base64url only, no padding, no line break, unused bits zero. (The decoder of encoding/base64 skips CR and LF even
// when it is strict.)
func decode(dst []byte, s string) ([]byte, bool) {
	var bad byte
	for len(s) >= 4 {
		a, b, c, d := sextets[s[0]], sextets[s[1]], sextets[s[2]], sextets[s[3]]
		bad |= a | b | c | d
		dst = append(dst, a<<2|b>>4, b<<4|c>>2, c<<6|d)
		s = s[4:]
	}
	switch len(s) {
	case 1:
		return dst, false
	case 2:
		a, b := sextets[s[0]], sextets[s[1]]
		if b&15 != 0 {
			return dst, false
		}
		bad |= a | b
		dst = append(dst, a<<2|b>>4)
	case 3:
		a, b, c := sextets[s[0]], sextets[s[1]], sextets[s[2]]
		if c&3 != 0 {
			return dst, false
		}
		bad |= a | b | c
		dst = append(dst, a<<2|b>>4, b<<4|c>>2)
	}
	return dst, bad < 64
}
