package wsframe

import "encoding/binary"

// AppendClose appends the payload of a close frame to b (RFC 6455 section 5.5.1): the code, and as much of the reason as
// a control frame has room for. The reason is ASCII. A code that may not be on the wire (0, 1005, 1006) makes an empty
// payload.
func AppendClose(b []byte, code int, reason string) []byte {
	if code == 0 || code == CodeNone || code == CodeLost {
		return b
	}
	b = binary.BigEndian.AppendUint16(b, uint16(code))
	return append(b, reason[:min(len(reason), MaxControl-2)]...)
}

// ParseClose returns the code and the reason of a close frame's unmasked payload, [CodeNone] if it has none. It judges
// neither: a relay hands both on, and the other end is the one to refuse them.
func ParseClose(payload []byte) (code int, reason string) {
	if len(payload) < 2 {
		return CodeNone, ""
	}
	return int(binary.BigEndian.Uint16(payload)), string(payload[2:])
}

// AppendFrame appends a whole frame to b: the header, whose Length is set here, and the payload, masked if the header
// says so.
func AppendFrame(b []byte, h Header, payload []byte) []byte {
	h.Length = uint64(len(payload))
	b = h.Append(b)
	at := len(b)
	b = append(b, payload...)
	if h.Masked {
		Mask(b[at:], h.Mask, 0)
	}
	return b
}
