package connect

import (
	"errors"

	"github.com/sallyport-auth/sallyport/jws"
)

// CloseReason says why a socket ended. Its text is the first word of [Closing.Text], so a client can test it.
type CloseReason string

const (
	// CloseFinished: the work is done. It is also the reason of a socket that its owner released without another.
	CloseFinished CloseReason = "finished"
	// CloseExpired: the session's token expired and no refresh came.
	CloseExpired CloseReason = "expired"
	// CloseRevoked: the session, its player before now, or the issuer's session behind it was signed out.
	CloseRevoked CloseReason = "revoked"
	// CloseBanned: the player is banned.
	CloseBanned CloseReason = "banned"
	// CloseReplaced: a newer socket took the slot.
	CloseReplaced CloseReason = "replaced"
	// CloseSlotTaken: an older socket holds the slot. The newer one was not admitted.
	CloseSlotTaken CloseReason = "slot_taken"
	// CloseKicked: an operator ended the socket.
	CloseKicked CloseReason = "kicked"
	// CloseRefused: the socket was not admitted for a reason that has no word of its own here.
	CloseRefused CloseReason = "refused"
	// CloseDraining: this server goes away, others serve.
	CloseDraining CloseReason = "draining"
	// CloseUnavailable: what is revoked cannot be known just now.
	CloseUnavailable CloseReason = "unavailable"
	// CloseLapsed: this node could not say for too long that it still holds the slot, and another may hold it by now.
	CloseLapsed CloseReason = "lapsed"
	// CloseBackendLost: the server behind the socket went away.
	CloseBackendLost CloseReason = "backend_lost"
	// CloseSilent: the client answered no ping.
	CloseSilent CloseReason = "silent"
	// CloseSlow: the client did not read what was sent to it.
	CloseSlow CloseReason = "slow"
	// CloseIdle: the client sent nothing for too long.
	CloseIdle CloseReason = "idle"
	// CloseFlooding: the client sent too much.
	CloseFlooding CloseReason = "flooding"
)

// CloseAction is what a client should do next.
type CloseAction string

const (
	// ComeBack: connect again with the same token, after a pause that grows.
	ComeBack CloseAction = "come back"
	// NewToken: refresh the session, then connect with its new token.
	NewToken CloseAction = "get a new token"
	// Stop: do not connect again without the player.
	Stop CloseAction = "stop"
)

// Profile is the kind of game server behind a socket. Its clients decide which close codes mean what.
type Profile string

const (
	// ProfilePlain is for clients that hand every registered code to the game (RFC 6455 section 7.4 and IANA's registry):
	// browsers, ws, Go, Python.
	ProfilePlain Profile = "plain"
	// ProfileNakama is for Nakama's clients. nakama-js does not reconnect by itself but hands code and text to the game.
	// .NET before version 8, and Unity with it, discards a close frame with 1012 to 1014, so these are not used.
	ProfileNakama Profile = "nakama"
	// ProfileColyseus is for @colyseus/sdk, which reconnects by itself on 1001, 1005, 1006 and 4010 alone, with the URL
	// and so the token of before. A client that should not come back with it never gets one of these.
	ProfileColyseus Profile = "colyseus"
)

// Closing is how a socket is told that it ends.
type Closing struct {
	// Reason says why.
	Reason CloseReason
	// Action is what the client should do next. Within a profile a code has one action.
	Action CloseAction
	// Code is the close code of a WebSocket (RFC 6455 section 7.4). Other protocols use what suits them.
	Code int
	// Text is a fixed text for the close frame, ASCII, under 123 bytes: the reason, a colon, and advice. It holds nothing
	// of the token or the player.
	Text string
}

// closeRow is what a reason means to each profile.
type closeRow struct {
	reason                  CloseReason
	action                  CloseAction
	nakama, colyseus, plain int
	advice                  string
}

// closeRows is the table of docs/close-codes.md. Codes from 4400 on follow the HTTP status that says the same.
var closeRows = []closeRow{
	{CloseFinished, Stop, 1000, 1000, 1000, "done"},
	{CloseExpired, NewToken, 4401, 4401, 4401, "refresh the session and connect with the new token"},
	{CloseRevoked, Stop, 4403, 4403, 4403, "signed out, sign in again"},
	{CloseBanned, Stop, 4403, 4403, 4403, "the player is banned"},
	{CloseReplaced, Stop, 4409, 4409, 4409, "connected from elsewhere"},
	{CloseSlotTaken, Stop, 4409, 4409, 4409, "already connected from elsewhere"},
	{CloseKicked, Stop, 4403, 4403, 4403, "removed by an operator"},
	{CloseRefused, Stop, codePolicy, codePolicy, codePolicy, "not admitted"},
	{CloseDraining, ComeBack, 1001, 4010, 1012, "the server restarts, connect again"},
	{CloseUnavailable, ComeBack, 4503, 4010, 1013, "sessions cannot be checked now, connect again later"},
	{CloseLapsed, ComeBack, 4503, 4010, 1013, "this server lost contact with the others, connect again"},
	{CloseBackendLost, ComeBack, 1011, 4010, 1011, "the game server went away, connect again"},
	{CloseSilent, ComeBack, 4408, 4010, 4408, "no answer to pings, connect again"},
	{CloseSlow, ComeBack, 4408, 4010, 4408, "the connection is too slow, connect again"},
	{CloseIdle, Stop, 4410, 4410, 4410, "nothing was sent for too long"},
	{CloseFlooding, Stop, 4429, 4429, 4429, "too many messages"},
}

// Closing returns how a socket of this profile is told the reason. A reason that is not in the table, and any reason for
// a profile that does not exist, is told as CloseRefused, which means stop.
func (p Profile) Closing(reason CloseReason) Closing {
	for _, row := range closeRows {
		if code := row.code(p); row.reason == reason && code != 0 {
			return Closing{reason, row.action, code, string(reason) + ": " + row.advice}
		}
	}
	return Closing{CloseRefused, Stop, codePolicy, string(CloseRefused) + ": not admitted"}
}

const codePolicy = 1008 // RFC 6455 section 7.4.1, policy violation

func (row *closeRow) code(p Profile) int {
	switch p {
	case ProfileNakama:
		return row.nakama
	case ProfileColyseus:
		return row.colyseus
	case ProfilePlain:
		return row.plain
	}
	return 0
}

// CloseReasonOf returns the reason that tells a client of an error of Registry.Admit, a verifier or a ticket office, for
// servers that find out only once the socket is open. It is CloseRefused for an error that has no better word.
func CloseReasonOf(err error) CloseReason {
	switch jws.ReasonOf(err) {
	case jws.Expired:
		return CloseExpired
	case jws.Revoked:
		return CloseRevoked
	case jws.Banned:
		return CloseBanned
	case jws.Unavailable:
		return CloseUnavailable
	}
	switch {
	case errors.Is(err, ErrSlotTaken):
		return CloseSlotTaken
	case errors.Is(err, ErrDraining):
		return CloseDraining
	}
	return CloseRefused
}
