package wsframe

import "encoding/binary"

// Mask masks or unmasks b in place (RFC 6455 section 5.3). offset is where in the frame's payload b begins, so that a
// payload may be masked in pieces.
func Mask(b []byte, key [4]byte, offset int) {
	var turned [4]byte
	for i := range turned {
		turned[i] = key[(offset+i)&3]
	}
	word := uint64(binary.LittleEndian.Uint32(turned[:]))
	word |= word << 32
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^word)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= turned[i&3]
	}
}
