package jws

import "math/bits"

// Text is looked at eight bytes at once: a word, in which the first byte is the lowest.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// eightBytes returns the first eight bytes of s as a word. It compiles to one load.
func eightBytes[T string | []byte](s T) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// fourBytes is eightBytes for four.
func fourBytes(s string) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// lastBytes returns up to seven bytes as a word whose other bytes are 0.
func lastBytes[T string | []byte](s T) (x uint64) {
	for i := len(s) - 1; i >= 0; i-- {
		x = x<<8 | uint64(s[i])
	}
	return x
}

// stops marks, by their high bit, those bytes of a word that do not stand for themselves within a string: a quote, a
// backslash, a control character, one beyond ASCII. Above the lowest one it may mark others falsely.
func stops(x uint64) uint64 {
	// A byte that is smaller than what is subtracted gets its high bit, and the byte above it one less.
	return (((x ^ ones*'"') - ones) | ((x ^ ones*'\\') - ones) | (x - ones*' ') | x) & highs
}

// skipPlain returns the position of the first byte from i on that does not stand for itself within a string, or that of
// the end.
func skipPlain(data []byte, i int) int {
	for ; i+8 <= len(data); i += 8 {
		if hits := stops(eightBytes(data[i : i+8])); hits != 0 {
			return i + bits.TrailingZeros64(hits)/8
		}
	}
	if i >= len(data) {
		return i
	}
	return i + bits.TrailingZeros64(stops(lastBytes(data[i:])))/8 // the end is a 0, which stops
}
