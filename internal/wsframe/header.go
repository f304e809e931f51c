package wsframe

import "encoding/binary"

// Opcode says what a frame is (RFC 6455 section 5.2).
type Opcode byte

// The opcodes. All others are reserved.
const (
	Continuation Opcode = 0x0
	Text         Opcode = 0x1
	Binary       Opcode = 0x2
	Close        Opcode = 0x8
	Ping         Opcode = 0x9
	Pong         Opcode = 0xA
)

// Control reports whether the frame is a control frame (RFC 6455 section 5.5).
func (o Opcode) Control() bool { return o&0x8 != 0 }

func (o Opcode) known() bool { return o <= Binary || o >= Close && o <= Pong }

// The reserved bits of a header, which only a negotiated extension may set (RFC 6455 section 5.2). permessage-deflate
// uses RSV1 (RFC 7692 section 6).
const (
	RSV1 byte = 0x40
	RSV2 byte = 0x20
	RSV3 byte = 0x10

	reserved = RSV1 | RSV2 | RSV3
)

const (
	// MaxHeader is the size of the longest header, in bytes.
	MaxHeader = 14
	// MaxControl is the longest payload of a control frame, in bytes (RFC 6455 section 5.5).
	MaxControl = 125
)

const (
	finalBit  = 0x80
	maskBit   = 0x80
	lengthIn2 = 126 // the length follows in 2 bytes
	lengthIn8 = 127 // the length follows in 8 bytes
)

// Header is a frame's header.
type Header struct {
	// Length is the payload's length in bytes, less than 2^63.
	Length uint64
	// Mask is the masking key where Masked is set.
	Mask [4]byte
	// Opcode is what the frame is.
	Opcode Opcode
	// RSV are the reserved bits that are set.
	RSV byte
	// Final: the message's last frame.
	Final bool
	// Masked: the payload is masked, as a client's must be.
	Masked bool
}

// Append appends the header to b, in the shortest encoding of its length.
func (h Header) Append(b []byte) []byte {
	first, second := h.RSV&reserved|byte(h.Opcode), byte(0)
	if h.Final {
		first |= finalBit
	}
	if h.Masked {
		second = maskBit
	}
	switch {
	case h.Length < lengthIn2:
		b = append(b, first, second|byte(h.Length))
	case h.Length <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, first, second|lengthIn2), uint16(h.Length))
	default:
		b = binary.BigEndian.AppendUint64(append(b, first, second|lengthIn8), h.Length)
	}
	if h.Masked {
		b = append(b, h.Mask[:]...)
	}
	return b
}

// Parse reads the header at the beginning of b and returns its size in bytes, 0 if b has not all of it. The error is a
// *Violation: what [Header] cannot hold, a length that is not encoded in the shortest way or has its top bit set. An
// error may come before the header is whole. All other rules are [Reader]'s.
func Parse(b []byte) (h Header, size int, err error) {
	if len(b) < 2 {
		return h, 0, nil
	}
	h.Final, h.RSV, h.Opcode = b[0]&finalBit != 0, b[0]&reserved, Opcode(b[0]&0x0F)
	h.Masked, h.Length = b[1]&maskBit != 0, uint64(b[1]&^maskBit)
	size = 2
	switch h.Length {
	case lengthIn2:
		size = 4
		if len(b) < size {
			return h, 0, nil
		}
		if h.Length = uint64(binary.BigEndian.Uint16(b[2:])); h.Length < lengthIn2 {
			return h, 0, violation(LengthNotMinimal)
		}
	case lengthIn8:
		size = 10
		if len(b) < size {
			return h, 0, nil
		}
		if h.Length = binary.BigEndian.Uint64(b[2:]); h.Length <= 0xFFFF {
			return h, 0, violation(LengthNotMinimal)
		}
		if h.Length>>63 != 0 {
			return h, 0, violation(LengthTooLarge)
		}
	}
	if h.Masked {
		if len(b) < size+4 {
			return h, 0, nil
		}
		h.Mask = [4]byte(b[size:])
		size += 4
	}
	return h, size, nil
}
