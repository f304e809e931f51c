package jws

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
)

// encoding writes base64url without padding (RFC 7515 section 2).
var encoding = base64.RawURLEncoding

// notDigit marks a byte that is no digit of base64url.
const notDigit = 1 << 31

// digits maps a base64url digit at the first to fourth place of a group to its bits of the group's 24, everything else
// to notDigit.
var digits = func() (table [4][256]uint32) {
	for place := range table {
		for i := range table[place] {
			table[place][i] = notDigit
		}
		for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
			table[place][c] = uint32(i) << (18 - 6*place)
		}
	}
	return table
}()

// decodedLen returns the number of bytes that n digits stand for.
func decodedLen(n int) int { return n * 6 / 8 }

// decode appends the bytes that s stands for to dst and reports whether s is their one canonical spelling: digits of
// base64url only, no padding, no line break, unused bits zero. (The decoder of encoding/base64 skips CR and LF even
// when it is strict.)
func decode(dst []byte, s string) ([]byte, bool) {
	// Two groups are written as eight bytes, of which six count.
	dst = slices.Grow(dst, decodedLen(len(s))+8)
	to := dst[len(dst):cap(dst)]
	var bad, stray uint32
	for len(s) >= 16 && len(to) >= 14 {
		a, b, c, d := group(s[:4]), group(s[4:8]), group(s[8:12]), group(s[12:16])
		bad |= a | b | c | d
		binary.BigEndian.PutUint64(to, uint64(a)<<40|uint64(b)<<16)
		binary.BigEndian.PutUint64(to[6:], uint64(c)<<40|uint64(d)<<16)
		s, to = s[16:], to[12:]
	}
	dst = dst[:cap(dst)-len(to)]
	for len(s) >= 4 {
		a := group(s[:4])
		bad |= a
		dst = append(dst, byte(a>>16), byte(a>>8), byte(a))
		s = s[4:]
	}
	switch len(s) {
	case 1:
		return dst, false
	case 2:
		a := digits[0][s[0]] | digits[1][s[1]]
		// The low bits of a last digit that stand for nothing must be zero.
		bad, stray = bad|a, a&0xffff
		dst = append(dst, byte(a>>16))
	case 3:
		a := digits[0][s[0]] | digits[1][s[1]] | digits[2][s[2]]
		bad, stray = bad|a, a&0xff
		dst = append(dst, byte(a>>16), byte(a>>8))
	}
	return dst, bad < notDigit && stray == 0
}

// group returns the 24 bits of four digits.
func group(s string) uint32 {
	return digits[0][s[0]] | digits[1][s[1]] | digits[2][s[2]] | digits[3][s[3]]
}
