// Package http1 reads HTTP/1.1 messages strictly (RFC 9112), for both ends of a gate: what a client sends, and what a backend
// answers. Whatever has more than one reading is an error: a bare line feed, a folded line, a length beside chunks, two
// lengths, a coding other than chunked. Every such error wraps [ErrMalformed].
//
//	in := http1.NewReader(conn, make([]byte, 4096))
//	text, err := in.Block("\r\n\r\n", 8<<10)          // a whole head
//	line, rest, err := http1.CutLine(text)            // the request or status line
//	fields, err := http1.ParseFields(rest, nil)
//	framing, err := http1.FramingOf(fields, minor)    // how the body ends
//	body := http1.NewBody(in, framing)
package http1
