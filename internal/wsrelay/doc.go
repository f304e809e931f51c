// Package wsrelay carries WebSockets between two connections on which the handshake is over: a client's and a game
// server's. It judges frame headers (RFC 6455), passes payload as it came, and ends a socket for the reasons that the
// connection itself shows: no answer to pings, idleness, slowness, too much, a server that went away.
//
//	loop, err := wsrelay.NewLoop(wsrelay.LoopConfig{})
//	…
//	policy, err := wsrelay.NewPolicy(wsrelay.Policy{Profile: connect.ProfileNakama, Pinger: wsrelay.BackendPings})
//	…
//	pipe, err := loop.Relay(wsrelay.Half{Conn: client, Buffered: early}, wsrelay.Half{Conn: backend}, policy,
//		func(o wsrelay.Outcome) { socket.Release() })
//	…
//	pipe.Close(policy.Profile.Closing(connect.CloseBanned)) // from any goroutine
//
// # Two forms
//
// On Linux plain TCP connections are carried by an event loop: their descriptors are taken out of net, and one goroutine
// for each processor serves them all with one buffer. An idle socket then has no goroutine and no buffer. TLS
// connections, other systems and other net.Conns have two goroutines for each socket. Both forms share all decisions: a
// form only brings bytes and takes bytes.
//
// # Order
//
// Everything that goes to one side is one stream. Frames of our own are put in only where the stream that is passed on
// stands between two frames, text frames between two messages. What a side does not take at once is kept, and as long as
// something is kept, the other side is not read: so there is at most one buffer of it, and the kernel's buffers are
// bounded by [Policy].Buffer.
package wsrelay
