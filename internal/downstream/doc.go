// Package downstream is an HTTP/1.1 server for a gate, the other end of package upstream: it reads what clients send, strictly
// (package http1), and runs an http.Handler for each request.
//
// It is not net/http's server, because that repairs what has a second reading, and because half of a relayed request's processor
// time went to it. With Server.Reuse, what a connection needs is made once and used again: a request has no goroutine, no buffer and
// no header map of its own, and a handler must keep nothing of it. The request's context is the connection's: it ends with that, or
// when the client is gone, and not when the handler returns.
//
// On connections of TLS it speaks HTTP/1.1 as well, and hands those on which HTTP/2 was agreed to somebody else.
//
//	server := &downstream.Server{Handler: gate, HeadTimeout: 10 * time.Second, IdleTimeout: time.Minute}
//	err := server.Serve(listener) // until Shutdown or Close
//
// The writer is an http.Flusher and http.Hijacker, takes deadlines by http.ResponseController, and reads and writes at the same
// time. It guesses no Content-Type. A connection serves on only if all of a request was read.
//
// # What is refused
//
// Heads that are malformed get 400, too large 431, of another version 505, with an expectation that nobody knows 417; then the
// connection ends. So it does where a head does not come in time, without an answer.
package downstream
