// Package upstream is an HTTP/1.1 client for a gate: it carries a request to a backend and its answer back, over a pool of connections of its own.
//
// It is not net/http's Transport, because a gate needs less and must know more: it builds no second request, follows no redirect,
// starts no goroutine for a request, and knows of every byte whether it may be sent again. A connection on which anything odd was
// seen is closed and never used again.
//
//	pool := upstream.New(upstream.Config{Address: "127.0.0.1:7350"})
//	conn, err := pool.Get(ctx)
//	…
package upstream
