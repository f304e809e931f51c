// Package upstream is an HTTP/1.1 client for a gate: it carries a request to a backend and the answer back, over a pool of
// connections of its own.
//
// It is not net/http's Transport, because a gate needs less and must know more: it makes no second request of the first, follows
// no redirect, starts no goroutine unless a body streams, and knows whether a request may be sent again. What a backend sends is
// read strictly (RFC 9112): no bare line feed, no folded line, no length beside chunks. A connection on which anything odd
// was seen is closed and never used again.
//
//	pool, err := upstream.New(upstream.Config{Address: "127.0.0.1:7350"})
//	answer, err := pool.Do(ctx, &upstream.Request{Head: []byte("GET / HTTP/1.1\r\nHost: game\r\n\r\n"), Retry: true})
//	defer answer.Close()
//	for { n, err := answer.Read(buffer) … }
package upstream
