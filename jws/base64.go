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

// alphabet maps a base64url digit at the first to fourth place of a group to its bits of the group's 24, everything else
// to notDigit.
type alphabet [4][256]uint32

// digits is a pointer, which stays in a register while a token is decoded.
var digits = func() *alphabet {
	table := new(alphabet)
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
	dst = slices.Grow(dst, decodedLen(len(s)))
	to := dst[len(dst):cap(dst)]
	var bad, stray uint32
	table := digits
	for len(s) >= 16 && len(to) >= 12 {
		a, b, c, d := table.group(s[:4]), table.group(s[4:8]), table.group(s[8:12]), table.group(s[12:16])
		bad |= a | b | c | d
		six, rest := uint64(a)<<24|uint64(b), uint64(c)<<24|uint64(d)
		binary.BigEndian.PutUint64(to, six<<16|rest>>32)
		binary.BigEndian.PutUint32(to[8:], uint32(rest))
		s, to = s[16:], to[12:]
	}
	dst = dst[:cap(dst)-len(to)]
	for len(s) >= 4 {
		a := table.group(s[:4])
		bad |= a
		dst = append(dst, byte(a>>16), byte(a>>8), byte(a))
		s = s[4:]
	}
	switch len(s) {
	case 1:
		return dst, false
	case 2:
		a := table[0][s[0]] | table[1][s[1]]
		// The low bits of a last digit that stand for nothing must be zero.
		bad, stray = bad|a, a&0xffff
		dst = append(dst, byte(a>>16))
	case 3:
		a := table[0][s[0]] | table[1][s[1]] | table[2][s[2]]
		bad, stray = bad|a, a&0xff
		dst = append(dst, byte(a>>16), byte(a>>8))
	}
	return dst, bad < notDigit && stray == 0
}

// group returns the 24 bits of four digits.
func (t *alphabet) group(s string) uint32 {
	return t[0][s[0]] | t[1][s[1]] | t[2][s[2]] | t[3][s[3]]
}
