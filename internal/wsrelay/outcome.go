package wsrelay

import "github.com/sallyport-auth/sallyport/connect"

// Outcome is how a socket went.
type Outcome struct {
	// Reason is why it ended: that of [Pipe.Close], what the relay found, or CloseFinished if one of the two ends left by
	// itself. A client that broke the protocol is CloseRefused, one that sent too large a message CloseFlooding.
	Reason connect.CloseReason
	// Code is the close code that the client was told or told us, 0 if there was none.
	Code int
	// Violation is the *wsframe.Violation of the side that broke the protocol, or nil.
	Violation error
	// FromClient and FromBackend count what was read from each side.
	FromClient, FromBackend Traffic
}

// Traffic counts what came from a side.
type Traffic struct {
	// Bytes are those of whole frames, headers included.
	Bytes uint64
	// Messages are data messages, counted at their first frame. Control frames and heartbeats are none.
	Messages uint64
}
