package wsframe

// Rule names a rule of RFC 6455 that a peer broke.
type Rule string

// The rules, with the section of RFC 6455 that has them.
const (
	// ReservedBit: a reserved bit is set that no extension permits there (5.2).
	ReservedBit Rule = "a reserved bit is set"
	// ReservedOpcode: the opcode is none of the six (5.2).
	ReservedOpcode Rule = "the opcode is reserved"
	// NotMasked: a client's frame is not masked (5.1).
	NotMasked Rule = "a frame from a client is not masked"
	// IsMasked: a server's frame is masked (5.1).
	IsMasked Rule = "a frame from a server is masked"
	// ControlFragmented: a control frame is not final (5.5).
	ControlFragmented Rule = "a control frame is fragmented"
	// ControlTooLong: a control frame has more than 125 bytes (5.5).
	ControlTooLong Rule = "a control frame is longer than 125 bytes"
	// NothingToContinue: a continuation without a message that goes on (5.4).
	NothingToContinue Rule = "a continuation continues nothing"
	// MessageUnfinished: a new message inside another (5.4).
	MessageUnfinished Rule = "a message begins inside another"
	// LengthNotMinimal: a length is not encoded in the shortest way (5.2).
	LengthNotMinimal Rule = "a length is not in its shortest encoding"
	// LengthTooLarge: the top bit of a length is set (5.2).
	LengthTooLarge Rule = "a length has its top bit set"
	// MessageTooBig: a message is longer than Rules.MaxMessage (7.4.1, code 1009).
	MessageTooBig Rule = "a message is longer than permitted"
)

// Close codes of RFC 6455 section 7.4.1 that this package and its users need by name.
const (
	CodeNormal   = 1000
	CodeAway     = 1001
	CodeProtocol = 1002
	CodeNone     = 1005 // never on the wire: the close frame has no code
	CodeLost     = 1006 // never on the wire: there was no close frame
	CodeTooBig   = 1009
)

// Violation says which rule a peer broke. It holds nothing of what the peer sent.
type Violation struct {
	// Rule is the broken rule.
	Rule Rule
	// Code is the close code that a direct peer would answer with.
	Code int
}

// Error returns the rule in words.
func (v *Violation) Error() string { return "wsframe: " + string(v.Rule) }

// Is reports whether target is a violation of the same rule, for errors.Is.
func (v *Violation) Is(target error) bool {
	other, ok := target.(*Violation)
	return ok && other.Rule == v.Rule
}

func violation(rule Rule) *Violation {
	if rule == MessageTooBig {
		return &Violation{rule, CodeTooBig}
	}
	return &Violation{rule, CodeProtocol}
}
