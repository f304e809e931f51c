package wsframe

// Rules is what a direction permits. It may be shared by any number of readers.
type Rules struct {
	// Masked: frames come from a client and must be masked. Otherwise they come from a server and must not be.
	Masked bool
	// MaxMessage is the most payload bytes of a message over all its fragments, as they are on the wire. 0: no limit.
	MaxMessage uint64
	// Whole, if positive, is the payload length at which a text message of one frame is given in one piece like a
	// control frame, at most MaxControl: for those who look for a certain short text.
	Whole int
}

// Reader follows the frames of one direction. The zero value stands before the first frame and permits no reserved bit.
type Reader struct {
	// RSV are the reserved bits that a message's first frame may have: what the negotiated extensions use.
	RSV byte

	open   bool   // a message has begun and its last frame has not
	left   uint64 // payload bytes of the current frame that are still to come
	length uint64 // payload bytes of the open message in all frames so far
}

// Piece is what a run of bytes is: a frame's beginning with as much of its payload as there is, or more payload of the
// frame before. A control frame is always one piece.
type Piece struct {
	// Header is the frame's header, and set only if Begins.
	Header Header
	// Payload is a part of what Next was given, masked as it came.
	Payload []byte
	// Begins: the piece has the frame's header.
	Begins bool
}

// Next tells what is at the beginning of b, and how many bytes of b that is. It is 0 if b is the incomplete beginning of
// a header or of a control frame, always less than MaxHeader+MaxControl bytes: the caller gives them again with what
// follows. The error is a *Violation. It comes as soon as the bytes cannot become a good frame; nothing of b was consumed
// then, and the reader stands at the boundary behind the last good frame.
func (r *Reader) Next(b []byte, rules *Rules) (piece Piece, n int, err error) {
	if r.left > 0 {
		n = int(min(r.left, uint64(len(b))))
		r.left -= uint64(n)
		piece.Payload = b[:n]
		return piece, n, nil
	}
	if len(b) >= 2 {
		if err := r.judge(b[0], b[1], rules); err != nil {
			return piece, 0, err
		}
	}
	header, size, err := Parse(b)
	if err != nil || size == 0 {
		return piece, 0, err
	}
	data := !header.Opcode.Control()
	if data && rules.MaxMessage > 0 && header.Length > rules.MaxMessage-min(r.length, rules.MaxMessage) {
		return piece, 0, violation(MessageTooBig)
	}
	there := min(header.Length, uint64(len(b)-size))
	if there < header.Length && (!data || header.wanted(rules)) {
		return piece, 0, nil
	}
	if data {
		r.begin(header)
	}
	r.left = header.Length - there
	n = size + int(there)
	return Piece{Header: header, Payload: b[size:n], Begins: true}, n, nil
}

// begin notes a data frame.
func (r *Reader) begin(h Header) {
	r.open = !h.Final
	r.length += h.Length
	if h.Final {
		r.length = 0
	}
}

func (h *Header) wanted(rules *Rules) bool {
	return h.Opcode == Text && h.Final && rules.Whole > 0 && h.Length == uint64(rules.Whole)
}

// judge applies the rules that the first two bytes of a header can break, the most basic first.
func (r *Reader) judge(first, second byte, rules *Rules) error {
	opcode, length := Opcode(first&0x0F), second&^maskBit
	permitted := byte(0)
	if opcode == Text || opcode == Binary {
		permitted = r.RSV
	}
	switch masked := second&maskBit != 0; {
	case first&reserved&^permitted != 0:
		return violation(ReservedBit)
	case !opcode.known():
		return violation(ReservedOpcode)
	case rules.Masked && !masked:
		return violation(NotMasked)
	case !rules.Masked && masked:
		return violation(IsMasked)
	case opcode.Control() && first&finalBit == 0:
		return violation(ControlFragmented)
	case opcode.Control() && length > MaxControl:
		return violation(ControlTooLong)
	case opcode == Continuation && !r.open:
		return violation(NothingToContinue)
	case (opcode == Text || opcode == Binary) && r.open:
		return violation(MessageUnfinished)
	}
	return nil
}

// Boundary reports whether the reader stands between two frames, where a control frame may be put in.
func (r *Reader) Boundary() bool { return r.left == 0 }

// BetweenMessages reports whether the reader stands between two messages, where another message may be put in.
func (r *Reader) BetweenMessages() bool { return r.left == 0 && !r.open }
